"""Compilation of programs: a cache on disk, and fast compilation for programs that do not run for long."""

import hashlib
import os
import platform
import sys
from pathlib import Path

MIN_COMPILE_SECONDS = 0.2
"""Compilation time, in seconds, from which a program is worth a file."""

FAST_COMPILE_FLAGS = (
    "--xla_backend_optimization_level=0",
    "--xla_cpu_use_fusion_emitters=false",
    # fits are loops within loops, which these go through again and again
    "--xla_disable_hlo_passes=simplify-while-loops,while-loop-invariant-code-motion,while-loop-constant-sinking,"
    "simplify-conditional",
)


def use_cache_folder(folder: Path) -> None:
    """Keep compiled programs in a folder, unless the user has chosen one."""
    processor = hashlib.sha256(_processor().encode()).hexdigest()[:8]  # compiled code fits one kind of processor
    choices = {
        "jax_compilation_cache_dir": str(folder.resolve() / processor),
        "jax_persistent_cache_min_compile_time_secs": MIN_COMPILE_SECONDS,
    }
    for name, value in choices.items():
        chosen = os.environ.setdefault(name.upper(), str(value))
        if "jax" in sys.modules:  # too late for the environment
            sys.modules["jax"].config.update(name, type(value)(chosen))


def compile_fast() -> None:
    """Compile in a third of the time, on a CPU; thousands of fits side by side then take four times as long.

    To be called before anything is compiled. XLA stops at flags it does not know; the jax that we pin knows these.
    """
    flags, chosen = " ".join(FAST_COMPILE_FLAGS), os.environ.get("XLA_FLAGS", "")
    if flags not in chosen:
        os.environ["XLA_FLAGS"] = f"{flags} {chosen}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line for line in lines if line.startswith(("flags", "Features")))
    except (OSError, StopIteration):
        return platform.platform()
