"""Provenance of results: the revision of the source and the versions of packages."""

import functools
import json
import platform
import subprocess
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import netCDF4

from diffhep.errors import InputError

PACKAGES = ("diffhep", "flax", "jax", "jaxlib", "jaxopt", "netCDF4", "numpy", "optax", "scipy")


def current_environment() -> dict[str, Any]:
    """Environment of this process: the git `revision` of the source, and `versions` by package."""
    return {"revision": _revision(), "versions": _versions()}


@functools.cache
def _revision() -> str:
    """The git revision of the checkout that this module stands in."""
    root = Path(__file__).parents[3]
    if not (root / ".git").exists():  # installed: git would describe whatever repository surrounds it
        return "unknown"
    command = ["git", "-C", str(root), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout.strip()
    except (OSError, subprocess.SubprocessError):  # no git, no commit yet, a checkout of somebody else
        return "unknown"


@functools.cache
def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # for instance diffhep itself, used from src without being installed
            found[package] = "not installed"
    return found


def results_made_elsewhere(folder: Path | str) -> Iterator[tuple[Path, str]]:
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
    here = _flat(current_environment())
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
