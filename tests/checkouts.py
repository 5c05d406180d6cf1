"""A copy of the project to run Snakemake in, far from anybody's results."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
PARTS = ("Snakefile", "benchmarks", "config", "envs", "profiles", "src", "workflow")


class Checkout:
    """A folder with the project's files, in which `snakemake` can be called."""

    quick = ("--configfile", "config/quick.yaml")

    def __init__(self, folder: Path):
        self.folder = folder
        for part in PARTS:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy2
            copy(ROOT / part, folder / part)
        cache = folder / ".cache"
        cache.mkdir()
        (ROOT / ".cache" / "jax").mkdir(parents=True, exist_ok=True)
        (cache / "jax").symlink_to(ROOT / ".cache" / "jax")  # nothing is compiled twice

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "snakemake", *arguments]

    def environment(self) -> dict[str, str]:
        return {key: value for key, value in os.environ.items() if not key.startswith(("JAX_", "XLA_"))}

    def snakemake(self, *arguments: str, ok: bool = True) -> str:
        """What a call prints; it must succeed, or fail if `ok` is false."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert (done.returncode == 0) is ok, done.stdout[-5000:]
        return done.stdout

    def edit(self, file: str, old: str, new: str) -> Callable[[], None]:
        """Replace text in a file; the returned function undoes it."""
        path = self.folder / file
        before = path.read_text()
        assert old in before, f"{old!r} is not in {file}"
        path.write_text(before.replace(old, new, 1))
        return lambda: path.write_text(before) and None
