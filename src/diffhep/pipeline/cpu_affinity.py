"""Cores of this machine, shared out between the jobs that run on it.

XLA reads none of OMP_NUM_THREADS and its like: it starts as many threads as the process may use cores. What
limits a job to its share is its affinity mask, set before jax is imported.
"""

import fcntl
import os
import random
import tempfile
from pathlib import Path

_held: list[int] = []  # open lock files; the kernel unlocks them when the process ends, however it ends


def pin_to_cores(threads: int) -> set[int]:
    """Keep this process, and what it starts, on `threads` cores that no other process pinned so holds.

    Cores are chosen among those the process may use already, so that a batch system's or a container's limits
    stand. A core is held through a locked file in a folder of the user's own, below the machine's folder for
    temporary files, until the process ends; processes that do not share this folder do not see each other.

    Where fewer than `threads` cores are free, or none can be locked (a folder that is not ours), the process shares
    cores with others: slower, but still on `threads` of them, for results depend on their number in the last digit.
    Where the platform cannot pin (macOS), nothing is changed.

    Returns:
        The cores that the process may use from here on; empty where the platform does not provide them.

    Raises:
        ValueError: `threads` is less than one.
    """
    if threads < 1:
        raise ValueError(f"threads is {threads}: a process needs at least one core")
    if not hasattr(os, "sched_setaffinity"):
        return set()
    allowed = os.sched_getaffinity(0)
    if len(allowed) <= threads:  # nothing to choose from, as in a batch job bound to its share
        return allowed
    cores = _claim(sorted(allowed), threads) or set(random.sample(sorted(allowed), threads))
    os.sched_setaffinity(0, cores)
    return cores


def _claim(candidates: list[int], number: int) -> set[int]:
    """The first free cores, now held, or none where they are too few."""
    claimed: dict[int, int] = {}
    for core in candidates:
        lock = _lock(core)
        if lock is not None:
            claimed[core] = lock
        if len(claimed) == number:
            _held.extend(claimed.values())
            return set(claimed)
    for lock in claimed.values():
        os.close(lock)
    return set()


def _lock(core: int) -> int | None:
    """An open file that says the core is taken, or None where another process has said so."""
    folder = Path(tempfile.gettempdir()) / f"diffhep-cores-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        file = os.open(folder / f"{core}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        return None
    return file
