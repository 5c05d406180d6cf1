"""HistFactory likelihoods as pytrees: expected rates, constraints, log-likelihood and Asimov data.

A model is nominal yields and a tuple of modifiers, as in HistFactory (CERN-OPEN-2012-016) and pyhf. Whoever uses one
calls `expected_rates`, `log_likelihood` and `expected_data` and reads `model.parameters`; a new kind of modifier is a
class with a `factor` or an `addition` and changes nothing else.
"""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln
from jax.tree_util import register_dataclass
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Real

RATE_FLOOR = 1e-6
"""Rates (events) below this are continued by an exponential, see `expected_rates`."""

STATIC = {"static": True}
"""Marks what is known when a program is compiled, not data of the pytree."""

Leaf = Any
"""An array of a pytree; not `Array`, because jax also rebuilds pytrees with placeholders in their leaves."""

Interpolation = Literal["code0", "code4p"]


class Data(NamedTuple):
    """What a model is compared with.

    Attributes:
        main: event counts of all channels, one after the other, shape (bin,).
        auxiliary: auxiliary measurements, one for each constrained parameter, shape (aux,).
    """

    main: Array
    auxiliary: Array


@dataclass(frozen=True)
class Parameters:
    """What is known of the parameters before any data: names, start values, ranges and the parameter of interest."""

    names: tuple[str, ...]
    initial: tuple[float, ...]
    bounds: tuple[tuple[float, float], ...]
    poi: int


class Modifier:
    """An effect of parameters on yields; a subclass overrides one of the two methods."""

    @property
    def kinked(self) -> tuple[int, ...]:
        """Parameters at whose zero the effect has a kink."""
        return ()

    def addition(self, nominal: Array, pars: Array) -> Array | float:
        """Events added to the nominal yields, broadcast to (sample, bin)."""
        del nominal, pars
        return 0.0

    def factor(self, nominal: Array, pars: Array) -> Array | float:
        """What the yields are multiplied with after all additions, broadcast to (sample, bin)."""
        del nominal, pars
        return 1.0


@register_dataclass
@dataclass(frozen=True)
class NormFactor(Modifier):
    """A free parameter that scales some samples, such as the signal strength."""

    parameter: int = field(metadata=STATIC)
    samples: tuple[int, ...] = field(metadata=STATIC)

    def factor(self, nominal: Array, pars: Array) -> Array:
        """The parameter for its samples, one for the others, shape (sample, 1)."""
        scaled = np.isin(np.arange(nominal.shape[0]), self.samples)[:, None]
        return jnp.where(scaled, pars[self.parameter], 1.0)


@register_dataclass
@dataclass(frozen=True)
class HistoSys(Modifier):
    """Systematic shifts of the yields, interpolated between templates at -1, 0 and +1 standard deviations.

    All of a model's shifts live in one object, so that a hundred cost little more than one. A sample that a shift does
    not touch has up = down = nominal.

    Attributes:
        parameters: index of the parameter of each shift.
        code: "code0", piecewise linear, or "code4p", a sextic polynomial inside ±1 and linear outside (both of pyhf).
        up: yields at +1, shape (shift, sample, bin).
        down: yields at -1, shape (shift, sample, bin).
    """

    parameters: tuple[int, ...] = field(metadata=STATIC)
    code: Interpolation = field(metadata=STATIC)
    up: Leaf
    down: Leaf

    @property
    def kinked(self) -> tuple[int, ...]:
        """All of them with code0."""
        return self.parameters if self.code == "code0" else ()

    def addition(self, nominal: Array, pars: Array) -> Array:
        """Sum over shifts of alpha S + h(alpha) A, with S = (up - down) / 2 and A = (up + down - 2 nominal) / 16.

        This is pyhf's code0 and code4p: outside ±1 (for code0 everywhere) h = 8 |alpha| makes it alpha (up - nominal)
        or alpha (nominal - down). At alpha = 0 code0 has a kink: its derivative is the one on the right, of "up".
        """
        alpha = _take(pars, self.parameters)
        symmetric = (self.up - self.down) / 2
        asymmetric = (self.up + self.down - 2 * nominal) / 16
        return jnp.tensordot(alpha, symmetric, 1) + jnp.tensordot(_bend(alpha, self.code), asymmetric, 1)


