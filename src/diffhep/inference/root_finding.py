"""Roots of increasing functions by bracketed Newton steps, with implicit derivatives."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

MAX_STEPS = 60
"""Maximum number of evaluations of a function."""

TOLERANCE = 1e-9
"""Absolute value of a function below which its argument is a root."""


class Bracket(NamedTuple):
    """Interval that contains a root.

    Attributes:
        low: Largest argument with a negative value.
        high: Smallest argument without a negative value, infinite before there is one.
    """

    low: Float[Array, ""]
    high: Float[Array, ""]


def bracketed_newton_step(
    x: Float[Array, ""],
    value: Float[Array, ""],
    slope: Float[Array, ""],
    bracket: Bracket,
    *,
    growth: float,
    limit_newton: bool = False,
) -> tuple[Float[Array, ""], Bracket]:
    """Return the next guess of the positive root of an increasing function.

    The guess is that of Newton's method if it lies inside the bracket, otherwise the middle of the bracket, or
    `growth` times the last guess if there is no upper end yet.

    Args:
        x: Last guess.
        value: Value of the function at `x`.
        slope: Its derivative at `x`.
        bracket: Interval that contains the root.
        growth: Factor by which the guess grows as long as the bracket has no upper end.
        limit_newton: Reject guesses of Newton's method beyond `growth` times the last one.

    Returns:
        Next guess, and bracket narrowed at `x`.
    """
    low, high = jnp.where(value < 0, x, bracket.low), jnp.where(value < 0, bracket.high, x)
    newton, farthest = x - value / slope, growth * x
    safe = jnp.where(jnp.isinf(high), farthest, (low + high) / 2)
    within = (newton > low) & (newton < (jnp.minimum(high, farthest) if limit_newton else high))
    return jnp.where(within, newton, safe), Bracket(low, high)


def increasing_root(
    function: Callable[..., Array], settle: Callable[..., PyTree], guess: Float[Array, ""], *context: PyTree
) -> tuple[Float[Array, ""], PyTree]:
    """Compute the root of a function of a positive number that increases from below zero.

    Derivatives with respect to the context are those of the implicit function theorem, -(df / dcontext) / (df / dx).

    Args:
        function: Function of the number, the result of `settle`, and the context.
        settle: Function of the number and the context, evaluated before `function`; a fit, for example. Its result
            counts as constant in derivatives.
        guess: First guess of the root.
        context: Further arguments of both functions.

    Returns:
        Root, infinite if the function has none, and the result of `settle` there.
    """
    guess, constants = jax.lax.stop_gradient((guess, context))

    def unfinished(state):
        step, _, value, *_ = state
        return (step < MAX_STEPS) & ~(jnp.abs(value) < TOLERANCE)

    def improve(state):
        step, x, _, _, _, bracket = state
        settled = settle(x, *constants)
        value, slope = jax.value_and_grad(function)(x, settled, *constants)
        following, bracket = bracketed_newton_step(x, value, slope, bracket, growth=2.0)
        return step + 1, jnp.where(jnp.abs(value) < TOLERANCE, x, following), value, slope, settled, bracket

    infinite, zero = jnp.full_like(guess, jnp.inf), jnp.zeros_like(guess)
    unsettled = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), jax.eval_shape(settle, guess, *constants))
    initial = (0, guess, infinite, zero, unsettled, Bracket(zero, infinite))
    _, root, value, slope, settled, _ = jax.lax.while_loop(unfinished, improve, initial)
    exists = (jnp.abs(value) < TOLERANCE) & (slope > 0)
    correction = function(root, settled, *context) / jnp.where(exists, slope, 1.0)  # tiny, but has a derivative
    return jnp.where(exists, root - correction, jnp.inf), settled
