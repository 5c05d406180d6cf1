"""How long a run will take, told before it starts and while it goes on."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

START = 12.0
"""Seconds until a training is loaded and compiled."""

FLOPS = 8e10
"""Multiplications and additions a second of one core, in float32, that trainings were seen to reach."""

TRUST = 0.1
"""Share of all work after which what was seen so far counts as much as what was expected."""

TRANSFORMS = {"affine": 1.2e-7, "spline": 2e-6}
"""Seconds that a training step takes of one core, for each event and layer of a flow of such transforms."""

COUPLING = 4e-10
"""Seconds that a training step takes of one core, for each event and weight of a flow of couplings."""


def training_seconds(layers: Sequence[int], *, events: int, epochs: int, seeds: int) -> float:
    """Seconds of one core that a training takes, roughly.

    Each event costs two operations a weight of the network forward and four backward, and the evaluation after every
    epoch, on a third as many events, another two.

    Args:
        layers: Widths of all layers of the network, input and output included.
        events: Events that an epoch trains on, of all samples together.
        epochs: Passes over them.
        seeds: Networks trained.
    """
    weights = sum(before * after for before, after in pairwise(layers))
    return START + seeds * epochs * events * weights * (2 + 4 + 2 / 3) / FLOPS


def flow_seconds(flow: Mapping[str, Any], training: Mapping[str, Any]) -> float:
    """Seconds of one core that training an ensemble of flows takes, roughly, evaluation included.

    Args:
        flow: Its `transform` and number of `layers`.
        training: `members`, `iterations` and `batch_size`.
    """
    events = training["members"] * training["iterations"] * training["batch_size"]
    return START + 1.3 * events * flow["layers"] * TRANSFORMS[flow["transform"]]


def coupling_seconds(training: Mapping[str, Any]) -> float:
    """Seconds of one core that training a flow of couplings on two classes takes, roughly.

    Args:
        training: `iterations`, `batch_size` of each class, and `flow`: `layers`, `width` and `depth`.
    """
    flow = training["flow"]
    weights = flow["layers"] * flow["width"] ** 2 * flow["depth"]
    return START + 2 * training["iterations"] * training["batch_size"] * weights * COUPLING


def forecast(jobs: Iterable[tuple[float, int]], cores: int, now: datetime) -> str:
    """One line on how long jobs will take.

    Args:
        jobs: For each, the seconds it is expected to take and the cores it holds.
        cores: How many there are.
        now: When they start.
    """
    jobs = list(jobs)
    minutes, end = _told(seconds_left(jobs, [], cores, 0.0), now)
    return f"Forecast: {_of(len(jobs), 'job')}, {minutes} on {_of(cores, 'core')}; {end}"


def progress(
    left: Iterable[tuple[float, int]], done: Iterable[tuple[float, int]], cores: int, elapsed: float, now: datetime
) -> str:
    """One line on how long the jobs that are left will take, given what was seen of others.

    Args:
        left: As in `forecast`.
        done: The same of jobs that have ended.
        cores: How many there are.
        elapsed: Seconds that those took, all together.
        now: The time of day.
    """
    left, done = list(left), list(done)
    minutes, end = _told(seconds_left(left, done, cores, elapsed), now)
    return f"Left: {len(left)} of {_of(len(left) + len(done), 'job')}, {minutes}; {end}"


def seconds_left(
    left: Sequence[tuple[float, int]], done: Sequence[tuple[float, int]], cores: int, elapsed: float
) -> float:
    """Seconds until jobs that are left have ended: as expected, times by how much expectations were out so far.

    That factor is (elapsed + prior) / (expected of `done` + prior), the prior being `TRUST` of all that was expected.
    """
    expected_left, expected_done = (_seconds(jobs, cores) for jobs in (left, done))
    prior = TRUST * (expected_left + expected_done)
    pace = (elapsed + prior) / (expected_done + prior) if prior else 1.0
    return pace * max(expected_left, max((seconds for seconds, _ in left), default=0.0))


def _seconds(jobs: Iterable[tuple[float, int]], cores: int) -> float:
    """Of all cores, if none is ever idle."""
    return sum(seconds * min(threads, cores) for seconds, threads in jobs) / cores


def _told(seconds: float, now: datetime) -> tuple[str, str]:
    end = now + timedelta(seconds=seconds)
    return f"about {_of(max(round(seconds / 60), 1), 'minute')}", f"done around {end:%a %H:%M}."


def _of(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' * (number != 1)}"
