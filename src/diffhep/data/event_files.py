"""Batched reading of event files that may be larger than the memory."""

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
    """Selected events from consecutive rows of a file.

    Attributes:
        rows: Row numbers of the events in the file, in ascending order.
        columns: Values of the events, one array for each column.
    """

    rows: Int[np.ndarray, " event"]
    columns: list[np.ndarray]


def open_parquet(path: Path) -> pq.ParquetFile:
    """Open a Parquet file for reading in batches."""
    # By default pyarrow reads a whole column of a row group, and a row group may be the whole file.
    return pq.ParquetFile(path, buffer_size=BUFFER_BYTES, pre_buffer=False)


def select_evenly(batches: Iterable[Batch], number: int, events: int) -> Iterator[Batch]:
    """Select events that are evenly spread over a file, in their order.

    Args:
        batches: All events of the file.
        number: Total number of events in the batches.
        events: Number of events to select, at most `number`.
    """
    done = 0
    for rows, columns in batches:
        # The k-th selected event is number k * number // events; those from `first` to `last` are in this batch.
        first, last = (-(-place * events // max(number, 1)) for place in (done, done + len(rows)))
        chosen = np.arange(first, last) * number // max(events, 1) - done
        yield Batch(rows[chosen], [values[chosen] for values in columns])
        done += len(rows)


def require_columns(path: Path, names: Iterable[str], present: Iterable[str]) -> None:
    """Check that a file has all required columns.

    Args:
        path: File, for the message.
        names: Required columns.
        present: Columns of the file.

    Raises:
        InputError: A column is missing.
    """
    missing = [name for name in names if name not in present]
    if missing:
        raise InputError(f"{path} has no column {', '.join(missing)}; it has {', '.join(present)}")


def finite_numbers(
    path: Path, name: str, values: np.ndarray, rows: Int[np.ndarray, " event"]
) -> Float[np.ndarray, " event"]:
    """Convert values of a column to finite floating-point numbers.

    Args:
        path: File, for messages.
        name: Column, for messages.
        values: Values as read.
        rows: Row of each value in the file, for messages.

    Raises:
        InputError: A value is no number, or not finite.
    """
    try:
        numbers = values if values.dtype.kind == "f" else values.astype(float)
    except (TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:80]
        raise InputError(f"{path}: {name} does not hold numbers ({reason}): store it as numbers") from None
    for index in np.flatnonzero(~np.isfinite(numbers))[:1]:
        raise InputError(f"{path}: {name} is {numbers[index]} in row {rows[index]}: remove such events")
    return numbers
