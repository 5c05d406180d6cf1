"""HistFactory likelihoods as pytrees: expected rates, constraints, log-likelihood and Asimov data.

A model is nominal yields and a tuple of modifiers, as in HistFactory (CERN-OPEN-2012-016) and pyhf. Whoever uses one
calls `expected_rates`, `log_likelihood` and `expected_data` and reads `model.parameters`.
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
"""Rates (events) below this are continued by an exponential, see `expected_rates`."""


class Data(NamedTuple):
    """What a model is compared with.

    Attributes:
        main: event counts of all channels, one after the other, shape (bin,).
        auxiliary: auxiliary measurements, in the order of `constraints.Constraints`, shape (aux,).
    """

    main: Array
    auxiliary: Array


@dataclass(frozen=True)
class Parameters:
    """What is known of the parameters before any data.

    Attributes:
        names: of single parameters, such as "mu", or "name[2]" for one of several of a modifier.
        modifiers: name of the modifiers that each belongs to.
        initial: where fits start.
        bounds: lowest and highest value of each.
        fixed: which of them no fit changes.
        poi: index of the parameter of interest.
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


def with_unbounded_poi(model: Model) -> Model:
    """The same model with the parameter of interest free to take any value, negative ones too."""
    return with_poi_bounds(model, -np.inf, np.inf)


def with_poi_bounds(model: Model, low: float, high: float) -> Model:
    """The same model with other bounds of the parameter of interest."""
    parameters = model.parameters
    bounds = list(parameters.bounds)
    bounds[parameters.poi] = (low, high)
    return dataclasses.replace(model, parameters=dataclasses.replace(parameters, bounds=tuple(bounds)))


@jax.jit
def nominal_parameters(model: Model, mu: Real[ArrayLike, ""]) -> Float[Array, " par"]:
    """Start values of all parameters, with the parameter of interest at `mu`."""
    return jnp.asarray(model.parameters.initial, model.nominal.dtype).at[model.parameters.poi].set(mu)


def unguarded_rates(model: Model, pars: Float[Array, " par"]) -> Float[Array, " bin"]:
    """Events that the interpolation formulas give; far from nominal perhaps negative: for fits, not for sampling."""
    yields = model.nominal + sum(modifier.addition(model.nominal, pars) for modifier in model.modifiers)
    for modifier in model.modifiers:
        yields = yields * modifier.factor(model.nominal, pars)
    return yields.sum(axis=0)


@jax.jit
def expected_rates(model: Model, pars: Float[Array, " par"]) -> Float[Array, " bin"]:
    """Expected events in each bin, all channels one after the other; always positive.

    rate = sum over samples of (nominal + additions) x factors, CERN-OPEN-2012-016 and pyhf. A rate nu below
    eps = `RATE_FLOOR` is replaced by eps exp(nu / eps - 1), which joins smoothly and keeps log-likelihoods finite.
    """
    return apply_rate_floor(unguarded_rates(model, pars))[0]


def apply_rate_floor(rates: Float[Array, "*shape"]) -> tuple[Float[Array, "*shape"], Float[Array, "*shape"]]:
    """Positive rates and their logarithms, which stay finite where the rates underflow; see `expected_rates`."""
    kept = jnp.maximum(rates, RATE_FLOOR)
    exponent = jnp.minimum(rates / RATE_FLOOR - 1.0, 0.0)
    return kept * jnp.exp(exponent), jnp.log(kept) + exponent


@jax.jit
def expected_data(model: Model, pars: Float[Array, " par"]) -> Data:
    """The Asimov data set: data that equal their expectation (arXiv:1007.1727 section 3.2)."""
    return Data(expected_rates(model, pars), model.constraints.expected(pars))


def poisson_rates(model: Model, pars: Float[Array, " par"]) -> Float[Array, " count"]:
    """Expected counts of all that is Poisson distributed, auxiliary counts after the main ones; unguarded."""
    rates = unguarded_rates(model, pars)
    return jnp.concatenate([rates, model.constraints.rates(pars)]) if model.constraints.poisson else rates


def poisson_counts(model: Model, data: Data) -> Float[Array, "*toy count"]:
    """What was found where `poisson_rates` is expected."""
    if not model.constraints.poisson:
        return data.main
    return jnp.concatenate([data.main, model.constraints.counts(data.auxiliary)], axis=-1)


def negative_log_likelihood(model: Model, pars: Float[Array, " par"], data: Data) -> Float[Array, ""]:
    """How badly the parameters describe the data: -log_likelihood up to terms that no parameter changes.

    sum over main and auxiliary counts of nu - n log nu, plus ((theta - auxiliary) / sigma)^2 / 2 for each normal
    constraint.
    """
    rates, log_rates = apply_rate_floor(poisson_rates(model, pars))
    return jnp.sum(rates - poisson_counts(model, data) * log_rates) + model.constraints.deviance(pars, data.auxiliary)


@jax.jit
def log_likelihood(model: Model, pars: Float[Array, " par"], data: Data) -> Float[Array, ""]:
    """Log of the probability density of the data, normalised as pyhf's `logpdf`.

    sum over main and auxiliary counts of log Poisson(n; nu), plus log Normal(auxiliary; theta, sigma) for each normal
    constraint; n need not be whole.
    """
    constant = jnp.sum(gammaln(poisson_counts(model, data) + 1)) + model.constraints.log_normalisation()
    return -negative_log_likelihood(model, pars, data) - constant
