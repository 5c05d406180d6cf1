"""How much data tell about the parameters: Fisher information and the covariance that it implies."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from diffhep.models.likelihood import Model, apply_rate_floor, expected_data, negative_log_likelihood, poisson_rates


@jax.jit
def fisher_information(model: Model, pars: Float[Array, " par"]) -> Float[Array, "par par"]:
    """Expected curvature of the log-likelihood at `pars`: the information on the parameters, not its inverse.

    sum over counts of (d nu / d theta_i)(d nu / d theta_j) / nu, plus 1 / sigma² for each normal constraint: the
    expectation of -d²log L / d theta_i d theta_j for Poisson counts (PDG review "Statistics"; thesis 2.2.1). At the
    kink of code0 it is that of the right side.
    """
    rates = apply_rate_floor(poisson_rates(model, pars))[0]
    by_parameter = jax.jacfwd if pars.shape[0] <= rates.shape[0] else jax.jacrev
    slopes = by_parameter(lambda values: apply_rate_floor(poisson_rates(model, values))[0])(pars)
    return (slopes.T / rates) @ slopes + jnp.diag(model.constraints.information(pars))


def covariance(model: Model, pars: Float[Array, " par"]) -> Float[Array, "par par"]:
    """Covariance of the fitted parameters as the Cramér-Rao bound allows: the inverse Fisher information.

    Raises:
        ValueError: the data say nothing about a parameter (no signal, say). Under jit the result is then not finite.
    """
    return jnp.linalg.inv(_informative(model, pars))


def generalised_variance(model: Model, pars: Float[Array, " par"]) -> Float[Array, ""]:
    """Determinant of the covariance: squared volume of the parameters' error ellipsoid (thesis 7.5).

    Raises:
        ValueError: as `covariance`.
    """
    return 1 / jnp.linalg.det(_informative(model, pars))


def gaussianity(model: Model, pars: Float[Array, " par"], *, reach: float = 2.0, points: int = 11) -> Float[Array, ""]:
    """How far the likelihood is from the normal distribution that the covariance implies; 0 if it is normal.

    Mean over a grid of (L(theta) / L(pars) - exp[-(theta - pars)^T I (theta - pars) / 2])², for the Asimov data of
    `pars` and their Fisher information I: thesis 7.5. The thesis leaves the grid open; here it is a cube in the frame
    in which that normal distribution is a unit one.

    Args:
        model: the statistical model.
        pars: where the likelihood has its maximum, shape (par,).
        reach: half the width of the grid, in standard deviations.
        points: of the grid along each of its axes; points^par in all.
    """
    return _deviation(model, pars, covariance(model, pars), reach, points)


@partial(jax.jit, static_argnames="points")
def _deviation(model, pars, covariance, reach, points):
    data = expected_data(model, pars)
    axis = jnp.linspace(-reach, reach, points)
    cube = jnp.stack(jnp.meshgrid(*[axis] * pars.shape[0]), axis=-1).reshape(-1, pars.shape[0])
    whitening = jnp.linalg.cholesky(covariance)
    nll = jax.vmap(lambda unit: negative_log_likelihood(model, pars + whitening @ unit, data))(cube)
    ratio = jnp.exp(negative_log_likelihood(model, pars, data) - nll)
    return jnp.mean((ratio - jnp.exp(-0.5 * jnp.sum(cube**2, axis=1))) ** 2)


def _informative(model, pars):
    """Fisher information in which, if known now, every parameter has some."""
    information = fisher_information(model, pars)
    if not isinstance(information, jax.core.Tracer):
        for parameter in np.flatnonzero(~(np.diag(information) > 0))[:1]:
            name = model.parameters.names[parameter]
            raise ValueError(
                f"the data say nothing about {name}: information {information[parameter, parameter]}; fix it"
            )
    return information
