"""One Newton step towards the maximum of a likelihood, safeguarded against what counting experiments do to it.

The negative log-likelihood is sum over bins of nu - n log nu plus the constraints. Three things make it hard, and each
has its remedy here: it need not be convex in nuisance parameters (`_solver`, `_probes`); log nu ends at nu = 0 in bins
with events (`_lengths`); in bins without events nu has a kink there, where minima like to sit (`empty_bins`).
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from diffhep.inference.newton.empty_bins import newton_direction
from diffhep.inference.newton.linear_algebra import is_positive_definite, positive_definite_solver
from diffhep.models.likelihood import RATE_FLOOR, apply_rate_floor

BELOW_ZERO = 1e-100
"""Stands for 0 seen from below, where a kink has the derivatives of its left side."""

STEP_LENGTHS = (1.0, 0.3)


class NewtonProblem(NamedTuple):
    """A likelihood as a function of the free parameters.

    Attributes:
        rates: free parameters -> rates, which may be negative, shape (bin,).
        prior: free parameters -> minus the log density of the constraints.
        information: Fisher information of the constraints, shape (par,).
        counts: observed events, shape (bin,).
        bounds: lowest and highest values, each of shape (par,).
        shifts: which parameters move between templates, in standard deviations; known when compiling.
        kinked: on which parameters the rates depend with a kink at 0; known when compiling.
    """

    rates: Callable[[Array], Array]
    prior: Callable[[Array], Array]
    information: Array
    counts: Array
    bounds: tuple[np.ndarray, np.ndarray]
    shifts: np.ndarray
    kinked: np.ndarray


class NewtonState(NamedTuple):
    """Where a fit has come to.

    Attributes:
        free: best free parameters so far.
        forces: how strongly each empty bin pulls its rate down, between 0 (negative rates) and 1 (positive rates).
        damping: how much Fisher information is added to the Hessian, after steps that led nowhere.
        gain: by how much the last step was expected to raise the log-likelihood.
    """

    free: Float[Array, " par"]
    forces: Float[Array, " bin"]
    damping: Float[Array, ""]
    gain: Float[Array, ""]


def newton_step(problem: NewtonProblem, state: NewtonState) -> NewtonState:
    """Better free parameters, and the gain in log-likelihood that the quadratic model promised from where they were.

    Parameters at a bound that they are pushed against are held. Of several candidates, the old parameters among them,
    the one with the lowest negative log-likelihood is taken.
    """
    free, low, high = _one_side(problem, state.free)
    local = _expand(problem, free, state.forces)
    gradient = local.prior + local.slope @ local.jacobian
    frozen = ((free <= low) & (gradient > 0)) | ((free >= high) & (gradient < 0))
    local = _freeze(local, frozen)
    empty = problem.counts < RATE_FLOOR
    solve = _solver(local, state.damping, empty)
    direction, forces, gain, back = newton_direction(local, state.forces, solve, empty)
    candidates = free + jnp.stack(_lengths(problem.counts, local, direction))[:, None] * direction
    fixed = candidates[: len(STEP_LENGTHS)]
    candidates = jnp.clip(jnp.concatenate([candidates, fixed + back(jax.vmap(problem.rates)(fixed))]), low, high)
    probes = [jnp.clip(candidate, *problem.bounds) for candidate in _probes(problem, local, free)]
    best, moved = _lowest(problem, jnp.stack([*candidates, *probes, free]))
    damping = jnp.where(moved, jnp.where(state.damping < 1e-2, 0.0, state.damping / 10), 10 * state.damping + 1e-2)
    return NewtonState(best, forces, damping, gain * (1 + state.damping))


def _one_side(problem, free):
    """Parameters and bounds that keep a step on one side of the kinks at 0, the steeper one where it starts at a kink.

    At 0 derivatives are those of the right; a number just below has those of the left.
    """
    low, high = problem.bounds
    if not problem.kinked.any():
        return free, low, high

    def nll(values):
        nu, log_nu = apply_rate_floor(problem.rates(values))
        return jnp.sum(nu - problem.counts * log_nu) + problem.prior(values)

    at_kink = problem.kinked & (jnp.abs(free) <= BELOW_ZERO)
    right = jax.grad(nll)(jnp.where(at_kink, 0.0, free))
    left = jax.grad(nll)(jnp.where(at_kink, -BELOW_ZERO, free))
    free = jnp.where(at_kink, jnp.where(left > jnp.maximum(-right, 0.0), -BELOW_ZERO, 0.0), free)
    low = jnp.where(problem.kinked & (free >= 0), jnp.maximum(low, 0.0), low)
    high = jnp.where(problem.kinked & (free < 0), jnp.minimum(high, 0.0), high)
    return free, low, high


class _Expansion(NamedTuple):
    """Derivatives of the negative log-likelihood: by the rates, and of rates and prior by the parameters."""

    rates: Array
    slope: Array
    curvature: Array
    fisher: Array
    jacobian: Array
    bend: Array
    prior: Array
    information: Array


def _expand(problem, free, forces):
    rates = problem.rates(free)
    nu, _ = apply_rate_floor(rates)
    log_slope = 1 / jnp.maximum(rates, RATE_FLOOR)
    slope = (nu - problem.counts) * log_slope
    pull = jnp.where(problem.counts < RATE_FLOOR, forces, slope)
    jacobian, bend = rate_derivatives(problem.rates, free, pull)
    return _Expansion(
        rates=rates,
        slope=slope,
        curvature=jnp.where(rates > RATE_FLOOR, problem.counts, nu) * log_slope**2,
        fisher=nu * log_slope**2,
        jacobian=jacobian,
        bend=bend,
        prior=jax.grad(problem.prior)(free),
        information=jnp.diag(problem.information),
    )


def rate_derivatives(rates, free, weights):
    """Jacobian (bin, par) of the rates, and Hessian (par, par) of their weighted sum."""

    def summed(values):
        found, back = jax.vjp(rates, values)
        return found, back(weights)[0]

    return jax.jacfwd(summed)(free)


def _freeze(local, frozen):
    """The same expansion for parameters of which some cannot move."""
    either = frozen[:, None] | frozen
    return local._replace(
        jacobian=jnp.where(frozen, 0.0, local.jacobian),
        prior=jnp.where(frozen, 0.0, local.prior),
        bend=jnp.where(either, 0.0, local.bend),
        information=jnp.where(either, jnp.eye(frozen.shape[0], dtype=local.bend.dtype), local.information),
    )


def _solver(local, damping, empty):
    """Function that divides by the Hessian, or by the Fisher information where the Hessian is not positive definite.

    Empty bins do not count in either, their kinks come in `empty_bins`.
    """
    jacobian = local.jacobian
    hessian = (jacobian.T * jnp.where(empty, 0.0, local.curvature)) @ jacobian + local.bend + local.information
    fisher = (jacobian.T * jnp.where(empty, 0.0, local.fisher)) @ jacobian + local.information
    # a parameter that only empty bins, or nothing at all, depends on
    ridge = 1e-6 * jnp.sum(jacobian.T**2 * local.fisher, axis=1) + 1e-30
    fisher = fisher + jnp.diag(ridge)
    hessian = hessian + damping * fisher
    good = is_positive_definite(hessian, 1e-3 * ridge)
    return positive_definite_solver(jnp.where(good, hessian, (1 + damping) * fisher))


def _lengths(counts, local, direction):
    """Step lengths to try: fixed ones, and three at which something happens to one of the bins."""
    speed = local.jacobian @ direction
    falling, rising = jnp.minimum(speed, -1e-30), jnp.maximum(speed, 1e-30)
    filled = counts >= RATE_FLOOR
    almost_vanish = jnp.where(filled & (speed < 0), -0.9 * local.rates / falling, 1.0)
    vanish = jnp.where(~filled & (speed < 0), (0.3 * RATE_FLOOR - local.rates) / falling, 1.0)
    meet = jnp.where((local.rates < 0.5 * counts) & (speed > 0), (counts - local.rates) / rising, 1e6)
    return [*STEP_LENGTHS, *(jnp.clip(jnp.min(length), 0.0, 1e6) for length in (almost_vanish, vanish, meet))]


def _probes(problem, local, free):
    """One standard deviation to either side along the shift with the least curvature.

    This leaves stationary points that are no minimum: where up and down templates coincide the gradient vanishes at 0.
    """
    if not problem.shifts.any():
        return []
    curvature = jnp.sum(local.jacobian.T**2 * local.curvature, axis=1) + jnp.diagonal(local.bend)
    flattest = jnp.argmin(jnp.where(problem.shifts, curvature, jnp.inf))
    move = (jnp.arange(free.shape[0]) == flattest).astype(free.dtype)
    return [free + move, free - move]


def _lowest(problem, candidates):
    """The candidate with the lowest negative log-likelihood; the first, full step wins within rounding."""

    def nll(values):
        nu, log_nu = apply_rate_floor(problem.rates(values))
        return jnp.sum(nu - problem.counts * log_nu) + problem.prior(values)

    values = jax.vmap(nll)(candidates)
    rounding = 1e-13 * (1 + jnp.sum(problem.counts))
    values = jnp.where(jnp.isfinite(values), values, jnp.inf).at[0].add(-rounding)
    best = jnp.argmin(values)
    return candidates[best], values[best] < values[-1]
