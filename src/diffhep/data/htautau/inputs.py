"""What networks and flows see of an event: its category and its prepared columns (contrastive flows section 6.2)."""

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
"""Of what a logarithm is taken."""


@jax.jit
def event_category(primaries: Primaries) -> Int[Array, " event"]:
    """Number of each event's category in `CATEGORIES`, or `NO_CATEGORY`."""
    found = reconstruct_objects(primaries)
    jets = (found.leading.pt > 0).astype(int) + (found.subleading.pt > 0)
    return jets - 1


def prepare_columns(primaries: Primaries, logarithms: Sequence[str]) -> Float[Array, "event 28"]:
    """All columns, log F in place of F for those that are named, and 0 in place of what is undefined.

    Args:
        primaries: Events.
        logarithms: Columns whose distribution peaks towards zero.

    Raises:
        ValueError: There is no such column.
    """
    for name in set(logarithms) - set(COLUMNS):
        raise ValueError(f"there is no column {name!r} to take the logarithm of: choose from {', '.join(COLUMNS)}")
    return _prepared(primaries, tuple(name in logarithms for name in COLUMNS))


@partial(jax.jit, static_argnums=1)
def _prepared(primaries: Primaries, logs: tuple[bool, ...]) -> Float[Array, "event 28"]:
    values = jnp.concatenate([primaries, derive_columns(primaries)], axis=-1)
    changed = jnp.where(np.array(logs), jnp.log(jnp.maximum(values, MIN_LOGARITHM_ARGUMENT)), values)
    return jnp.where(values == ABSENT, 0.0, changed)


def select_columns(columns: Float[ArrayLike, "event 28"], names: Sequence[str]) -> Float[ArrayLike, "event feature"]:
    """Some of the prepared columns.

    Raises:
        ValueError: There is no such column.
    """
    for name in names:
        if name not in COLUMNS:
            raise ValueError(f"there is no column {name!r}: choose from {', '.join(COLUMNS)}")
    return columns[:, np.array([COLUMNS.index(name) for name in names], int)]


def flow_columns(settings: Mapping[str, Any], name: str) -> list[str]:
    """Columns that flows of a category see: those of one jet, and for two jets some more.

    Args:
        settings: `one_jet` and what `two_jets` adds.
        name: Of the category.
    """
    return settings["one_jet"] + (settings["two_jets"] if name == "two_jets" else [])
