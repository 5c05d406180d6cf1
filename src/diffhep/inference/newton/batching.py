"""Many of a kind, computed so many side by side, in one compiled program whatever their number."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree


def pad_to_batches(arrays: PyTree, size: int) -> tuple[PyTree, int]:
    """Whole chunks: a smaller last one would be compiled too.

    Args:
        arrays: with the same first axis.
        size: of a chunk at most; fewer are one chunk.

    Returns:
        The arrays, with copies of the last of each appended, and the size of a chunk.
    """
    number = len(jax.tree.leaves(arrays)[0])
    size = min(size, number)
    return jax.tree.map(
        lambda each: jnp.pad(each, ((0, -number % size),) + ((0, 0),) * (each.ndim - 1), mode="edge"), arrays
    ), size


def map_in_batches(function: Callable[[Any], Any], arrays: PyTree, size: int) -> PyTree:
    """What a function gives for each along the first axis of arrays, at most `size` side by side."""
    number, (whole, size) = len(jax.tree.leaves(arrays)[0]), pad_to_batches(arrays, size)
    return jax.tree.map(lambda each: each[:number], jax.lax.map(function, whole, batch_size=size))


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
