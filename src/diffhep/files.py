"""Files that appear complete or not at all."""

import glob
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary file beside `path` that takes its place at the end, or vanishes if anything goes wrong.

    Those that killed processes left, also beside files whose names begin with this one's and a dot, vanish with it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        yield temporary
        os.replace(temporary, path)
        for left_over in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
            left_over.unlink(missing_ok=True)
    except OSError as error:
        if error.errno and error.filename is None:  # writing to a full disk does not say to which file
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)
