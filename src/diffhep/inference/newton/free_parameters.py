"""Free and fixed parameters of a fit, and the minimisation problem of the free ones."""

import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Real

from diffhep.inference.newton.problem import NewtonProblem
from diffhep.models.likelihood import Data, Model, poisson_counts, poisson_rates
from diffhep.models.modifiers import gather

FixedPoi = Real[ArrayLike, ""] | None
"""Value of the parameter of interest in a conditional fit, or None in a fit of all parameters."""


def free_indices(model: Model, mu: FixedPoi) -> tuple[int, ...]:
    """Return the indices of the free parameters.

    Args:
        model: Statistical model.
        mu: Value at which the parameter of interest is fixed; None leaves it free.

    Returns:
        Indices of all parameters that neither the model nor `mu` fixes, ascending.
    """
    fixed = list(model.parameters.fixed)
    fixed[model.parameters.poi] |= mu is not None
    return tuple(int(index) for index in np.flatnonzero(~np.array(fixed)))


def insert_fixed_parameters(model: Model, free: Float[Array, " free"], mu: FixedPoi) -> Float[Array, " par"]:
    """Complete free parameters with the fixed ones.

    Args:
        model: Statistical model.
        free: Values of the free parameters.
        mu: Value at which the parameter of interest is fixed; None leaves it free.

    Returns:
        Values of all parameters: start values for those that the model fixes, `mu` for the parameter of interest.
    """
    parameters, indices = model.parameters, free_indices(model, mu)
    if len(indices) == len(parameters.names):
        return free
    parts, begin = [], 0
    for index in sorted(set(range(len(parameters.names))) - set(indices)):
        value = parameters.initial[index] if mu is None or index != parameters.poi else mu
        end = index - len(parts) // 2
        parts += [free[begin:end], jnp.reshape(jnp.asarray(value, free.dtype), 1)]
        begin = end
    return jnp.concatenate([*parts, free[begin:]])


def free_bounds(model: Model, mu: FixedPoi) -> tuple[Float[np.ndarray, " free"], Float[np.ndarray, " free"]]:
    """Return the lower and the upper bounds of the free parameters.

    Args:
        model: Statistical model.
        mu: Value at which the parameter of interest is fixed; None leaves it free.

    Returns:
        Lower and upper bounds.
    """
    pairs = np.reshape(model.parameters.bounds, (-1, 2))[np.array(free_indices(model, mu), int)]
    return pairs[:, 0], pairs[:, 1]


def has_kink(model: Model, mu: FixedPoi) -> Bool[np.ndarray, " free"]:
    """Mark the free parameters on which the rates depend with a kink at 0: shifts with code0 or code1.

    Args:
        model: Statistical model.
        mu: Value at which the parameter of interest is fixed; None leaves it free.

    Returns:
        Mask of the free parameters.
    """
    return np.isin(free_indices(model, mu), [index for modifier in model.modifiers for index in modifier.kinked])


def newton_problem(model: Model, data: Data, mu: FixedPoi) -> NewtonProblem:
    """Return the likelihood of data as a function of the free parameters.

    Args:
        model: Statistical model.
        data: Observed data.
        mu: Value at which the parameter of interest is fixed; None leaves it free.

    Returns:
        Minimisation problem.
    """
    indices, constraints = free_indices(model, mu), model.constraints
    initial = jnp.asarray(model.parameters.initial, model.nominal.dtype)
    return NewtonProblem(
        rates=lambda free: poisson_rates(model, insert_fixed_parameters(model, free, mu)),
        constraint_nll=lambda free: constraints.deviance(insert_fixed_parameters(model, free, mu), data.auxiliary),
        information=gather(constraints.information(initial), indices),
        counts=poisson_counts(model, data),
        bounds=free_bounds(model, mu),
        is_shift=np.isin(indices, [index for modifier in model.modifiers for index in modifier.shifts]),
        has_kink=has_kink(model, mu),
    )
