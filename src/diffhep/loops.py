"""Loops that `jax.vmap` traces once."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree


def while_loop(unfinished: Callable, step: Callable, begin: PyTree, data: Array) -> PyTree:
    """`jax.lax.while_loop` from a beginning that depends on the data, or seems to.

    Side by side for many data sets, the same loop with a constant in its beginning is traced two or three times, loops
    within it up to nine times: JAX finds out step by step what comes to depend on the data.

    Args:
        unfinished: Whether to go on, of a state.
        step: The next state.
        begin: The first state.
        data: What differs from one data set to the next; at least one number.
    """
    number = data.ravel()[0]
    return jax.lax.while_loop(unfinished, step, jax.tree.map(lambda value: jnp.where(number > 0, value, value), begin))
