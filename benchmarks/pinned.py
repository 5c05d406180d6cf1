"""Processes of one core each."""

import json
import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from diffhep.peers import timing
from diffhep.pipeline import jobs


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


def beside_a_loop(
    processes: list[ProcessPoolExecutor],
    ours: Callable[[str], None],
    peer: Callable[[], None],
    settings: Mapping[str, Any],
    times: int,
) -> dict[str, Any]:
    """Milliseconds of a step: ours of `times` trainings in one program in each process, the peer's one after another.

    Args:
        processes: Of one core each.
        ours: All trainings, settings in JSON.
        peer: One training, on all cores.
        settings: `steps` of a training and `repeats` of the measurement.
        times: How many trainings.
    """
    text, steps = json.dumps(settings), times * settings["steps"]
    works = {"ours": lambda: in_all(processes, ours, text), "peer": lambda: [peer() for _ in range(times)]}
    taken = timing.time_in_turns(works, settings["repeats"])
    seconds = {"ours": taken["ours"] / (len(processes) * steps), "peer": taken["peer"] / steps}
    told = {side: f"{1e3 * np.median(values):.3g} ms/step" for side, values in seconds.items()}
    return {**told, "ratio": np.median(seconds["peer"] / seconds["ours"])}
