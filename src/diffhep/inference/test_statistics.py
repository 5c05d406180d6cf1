"""Test statistics for upper limits and discovery (arXiv:1007.1727), and the Asimov data that they need.

In derivatives, fitted parameters count as constants: by the envelope theorem that is exact.
"""

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
"""Name of a test statistic for upper limits, as in pyhf: "qtilde" is qmu-tilde, "q" is q_mu."""


class AsimovData(NamedTuple):
    """Asimov data: data that equal their expectation.

    Attributes:
        data: Main and auxiliary data.
        parameters: Parameters that give this expectation, which are also the best fit to the data.
        converged: True if the fit of the nuisance parameters to the observed data converged.
    """

    data: Data
    parameters: Float[Array, " par"]
    converged: Bool[Array, ""]


def q_mu(model: Model, data: Data, mu: Real[ArrayLike, ""]) -> Float[Array, ""]:
    """Test statistic q_mu for upper limits, arXiv:1007.1727 eq. 14.

    -2 log of the profile likelihood ratio, and zero if the fitted signal strength is above `mu`. Eq. 14 has no lower
    bound on the signal strength: use `likelihood.with_unbounded_poi(model)`. With a bound at 0 this is qmu-tilde
    (eq. 16). pyhf's `qmu` and `qmu_tilde` differ only in these bounds, too.

    Args:
        model: Statistical model.
        data: Observed data.
        mu: Signal strength to test.

    Returns:
        Test statistic, not negative.
    """
    return q_mu_and_convergence(model, data, mu)[0]


def q_0(model: Model, data: Data) -> Float[Array, ""]:
    """Test statistic q_0 for discovery, arXiv:1007.1727 eq. 12.

    -2 log of the profile likelihood ratio at mu = 0, and zero if the fitted signal strength is negative. A bound at 0
    on the signal strength makes no difference.

    Args:
        model: Statistical model.
        data: Observed data.

    Returns:
        Test statistic, not negative.
    """
    return q_0_and_convergence(model, data)[0]


def q_mu_and_convergence(model: Model, data: Data, mu: Real[ArrayLike, ""]) -> tuple[Float[Array, ""], Bool[Array, ""]]:
    """Compute `q_mu`, and report whether both fits converged.

    Args:
        model: Statistical model.
        data: Observed data.
        mu: Signal strength to test.

    Returns:
        Test statistic, and True if the free and the conditional fit converged.
    """
    q, mu_hat, converged = _fit_ratio(model, data, mu)
    return jnp.where(mu_hat > mu, 0.0, q), converged


def q_0_and_convergence(model: Model, data: Data) -> tuple[Float[Array, ""], Bool[Array, ""]]:
    """Compute `q_0`, and report whether both fits converged.

    Args:
        model: Statistical model.
        data: Observed data.

    Returns:
        Test statistic, and True if the free and the conditional fit converged.
    """
    q, mu_hat, converged = _fit_ratio(model, data, 0.0)
    return jnp.where(mu_hat < 0, 0.0, q), converged


def _fit_ratio(model, data, mu):
    """Return -2 log of the profile likelihood ratio, the fitted signal strength, and whether both fits converged."""
    best = fit(*jax.lax.stop_gradient((model, data)))
    conditional, converged = _fixed_poi_parameters(model, data, mu)
    q = minus_two_log_ratio(model, data, conditional, best.parameters)
    return q, best.parameters[model.parameters.poi], best.converged & converged


@jax.jit
def expected_q(model: Model, mu: Real[ArrayLike, ""], true_mu: Real[ArrayLike, ""]) -> Float[Array, ""]:
    """Median of -2 log of the profile likelihood ratio, from Asimov data (arXiv:1007.1727 section 3.2).

    The free fit to Asimov data is known, so only the conditional one is run.

    Args:
        model: Statistical model.
        mu: Signal strength to test.
        true_mu: Signal strength of the Asimov data; nuisance parameters have their nominal values.

    Returns:
        Median of the test statistic.
    """
    truth = nominal_parameters(model, true_mu)
    data = expected_data(model, truth)
    return minus_two_log_ratio(model, data, _fixed_poi_parameters(model, data, mu)[0], truth)


