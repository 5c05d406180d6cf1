"""Maximum-likelihood fits that compile, vectorise over data sets and have derivatives.

A fit takes a limited number of safeguarded Newton steps, so that `jax.vmap` can fit thousands of data sets together: in
batches of about 128, because a batch takes as many steps as its slowest data set. Derivatives of fitted parameters come
from the implicit function theorem, not from the steps.
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
"""Maximum number of Newton steps: most data need about 6; minima near vanishing rates need more."""

TOLERANCE = 1e-10
"""Expected gain in log-likelihood below which a fit stops."""

MAX_EDM = 1e-6
"""Largest estimated distance to the minimum of a converged fit, in units of the negative log-likelihood."""


class FitResult(NamedTuple):
    """Result of a maximum-likelihood fit, or of fits of many data sets.

    Attributes:
        parameters: Fitted values of all parameters, fixed ones included.
        nll: Minimum of the negative log-likelihood, with its full normalisation.
        edm: Estimated vertical distance to the minimum before the last step, in units of `nll`.
    """

    parameters: Float[Array, "*toy par"]
    nll: Float[Array, "*toy"]
    edm: Float[Array, "*toy"]

    @property
    def converged(self) -> Bool[Array, "*toy"]:
        """True where the estimated distance to the minimum is below `MAX_EDM`."""
        return _is_converged(self.edm)


@jax.jit
def _is_converged(edm):
    return jnp.abs(edm) < MAX_EDM


def fit(model: Model, data: Data, start: Float[Array, " par"] | None = None) -> FitResult:
    """Fit all parameters within the model's bounds.

    Reverse-mode derivatives of the fitted parameters with respect to model and data follow from the implicit function
    theorem (thesis eq. 7.7), those of `nll` from the envelope theorem.

    Args:
        model: Statistical model.
        data: Observed data.
        start: First guess of the parameters; by default the model's start values.

    Returns:
        Result of the fit.

    Example:
        >>> model = dh.signal_background(*np.array([[5.0, 10.0], [50.0, 60.0], [55.0, 62.0], [45.0, 58.0]]))
        >>> data = dh.expected_data(model, dh.nominal_parameters(model, 1.0))
        >>> best = dh.fit(model, data)
        >>> np.round(best.parameters, 3).tolist(), bool(best.converged)
        ([1.0, 0.0], True)
    """
    return _fit(model, data, None, start)


def conditional_fit(
    model: Model, data: Data, mu: Real[ArrayLike, ""], start: Float[Array, " par"] | None = None
) -> FitResult:
    """Fit all parameters except the parameter of interest, which is fixed at `mu`.

    Args:
        model: Statistical model.
        data: Observed data.
        mu: Value of the parameter of interest; the model's bounds do not apply to it.
        start: First guess of the parameters, its parameter of interest is ignored; by default the model's start values.

    Returns:
        Result of the fit.

    Example:
        >>> model = dh.signal_background(*np.array([[5.0, 10.0], [50.0, 60.0], [55.0, 62.0], [45.0, 58.0]]))
        >>> data = dh.expected_data(model, dh.nominal_parameters(model, 1.0))
        >>> np.round(dh.conditional_fit(model, data, 0.0).parameters, 3).tolist()
        [0.0, 0.521]
    """
    return _fit(model, data, jnp.asarray(mu, model.nominal.dtype), start)


def _fit(model, data, mu, start):
    data = Data(*(jnp.asarray(values, model.nominal.dtype) for values in data))
    start = jnp.asarray(model.parameters.initial, model.nominal.dtype) if start is None else start
    low, high = free_bounds(model, mu)
    start = jnp.clip(gather(jax.lax.stop_gradient(start), free_indices(model, mu)), low, high)
    free, edm = _implicit_minimum(start, model, data, mu)
    constant = insert_fixed_parameters(model, jax.lax.stop_gradient(free), mu)
    return FitResult(insert_fixed_parameters(model, free, mu), -log_likelihood(model, constant, data), edm)


def _optimality(free, model, data, mu):
    """Return the change of the parameters by a gradient step clipped to the bounds: zero at the minimum."""
    low, high = free_bounds(model, mu)
    at_kink = has_kink(model, mu) & (jnp.abs(free) <= BELOW_ZERO)  # a minimum at a kink stays there
    low, high = jnp.where(at_kink, 0.0, low), jnp.where(at_kink, 0.0, high)

    def nll(values):
        return negative_log_likelihood(model, insert_fixed_parameters(model, values, mu), data)

    return free - jnp.clip(free - jax.grad(nll)(free), low, high)


def _solve_directly(product, right):
    """Solve product(x) = right for the few unknowns of a fit."""
    if right.shape[0] == 0:
        return right
    matrix = jax.jacobian(product)(right)
    idle = jnp.all(matrix == 0, axis=0)  # parameters that the likelihood does not depend on have no derivative
    matrix, right = matrix + jnp.diag(idle.astype(matrix.dtype)), jnp.where(idle, 0.0, right)
    return right / matrix[0] if right.shape[0] == 1 else solve(matrix, right)


def _minimise(start, model, data, mu):
    return _minimise_in_steps(start, model, data, mu, MAX_STEPS)


@partial(jax.jit, static_argnums=4)  # traced once for all fits of a test
def _minimise_in_steps(start, model, data, mu, max_steps):
    """Return the free parameters at the minimum, and the gain in log-likelihood that the last step predicted."""
    if start.shape[0] == 0:
        return start, jnp.zeros((), start.dtype)
    problem = newton_problem(model, data, mu)

    def unfinished(carry):
        step, state = carry
        return (step < max_steps) & ~(jnp.abs(state.gain) < TOLERANCE)

    def improve(carry):
        step, state = carry
        return step + 1, newton_step(problem, state)

    empty = (problem.counts < RATE_FLOOR).astype(start.dtype)
    initial = NewtonState(start, empty, jnp.zeros_like(start[0]), jnp.full_like(start[0], jnp.inf))
    _, last = batching.while_loop(unfinished, improve, (0, initial), problem.counts)
    return jnp.where(jnp.abs(last.free) <= BELOW_ZERO, 0.0, last.free), last.gain


_implicit_minimum = custom_root(_optimality, has_aux=True, solve=_solve_directly)(_minimise)
