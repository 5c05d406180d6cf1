"""Inputs of networks and flows: category and prepared columns of an event (contrastive flows section 6.2)."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Int

from diffhep.data.htautau.features import ABSENT, COLUMNS, Primaries, derive_columns, reconstruct_objects

CATEGORIES = ("one_jet", "two_jets")
"""Events with exactly one of the first two jets, and with both."""

NO_CATEGORY = -1
"""Category of events without jets, which the paper leaves out."""

MIN_LOGARITHM_ARGUMENT = 1e-3
"""Smallest value of which a logarithm is taken; smaller ones are raised to it."""


@jax.jit
def event_category(primaries: Primaries) -> Int[Array, " event"]:
    """Return the index of each event's category in `CATEGORIES`, or `NO_CATEGORY`."""
    objects = reconstruct_objects(primaries)
    jets = (objects.leading.pt > 0).astype(int) + (objects.subleading.pt > 0)
    return jets - 1


def prepare_columns(primaries: Primaries, logarithms: Sequence[str]) -> Float[Array, "event 28"]:
    """Return all columns, with some replaced by their logarithm and undefined values by 0.

    Args:
        primaries: Events in the columns of `PRIMARY`.
        logarithms: Columns to replace by their logarithm, those that peak towards zero.

    Raises:
        ValueError: A column does not exist.
    """
    for name in set(logarithms) - set(COLUMNS):
        raise ValueError(f"there is no column {name!r} to take the logarithm of: choose from {', '.join(COLUMNS)}")
    return _prepare(primaries, tuple(name in logarithms for name in COLUMNS))


@partial(jax.jit, static_argnums=1)
def _prepare(primaries: Primaries, logs: tuple[bool, ...]) -> Float[Array, "event 28"]:
    values = jnp.concatenate([primaries, derive_columns(primaries)], axis=-1)
    prepared = jnp.where(np.array(logs), jnp.log(jnp.maximum(values, MIN_LOGARITHM_ARGUMENT)), values)
    return jnp.where(values == ABSENT, 0.0, prepared)


def select_columns(columns: Float[ArrayLike, "event 28"], names: Sequence[str]) -> Float[ArrayLike, "event feature"]:
    """Select columns by name.

    Args:
        columns: Result of `prepare_columns`.
        names: Columns to select, in the order of the result.

    Raises:
        ValueError: A column does not exist.
    """
    for name in names:
        if name not in COLUMNS:
            raise ValueError(f"there is no column {name!r}: choose from {', '.join(COLUMNS)}")
    return columns[:, np.array([COLUMNS.index(name) for name in names], int)]


def flow_columns(settings: Mapping[str, Any], category: str) -> list[str]:
    """Return the columns that flows of a category take as inputs.

    Args:
        settings: Columns of `one_jet`, and further ones of `two_jets`.
        category: One of `CATEGORIES`.
    """
    return settings["one_jet"] + (settings["two_jets"] if category == "two_jets" else [])
