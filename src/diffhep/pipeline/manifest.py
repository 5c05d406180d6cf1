"""The manifest: figures and claims of every document, one file each in `config/figures/` and `config/claims/`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from diffhep.errors import InputError

Entries = dict[str, dict[str, Any]]


class Manifest(NamedTuple):
    """Figures and animations by name, and the documents that they belong to.

    Attributes:
        documents: `title` and `source` of each document, in the order of their `order`.
        figures: Entries of the figures; each has its `document`.
        animations: Entries of the animations; each has its `document`.
    """

    documents: Entries
    figures: Entries
    animations: Entries


def read_manifest(folder: Path, read: Callable[[Path], Mapping[str, Any]]) -> Manifest:
    """Read the files of all documents.

    Args:
        folder: `config/figures`, with a file `<document>.yaml` for each document.
        read: Reads and checks one file.

    Raises:
        InputError: There is no file, or a figure has the name of one in another file.
    """
    contents = {path.stem: read(path) for path in _files(folder)}
    documents = dict(sorted(contents.items(), key=lambda item: item[1]["order"]))
    return Manifest(
        {name: {key: content[key] for key in ("title", "source")} for name, content in documents.items()},
        _joined(folder, {name: content.get("figures", {}) for name, content in documents.items()}),
        _joined(folder, {name: content.get("animations", {}) for name, content in documents.items()}),
    )


def read_claims(folder: Path, read: Callable[[Path], Mapping[str, Any]]) -> Entries:
    """Claims of all documents by name; each has its `document`. Arguments and errors as for `read_manifest`."""
    return _joined(folder, {path.stem: read(path) for path in _files(folder)})


def source_of(entry: Mapping[str, Any], kind: str) -> str:
    """File that an entry is in, for messages; the kind is `figures` or `claims`."""
    return f"config/{kind}/{entry['document']}.yaml"


def _files(folder: Path) -> list[Path]:
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise InputError(f"{folder}: there is no file <document>.yaml: put one there")
    return files


def _joined(folder: Path, entries: Mapping[str, Mapping[str, Any]]) -> Entries:
    joined: Entries = {}
    for document, by_name in entries.items():
        for name, entry in by_name.items():
            if name in joined:
                other = f"{joined[name]['document']}.yaml"
                raise InputError(f"{folder}/{document}.yaml: {name}: {other} has this name already: give another")
            joined[name] = {"document": document, **entry}
    return joined
