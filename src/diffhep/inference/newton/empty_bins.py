"""The Newton direction where bins without events have a kink.

Such a bin adds its rate nu to the negative log-likelihood as long as nu is positive and nothing below: minima like to
sit at nu = 0, where there is no derivative.
"""

import jax
import jax.numpy as jnp
import numpy as np

from diffhep.inference.newton.linear_algebra import positive_definite_solver
from diffhep.models.likelihood import RATE_FLOOR, apply_rate_floor

MAX_PASSES = 3
"""Most forces of empty bins that can reach a bound in one step."""


def newton_direction(local, force, solve, empty):
    """Newton direction that knows of the kinks, new forces, the gain that it promises, and a way back to the kinks.

    The last is a function of the rates at the ends of several steps, arrays (step, bin): a correction of each that
    leads bins held at their kink back to it, where rates bend away from it (second-order correction; Nocedal and
    Wright, section 18.3).

    An empty bin pulls its rate down with force 1 where the rate is positive and 0 where it is negative; at the kink the
    force is what holds the rate there. The forces maximise the dual of the quadratic model.

    Args:
        local: rates and derivatives where the step starts, as `newton` expands them.
        force: first guess of the forces, shape (bin,).
        solve: divides by the Hessian without the empty bins.
        empty: which bins have no events, shape (bin,).
    """
    smooth = local.prior + jnp.where(empty, 0.0, local.slope) @ local.jacobian
    free_fall = -solve(smooth)

    def to_kinks(force):
        response = solve(local.jacobian.T)
        yielding = local.jacobian @ response
        ahead = local.rates + local.jacobian @ free_fall - yielding @ force
        force = _forces(force, ahead, yielding, empty)
        move = free_fall - response @ force
        speed = local.jacobian @ move
        kinks = jnp.where(empty, apply_rate_floor(local.rates + speed)[0] - apply_rate_floor(local.rates)[0], 0.0)
        gain = 0.5 * (jnp.sum(force * speed) - jnp.sum(smooth * move)) - jnp.sum(kinks)
        return move, force, gain, response, yielding

    def freely(force):
        unneeded = jnp.zeros_like(local.jacobian.T), jnp.zeros((len(empty), len(empty)), free_fall.dtype)
        return free_fall, force, -0.5 * jnp.sum(smooth * free_fall), *unneeded

    move, force, gain, response, yielding = jax.lax.cond(empty.any(), to_kinks, freely, force)

    def corrections(rates):
        solve_held, held = _between(force, yielding, empty)
        return -(response @ solve_held(jnp.where(held, rates - _kink(force), 0.0).T)).T

    def back(rates):
        none = jnp.zeros((len(rates), len(move)), move.dtype)
        return jax.lax.cond(empty.any(), corrections, lambda _: none, rates)

    return move, force, gain, back


def _kink(force):
    """Rates where the slope of their guard is the force."""
    return RATE_FLOOR * (1 + jnp.log(jnp.maximum(force, 1e-6)))


def _between(force, yielding, empty):
    """Which bins are held at their kink, and a function that divides by how they yield to each other's forces."""
    held = empty & (force > 0) & (force < 1)
    ridge = jnp.diag(1e-10 * (jnp.diagonal(yielding) + 1e-30))
    matrix = jnp.where(held[:, None] & held, yielding + ridge, jnp.eye(force.shape[0]))
    return positive_definite_solver(matrix), held


def _forces(force, ahead, yielding, empty):
    """Forces of the empty bins, given the rates where a step with the first guess of them would lead.

    They maximise a quadratic function between bounds: first one after the other, then, of those between the bounds, all
    at once until one meets a bound.
    """

    def again(_, state):
        force, ahead = state
        kink = _kink(force)
        force, ahead = _one_by_one(force, ahead, kink, yielding, empty)
        solve_between, between = _between(force, yielding, empty)
        change = solve_between(jnp.where(between, ahead - kink, 0.0))
        room = jnp.where(change > 0, 1 - force, force) / jnp.maximum(jnp.abs(change), 1e-30)
        change = jnp.minimum(jnp.min(jnp.where(between, room, 1.0)), 1.0) * change
        force = jnp.clip(force + change, 0.0, 1.0)
        return force, ahead - yielding @ change

    return jax.lax.fori_loop(0, MAX_PASSES, again, (force, ahead))[0]


def _one_by_one(force, ahead, kink, yielding, empty):
    bins = force.shape[0]

    def adjust(i, state):
        force, ahead = state
        change = (ahead[i] - kink[i]) / (yielding[i, i] + 1e-30)
        change = jnp.where(empty[i], jnp.clip(force[i] + change, 0.0, 1.0) - force[i], 0.0)
        return jnp.where(np.arange(bins) == i, force + change, force), ahead - yielding[i] * change

    return jax.lax.fori_loop(0, bins, adjust, (force, ahead))
