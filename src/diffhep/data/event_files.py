"""Events of files that may be larger than the memory: read in batches, some of them kept from all over the file."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq
from jaxtyping import Float, Int

from diffhep.errors import InputError

BATCH_ROWS = 2**18
"""Rows in memory at a time."""

BUFFER_BYTES = 2**20
"""Bytes of a Parquet column read at a time."""


class Batch(NamedTuple):
    """Events of one kind in some successive rows of a file.

    Attributes:
        rows: their places in the file, which ascend.
        columns: what was read of them, an array each.
    """

    rows: Int[np.ndarray, " event"]
    columns: list[np.ndarray]


def open_parquet(path: Path) -> pq.ParquetFile:
    """The file, open, to be read in batches."""
    # by default all that a row group has of a column is read at once, and a row group may be the file
    return pq.ParquetFile(path, buffer_size=BUFFER_BYTES, pre_buffer=False)


def select_evenly(batches: Iterable[Batch], number: int, events: int) -> Iterator[Batch]:
    """So many of all events, evenly from the first on, in their order.

    Args:
        batches: All events.
        number: How many they are.
        events: How many to keep of them, no more than there are.
    """
    seen = 0
    for rows, columns in batches:
        # the k-th that is kept is the (k * number // events)-th of all; those from `first` to `last` are in this batch
        first, last = (-(-place * events // max(number, 1)) for place in (seen, seen + len(rows)))
        kept = np.arange(first, last) * number // max(events, 1) - seen
        yield Batch(rows[kept], [values[kept] for values in columns])
        seen += len(rows)


def require_columns(path: Path, names: Iterable[str], present: Iterable[str]) -> None:
    """Stop if the file lacks a column.

    Raises:
        InputError: It does.
    """
    missing = [name for name in names if name not in present]
    if missing:
        raise InputError(f"{path} has no column {', '.join(missing)}; it has {', '.join(present)}")


def finite_numbers(
    path: Path, name: str, values: np.ndarray, rows: Int[np.ndarray, " event"]
) -> Float[np.ndarray, " event"]:
    """The values of a column in these rows of the file, if they are finite numbers.

    Raises:
        InputError: They are not.
    """
    try:
        found = values if values.dtype.kind == "f" else values.astype(float)
    except (TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:80]
        raise InputError(f"{path}: {name} does not hold numbers ({reason}): store it as numbers") from None
    for place in np.flatnonzero(~np.isfinite(found))[:1]:
        raise InputError(f"{path}: {name} is {found[place]} in row {rows[place]}: leave such events out")
    return found
