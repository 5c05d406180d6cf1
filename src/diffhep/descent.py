"""Gradient descent on a few parameters, all steps kept: for figures that show the way."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float


@partial(jax.jit, static_argnames=("loss", "learning_rate", "steps"))
def descend(
    loss: Callable[[Array], Array], start: Float[Array, "*par"], *, learning_rate: float, steps: int
) -> Float[Array, "step *par"]:
    """Every point on Adam's way down from `start`, which is the first of them.

    Args:
        loss: Scalar to minimise, of the parameters.
        start: Where to begin.
        learning_rate: Of Adam.
        steps: How many to take; the result has one entry more.
    """
    optimiser = optax.adam(learning_rate)

    def step(state, _):
        parameters, memory = state
        updates, memory = optimiser.update(jax.grad(loss)(parameters), memory)
        return (optax.apply_updates(parameters, updates), memory), parameters

    start = jnp.asarray(start)
    (last, _), way = jax.lax.scan(step, (start, optimiser.init(start)), length=steps)
    return jnp.concatenate([way, last[None]])
