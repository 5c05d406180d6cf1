"""Files of the HiggsML Uncertainty Challenge: Parquet, of which the real ones are larger than the memory."""

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
"""Columns apart from those of `htautau_features`: expected events, name of the process, 1 for the signal and 0 else."""


class ChallengeSample(NamedTuple):
    """Events of one process from a file.

    Attributes:
        primaries: in the columns of `PRIMARY`, single precision.
        weights: as in the file, where they add up to `total` with those of the events that were left out.
        total: expected events of the process, all of the file.
    """

    primaries: Primaries
    weights: Float[Array, " event"]
    total: float


def read(path: Path, process: str, events: int) -> ChallengeSample:
    """So many events of one process, evenly from all over the file, in its order.

    The file is read twice and in batches: the labels and weights, to know which events are needed, and these.

    Args:
        path: A Parquet file with the columns of `PRIMARY`, `weights` and `detailed_labels`.
        process: One of the names in `detailed_labels`.
        events: How many.

    Raises:
        InputError: The file is no Parquet file, lacks a column, has no such process or too few events of it, or is not
            finite where it is read.
    """
    try:
        file = event_files.open_parquet(path)
    except (pa.ArrowInvalid, OSError) as error:
        reason = " ".join(str(error).split())[:80]
        raise InputError(f"{path} cannot be read as Parquet ({reason}): give the challenge's .parquet file") from None
    with file:
        event_files.require_columns(path, (*PRIMARY, WEIGHTS, PROCESS), file.schema_arrow.names)
        number, total = _counted(path, file, process)
        if number < events:
            raise InputError(
                f"{path} has {number} events of {process}, fewer than {events}: ask for no more than it has"
            )
        return ChallengeSample(*_taken(path, file, process, number, events), total)


def _counted(path: Path, file: pq.ParquetFile, process: str) -> tuple[int, float]:
    """Events of the process, and the sum of their weights."""
    number, total = 0, 0.0
    for rows, (weights,) in _batches(file, process, (WEIGHTS,)):
        number, total = number + len(rows), total + float(finite_numbers(path, WEIGHTS, weights, rows).sum(dtype=float))
    if not number:
        labels = (batch[PROCESS].unique() for batch in file.iter_batches(event_files.BATCH_ROWS, columns=[PROCESS]))
        known = {str(label) for each in labels for label in each.to_pylist()}
        raise InputError(f"{path} has no process {process!r}; its {PROCESS} are {', '.join(sorted(known))}")
    return number, total


def _taken(path: Path, file: pq.ParquetFile, process: str, number: int, events: int) -> tuple[Array, Array]:
    """Primaries and weights of so many of the events of the process."""
    names = (*PRIMARY, WEIGHTS)
    parts = [np.empty((len(names), 0), np.float32)]
    for rows, columns in select_evenly(_batches(file, process, names), number, events):
        checked = [finite_numbers(path, name, values, rows) for name, values in zip(names, columns, strict=True)]
        parts.append(np.stack(checked).astype(np.float32))
    *primaries, weights = np.concatenate(parts, axis=1)
    return jnp.asarray(np.stack(primaries, axis=-1)), jnp.asarray(weights)


def _batches(file: pq.ParquetFile, process: str, names: tuple[str, ...]) -> Iterator[Batch]:
    """These columns of the events of the process."""
    start = 0
    for batch in file.iter_batches(event_files.BATCH_ROWS, columns=[PROCESS, *names]):
        wanted = pc.fill_null(pc.equal(batch[PROCESS].cast(pa.string()), process), False)
        of = np.flatnonzero(wanted.to_numpy(zero_copy_only=False))
        yield Batch(start + of, [batch[name].to_numpy(zero_copy_only=False)[of] for name in names])
        start += len(batch)


def write(path: Path, samples: Mapping[str, tuple[Primaries, Float[Array, " event"]]], seed: int) -> None:
    """Events as the challenge's own code reads them, with derived columns and with metadata in a file beside them.

    Rows are shuffled, for that code splits a file into its first and last rows. It wants a folder with one such file.

    Args:
        path: Of the Parquet file; the other is called `<stem>_metadata.json`.
        samples: Primaries and weights of each process.
        seed: Of the order of rows.

    Raises:
        ValueError: There is no such process in the challenge.
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
    about = {
        "total_rows": table.num_rows,
        "total_columns": table.num_columns,
        "columns": table.column_names,
        "detailed_labels": list(samples),
        "sum_weights": float(weights.sum(dtype=float)),
    }
    path.with_name(f"{path.stem}_metadata.json").write_text(json.dumps(about, indent=2) + "\n")
