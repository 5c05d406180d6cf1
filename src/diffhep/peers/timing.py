"""Pieces of work whose costs are compared: timed in turns, with the memory that they need."""

import time
import tracemalloc
from collections.abc import Callable, Hashable, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np


class Workload(NamedTuple):
    """Something to be done again and again.

    Attributes:
        run: does it and returns its result, a number, the first of several.
        memory: bytes that it needs beyond its arguments.
        preparation: seconds that compiling it took, 0 if it is not compiled.
    """

    run: Callable[[], float]
    memory: Callable[[], int]
    preparation: float


def compiled_workload(function: Callable, *arguments: Any) -> Workload:
    """A function of arrays as one program; its memory is that of temporary arrays, as XLA has planned it."""
    begin = time.perf_counter()
    program = jax.jit(function).lower(*arguments).compile()
    seconds = time.perf_counter() - begin
    return Workload(
        lambda: float(jax.tree.leaves(jax.block_until_ready(program(*arguments)))[0]),
        lambda: program.memory_analysis().temp_size_in_bytes,
        seconds,
    )


def python_workload(function: Callable[..., float], *arguments: Any) -> Workload:
    """A function that is called as it is; its memory is the peak of what Python and numpy allocate meanwhile."""

    def memory():
        tracemalloc.start()
        try:
            function(*arguments)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    return Workload(lambda: function(*arguments), memory, 0.0)


def time_in_turns(
    works: Mapping[Hashable, Callable[[], Any]], repeats: int, patience: float = np.inf
) -> dict[Hashable, np.ndarray]:
    """Seconds (repeat,) of each piece of work, done in turns: what else the machine does hits all alike.

    A first turn, in which things compile, counts only for work that takes longer than `patience` seconds in it: that
    is not repeated.
    """
    first = {name: time_call(work) for name, work in works.items()}
    again = {name: work for name, work in works.items() if first[name] <= patience}
    taken = [[time_call(work) for work in again.values()] for _ in range(repeats)]
    return {name: np.array([once]) for name, once in first.items()} | dict(zip(again, np.transpose(taken), strict=True))


def time_call(work: Callable[[], Any]) -> float:
    """Seconds of a call."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin
