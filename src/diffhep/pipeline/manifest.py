"""The manifest: figures and claims of every document, from `config/figures/` and `config/claims/`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from diffhep.errors import InputError
from diffhep.pipeline.settings import check, read

Entries = dict[str, dict[str, Any]]


class Manifest(NamedTuple):
    """Figures and claims of all documents. Each entry has the name of its document under `document`.

    Attributes:
        documents: Title and source of each document, in the alphabetical order of their names.
        figures: Figures by name.
        animations: Animations by name.
        claims: Claims by name.
    """

    documents: Entries
    figures: Entries
    animations: Entries
    claims: Entries

    @property
    def pictures(self) -> Entries:
        """Figures and animations by name."""
        return self.figures | self.animations


def read_manifest(config: Path, schemas: Path) -> Manifest:
    """Read the files `figures/<document>.yaml` and `claims/<document>.yaml` of every document.

    Args:
        config: Folder with the folders `figures` and `claims`.
        schemas: Folder with the JSON schemas of both kinds of files.

    Raises:
        InputError: A file is missing or does not fit its schema, or a name is used twice.
    """
    names = {kind: {path.stem for path in (config / kind).glob("*.yaml")} for kind in ("figures", "claims")}
    if extra := sorted(names["claims"] - names["figures"]):
        known = ", ".join(sorted(names["figures"]))
        file = config / "claims" / f"{extra[0]}.yaml"
        raise InputError(f"{file}: there is no {config / 'figures' / file.name}: add it, or choose from {known}")
    manifest = Manifest({}, {}, {}, {})
    for document in sorted(names["figures"]):
        file = config / "figures" / f"{document}.yaml"
        content = check(read(file), schemas / "figures.schema.yaml", file)
        manifest.documents[document] = {key: content[key] for key in ("title", "source")}
        _add(manifest, "figures", content["figures"], file)
        _add(manifest, "animations", content.get("animations", {}), file)
        file = config / "claims" / f"{document}.yaml"
        _add(manifest, "claims", check(read(file), schemas / "claims.schema.yaml", file), file)
    return manifest


def _add(manifest: Manifest, kind: str, entries: Mapping[str, Any], file: Path) -> None:
    """Add the entries of a file, each with the name of its document.

    Raises:
        InputError: The manifest has an entry of this name already.
    """
    for name, entry in entries.items():
        if earlier := (manifest.claims if kind == "claims" else manifest.pictures).get(name):
            other = file.with_name(f"{earlier['document']}.yaml")
            raise InputError(f"{file}: {kind}.{name}: {other} has an entry of this name: choose another name")
        getattr(manifest, kind)[name] = {"document": file.stem, **entry}


def plot_function(entry: Mapping[str, Any]) -> str:
    """Return the function that draws a figure of the manifest, as `module:function`.

    It is the function `plot` in the module of the figure's study; `<module>:<plot>` names another module.

    Args:
        entry: Entry of the figure.
    """
    module, _, function = entry["plot"].rpartition(":")
    return f"diffhep.figures.{module or entry['study']}:{function}"
