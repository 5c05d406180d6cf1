"""HistFactory likelihoods as pytrees: expected rates, constraints, log-likelihood and Asimov data.

A model has nominal yields and a tuple of modifiers, as in HistFactory (CERN-OPEN-2012-016) and pyhf. The public
interface is `expected_rates`, `log_likelihood`, `expected_data` and `model.parameters`.
"""

import dataclasses
from dataclasses import dataclass, field
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln
from jax.tree_util import register_dataclass
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Real

from diffhep.models.constraints import Constraints
from diffhep.models.modifiers import STATIC, Leaf, Modifier

RATE_FLOOR = 1e-6
"""Rate in events below which an exponential replaces the rate, see `expected_rates`."""


class Data(NamedTuple):
    """Observed or Asimov data of a model.

    Attributes:
        main: Event counts of all channels, one after the other, shape (bin,).
        auxiliary: Auxiliary measurements in the order of `constraints.Constraints`, shape (aux,).

    Example:
        >>> data = dh.Data(main=np.array([55.0, 70.0]), auxiliary=np.array([0.0]))
        >>> data.main.tolist()
        [55.0, 70.0]
    """

    main: Array
    auxiliary: Array


@dataclass(frozen=True)
class Parameters:
    """Names, start values and bounds of all parameters.

    Attributes:
        names: Name of each parameter, such as "mu", or "name[2]" if the modifiers have one per bin.
        modifiers: Name of the modifiers of each parameter.
        initial: Start value of each parameter in a fit.
        bounds: Lower and upper bound of each parameter.
        fixed: Which parameters a fit leaves at their start values.
        poi: Index of the parameter of interest.
    """

    names: tuple[str, ...]
    modifiers: tuple[str, ...]
    initial: tuple[float, ...]
    bounds: tuple[tuple[float, float], ...]
    fixed: tuple[bool, ...]
    poi: int


@register_dataclass
@dataclass(frozen=True)
class Model:
    """Binned statistical model: nominal yields, modifiers of the yields, and constraints on the parameters.

    Attributes:
        nominal: Yields before any modifier, shape (sample, bin).
        modifiers: Effects of the parameters on the yields.
        constraints: Densities of the auxiliary data.
        parameters: Names, start values and bounds of the parameters, and the parameter of interest.

    Example:
        >>> model = dh.signal_background(*np.array([[5.0, 10.0], [50.0, 60.0], [55.0, 62.0], [45.0, 58.0]]))
        >>> model.nominal.shape, model.parameters.poi
        ((2, 2), 0)
    """

    nominal: Leaf
    modifiers: tuple[Modifier, ...]
    constraints: Constraints
    parameters: Parameters = field(metadata=STATIC)


def with_unbounded_poi(model: Model) -> Model:
    """Return the model without bounds on the parameter of interest, which may become negative."""
    return with_poi_bounds(model, -np.inf, np.inf)


def with_poi_bounds(model: Model, low: float, high: float) -> Model:
    """Return the model with other bounds on the parameter of interest.

    Args:
        model: Statistical model.
        low: Lower bound.
        high: Upper bound.
    """
    parameters = model.parameters
    bounds = list(parameters.bounds)
    bounds[parameters.poi] = (low, high)
    return dataclasses.replace(model, parameters=dataclasses.replace(parameters, bounds=tuple(bounds)))


@jax.jit
def nominal_parameters(model: Model, mu: Real[ArrayLike, ""]) -> Float[Array, " par"]:
    """Return the start values of all parameters, with the parameter of interest at `mu`.

    Example:
        >>> model = dh.signal_background(*np.array([[5.0, 10.0], [50.0, 60.0], [55.0, 62.0], [45.0, 58.0]]))
        >>> dh.nominal_parameters(model, 0.5).tolist()
        [0.5, 0.0]
    """
    return jnp.asarray(model.parameters.initial, model.nominal.dtype).at[model.parameters.poi].set(mu)


def unguarded_rates(model: Model, pars: Float[Array, " par"]) -> Float[Array, " bin"]:
    """Expected events before the floor on rates: for fits, not for sampling.

    Far from the nominal parameters, the interpolation can make a rate negative.
    """
    yields = model.nominal + sum(modifier.addition(model.nominal, pars) for modifier in model.modifiers)
    for modifier in model.modifiers:
        yields = yields * modifier.factor(model.nominal, pars)
    return yields.sum(axis=0)


