"""Where compiled programs are kept, so that nothing is compiled twice."""

import hashlib
import os
import platform
from pathlib import Path

QUICK = "0.2"
"""Seconds; what compiles faster is not worth a file."""


def keep_in(folder: Path) -> None:
    """Keep compiled programs in a folder, unless the user has chosen one; to be called before jax is imported."""
    processor = hashlib.sha256(_processor().encode()).hexdigest()[:8]  # compiled code fits one kind of processor
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(folder.resolve() / processor))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", QUICK)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line for line in lines if line.startswith(("flags", "Features")))
    except (OSError, StopIteration):
        return platform.platform()
