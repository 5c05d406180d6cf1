"""What a fit changes, and what it leaves: from the free parameters to all of a model, and to the problem of a fit."""

import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Real

from diffhep.inference.newton.step import NewtonProblem
from diffhep.models.likelihood import Data, Model, poisson_counts, poisson_rates
from diffhep.models.modifiers import gather

FixedPoi = Real[ArrayLike, ""] | None
"""Value at which the parameter of interest is held, if it is."""


def free_indices(model: Model, mu: FixedPoi) -> tuple[int, ...]:
    """Indices of the parameters that are fitted: not the fixed ones, nor the parameter of interest if it is held."""
    held = list(model.parameters.fixed)
    held[model.parameters.poi] |= mu is not None
    return tuple(int(index) for index in np.flatnonzero(~np.array(held)))


def insert_fixed_parameters(model: Model, free: Float[Array, " free"], mu: FixedPoi) -> Float[Array, " par"]:
    """Free parameters with the others put in their places: start values if fixed, `mu` for the one of interest."""
    parameters, places = model.parameters, free_indices(model, mu)
    if len(places) == len(parameters.names):
        return free
    parts, done = [], 0
    for place in sorted(set(range(len(parameters.names))) - set(places)):
        value = parameters.initial[place] if mu is None or place != parameters.poi else mu
        before = place - len(parts) // 2
        parts += [free[done:before], jnp.reshape(jnp.asarray(value, free.dtype), 1)]
        done = before
    return jnp.concatenate([*parts, free[done:]])


def free_bounds(model: Model, mu: FixedPoi) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest values of the free parameters."""
    pairs = np.reshape(model.parameters.bounds, (-1, 2))[np.array(free_indices(model, mu), int)]
    return pairs[:, 0], pairs[:, 1]


def has_kink(model: Model, mu: FixedPoi) -> np.ndarray:
    """Which free parameters have a kink at 0 in the rates: those of shifts with code0 or code1."""
    return np.isin(free_indices(model, mu), [place for modifier in model.modifiers for place in modifier.kinked])


def newton_problem(model: Model, data: Data, mu: FixedPoi) -> NewtonProblem:
    """The likelihood of data as a function of the free parameters."""
    places, constraints = free_indices(model, mu), model.constraints
    initial = jnp.asarray(model.parameters.initial, model.nominal.dtype)
    return NewtonProblem(
        rates=lambda free: poisson_rates(model, insert_fixed_parameters(model, free, mu)),
        prior=lambda free: constraints.deviance(insert_fixed_parameters(model, free, mu), data.auxiliary),
        information=gather(constraints.information(initial), places),
        counts=poisson_counts(model, data),
        bounds=free_bounds(model, mu),
        shifts=np.isin(places, [place for modifier in model.modifiers for place in modifier.shifts]),
        kinked=has_kink(model, mu),
    )
