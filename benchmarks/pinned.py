"""Processes of one core each."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager

from diffhep import jobs


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
