"""Parquet files of the HiggsML Uncertainty Challenge; the real ones are larger than the memory."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from jaxtyping import Array, Float

from diffhep.data import event_files
from diffhep.data.event_files import Batch, finite_numbers, select_evenly
from diffhep.data.htautau.features import DERIVED, PRIMARY, Primaries, derive_columns
from diffhep.data.htautau.shifts import PROCESSES
from diffhep.errors import InputError

WEIGHTS, PROCESS, SIGNAL = "weights", "detailed_labels", "labels"
"""Columns beside those of `features`: expected events, name of the process, and 1 for the signal or 0."""


class ChallengeSample(NamedTuple):
    """Events of one process from a file of the challenge.

    Attributes:
        primaries: Events in the columns of `PRIMARY`, single precision.
        weights: Weights as in the file.
        total: Sum of the weights of all events of the process in the file, read or not.
    """

    primaries: Primaries
    weights: Float[Array, " event"]
    total: float


def read(path: Path, process: str, events: int) -> ChallengeSample:
    """Read events of one process that are evenly spread over a file, in its order.

    The file is read twice in batches: labels and weights first, to count the events, and then the events.

    Args:
        path: Parquet file with the columns of `PRIMARY`, `weights` and `detailed_labels`.
        process: Process, one of the names in `detailed_labels`.
        events: Number of events to read.

    Raises:
        InputError: The file is no Parquet file, lacks a column, has no such process or too few events of it, or holds
            values that are not finite.
    """
    try:
        file = event_files.open_parquet(path)
    except (pa.ArrowInvalid, OSError) as error:
        reason = " ".join(str(error).split())[:80]
        raise InputError(f"{path} cannot be read as Parquet ({reason}): give the challenge's .parquet file") from None
    with file:
        event_files.require_columns(path, (*PRIMARY, WEIGHTS, PROCESS), file.schema_arrow.names)
        number, total = _count(path, file, process)
        if number < events:
            raise InputError(
                f"{path} has {number} events of {process}, fewer than {events}: ask for no more than it has"
            )
        return ChallengeSample(*_read_events(path, file, process, number, events), total)


def _count(path: Path, file: pq.ParquetFile, process: str) -> tuple[int, float]:
    """Number of events of the process, and the sum of their weights."""
    number, total = 0, 0.0
    for rows, (weights,) in _batches(file, process, (WEIGHTS,)):
        number, total = number + len(rows), total + float(finite_numbers(path, WEIGHTS, weights, rows).sum(dtype=float))
    if not number:
        labels = (batch[PROCESS].unique() for batch in file.iter_batches(event_files.BATCH_ROWS, columns=[PROCESS]))
        known = {str(label) for column in labels for label in column.to_pylist()}
        raise InputError(f"{path} has no process {process!r}; its {PROCESS} are {', '.join(sorted(known))}")
    return number, total


def _read_events(path: Path, file: pq.ParquetFile, process: str, number: int, events: int) -> tuple[Array, Array]:
    """Primaries and weights of `events` of the `number` events of the process."""
    names = (*PRIMARY, WEIGHTS)
    parts = [np.empty((len(names), 0), np.float32)]
    for rows, columns in select_evenly(_batches(file, process, names), number, events):
        checked = [finite_numbers(path, name, values, rows) for name, values in zip(names, columns, strict=True)]
        parts.append(np.stack(checked).astype(np.float32))
    *primaries, weights = np.concatenate(parts, axis=1)
    return jnp.asarray(np.stack(primaries, axis=-1)), jnp.asarray(weights)


def _batches(file: pq.ParquetFile, process: str, names: tuple[str, ...]) -> Iterator[Batch]:
    """Read columns of the events of one process."""
    start = 0
    for batch in file.iter_batches(event_files.BATCH_ROWS, columns=[PROCESS, *names]):
        mask = pc.fill_null(pc.equal(batch[PROCESS].cast(pa.string()), process), False)
        rows = np.flatnonzero(mask.to_numpy(zero_copy_only=False))
        yield Batch(start + rows, [batch[name].to_numpy(zero_copy_only=False)[rows] for name in names])
        start += len(batch)


def write(path: Path, samples: Mapping[str, tuple[Primaries, Float[Array, " event"]]], seed: int) -> None:
    """Write events with derived columns, and the metadata file that the challenge's code expects beside them.

    Rows are shuffled, because that code splits a file into its first and last rows. It expects a folder with one file.

    Args:
        path: Parquet file to write; the metadata file is called `<stem>_metadata.json`.
        samples: Primaries and weights of each process.
        seed: Seed of the order of rows.

    Raises:
        ValueError: The challenge has no such process.
    """
    for process in samples.keys() - set(PROCESSES):
        raise ValueError(f"{path}: there is no process {process!r} in the challenge, only {', '.join(PROCESSES)}")
    primaries, weights = (np.concatenate([sample[i] for sample in samples.values()]) for i in (0, 1))
    labels = np.repeat(list(samples), [len(sample[1]) for sample in samples.values()])
    columns = dict(zip(PRIMARY, primaries.T, strict=True))
    columns |= {WEIGHTS: weights, PROCESS: labels, SIGNAL: np.float32(labels == PROCESSES[0])}
    columns |= dict(zip(DERIVED, np.asarray(jax.jit(derive_columns)(primaries)).T, strict=True))
    table = pa.table({name: pa.array(values) for name, values in columns.items()})
    pq.write_table(table.take(np.random.default_rng(seed).permutation(len(labels))), path)
    metadata = {
        "total_rows": table.num_rows,
        "total_columns": table.num_columns,
        "columns": table.column_names,
        "detailed_labels": list(samples),
        "sum_weights": float(weights.sum(dtype=float)),
    }
    path.with_name(f"{path.stem}_metadata.json").write_text(json.dumps(metadata, indent=2) + "\n")