def generate_asimov_data(model: Model, data: Data, mu: Real[ArrayLike, ""]) -> AsimovData:
    """Generate Asimov data with the nuisance parameters fitted to the observed data.

    Args:
        model: Statistical model.
        data: Observed data.
        mu: Signal strength of the Asimov data, fixed in the fit.

    Returns:
        Asimov data and their parameters.
    """
    fitted = conditional_fit(model, data, mu)
    return AsimovData(expected_data(model, fitted.parameters), fitted.parameters, fitted.converged)


def asimov_q_and_convergence(
    model: Model, asimov: AsimovData, mu: Real[ArrayLike, ""]
) -> tuple[Float[Array, ""], Bool[Array, ""]]:
    """Compute -2 log of the profile likelihood ratio of Asimov data.

    Args:
        model: Statistical model.
        asimov: Asimov data.
        mu: Signal strength to test.

    Returns:
        Test statistic, and True if the conditional fit and the fit behind the Asimov data converged.
    """
    conditional, converged = _fixed_poi_parameters(model, asimov.data, mu, asimov.parameters)
    return minus_two_log_ratio(model, asimov.data, conditional, asimov.parameters), asimov.converged & converged


def with_test_statistic_bounds(model: Model, test_stat: TestStatistic) -> Model:
    """Return the model with the bounds on the signal strength that a test statistic requires.

    Args:
        model: Statistical model.
        test_stat: "qtilde" leaves the bounds of the model; "q" removes the lower bound.

    Returns:
        Model with these bounds.

    Raises:
        ValueError: If the test statistic is unknown.
    """
    if test_stat not in ("qtilde", "q"):
        raise ValueError(f"unknown test statistic {test_stat!r}: choose 'qtilde' or 'q'")
    high = model.parameters.bounds[model.parameters.poi][1]
    return with_poi_bounds(model, -np.inf, high) if test_stat == "q" else model


def _fixed_poi_parameters(model, data, mu, start=None):
    """Return fitted parameters, constants in derivatives except for `mu`, and whether the conditional fit converged."""
    fitted = conditional_fit(*jax.lax.stop_gradient((model, data, mu, start)))
    return with_poi_value(model, fitted.parameters, mu), fitted.converged


def with_poi_value(model: Model, pars: Float[Array, " par"], mu: Real[ArrayLike, ""]) -> Float[Array, " par"]:
    """Return parameters with the parameter of interest set to a value.

    Args:
        model: Statistical model.
        pars: Values of all parameters.
        mu: Value of the parameter of interest.

    Returns:
        Values of all parameters.
    """
    return pars.at[model.parameters.poi].set(mu)


def minus_two_log_ratio(
    model: Model, data: Data, conditional: Float[Array, " par"], best: Float[Array, " par"]
) -> Float[Array, ""]:
    """Compute -2 log [L(conditional) / L(best)].

    Args:
        model: Statistical model.
        data: Observed data.
        conditional: Parameters of the conditional fit.
        best: Parameters of the free fit.

    Returns:
        Test statistic; negative values, which only rounding and unfinished fits cause, are replaced by 0.
    """
    q = 2 * (negative_log_likelihood(model, conditional, data) - negative_log_likelihood(model, best, data))
    return jnp.maximum(q, 0.0)


def safe_sqrt(q: Float[Array, "*toy"]) -> Float[Array, "*toy"]:
    """Compute the square root, with a derivative of 0 instead of infinity at 0.

    Args:
        q: Values; negative ones count as 0.

    Returns:
        Square roots.
    """
    positive = q > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, q, 1.0)), 0.0)
