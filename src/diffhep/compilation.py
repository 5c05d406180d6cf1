"""How programs are compiled: once, and in a hurry where they will not run for long. To be told before jax starts."""

import hashlib
import os
import platform
from pathlib import Path

QUICK = "0.2"
"""Seconds; what compiles faster is not worth a file."""


def keep_in(folder: Path) -> None:
    """Keep compiled programs in a folder, unless the user has chosen one."""
    processor = hashlib.sha256(_processor().encode()).hexdigest()[:8]  # compiled code fits one kind of processor
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(folder.resolve() / processor))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", QUICK)


def hastily() -> None:
    """Compile in a third of the time, on a CPU; thousands of fits side by side then take four times as long.

    XLA stops at a flag that it does not know: these are known to the version of jax that we pin.
    """
    flags = "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false"
    os.environ["XLA_FLAGS"] = f"{flags} {os.environ.get('XLA_FLAGS', '')}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line for line in lines if line.startswith(("flags", "Features")))
    except (OSError, StopIteration):
        return platform.platform()
