"""Atomic replacement of files."""

import glob
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary file that replaces `path` at the end of the block, or is deleted if the block raises.

    Temporary files that killed processes left are deleted too, also those of files whose names begin with this one's
    and a dot.

    Args:
        path: File to write or replace; its folder is created.

    Raises:
        OSError: The file cannot be written; the message names it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        yield temporary
        os.replace(temporary, path)
        for leftover in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
            leftover.unlink(missing_ok=True)
    except OSError as error:
        if error.errno and error.filename is None:  # an error of a full disk does not name the file
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)
