"""Clocks that are fair on a busy machine, and processes of one core each."""

import multiprocessing
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager

import numpy as np

from diffhep import jobs

Work = Callable[[], None]


def turns(works: Mapping[str, Work], repeats: int) -> dict[str, np.ndarray]:
    """Seconds (repeat,) of each piece of work, done in turns: what else the machine does hits all alike.

    A first turn, in which things compile, is not counted.
    """
    for work in works.values():
        work()
    taken = [[_seconds(work) for work in works.values()] for _ in range(repeats)]
    return dict(zip(works, np.transpose(taken), strict=True))


def _seconds(work: Work) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


@contextmanager
def one_core_processes(number: int) -> Iterator[list[ProcessPoolExecutor]]:
    """Processes that share out the cores as the workflow's jobs do."""
    fresh = multiprocessing.get_context("spawn")  # a forked child would inherit a jax that runs on all cores
    with ExitStack() as stack:
        yield [
            stack.enter_context(ProcessPoolExecutor(1, fresh, initializer=jobs.prepare, initargs=(1,)))
            for _ in range(number)
        ]


def in_all(processes: list[ProcessPoolExecutor], function: Callable[[str], None], argument: str) -> None:
    """Run a function in all processes at once and wait for the last of them."""
    for running in [process.submit(function, argument) for process in processes]:
        running.result()
