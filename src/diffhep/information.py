"""How much data tell about the parameters: Fisher information and the covariance that it implies."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from diffhep.likelihood import Model, expected_rates


def fisher_information(model: Model, pars: Float[Array, " par"]) -> Float[Array, "par par"]:
    """Expected curvature of the log-likelihood at `pars`: the information on the parameters, not its inverse.

    sum over bins of (d nu / d theta_i)(d nu / d theta_j) / nu, plus one for each unit-normal constraint: the expectation
    of -d²log L / d theta_i d theta_j for Poisson counts (PDG review "Statistics"; thesis 2.2.1). With the derivatives
    at a kink of code0 it is that of the right side.
    """
    rates = expected_rates(model, pars)
    by_parameter = jax.jacfwd if pars.shape[0] <= rates.shape[0] else jax.jacrev
    slopes = by_parameter(lambda values: expected_rates(model, values))(pars)
    return (slopes.T / rates) @ slopes + jnp.diag(model.constraints.information(pars))


def covariance(model: Model, pars: Float[Array, " par"]) -> Float[Array, "par par"]:
    """Covariance of the fitted parameters as the Cramér-Rao bound allows: the inverse Fisher information."""
    return jnp.linalg.inv(fisher_information(model, pars))


def generalised_variance(model: Model, pars: Float[Array, " par"]) -> Float[Array, ""]:
    """Determinant of the covariance: squared volume of the parameters' error ellipsoid (thesis 7.5)."""
    return 1 / jnp.linalg.det(fisher_information(model, pars))
