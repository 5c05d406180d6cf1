"""A copy of the project to run Snakemake in, far from anybody's results."""

import contextlib
import gc
import io
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
OPENING = ("Using workflow specific profile", "Config file config/config.yaml is extended", "Assuming unrestricted")
PARTS = ("Snakefile", "benchmarks", "config", "envs", "profiles", "src", "workflow")


class Checkout:
    """A folder with the project's files, in which `snakemake` can be called."""

    quick = ("--configfile", "config/scales/quick.yaml")

    def __init__(self, folder: Path):
        self.folder = folder
        for part in PARTS:
            if (ROOT / part).is_dir():
                shutil.rmtree(folder / part, ignore_errors=True)  # of a folder that is used again
                shutil.copytree(ROOT / part, folder / part)
            else:
                shutil.copy2(ROOT / part, folder / part)
        cache = folder / ".cache"
        if not cache.is_symlink():
            shutil.rmtree(cache, ignore_errors=True)
            (ROOT / ".cache").mkdir(exist_ok=True)
            cache.symlink_to(ROOT / ".cache")  # nothing is compiled twice, and no code read

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "snakemake", *arguments]

    def environment(self) -> dict[str, str]:
        return {key: value for key, value in os.environ.items() if not key.startswith(("JAX_", "OPENBLAS_", "XLA_"))}

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
        failed = done.stdout.find("Error in ")  # other jobs go on behind it
        assert (done.returncode == 0) is ok, done.stdout[failed:][:5000] if failed >= 0 else done.stdout[-5000:]
        return done.stdout

    def refusal(self, *arguments: str) -> str:
        """What a dry run ends with that must fail."""
        return self.here("--dry-run", *arguments, ok=False)

    def here(self, *arguments: str, ok: bool = True) -> str:
        """What a call prints, in this process: a new one would import Snakemake for seconds."""
        from snakemake.cli import main

        printed, path = io.StringIO(), list(sys.path)
        with contextlib.ExitStack() as here:
            here.enter_context(contextlib.chdir(self.folder))
            here.enter_context(contextlib.redirect_stderr(printed))
            here.enter_context(contextlib.redirect_stdout(printed))
            here.enter_context(warnings.catch_warnings(action="ignore"))  # Snakemake's own
            gc.freeze()  # what was there before is of no concern to the collection below
            try:
                main(list(arguments))
            except SystemExit as ended:
                code = ended.code
            gc.collect()  # here, where nobody minds that it leaves a temporary folder to it
        sys.path[:] = path
        assert (not code) is ok, printed.getvalue()[-5000:]
        printed.write(f"{code}\n" if isinstance(code, str) else "")  # as Python does
        lines = printed.getvalue().splitlines(keepends=True)
        return "".join(line for line in lines if not line.startswith(OPENING))

    def edit(self, file: str, old: str, new: str) -> Callable[[], None]:
        """Replace text in a file; the returned function undoes it."""
        before = (self.folder / file).read_text()
        assert old in before, f"{old!r} is not in {file}"
        return self.put(file, before.replace(old, new, 1).encode())

    def put(self, file: str, content: bytes | None) -> Callable[[], None]:
        """Put a file in the place of another, or none; the returned function undoes it."""
        path = self.folder / file
        before = path.read_bytes()
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        return lambda: path.write_bytes(before) and None