@register_dataclass
@dataclass(frozen=True)
class Constraints:
    """Unit normal densities of auxiliary data around their parameters."""

    parameters: tuple[int, ...] = field(metadata=STATIC)

    def log_density(self, pars: Array, auxiliary: Array) -> Array:
        """Sum of log Normal(auxiliary; parameter, 1) without the constant -log(2 pi)/2 of each."""
        return -0.5 * jnp.sum((_take(pars, self.parameters) - auxiliary) ** 2)

    def expected(self, pars: Array) -> Array:
        """Auxiliary data that measure the parameters exactly, shape (aux,)."""
        return _take(pars, self.parameters)

    def information(self, pars: Array) -> Array:
        """Fisher information of the auxiliary data on each parameter, shape (par,): one if constrained, else zero."""
        return jnp.asarray(np.isin(np.arange(pars.shape[0]), self.parameters), pars.dtype)


@register_dataclass
@dataclass(frozen=True)
class Model:
    """A binned statistical model: nominal yields, what modifies them, and what constrains the parameters.

    Attributes:
        nominal: yields before any modifier, shape (sample, bin).
        modifiers: effects of the parameters on the yields.
        constraints: densities of the auxiliary data.
        parameters: names, start values, ranges and the parameter of interest.
    """

    nominal: Leaf
    modifiers: tuple[Modifier, ...]
    constraints: Constraints
    parameters: Parameters = field(metadata=STATIC)


def signal_background(
    signal: Real[ArrayLike, " bin"],
    background: Real[ArrayLike, " bin"],
    up: Real[ArrayLike, "*shift bin"],
    down: Real[ArrayLike, "*shift bin"],
    *,
    interpolation: Interpolation = "code4p",
) -> Model:
    """Signal of unknown strength mu over a background with correlated shape shifts: the model of the neos paper.

    rate = mu signal + background(gamma), with each gamma constrained by a unit normal (arXiv:2203.05570). Bounds are
    pyhf's: mu in (0, 10), gamma in (-5, 5).

    Args:
        signal: signal events in each bin at mu = 1.
        background: background events in each bin at gamma = 0.
        up: background at gamma = +1, shape (bin,), or (shift, bin) for parameters gamma_0, gamma_1 ...
        down: background at gamma = -1, in the same shape.
        interpolation: "code4p" (pyhf's default) or "code0".

    Raises:
        ValueError: shapes differ, or a yield known now (not traced) is negative or not finite.
    """
    if interpolation not in ("code0", "code4p"):
        raise ValueError(f"interpolation is {interpolation!r}: choose 'code0' or 'code4p'")
    yields = {"signal": signal, "background": background, "up": up, "down": down}
    signal, background, up, down = (_checked(name, value) for name, value in yields.items())
    _check_shapes(signal, background, up, down)
    names = ("gamma",) if up.ndim == 1 else tuple(f"gamma_{shift}" for shift in range(up.shape[0]))
    nuisances = tuple(range(1, 1 + len(names)))

    def with_signal(template):
        template = jnp.atleast_2d(template)
        return jnp.stack([jnp.broadcast_to(signal, template.shape), template], axis=1)

    return Model(
        nominal=jnp.stack([signal, background]),
        modifiers=(HistoSys(nuisances, interpolation, with_signal(up), with_signal(down)), NormFactor(0, (0,))),
        constraints=Constraints(nuisances),
        parameters=Parameters(
            names=("mu", *names),
            initial=(1.0,) + (0.0,) * len(names),
            bounds=((0.0, 10.0),) + ((-5.0, 5.0),) * len(names),
            poi=0,
        ),
    )


def unbounded_poi(model: Model) -> Model:
    """The same model with the parameter of interest free to take any value, negative ones too."""
    parameters = model.parameters
    bounds = list(parameters.bounds)
    bounds[parameters.poi] = (-np.inf, np.inf)
    return dataclasses.replace(model, parameters=dataclasses.replace(parameters, bounds=tuple(bounds)))


def nominal_parameters(model: Model, mu: Real[ArrayLike, ""]) -> Float[Array, " par"]:
    """Start values of all parameters, with the parameter of interest at `mu`."""
    return jnp.asarray(model.parameters.initial, model.nominal.dtype).at[model.parameters.poi].set(mu)


def unguarded_rates(model: Model, pars: Float[Array, " par"]) -> Float[Array, " bin"]:
    """Events that the interpolation formulas give; far from nominal perhaps negative: for fits, not for sampling."""
    yields = model.nominal + sum(modifier.addition(model.nominal, pars) for modifier in model.modifiers)
    for modifier in model.modifiers:
        yields = yields * modifier.factor(model.nominal, pars)
    return yields.sum(axis=0)


def expected_rates(model: Model, pars: Float[Array, " par"]) -> Float[Array, " bin"]:
    """Expected events in each bin, all channels one after the other; always positive.

    rate = sum over samples of (nominal + additions) x factors, CERN-OPEN-2012-016 and pyhf. A rate nu below
    eps = `RATE_FLOOR` is replaced by eps exp(nu / eps - 1), which joins smoothly and keeps log-likelihoods finite.
    """
    return guarded(unguarded_rates(model, pars))[0]


def guarded(rates: Float[Array, "*shape"]) -> tuple[Float[Array, "*shape"], Float[Array, "*shape"]]:
    """Positive rates and their logarithms, which stay finite where the rates underflow; see `expected_rates`."""
    kept = jnp.maximum(rates, RATE_FLOOR)
    exponent = jnp.minimum(rates / RATE_FLOOR - 1.0, 0.0)
    return kept * jnp.exp(exponent), jnp.log(kept) + exponent


def expected_data(model: Model, pars: Float[Array, " par"]) -> Data:
    """The Asimov data set: data that equal their expectation (arXiv:1007.1727 section 3.2)."""
    return Data(expected_rates(model, pars), model.constraints.expected(pars))


def negative_log_likelihood(model: Model, pars: Float[Array, " par"], data: Data) -> Float[Array, ""]:
    """How badly the parameters describe the data: -log_likelihood up to terms that no parameter changes.

    sum over bins of nu - n log nu, plus (gamma - auxiliary)^2 / 2 for each constraint.
    """
    rates, log_rates = guarded(unguarded_rates(model, pars))
    return jnp.sum(rates - data.main * log_rates) - model.constraints.log_density(pars, data.auxiliary)


def log_likelihood(model: Model, pars: Float[Array, " par"], data: Data) -> Float[Array, ""]:
    """Log of the probability density of the data, normalised as pyhf's `logpdf`.

    sum over bins of log Poisson(n; nu), plus log Normal(auxiliary; gamma, 1) for each constraint; n need not be whole.
    """
    constant = jnp.sum(gammaln(data.main + 1)) + 0.5 * np.log(2 * np.pi) * data.auxiliary.shape[-1]
    return -negative_log_likelihood(model, pars, data) - constant


def _bend(alpha, code):
    """h(alpha) of `HistoSys.addition`."""
    line = 8 * jnp.where(alpha >= 0, alpha, -alpha)
    if code == "code0":
        return line
    square = alpha**2
    return jnp.where(square <= 1, square * (15 + square * (3 * square - 10)), line)


def _take(pars, indices):
    """pars[indices]; neighbours as a slice, which XLA vectorises and a gather it does not."""
    if indices == tuple(range(indices[0], indices[0] + len(indices))) if indices else False:
        return pars[indices[0] : indices[-1] + 1]
    return pars[np.asarray(indices, int)]


def _checked(name, values):
    """Float64 yields; those known outside of jit must be finite and not negative."""
    values = jnp.asarray(values, jnp.float64)
    if not isinstance(values, jax.core.Tracer):
        known = np.asarray(values)
        for place in np.argwhere(~(np.isfinite(known) & (known >= 0)))[:1]:
            where = f"bin {place[-1]}" + (f" of shift {place[0]}" if len(place) > 1 else "")
            raise ValueError(f"{name} is {known[tuple(place)]} in {where}: yields must be finite and not negative")
    return values


def _check_shapes(signal, background, up, down):
    """The rules that also traced yields must keep."""
    for name, values in {"signal": signal, "background": background}.items():
        if values.ndim != 1:
            raise ValueError(f"{name} has shape {values.shape}: give one number for each bin, shape (bin,)")
    bins = background.shape[0]
    for name, values in {"signal": signal, "up": up, "down": down}.items():
        if values.ndim not in (1, 2) or values.shape[-1] != bins:
            raise ValueError(f"{name} has shape {values.shape} but background has {bins} bins: give them the same bins")
    if up.shape != down.shape:
        raise ValueError(f"up has shape {up.shape} but down has {down.shape}: give one of each for every shift")
