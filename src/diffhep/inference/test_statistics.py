"""Test statistics of arXiv:1007.1727 and the Asimov data behind them."""

from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Real

from diffhep.inference.mle import conditional_fit, fit
from diffhep.models.likelihood import (
    Data,
    Model,
    expected_data,
    negative_log_likelihood,
    nominal_parameters,
    with_poi_bounds,
)

TestStatistic = Literal["qtilde", "q"]


class AsimovData(NamedTuple):
    """Data without fluctuations, the parameters that they follow, and whether the fit that found these converged.

    The parameters are the best fit of the data, without fitting.
    """

    data: Data
    truth: Float[Array, " par"]
    converged: Bool[Array, ""]


def q_mu(model: Model, data: Data, mu: Real[ArrayLike, ""]) -> Float[Array, ""]:
    """How much worse than the best fit a signal of strength `mu` describes the data: test statistic of upper limits.

    -2 log of the profile likelihood ratio, and zero if the fitted strength is above mu (arXiv:1007.1727 eq. 14). That
    definition leaves the strength unbounded below: give it `likelihood.with_unbounded_poi(model)`. With a bound at 0 this is
    qmu-tilde (eq. 16), which is what pyhf computes from the same bounds.
    """
    return q_mu_and_convergence(model, data, mu)[0]


def q_0(model: Model, data: Data) -> Float[Array, ""]:
    """How much worse than the best fit no signal at all describes the data: test statistic of discovery.

    -2 log of the profile likelihood ratio at mu = 0, and zero if the fitted strength is negative (arXiv:1007.1727
    eq. 12). A bound at 0 on the strength makes no difference.
    """
    return q_0_and_convergence(model, data)[0]


def q_mu_and_convergence(model, data, mu):
    q, fitted_mu, converged = _fitted_ratio(model, data, mu)
    return jnp.where(fitted_mu > mu, 0.0, q), converged


def q_0_and_convergence(model, data):
    q, fitted_mu, converged = _fitted_ratio(model, data, 0.0)
    return jnp.where(fitted_mu < 0, 0.0, q), converged


def _fitted_ratio(model, data, mu):
    """-2 log of the profile likelihood ratio, the fitted strength, and whether both fits converged."""
    best = fit(*jax.lax.stop_gradient((model, data)))
    fixed, converged = _fixed_poi_parameters(model, data, mu)
    q = minus_two_log_ratio(model, data, fixed, best.parameters)
    return q, best.parameters[model.parameters.poi], best.converged & converged


@jax.jit
def expected_q(model: Model, mu: Real[ArrayLike, ""], true_mu: Real[ArrayLike, ""]) -> Float[Array, ""]:
    """Median of -2 log of the profile likelihood ratio at `mu` if the strength is `true_mu`, from Asimov data.

    The free fit to Asimov data is known, so only the conditional one is run (arXiv:1007.1727 section 3.2).
    """
    truth = nominal_parameters(model, true_mu)
    data = expected_data(model, truth)
    return minus_two_log_ratio(model, data, _fixed_poi_parameters(model, data, mu)[0], truth)


def generate_asimov_data(model: Model, data: Data, mu: Real[ArrayLike, ""]) -> AsimovData:
    """Asimov data of strength `mu`, with nuisance parameters as they fit the data best at that strength."""
    found = conditional_fit(model, data, mu)
    return AsimovData(expected_data(model, found.parameters), found.parameters, found.converged)


def asimov_q_and_convergence(model, reference, mu):
    """-2 log of the profile likelihood ratio of Asimov data, and whether both fits behind it converged."""
    fixed, converged = _fixed_poi_parameters(model, reference.data, mu, reference.truth)
    return minus_two_log_ratio(model, reference.data, fixed, reference.truth), reference.converged & converged


def with_test_statistic_bounds(model: Model, test_stat: TestStatistic) -> Model:
    """The model with the bounds on its strength that the test statistic asks for; see `cls`."""
    if test_stat not in ("qtilde", "q"):
        raise ValueError(f"the test statistic is {test_stat!r}: choose 'qtilde' or 'q'")
    high = model.parameters.bounds[model.parameters.poi][1]
    return with_poi_bounds(model, -np.inf, high) if test_stat == "q" else model


def _fixed_poi_parameters(model, data, mu, start=None):
    """Best parameters with the one of interest at mu, constants in derivatives but for mu itself; and convergence."""
    found = conditional_fit(*jax.lax.stop_gradient((model, data, mu, start)))
    return with_poi_value(model, found.parameters, mu), found.converged


def with_poi_value(model: Model, pars: Float[Array, " par"], mu: Real[ArrayLike, ""]) -> Float[Array, " par"]:
    """Parameters with the one of interest set to `mu`."""
    return pars.at[model.parameters.poi].set(mu)


def minus_two_log_ratio(
    model: Model, data: Data, fixed: Float[Array, " par"], best: Float[Array, " par"]
) -> Float[Array, ""]:
    """-2 log [L(fixed) / L(best)], not below 0, which only rounding and unfinished fits would bring about."""
    q = 2 * (negative_log_likelihood(model, fixed, data) - negative_log_likelihood(model, best, data))
    return jnp.maximum(q, 0.0)


def safe_sqrt(q: Float[Array, "*toy"]) -> Float[Array, "*toy"]:
    """Square root whose derivative at 0 is 0 instead of infinite."""
    positive = q > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, q, 1.0)), 0.0)
