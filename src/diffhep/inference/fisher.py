"""Fisher information of binned models, and the covariance of fitted parameters that it implies."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from diffhep.models.likelihood import Model, apply_rate_floor, expected_data, negative_log_likelihood, poisson_rates


@jax.jit
def fisher_information(model: Model, pars: Float[Array, " par"]) -> Float[Array, "par par"]:
    """Compute the Fisher information: the expected curvature of the log-likelihood.

    Sum over counts of (d nu / d theta_i)(d nu / d theta_j) / nu, plus 1 / sigma² for each normal constraint: the
    expectation of -d²log L / d theta_i d theta_j for Poisson counts (PDG review "Statistics"; thesis 2.2.1). At the
    kink of code0 it is that of the right side.

    Args:
        model: Statistical model.
        pars: Values of all parameters.

    Returns:
        Information matrix, the inverse of the covariance.

    Example:
        >>> model = dh.signal_background(*np.array([[5.0, 10.0], [50.0, 60.0], [55.0, 62.0], [45.0, 58.0]]))
        >>> information = dh.fisher_information(model, dh.nominal_parameters(model, 1.0))
        >>> np.round(np.asarray(information), 3).tolist()
        [[1.883, 0.74], [0.74, 1.512]]
    """
    rates = apply_rate_floor(poisson_rates(model, pars))[0]
    jacobian = jax.jacfwd if pars.shape[0] <= rates.shape[0] else jax.jacrev
    slopes = jacobian(lambda values: apply_rate_floor(poisson_rates(model, values))[0])(pars)
    return (slopes.T / rates) @ slopes + jnp.diag(model.constraints.information(pars))


def covariance(model: Model, pars: Float[Array, " par"]) -> Float[Array, "par par"]:
    """Compute the covariance of the fitted parameters at the Cramér-Rao bound: the inverse Fisher information.

    Args:
        model: Statistical model.
        pars: Values of all parameters.

    Returns:
        Covariance matrix; under jit it is not finite if there is no information on a parameter.

    Raises:
        ValueError: If there is no information on a parameter (no signal, for example), outside jit.

    Example:
        >>> model = dh.signal_background(*np.array([[5.0, 10.0], [50.0, 60.0], [55.0, 62.0], [45.0, 58.0]]))
        >>> covariance = dh.covariance(model, dh.nominal_parameters(model, 1.0))
        >>> np.round(np.asarray(covariance), 3).tolist()
        [[0.658, -0.322], [-0.322, 0.819]]
    """
    return jnp.linalg.inv(_checked_information(model, pars))


def generalised_variance(model: Model, pars: Float[Array, " par"]) -> Float[Array, ""]:
    """Compute the determinant of the covariance: squared volume of the parameters' error ellipsoid (thesis 7.5).

    Args:
        model: Statistical model.
        pars: Values of all parameters.

    Returns:
        Determinant; under jit it is not finite if there is no information on a parameter.

    Raises:
        ValueError: If there is no information on a parameter (no signal, for example), outside jit.
    """
    return 1 / jnp.linalg.det(_checked_information(model, pars))


def gaussianity(model: Model, pars: Float[Array, " par"], *, reach: float = 2.0, points: int = 11) -> Float[Array, ""]:
    """Measure the deviation of the likelihood from a normal distribution; 0 for a normal one.

    Mean over a grid of (L(theta) / L(pars) - exp[-(theta - pars)^T I (theta - pars) / 2])², for the Asimov data of
    `pars` and their Fisher information I: thesis 7.5. The thesis does not specify the grid; here it is a cube in the
    coordinates in which the normal distribution is a unit one.

    Args:
        model: Statistical model.
        pars: Maximum of the likelihood.
        reach: Half the width of the grid, in standard deviations.
        points: Number of grid points along each axis; the grid has points^par in all.

    Returns:
        Mean squared difference.
    """
    return _mean_squared_difference(model, pars, covariance(model, pars), reach, points)


@partial(jax.jit, static_argnames="points")
def _mean_squared_difference(model, pars, covariance, reach, points):
    data = expected_data(model, pars)
    axis = jnp.linspace(-reach, reach, points)
    cube = jnp.stack(jnp.meshgrid(*[axis] * pars.shape[0]), axis=-1).reshape(-1, pars.shape[0])
    whitening = jnp.linalg.cholesky(covariance)
    nll = jax.vmap(lambda point: negative_log_likelihood(model, pars + whitening @ point, data))(cube)
    ratio = jnp.exp(negative_log_likelihood(model, pars, data) - nll)
    return jnp.mean((ratio - jnp.exp(-0.5 * jnp.sum(cube**2, axis=1))) ** 2)


def _checked_information(model, pars):
    """Return the Fisher information; outside jit, check that there is some on every parameter."""
    information = fisher_information(model, pars)
    if not isinstance(information, jax.core.Tracer):
        for index in np.flatnonzero(~(np.diag(information) > 0))[:1]:
            raise ValueError(
                f"the data contain no information on parameter {model.parameters.names[index]} "
                f"({information[index, index]}): fix it in the model"
            )
    return information
