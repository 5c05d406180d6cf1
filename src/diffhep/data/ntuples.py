"""Simulated events of a resonance search, read from Parquet or ROOT files of an analysis."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import uproot
from jaxtyping import Bool, Float

from diffhep.data import event_files
from diffhep.data.event_files import Batch
from diffhep.data.resonance import ResonanceEvents
from diffhep.errors import InputError

COLUMNS = ("m_bbgg", "m_bb", "m_gg", "weight")
SELECTED = "selected"
TREE = "events"


class NtupleSample(NamedTuple):
    """Selected events of a file, and sums of weights over the whole file.

    Attributes:
        events: Selected events; their weights add up to `selected_weight`.
        total_weight: Sum of the weights of all events, selected or not.
        selected_weight: Sum of the weights of all selected events, whether they are in `events` or not.
        selected_error: Standard deviation of `selected_weight`, the square root of the sum of squared weights.
    """

    events: ResonanceEvents
    total_weight: float
    selected_weight: float
    selected_error: float


def read(path: Path, tree: str = TREE, max_events: int | None = None) -> NtupleSample:
    """Read the selected events of one sample; masses are in GeV.

    The file is read twice in batches: weights first, to count the selected events, and then the events.

    Args:
        path: Parquet file, or ROOT file with a tree. Columns are `m_bbgg`, `m_bb`, `m_gg`, `weight` and optionally
            `selected` (true by default).
        tree: Name of the tree in a ROOT file.
        max_events: Largest number of events to return. If more are selected, they are evenly spread over the file
            and their weights are scaled by a common factor. No limit by default.

    Raises:
        InputError: The file cannot be read, has an unknown suffix, has no such tree, lacks a column or holds values
            that are not finite; or weights have both signs and no positive scale factor exists.
    """
    if path.suffix not in READERS:
        raise InputError(f"{path}: events are read from .parquet and .root files")
    if not path.is_file():
        raise InputError(f"{path}: there is no such file: put it there or name another")
    number, total, passed, squares = 0, np.float64(0), np.float64(0), np.float64(0)
    for _, selected, (weights,) in _batches(path, tree, COLUMNS[-1:]):
        values = weights[selected]
        number, total = number + len(values), total + weights.sum()
        passed, squares = passed + values.sum(), squares + np.sum(values**2)
    n_events = number if max_events is None else min(number, max_events)
    parts = event_files.select_evenly(_selected(path, tree), number, n_events)
    columns = np.concatenate([np.empty((len(COLUMNS), 0)), *(np.stack(part.columns) for part in parts)], axis=1)
    if n_events < number:
        columns[-1] *= _scale_factor(path, columns[-1], passed)
    # All selected events determine the yield, however few are returned, and so they do its error.
    return NtupleSample(ResonanceEvents(*columns, np.ones(n_events, bool)), total, passed, np.sqrt(squares))


def _scale_factor(path: Path, weights: Float[np.ndarray, " event"], passed: float) -> float:
    """Factor that scales the sum of the weights to that of all selected events."""
    total = weights.sum()
    if not total * passed > 0:
        raise InputError(
            f"{path}: weights of the {len(weights)} returned events add up to {total:g}, those of all selected to "
            f"{passed:g}: allow more events"
        )
    return passed / total


def _selected(path: Path, tree: str) -> Iterator[Batch]:
    """Read all columns of selected events."""
    for start, selected, columns in _batches(path, tree, COLUMNS):
        rows = np.flatnonzero(selected)
        yield Batch(start + rows, [values[rows] for values in columns])


def _batches(
    path: Path, tree: str, names: tuple[str, ...]
) -> Iterator[tuple[int, Bool[np.ndarray, " event"], list[Float[np.ndarray, " event"]]]]:
    """Number of the first row, mask of selected events, and columns in double precision, for each batch."""
    start, tables = 0, READERS[path.suffix](path, tree, names)
    for table in _with_plain_errors(path, tables):
        rows = start + np.arange(len(table[names[0]]))
        numbers = {name: event_files.finite_numbers(path, name, values, rows) for name, values in table.items()}
        selected = numbers.get(SELECTED, np.ones(len(rows))) != 0
        yield start, selected, [numbers[name].astype(float, copy=False) for name in names]
        start += len(rows)


def _with_plain_errors(path: Path, tables: Iterator[dict[str, np.ndarray]]) -> Iterator[dict[str, np.ndarray]]:
    """Pass tables on, and turn errors of the file libraries into one line."""
    try:
        yield from tables
    except (InputError, MemoryError):
        raise
    except Exception as error:  # pyarrow and uproot each raise classes of their own
        reason = " ".join(str(error).split())[:80]
        raise InputError(f"{path} is broken or no {path.suffix} file ({reason}): create it again") from None


def _from_parquet(path: Path, tree: str, names: tuple[str, ...]) -> Iterator[dict[str, np.ndarray]]:
    with event_files.open_parquet(path) as file:
        needed = _needed_columns(path, names, file.schema_arrow.names)
        for batch in file.iter_batches(event_files.BATCH_ROWS, columns=needed):
            yield {name: batch[name].to_numpy(zero_copy_only=False) for name in needed}


def _from_root(path: Path, tree: str, names: tuple[str, ...]) -> Iterator[dict[str, np.ndarray]]:
    with uproot.open(path) as file:
        trees = file.keys(cycle=False, filter_classname="TTree") + file.keys(cycle=False, filter_classname="*RNTuple*")
        if tree not in trees:
            raise InputError(f"{path} has no tree {tree!r}; it has {', '.join(trees) or 'none'}")
        needed = _needed_columns(path, names, file[tree].keys())
        yield from file[tree].iterate(filter_name=needed, step_size=event_files.BATCH_ROWS, library="np")


READERS = {".parquet": _from_parquet, ".root": _from_root}


def _needed_columns(path: Path, names: tuple[str, ...], present: list[str]) -> list[str]:
    """Columns to read: those named, and the selection if the file has it."""
    event_files.require_columns(path, COLUMNS, present)
    return [*names, *({SELECTED} & set(present))]
