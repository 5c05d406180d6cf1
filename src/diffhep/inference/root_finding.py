"""Roots of increasing functions, with implicit derivatives."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

MAX_STEPS = 60


TOLERANCE = 1e-9


def increasing_root(
    function: Callable[..., Array], settle: Callable[..., PyTree], guess: Float[Array, ""], *context: PyTree
) -> tuple[Float[Array, ""], PyTree]:
    """Where a function of a positive number that increases from below zero is zero, and what is settled there.

    Infinite if it never is zero.

    Derivatives with respect to the context are those of the implicit function theorem, -(df / dcontext) / (df / dx).

    Args:
        function: of the number, what is settled there, and the context.
        settle: what is found anew for each number, from it and the context, and does not count in derivatives.
        guess: where to begin.
        context: what else the function depends on.
    """
    guess, constants = jax.lax.stop_gradient((guess, context))

    def unfinished(state):
        step, _, value, *_ = state
        return (step < MAX_STEPS) & ~(jnp.abs(value) < TOLERANCE)

    def improve(state):
        step, x, _, _, _, low, high = state
        settled = settle(x, *constants)
        value, slope = jax.value_and_grad(function)(x, settled, *constants)
        low, high = jnp.where(value < 0, x, low), jnp.where(value < 0, high, x)
        newton = x - value / slope
        within = (newton > low) & (newton < high)
        safe = jnp.where(jnp.isinf(high), 2 * x, (low + high) / 2)
        after = jnp.where(jnp.abs(value) < TOLERANCE, x, jnp.where(within, newton, safe))
        return step + 1, after, value, slope, settled, low, high

    endless, zero = jnp.full_like(guess, jnp.inf), jnp.zeros_like(guess)
    nothing = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), jax.eval_shape(settle, guess, *constants))
    start = (0, guess, endless, zero, nothing, zero, endless)
    _, found, value, slope, settled, *_ = jax.lax.while_loop(unfinished, improve, start)
    exists = (jnp.abs(value) < TOLERANCE) & (slope > 0)
    correction = function(found, settled, *context) / jnp.where(exists, slope, 1.0)  # tiny, but has a derivative
    return jnp.where(exists, found - correction, jnp.inf), settled
