"""Fingerprints, stored from one start of Snakemake to the next: reading all the code takes a second or two."""

import hashlib
import json
import os
import secrets
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from diffhep.pipeline.dependencies import PACKAGE, ROOT, fingerprint


class Fingerprints:
    """Look up `dependencies.fingerprint` in a file as long as no file of the package has changed.

    Args:
        file: File that holds them. One that cannot be read counts as empty; one that cannot be written is left alone.
        root: Folder that holds the package.
    """

    def __init__(self, file: str | Path, root: Path = ROOT):
        """Read the file and the package."""
        self._file, self._root = Path(file), root
        package = hashlib.sha256(sys.version.encode())  # which decides how code is read
        for path in sorted((root / PACKAGE).rglob("*.py")):
            package.update(f"\0{path.relative_to(root)}\0".encode() + path.read_bytes())
        self._package, self._known = package.hexdigest(), {}
        with suppress(OSError, ValueError, KeyError, TypeError):
            stored = json.loads(self._file.read_text())
            self._known = stored["fingerprints"] if stored["package"] == self._package else {}

    def __call__(self, call: str, without: Iterable[str] = ()) -> str:
        """Fingerprint of `module:function`; arguments and errors are those of `dependencies.fingerprint`."""
        key = " without ".join([call, *sorted(without)])
        if key not in self._known:
            self._known[key] = fingerprint(call, self._root, frozenset(without))
            self._store()
        return self._known[key]

    def _store(self) -> None:
        temporary = self._file.with_name(f".{self._file.name}.{secrets.token_hex(4)}.part")
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            try:
                temporary.write_text(json.dumps({"package": self._package, "fingerprints": self._known}, indent=0))
                os.replace(temporary, self._file)
            finally:
                temporary.unlink(missing_ok=True)
