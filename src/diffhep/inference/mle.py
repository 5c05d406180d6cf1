"""Maximum-likelihood fits that compile, vectorise over data sets and have derivatives.

Every fit is a bounded number of safeguarded Newton steps, so that thousands of data sets can be fitted side by side
with `jax.vmap`: in chunks of about 128, because a chunk takes as many steps as its slowest data set. Derivatives of
fitted parameters come from the implicit function theorem, not from the steps.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxopt.implicit_diff import custom_root
from jaxtyping import Array, Bool, Float, Real

from diffhep.inference.newton import batching
from diffhep.inference.newton.free_parameters import (
    free_bounds,
    free_indices,
    has_kink,
    insert_fixed_parameters,
    newton_problem,
)
from diffhep.inference.newton.linear_algebra import solve
from diffhep.inference.newton.step import BELOW_ZERO, NewtonState, newton_step
from diffhep.models.likelihood import RATE_FLOOR, Data, Model, log_likelihood, negative_log_likelihood
from diffhep.models.modifiers import gather

MAX_STEPS = 60
"""Most Newton steps of a fit: about 6 suffice for most data, the rest is for minima at the edge of vanishing rates."""

TOLERANCE = 1e-10
"""Expected gain in log-likelihood below which a fit stops."""

MAX_EDM = 1e-6
"""Largest estimated distance to the minimum, in units of the negative log-likelihood, of a fit called converged."""


class FitResult(NamedTuple):
    """Where a likelihood is largest.

    Attributes:
        parameters: best values of all parameters, fixed ones included.
        nll: negative log-likelihood there, with its full normalisation.
        edm: estimated vertical distance to the minimum before the last step, in units of the nll.
    """

    parameters: Float[Array, "*toy par"]
    nll: Float[Array, "*toy"]
    edm: Float[Array, "*toy"]

    @property
    def converged(self) -> Bool[Array, "*toy"]:
        """Whether the estimated distance to the minimum is below `MAX_EDM`."""
        return _small(self.edm)


@jax.jit
def _small(edm):
    return jnp.abs(edm) < MAX_EDM


def fit(model: Model, data: Data, start: Float[Array, " par"] | None = None) -> FitResult:
    """Fit all parameters within the model's bounds.

    Reverse-mode derivatives of the fitted parameters with respect to model and data are those of the implicit function
    theorem, thesis eq. 7.7; those of the nll need none of that, by the envelope theorem.

    Args:
        model: the statistical model.
        data: what it is fitted to.
        start: first guess of the parameters, by default the model's start values.
    """
    return _result(model, data, None, start)


def conditional_fit(
    model: Model, data: Data, mu: Real[ArrayLike, ""], start: Float[Array, " par"] | None = None
) -> FitResult:
    """Fit all parameters but the parameter of interest, which is held at `mu`.

    Args:
        model: the statistical model.
        data: what it is fitted to.
        mu: value of the parameter of interest; the model's bounds do not apply to it.
        start: first guess of the parameters (its parameter of interest is ignored), by default the start values.
    """
    return _result(model, data, jnp.asarray(mu, model.nominal.dtype), start)


def _result(model, data, mu, start):
    data = Data(*(jnp.asarray(values, model.nominal.dtype) for values in data))
    start = jnp.asarray(model.parameters.initial, model.nominal.dtype) if start is None else start
    low, high = free_bounds(model, mu)
    start = jnp.clip(gather(jax.lax.stop_gradient(start), free_indices(model, mu)), low, high)
    free, edm = _implicit_minimum(start, model, data, mu)
    fixed = insert_fixed_parameters(model, jax.lax.stop_gradient(free), mu)
    return FitResult(insert_fixed_parameters(model, free, mu), -log_likelihood(model, fixed, data), edm)


def _optimality(free, model, data, mu):
    """Zero where a gradient step, cut to the bounds, leads nowhere."""
    low, high = free_bounds(model, mu)
    held = has_kink(model, mu) & (jnp.abs(free) <= BELOW_ZERO)  # a minimum at a kink stays there
    low, high = jnp.where(held, 0.0, low), jnp.where(held, 0.0, high)
    slope = jax.grad(lambda values: negative_log_likelihood(model, insert_fixed_parameters(model, values, mu), data))(
        free
    )
    return free - jnp.clip(free - slope, low, high)


def _solve_directly(product, right):
    """Solve product(x) = right for the few unknowns of a fit."""
    if right.shape[0] == 0:
        return right
    matrix = jax.jacobian(product)(right)
    idle = jnp.all(matrix == 0, axis=0)  # parameters that nothing depends on: no signal, no derivative
    matrix, right = matrix + jnp.diag(idle.astype(matrix.dtype)), jnp.where(idle, 0.0, right)
    return right / matrix[0] if right.shape[0] == 1 else solve(matrix, right)


def _solve(start, model, data, mu):
    return _minimise(start, model, data, mu, MAX_STEPS)


@partial(jax.jit, static_argnums=4)  # the several fits of a test, and those of the next one, are traced once
def _minimise(start, model, data, mu, most):
    """Free parameters at the minimum, and the gain in log-likelihood that the last step promised."""
    if start.shape[0] == 0:
        return start, jnp.zeros((), start.dtype)
    problem = newton_problem(model, data, mu)

    def unfinished(carry):
        iteration, state = carry
        return (iteration < most) & ~(jnp.abs(state.gain) < TOLERANCE)

    def step(carry):
        iteration, state = carry
        return iteration + 1, newton_step(problem, state)

    empty = (problem.counts < RATE_FLOOR).astype(start.dtype)
    begin = NewtonState(start, empty, jnp.zeros_like(start[0]), jnp.full_like(start[0], jnp.inf))
    _, end = batching.while_loop(unfinished, step, (0, begin), problem.counts)
    return jnp.where(jnp.abs(end.free) <= BELOW_ZERO, 0.0, end.free), end.gain


_implicit_minimum = custom_root(_optimality, has_aux=True, solve=_solve_directly)(_solve)
