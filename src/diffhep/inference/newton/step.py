"""Newton step for binned likelihoods, safeguarded for counting experiments.

The negative log-likelihood is the sum over bins of nu - n log nu, plus the constraints. Three properties make it hard
to minimise: it need not be convex in nuisance parameters (see `_hessian_solver`, `_probes`); in bins with events log nu
ends at nu = 0 (see `_step_lengths`); in bins without events nu has a kink at 0, where minima often lie (see
`empty_bins`).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from diffhep.inference.newton.empty_bins import newton_direction
from diffhep.inference.newton.linear_algebra import is_positive_definite, positive_definite_solver
from diffhep.inference.newton.problem import NewtonProblem, expand
from diffhep.models.likelihood import RATE_FLOOR

BELOW_ZERO = 1e-100
"""Distance below 0 at which a parameter has the derivatives of the left side of its kink."""

STEP_LENGTHS = (1.0, 0.3)
"""Multiples of the Newton direction that every step tries."""


class NewtonState(NamedTuple):
    """State of a minimisation.

    Attributes:
        free: Best free parameters so far.
        forces: Slope of the negative log-likelihood in the rate of each empty bin, between 0 (negative rates) and 1
            (positive rates).
        damping: Multiple of the Fisher information added to the Hessian, after steps without improvement.
        gain: Increase of the log-likelihood that the last quadratic model predicted.
    """

    free: Float[Array, " par"]
    forces: Float[Array, " bin"]
    damping: Float[Array, ""]
    gain: Float[Array, ""]


def newton_step(problem: NewtonProblem, state: NewtonState) -> NewtonState:
    """Take one Newton step.

    Parameters at a bound do not move if the gradient pushes them against it. Of several candidates, including the
    present parameters, the step chooses the one with the lowest negative log-likelihood.

    Args:
        problem: Likelihood of the free parameters.
        state: State of the minimisation.

    Returns:
        State after the step. Its `gain` is predicted at the parameters before the step.
    """
    free, low, high = _choose_side_of_kinks(problem, state.free)
    local = expand(problem, free, state.forces)
    gradient = local.gradient
    local = local.freeze(((free <= low) & (gradient > 0)) | ((free >= high) & (gradient < 0)))
    empty = problem.counts < RATE_FLOOR
    solve = _hessian_solver(local, state.damping, empty)
    direction, forces, gain, correct = newton_direction(local, state.forces, solve, empty)
    candidates = free + jnp.stack(_step_lengths(problem.counts, local, direction))[:, None] * direction
    uncorrected = candidates[: len(STEP_LENGTHS)]
    corrected = uncorrected + correct(jax.vmap(problem.rates)(uncorrected))
    candidates = jnp.clip(jnp.concatenate([candidates, corrected]), low, high)
    probes = [jnp.clip(candidate, *problem.bounds) for candidate in _probes(problem, local, free)]
    best, moved = _select_lowest(problem, jnp.stack([*candidates, *probes, free]))
    damping = jnp.where(moved, jnp.where(state.damping < 1e-2, 0.0, state.damping / 10), 10 * state.damping + 1e-2)
    return NewtonState(best, forces, damping, gain * (1 + state.damping))


def _choose_side_of_kinks(problem, free):
    """Return parameters and bounds that keep a step on one side of the kinks at 0.

    A step that starts at a kink takes the side where the likelihood rises more steeply. At 0, derivatives are those of
    the right side; at -BELOW_ZERO, those of the left.
    """
    low, high = problem.bounds
    if not problem.has_kink.any():
        return free, low, high
    at_kink = problem.has_kink & (jnp.abs(free) <= BELOW_ZERO)
    right = jax.grad(problem.negative_log_likelihood)(jnp.where(at_kink, 0.0, free))
    left = jax.grad(problem.negative_log_likelihood)(jnp.where(at_kink, -BELOW_ZERO, free))
    free = jnp.where(at_kink, jnp.where(left > jnp.maximum(-right, 0.0), -BELOW_ZERO, 0.0), free)
    low = jnp.where(problem.has_kink & (free >= 0), jnp.maximum(low, 0.0), low)
    high = jnp.where(problem.has_kink & (free < 0), jnp.minimum(high, 0.0), high)
    return free, low, high


def _hessian_solver(local, damping, empty):
    """Return a function that solves equations with the Hessian, or the Fisher information if that is not positive.

    Empty bins contribute to neither: `empty_bins` adds their kinks.
    """
    jacobian = local.jacobian
    hessian = (jacobian.T * jnp.where(empty, 0.0, local.curvature)) @ jacobian + local.bend + local.information
    fisher = (jacobian.T * jnp.where(empty, 0.0, local.fisher)) @ jacobian + local.information
    # for a parameter on which only empty bins, or no bins, depend
    ridge = 1e-6 * jnp.sum(jacobian.T**2 * local.fisher, axis=1) + 1e-30
    fisher = fisher + jnp.diag(ridge)
    hessian = hessian + damping * fisher
    positive = is_positive_definite(hessian, 1e-3 * ridge)
    return positive_definite_solver(jnp.where(positive, hessian, (1 + damping) * fisher))


def _step_lengths(counts, local, direction):
    """Return the fixed step lengths, and three at which a rate almost vanishes, vanishes or equals its count."""
    speed = local.jacobian @ direction
    falling, rising = jnp.minimum(speed, -1e-30), jnp.maximum(speed, 1e-30)
    filled = counts >= RATE_FLOOR
    almost_vanish = jnp.where(filled & (speed < 0), -0.9 * local.rates / falling, 1.0)
    vanish = jnp.where(~filled & (speed < 0), (0.3 * RATE_FLOOR - local.rates) / falling, 1.0)
    meet = jnp.where((local.rates < 0.5 * counts) & (speed > 0), (counts - local.rates) / rising, 1e6)
    return [*STEP_LENGTHS, *(jnp.clip(jnp.min(length), 0.0, 1e6) for length in (almost_vanish, vanish, meet))]


def _probes(problem, local, free):
    """Return parameters one standard deviation to either side along the shift with the least curvature.

    They leave stationary points that are no minimum: where up and down templates coincide, the gradient vanishes at 0.
    """
    if not problem.is_shift.any():
        return []
    curvature = jnp.sum(local.jacobian.T**2 * local.curvature, axis=1) + jnp.diagonal(local.bend)
    flattest = jnp.argmin(jnp.where(problem.is_shift, curvature, jnp.inf))
    move = (jnp.arange(free.shape[0]) == flattest).astype(free.dtype)
    return [free + move, free - move]


def _select_lowest(problem, candidates):
    """Return the candidate with the lowest negative log-likelihood, and whether it is below that of the last candidate.

    Within rounding, the first candidate (the full step) wins.
    """
    values = jax.vmap(problem.negative_log_likelihood)(candidates)
    rounding = 1e-13 * (1 + jnp.sum(problem.counts))
    values = jnp.where(jnp.isfinite(values), values, jnp.inf).at[0].add(-rounding)
    best = jnp.argmin(values)
    return candidates[best], values[best] < values[-1]
