"""Batched maps and loops over many data sets, in one compiled program for any number of them."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree


def pad_to_batches(arrays: PyTree, size: int) -> tuple[PyTree, int]:
    """Pad arrays to whole batches, because a smaller last batch would be compiled too.

    Args:
        arrays: Arrays with a first axis of equal length.
        size: Maximum size of a batch.

    Returns:
        Arrays with copies of their last entry appended, and the size of a batch: `size`, or the number of entries if
        that is smaller.
    """
    number = len(jax.tree.leaves(arrays)[0])
    size = min(size, number)
    return jax.tree.map(
        lambda array: jnp.pad(array, ((0, -number % size),) + ((0, 0),) * (array.ndim - 1), mode="edge"), arrays
    ), size


def map_in_batches(function: Callable[[Any], Any], arrays: PyTree, size: int) -> PyTree:
    """Map a function over the first axis of arrays, vectorised over batches.

    Args:
        function: Maps one entry of `arrays` to a pytree of arrays.
        arrays: Arrays with a first axis of equal length.
        size: Maximum size of a batch.

    Returns:
        Results, stacked along a first axis.
    """
    number, (padded, size) = len(jax.tree.leaves(arrays)[0]), pad_to_batches(arrays, size)
    return jax.tree.map(lambda array: array[:number], jax.lax.map(function, padded, batch_size=size))


def while_loop(unfinished: Callable, step: Callable, initial: PyTree, data: Array) -> PyTree:
    """Run `jax.lax.while_loop` from an initial state that depends, at least formally, on the data.

    Under `jax.vmap` over data sets, a loop with constants in its initial state is traced two or three times, and loops
    within it up to nine times: JAX discovers step by step which parts of the state depend on the data.

    Args:
        unfinished: Maps a state to whether the loop goes on.
        step: Maps a state to the next one.
        initial: State before the first step.
        data: Array over which `jax.vmap` maps, with at least one number.

    Returns:
        Last state.
    """
    number = data.ravel()[0]
    return jax.lax.while_loop(unfinished, step, jax.tree.map(lambda leaf: jnp.where(number > 0, leaf, leaf), initial))
