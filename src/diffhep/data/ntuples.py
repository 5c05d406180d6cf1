"""Simulated events from files, in the columns of the toy generator: one place where an analysis puts its own."""

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
    """Selected events, and sums of weights that they alone do not tell.

    Attributes:
        events: those that were kept; their weights add up to `passed`.
        total: sum of the weights of all events, selected or not.
        passed: of all selected ones, kept or not.
        error: standard deviation of `passed`, the root of the sum of the squares of the weights of all selected ones.
    """

    events: ResonanceEvents
    total: float
    passed: float
    error: float


def read(path: Path, tree: str = TREE, at_most: int | None = None) -> NtupleSample:
    """Selected events of one sample, masses in GeV.

    The file is read twice and in batches: weights first, to know how many are selected; then the events.

    Args:
        path: A Parquet file, or a ROOT file that holds a tree; columns `m_bbgg`, `m_bb`, `m_gg`, `weight` and, if it is
            there, `selected` (true by default).
        tree: Name of the tree in a ROOT file.
        at_most: So many are kept, if more are selected: evenly from all over the file and in its order, with weights
            that are multiplied by a common factor.

    Raises:
        InputError: The file cannot be read, is of another kind, has no such tree, lacks a column, or is not finite; or
            no positive factor makes up for events that are not kept, some weights being negative.
    """
    if path.suffix not in READERS:
        raise InputError(f"{path}: events are read from .parquet and .root files")
    if not path.is_file():
        raise InputError(f"{path}: there is no such file: put it there or name another")
    number, total, passed, squares = 0, np.float64(0), np.float64(0), np.float64(0)
    for _, chosen, (weights,) in _batches(path, tree, COLUMNS[-1:]):
        of = weights[chosen]
        number, total = number + len(of), total + weights.sum()
        passed, squares = passed + of.sum(), squares + np.sum(of**2)
    kept = number if at_most is None else min(number, at_most)
    parts = event_files.select_evenly(_selected(path, tree), number, kept)
    columns = np.concatenate([np.empty((len(COLUMNS), 0)), *(np.stack(part.columns) for part in parts)], axis=1)
    if kept < number:
        columns[-1] *= _factor(path, columns[-1], passed)
    # the yield is known as well as all selected events tell, however few are kept: so is its error
    return NtupleSample(ResonanceEvents(*columns, np.ones(kept, bool)), total, passed, np.sqrt(squares))


def _factor(path: Path, weights: Float[np.ndarray, " event"], passed: float) -> float:
    """What to multiply these weights with for them to add up to those of all selected events."""
    found = weights.sum()
    if not found * passed > 0:
        raise InputError(
            f"{path}: weights of the {len(weights)} events kept add up to {found:g}, those of all selected to "
            f"{passed:g}: keep more"
        )
    return passed / found


def _selected(path: Path, tree: str) -> Iterator[Batch]:
    """All columns of selected events."""
    for start, chosen, columns in _batches(path, tree, COLUMNS):
        of = np.flatnonzero(chosen)
        yield Batch(start + of, [values[of] for values in columns])


def _batches(
    path: Path, tree: str, names: tuple[str, ...]
) -> Iterator[tuple[int, Bool[np.ndarray, " event"], list[Float[np.ndarray, " event"]]]]:
    """Number of the first row, which events are selected, and columns as double precision, of each batch."""
    start, tables = 0, READERS[path.suffix](path, tree, names)
    for table in _told(path, tables):
        rows = start + np.arange(len(table[names[0]]))
        numbers = {name: event_files.finite_numbers(path, name, values, rows) for name, values in table.items()}
        selected = numbers.get(SELECTED, np.ones(len(rows))) != 0
        yield start, selected, [numbers[name].astype(float, copy=False) for name in names]
        start += len(rows)


def _told(path: Path, tables: Iterator[dict[str, np.ndarray]]) -> Iterator[dict[str, np.ndarray]]:
    """The same, with what goes wrong in reading told in one line."""
    try:
        yield from tables
    except (InputError, MemoryError):
        raise
    except Exception as error:  # pyarrow and uproot each raise classes of their own
        reason = " ".join(str(error).split())[:80]
        raise InputError(f"{path} is broken or no {path.suffix} file ({reason}): make it again") from None


def _from_parquet(path: Path, tree: str, names: tuple[str, ...]) -> Iterator[dict[str, np.ndarray]]:
    with event_files.open_parquet(path) as file:
        needed = _needed(path, names, file.schema_arrow.names)
        for batch in file.iter_batches(event_files.BATCH_ROWS, columns=needed):
            yield {name: batch[name].to_numpy(zero_copy_only=False) for name in needed}


def _from_root(path: Path, tree: str, names: tuple[str, ...]) -> Iterator[dict[str, np.ndarray]]:
    with uproot.open(path) as file:
        trees = file.keys(cycle=False, filter_classname="TTree") + file.keys(cycle=False, filter_classname="*RNTuple*")
        if tree not in trees:
            raise InputError(f"{path} has no tree {tree!r}; it has {', '.join(trees) or 'none'}")
        needed = _needed(path, names, file[tree].keys())
        yield from file[tree].iterate(filter_name=needed, step_size=event_files.BATCH_ROWS, library="np")


READERS = {".parquet": _from_parquet, ".root": _from_root}


def _needed(path: Path, names: tuple[str, ...], present: list[str]) -> list[str]:
    """Columns to read for these."""
    event_files.require_columns(path, COLUMNS, present)
    return [*names, *({SELECTED} & set(present))]
