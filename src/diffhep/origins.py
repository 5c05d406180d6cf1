"""Which stored results come from another revision or other versions than those of this checkout."""

import json
from collections.abc import Iterator
from pathlib import Path

import netCDF4

from diffhep import store
from diffhep.errors import InputError


def foreign(folder: Path | str) -> Iterator[tuple[Path, str]]:
    """Results below a folder that were not made with what is here, and what differs, in the order of their names.

    That a result comes from another revision does not make it wrong: what no longer stands for its code and settings is
    what `snakemake` would make anew.

    Args:
        folder: Of results.

    Raises:
        InputError: There is no such folder, or there are no results in it.
    """
    paths = sorted(path for path in Path(folder).rglob("*.nc") if path.is_file())
    if not paths:
        raise InputError(f"{folder}: there are no results (*.nc): name a folder that has some")
    here = _flat(store.environment())
    for path in paths:
        there = _recorded(path)
        if isinstance(there, str):
            yield path, there
            continue
        differences = [f"{name} {there.get(name, 'unknown')} (here {version})" for name, version in here.items()
                       if there.get(name) != version]  # fmt: skip
        if differences:
            yield path, ", ".join(differences)


def _recorded(path: Path) -> dict[str, str] | str:
    """Revision and versions that a result was made with, or why they are not known."""
    try:
        with netCDF4.Dataset(path) as file:
            return _flat(json.loads(file.environment))
    except PermissionError:
        return "you may not read it"
    except (OSError, AttributeError, KeyError, ValueError, TypeError):
        return "broken, or not written by diffhep"


def _flat(environment: dict) -> dict[str, str]:
    return {"revision": environment["revision"], **environment["versions"]}