@jax.jit
def expected_rates(model: Model, pars: Float[Array, " par"]) -> Float[Array, " bin"]:
    """Return the expected events in each bin, all channels one after the other; all are positive.

    The rate is the sum over samples of (nominal + additions) x factors, as in CERN-OPEN-2012-016 and pyhf. A rate nu
    below eps = `RATE_FLOOR` is replaced by eps exp(nu / eps - 1), which joins smoothly and keeps log-likelihoods
    finite.

    Args:
        model: Statistical model.
        pars: Parameters in the order of `model.parameters.names`.
    """
    return apply_rate_floor(unguarded_rates(model, pars))[0]


def apply_rate_floor(rates: Float[Array, "*shape"]) -> tuple[Float[Array, "*shape"], Float[Array, "*shape"]]:
    """Replace rates below `RATE_FLOOR` by an exponential, see `expected_rates`.

    Returns:
        Positive rates, and their logarithms, which stay finite where the rates underflow.
    """
    floored = jnp.maximum(rates, RATE_FLOOR)
    exponent = jnp.minimum(rates / RATE_FLOOR - 1.0, 0.0)
    return floored * jnp.exp(exponent), jnp.log(floored) + exponent


@jax.jit
def expected_data(model: Model, pars: Float[Array, " par"]) -> Data:
    """Return the Asimov data, which equal their expectation (arXiv:1007.1727 section 3.2).

    Args:
        model: Statistical model.
        pars: Parameters in the order of `model.parameters.names`.

    Example:
        >>> model = dh.signal_background(*np.array([[5.0, 10.0], [50.0, 60.0], [55.0, 62.0], [45.0, 58.0]]))
        >>> data = dh.expected_data(model, dh.nominal_parameters(model, 2.0))
        >>> data.main.tolist(), data.auxiliary.tolist()
        ([60.0, 80.0], [0.0])
    """
    return Data(expected_rates(model, pars), model.constraints.expected(pars))


def poisson_rates(model: Model, pars: Float[Array, " par"]) -> Float[Array, " count"]:
    """Return the expected main and auxiliary Poisson counts, without the floor on rates."""
    rates = unguarded_rates(model, pars)
    return jnp.concatenate([rates, model.constraints.rates(pars)]) if model.constraints.poisson else rates


def poisson_counts(model: Model, data: Data) -> Float[Array, "*toy count"]:
    """Return the observed counts, main then auxiliary, in the order of `poisson_rates`."""
    if not model.constraints.poisson:
        return data.main
    return jnp.concatenate([data.main, model.constraints.counts(data.auxiliary)], axis=-1)


def negative_log_likelihood(model: Model, pars: Float[Array, " par"], data: Data) -> Float[Array, ""]:
    """Return -`log_likelihood` up to terms that are constant in the parameters.

    It is the sum over main and auxiliary counts of nu - n log nu, plus ((theta - auxiliary) / sigma)^2 / 2 for each
    normal constraint.
    """
    rates, log_rates = apply_rate_floor(poisson_rates(model, pars))
    return jnp.sum(rates - poisson_counts(model, data) * log_rates) + model.constraints.deviance(pars, data.auxiliary)


@jax.jit
def log_likelihood(model: Model, pars: Float[Array, " par"], data: Data) -> Float[Array, ""]:
    """Return the log of the probability density of the data, normalised like `logpdf` of pyhf.

    It is the sum over main and auxiliary counts of log Poisson(n; nu), plus log Normal(auxiliary; theta, sigma) for
    each normal constraint; n need not be an integer.

    Args:
        model: Statistical model.
        pars: Parameters in the order of `model.parameters.names`.
        data: Observed or Asimov data.

    Example:
        >>> model = dh.signal_background(*np.array([[5.0, 10.0], [50.0, 60.0], [55.0, 62.0], [45.0, 58.0]]))
        >>> pars = dh.nominal_parameters(model, 1.0)
        >>> round(float(dh.log_likelihood(model, pars, dh.expected_data(model, pars))), 4)
        -6.8874
    """
    constant = jnp.sum(gammaln(poisson_counts(model, data) + 1)) + model.constraints.log_normalisation()
    return -negative_log_likelihood(model, pars, data) - constant
