"""Fingerprints that are kept from one start of Snakemake to the next: it takes a second or two to read all the code."""

import hashlib
import json
import os
import secrets
import sys
from contextlib import suppress
from pathlib import Path

from diffhep.pipeline.dependencies import PACKAGE, ROOT, fingerprint


class Fingerprints:
    """`dependencies.fingerprint`, which is looked up as long as no file of the package has changed.

    Args:
        file: Where they are kept; one that cannot be read counts as empty, one that cannot be written is left.
        root: Folder that holds the package.
    """

    def __init__(self, file: str | Path, root: Path = ROOT):
        """Look at the package and at what is kept."""
        self._file, self._root = Path(file), root
        package = hashlib.sha256(sys.version.encode())  # which decides how code is read
        for path in sorted((root / PACKAGE).rglob("*.py")):
            package.update(f"\0{path.relative_to(root)}\0".encode() + path.read_bytes())
        self._package, self._known = package.hexdigest(), {}
        with suppress(OSError, ValueError, KeyError, TypeError):
            kept = json.loads(self._file.read_text())
            self._known = kept["fingerprints"] if kept["package"] == self._package else {}

    def __call__(self, call: str) -> str:
        """Of `module:function`; errors are those of `dependencies.fingerprint`."""
        if call not in self._known:
            self._known[call] = fingerprint(call, self._root)
            self._keep()
        return self._known[call]

    def _keep(self) -> None:
        temporary = self._file.with_name(f".{self._file.name}.{secrets.token_hex(4)}.part")
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            try:
                temporary.write_text(json.dumps({"package": self._package, "fingerprints": self._known}, indent=0))
                os.replace(temporary, self._file)
            finally:
                temporary.unlink(missing_ok=True)
