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
from types import TracebackType

from diffhep.errors import InputError


def end_with_parent() -> None:
    """End this process, whatever it is doing, soon after its parent has ended.

    If Snakemake is killed, its jobs would else run on, and might in the end replace what its next run has made with
    other settings.
    """
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGKILL)


def tell_memory() -> None:
    """Say how much memory the process has had at most: Snakemake looks only every half minute once a job is long."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    logging.getLogger(__name__).info("most memory: %.0f MB", most)


def tell(elsewhere: int, kind: type, error: BaseException, trace: TracebackType | None) -> None:
    """Say what a user can mend in a line, anything else with where it happened.

    Args:
        elsewhere: File descriptor to write to if standard error has no room, as a log on a full disk.
        kind: This and the others as for `sys.excepthook`.
        error: See above.
        trace: See above.
    """
    atexit.unregister(tell_memory)  # the last line is the reason
    lines = [f"diffhep: {error}\n"] if issubclass(kind, InputError) else traceback.format_exception(kind, error, trace)
    text = "".join(lines).encode()
    for file in (2, elsewhere):
        with suppress(OSError):
            if os.write(file, text) == len(text):
                return
