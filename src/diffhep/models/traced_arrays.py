"""Arrays whose values are either known (numpy) or traced by jax, so that models can be built inside `jax.jit`."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

Values = np.ndarray | Array


def is_traced(*values: Any) -> bool:
    """Return whether jax traces any of the values, which are then unknown until the program runs."""
    return any(isinstance(value, jax.core.Tracer) for value in values)


def numpy_for(*values: Any) -> ModuleType:
    """Select `jax.numpy` if jax traces any of the values, otherwise `numpy`."""
    return jnp if is_traced(*values) else np


def as_float64(values: Any) -> Values:
    """Convert numbers, or a list of numbers some of which may be traced, to a float64 array."""
    entries = values if isinstance(values, (list, tuple)) else ()
    return numpy_for(values, *entries).asarray(values, np.float64)


def set_entries(base: Values, entries: Sequence[tuple[Any, Values]]) -> Values:
    """Return a copy of an array with the given values at the given indices.

    Args:
        base: Array to copy.
        entries: Pairs of an index of `base` and the values to set there.
    """
    if is_traced(base, *(value for _, value in entries)):
        filled = jnp.asarray(base)
        for index, value in entries:
            filled = filled.at[index].set(value)
        return filled
    filled = np.array(base)
    for index, value in entries:
        filled[index] = value
    return filled


def concatenate(arrays: Sequence[Values]) -> Values:
    """Concatenate arrays of shape (n,); without any, return an array of shape (0,)."""
    return numpy_for(*arrays).concatenate([np.zeros(0), *arrays])
