"""Simulated events from files, in the columns of the toy generator: one place where an analysis puts its own."""

from pathlib import Path

import numpy as np
import pandas as pd
import uproot

from diffhep.data.resonance import Events
from diffhep.errors import InputError

COLUMNS = ("m_bbgg", "m_bb", "m_gg", "weight")
TREE = "events"


def read(path: Path, tree: str = TREE) -> Events:
    """Events of one sample, masses in GeV.

    Args:
        path: A Parquet file, or a ROOT file that holds a tree; columns `m_bbgg`, `m_bb`, `m_gg`, `weight` and, if it is
            there, `selected` (true by default).
        tree: Name of the tree in a ROOT file.

    Raises:
        InputError: The file cannot be read, is of another kind, has no such tree, lacks a column, or is not finite.
    """
    readers = {".parquet": lambda: pd.read_parquet(path), ".root": lambda: _from_root(path, tree)}
    if path.suffix not in readers:
        raise InputError(f"{path}: events are read from .parquet and .root files")
    if not path.is_file():
        raise InputError(f"{path}: there is no such file: put it there or name another")
    try:
        table = readers[path.suffix]()
    except InputError:
        raise
    except Exception as error:  # pyarrow and uproot each raise classes of their own
        reason = " ".join(str(error).split())[:80]
        raise InputError(f"{path} is broken or no {path.suffix} file ({reason}): make it again") from None
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise InputError(f"{path} has no column {', '.join(missing)}; it has {', '.join(table)}")
    columns = [np.asarray(table[name], float) for name in COLUMNS]
    for name, values in zip(COLUMNS, columns, strict=True):
        for row in np.flatnonzero(~np.isfinite(values))[:1]:
            raise InputError(f"{path}: {name} is {values[row]} in row {row}: leave such events out")
    selected = np.asarray(table["selected"], bool) if "selected" in table else np.ones(len(table), bool)
    return Events(*columns, selected)


def _from_root(path: Path, tree: str) -> pd.DataFrame:
    with uproot.open(path) as file:
        trees = file.keys(cycle=False, filter_classname="TTree") + file.keys(cycle=False, filter_classname="*RNTuple*")
        if tree not in trees:
            raise InputError(f"{path} has no tree {tree!r}; it has {', '.join(trees) or 'none'}")
        return pd.DataFrame(file[tree].arrays(library="np"))
