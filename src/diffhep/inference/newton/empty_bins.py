"""Newton direction for likelihoods with bins without events.

Such a bin adds its rate nu to the negative log-likelihood if nu is positive, and nothing if it is negative. Minima
often lie at the kink nu = 0, where there is no derivative. An empty bin acts like a force on its rate: 1 where the rate
is positive, 0 where it is negative, and at the kink the value between that keeps the rate there.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from diffhep.inference.newton.linear_algebra import positive_definite_solver
from diffhep.inference.newton.problem import Expansion
from diffhep.models.likelihood import RATE_FLOOR, apply_rate_floor

MAX_PASSES = 3
"""Maximum number of forces that can reach a bound in one step."""


def newton_direction(
    local: Expansion, forces: Float[Array, " bin"], solve: Callable[[Array], Array], empty: Bool[Array, " bin"]
) -> tuple[Float[Array, " par"], Float[Array, " bin"], Float[Array, ""], Callable[[Array], Array]]:
    """Compute the Newton direction of a likelihood with empty bins.

    The forces of the empty bins maximise the dual of the quadratic model.

    Args:
        local: Derivatives of the negative log-likelihood at the start of the step.
        forces: First guess of the forces.
        solve: Solves linear equations with the Hessian without the empty bins.
        empty: Marks the bins without events.

    Returns:
        Direction of the step, forces of the bins, predicted decrease of the negative log-likelihood, and a function
        from the rates (step, bin) at the ends of several steps to a correction (step, par) of each: it leads bins at
        their kink back to it where the rates are not linear (second-order correction; Nocedal and Wright, section
        18.3).
    """
    smooth = local.constraint_gradient + jnp.where(empty, 0.0, local.slope) @ local.jacobian
    unforced = -solve(smooth)

    def with_kinks(forces):
        response = solve(local.jacobian.T)
        compliance = local.jacobian @ response
        rates = local.rates + local.jacobian @ unforced - compliance @ forces
        forces = _optimise_forces(forces, rates, compliance, empty)
        move = unforced - response @ forces
        speed = local.jacobian @ move
        kinks = apply_rate_floor(local.rates + speed)[0] - apply_rate_floor(local.rates)[0]
        kinks = jnp.where(empty, kinks, 0.0)
        gain = 0.5 * (jnp.sum(forces * speed) - jnp.sum(smooth * move)) - jnp.sum(kinks)
        return move, forces, gain, response, compliance

    def without_kinks(forces):
        unused = jnp.zeros_like(local.jacobian.T), jnp.zeros((len(empty), len(empty)), unforced.dtype)
        return unforced, forces, -0.5 * jnp.sum(smooth * unforced), *unused

    move, forces, gain, response, compliance = jax.lax.cond(empty.any(), with_kinks, without_kinks, forces)

    def corrections(rates):
        solve_active, active = _active_solver(forces, compliance, empty)
        return -(response @ solve_active(jnp.where(active, rates - _kink_rates(forces), 0.0).T)).T

    def correct(rates):
        zero = jnp.zeros((len(rates), len(move)), move.dtype)
        return jax.lax.cond(empty.any(), corrections, lambda _: zero, rates)

    return move, forces, gain, correct


def _kink_rates(forces):
    """Return the rates where the slope of the guarded rate equals the force."""
    return RATE_FLOOR * (1 + jnp.log(jnp.maximum(forces, 1e-6)))


def _active_solver(forces, compliance, empty):
    """Return a solver of equations with the compliance of the bins at their kink, and a mask of these bins."""
    active = empty & (forces > 0) & (forces < 1)
    ridge = jnp.diag(1e-10 * (jnp.diagonal(compliance) + 1e-30))
    matrix = jnp.where(active[:, None] & active, compliance + ridge, jnp.eye(forces.shape[0]))
    return positive_definite_solver(matrix), active


def _optimise_forces(forces, rates, compliance, empty):
    """Maximise the dual, a quadratic function of the forces between 0 and 1.

    Every pass changes one force after the other, and then all that are between their bounds together until one of them
    reaches a bound. `rates` are those at the end of a step with the first guess of the forces.
    """

    def improve(_, state):
        forces, rates = state
        kink = _kink_rates(forces)
        forces, rates = _optimise_in_turn(forces, rates, kink, compliance, empty)
        solve_active, active = _active_solver(forces, compliance, empty)
        change = solve_active(jnp.where(active, rates - kink, 0.0))
        room = jnp.where(change > 0, 1 - forces, forces) / jnp.maximum(jnp.abs(change), 1e-30)
        change = jnp.minimum(jnp.min(jnp.where(active, room, 1.0)), 1.0) * change
        forces = jnp.clip(forces + change, 0.0, 1.0)
        return forces, rates - compliance @ change

    return jax.lax.fori_loop(0, MAX_PASSES, improve, (forces, rates))[0]


def _optimise_in_turn(forces, rates, kink, compliance, empty):
    bins = forces.shape[0]

    def adjust(i, state):
        forces, rates = state
        change = (rates[i] - kink[i]) / (compliance[i, i] + 1e-30)
        change = jnp.where(empty[i], jnp.clip(forces[i] + change, 0.0, 1.0) - forces[i], 0.0)
        return jnp.where(np.arange(bins) == i, forces + change, forces), rates - compliance[i] * change

    return jax.lax.fori_loop(0, bins, adjust, (forces, rates))
