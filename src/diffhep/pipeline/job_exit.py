"""How a job ends: with the process that started it, not without a word, and telling what it took."""

import atexit
import logging
import os
import resource
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import TracebackType

from diffhep.errors import InputError


@cache  # once is enough
def exit_with_parent() -> None:
    """End this process, whatever it is doing, soon after its parent has ended.

    If Snakemake is killed, its jobs would else run on, and might in the end replace what its next run has made with
    other settings.
    """
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGKILL)


def log_peak_memory() -> None:
    """Say how much memory the process has had at most: Snakemake looks only every half minute once a job is long."""
    sys.stdout.flush()  # what was printed before stands before
    logging.getLogger(__name__).info("most memory: %.0f MB", peak_megabytes())


def peak_megabytes() -> float:
    """Peak memory of the process since its start, or since `reset_peak_memory`, in megabytes."""
    with suppress(OSError):  # Linux; there `getrusage` also counts what the process that started this one had
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**10
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def reset_peak_memory() -> None:
    """Let `peak_megabytes` count from here on, where the platform can (Linux)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


@cache
def original_stderr() -> int:
    """File descriptor that stays where standard error was at the first call, wherever jobs send it later."""
    return os.dup(2)


def report_exception(elsewhere: int, kind: type, error: BaseException, trace: TracebackType | None) -> None:
    """Say what a user can mend in a line, anything else with where it happened.

    Args:
        elsewhere: File descriptor to write to if standard error has no room, as a log on a full disk.
        kind: This and the others as for `sys.excepthook`.
        error: See above.
        trace: See above.
    """
    atexit.unregister(log_peak_memory)  # the last line is the reason
    lines = [f"diffhep: {error}\n"] if issubclass(kind, InputError) else traceback.format_exception(kind, error, trace)
    text = "".join(lines).encode()
    for file in (2, elsewhere):
        with suppress(OSError):
            if os.write(file, text) == len(text):
                return
