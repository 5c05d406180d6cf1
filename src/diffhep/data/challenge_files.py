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
from jaxtyping import Array, Bool, Float, Int

from diffhep.data.htautau_features import DERIVED, PRIMARY, Primaries, derived
from diffhep.data.htautau_shifts import PROCESSES
from diffhep.errors import InputError

WEIGHTS, PROCESS, SIGNAL = "weights", "detailed_labels", "labels"
"""Columns apart from those of `htautau_features`: expected events, name of the process, 1 for the signal and 0 else."""

BATCH = 2**18
"""Rows in memory at a time."""


class Sample(NamedTuple):
    """Events of one process from a file.

    Attributes:
        primaries: in the columns of `PRIMARY`, single precision.
        weights: as in the file, where they add up to `total` with those of the events that were left out.
        total: expected events of the process, all of the file.
    """

    primaries: Primaries
    weights: Float[Array, " event"]
    total: float


def read(path: Path, process: str, events: int) -> Sample:
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
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        reason = " ".join(str(error).split())[:80]
        raise InputError(f"{path} cannot be read as Parquet ({reason}): give the challenge's .parquet file") from None
    with file:
        columns = file.schema_arrow.names
        missing = [name for name in (*PRIMARY, WEIGHTS, PROCESS) if name not in columns]
        if missing:
            raise InputError(f"{path} has no column {', '.join(missing)}; it has {', '.join(columns)}")
        number, total = _counted(path, file, process)
        if number < events:
            raise InputError(
                f"{path} has {number} events of {process}, fewer than {events}: ask for no more than it has"
            )
        return Sample(*_taken(path, file, process, np.arange(events) * number // max(events, 1)), total)


def _counted(path: Path, file: pq.ParquetFile, process: str) -> tuple[int, float]:
    """Events of the process, and the sum of their weights."""
    number, total, known = 0, 0.0, set()
    for start, labels, (weights,) in _batches(file, (WEIGHTS,)):
        known |= set(pc.unique(labels).to_pylist())
        of = np.flatnonzero(_equal(labels, process))
        _check(path, WEIGHTS, weights[of], start + of)
        number, total = number + len(of), total + float(weights[of].sum(dtype=float))
    if process not in known:
        raise InputError(f"{path} has no process {process!r}; its {PROCESS} are {', '.join(sorted(map(str, known)))}")
    return number, total


def _taken(path: Path, file: pq.ParquetFile, process: str, chosen: Int[np.ndarray, " event"]) -> tuple[Array, Array]:
    """Primaries and weights of the chosen ones, counted among the events of the process."""
    parts, seen = [np.empty((len(PRIMARY) + 1, 0), np.float32)], 0
    for start, labels, columns in _batches(file, (*PRIMARY, WEIGHTS)):
        of = np.flatnonzero(_equal(labels, process))
        first, last = np.searchsorted(chosen, [seen, seen + len(of)])
        rows = of[chosen[first:last] - seen]
        for name, values in zip((*PRIMARY, WEIGHTS), columns, strict=True):
            _check(path, name, values[rows], start + rows)
        parts.append(np.stack([values[rows] for values in columns]).astype(np.float32))
        seen += len(of)
    *primaries, weights = np.concatenate(parts, axis=1)
    return jnp.asarray(np.stack(primaries, axis=-1)), jnp.asarray(weights)


def _batches(file: pq.ParquetFile, names: tuple[str, ...]) -> Iterator[tuple[int, pa.Array, list[np.ndarray]]]:
    """Number of the first row, processes and columns of each batch."""
    start = 0
    for batch in file.iter_batches(BATCH, columns=[PROCESS, *names]):
        columns = [batch[name].to_numpy(zero_copy_only=False) for name in names]
        yield start, batch[PROCESS].cast(pa.string()), columns
        start += len(batch)


def _equal(labels: pa.Array, process: str) -> Bool[np.ndarray, " event"]:
    return pc.fill_null(pc.equal(labels, process), False).to_numpy(zero_copy_only=False)


def _check(path: Path, name: str, values: np.ndarray, rows: np.ndarray) -> None:
    for place in np.flatnonzero(~np.isfinite(values))[:1]:
        raise InputError(f"{path}: {name} is {values[place]} in row {rows[place]}: leave such events out")


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
    columns |= dict(zip(DERIVED, np.asarray(jax.jit(derived)(primaries)).T, strict=True))
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
