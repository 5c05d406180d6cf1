"""How programs are compiled: once, and in a hurry where they will not run for long."""

import hashlib
import json
import os
import platform
import sys
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path

QUICK = 0.2
"""Seconds; what compiles faster is not worth a file."""

HASTY = (
    "--xla_backend_optimization_level=0",
    "--xla_cpu_use_fusion_emitters=false",
    # fits are loops within loops, which these go through again and again
    "--xla_disable_hlo_passes=simplify-while-loops,while-loop-invariant-code-motion,while-loop-constant-sinking,"
    "simplify-conditional",
)


def keep_in(folder: Path) -> None:
    """Keep compiled programs in a folder, unless the user has chosen one."""
    processor = hashlib.sha256(_processor().encode()).hexdigest()[:8]  # compiled code fits one kind of processor
    choices = {
        "jax_compilation_cache_dir": str(folder.resolve() / processor),
        "jax_persistent_cache_min_compile_time_secs": QUICK,
    }
    for name, value in choices.items():
        chosen = os.environ.setdefault(name.upper(), str(value))
        if "jax" in sys.modules:  # too late for the environment
            sys.modules["jax"].config.update(name, type(value)(chosen))


def hastily() -> None:
    """Compile in a third of the time, on a CPU; thousands of fits side by side then take four times as long.

    To be called before anything is compiled. XLA stops at flags it does not know; the jax that we pin knows these.
    """
    flags, chosen = " ".join(HASTY), os.environ.get("XLA_FLAGS", "")
    if flags not in chosen:
        os.environ["XLA_FLAGS"] = f"{flags} {chosen}"


class Fixed(dict):
    """Settings that programs are compiled for, as a static argument of `jax.jit`; not to be changed any more.

    What is called with the same settings again, in another job or test of the same process, is compiled already.
    Equal are those that are written alike: the order of cuts matters, and 1 is neither 1.0 nor true.
    """

    def __hash__(self) -> int:
        """The same for equal settings."""
        return hash(json.dumps(self))

    def __eq__(self, other: object) -> bool:
        """Whether they are written alike."""
        return isinstance(other, Fixed) and json.dumps(self) == json.dumps(other)

    def __ne__(self, other: object) -> bool:
        """The opposite, which a dict would decide for itself."""
        return not self == other


@dataclass(frozen=True)
class Told:
    """A function that is told settings before all else; one that is told the same is equal.

    Attributes:
        function: Takes them first.
        settings: What it is told, such as `Fixed` ones.
    """

    function: Callable
    settings: Hashable

    def __call__(self, *args):
        """What the function makes of the settings and these arguments."""
        return self.function(self.settings, *args)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line for line in lines if line.startswith(("flags", "Features")))
    except (OSError, StopIteration):
        return platform.platform()
