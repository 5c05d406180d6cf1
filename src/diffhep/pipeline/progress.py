"""Forecast of the run time of a build, and its progress."""

import logging
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

PRIOR_WEIGHT = 0.1
"""Share of all work after which measured run times count as much as expected ones."""


def forecast(jobs: Iterable[tuple[float, int]], cores: int, now: datetime) -> str:
    """Return one line with the expected run time.

    Args:
        jobs: Expected seconds and cores of each job.
        cores: Number of cores.
        now: Time of the start.
    """
    jobs = list(jobs)
    minutes, end = _in_words(seconds_left(jobs, [], cores, 0.0), now)
    return f"Forecast: {_count(len(jobs), 'job')}, {minutes} on {_count(cores, 'core')}; {end}"


def progress(
    left: Iterable[tuple[float, int]], done: Iterable[tuple[float, int]], cores: int, elapsed: float, now: datetime
) -> str:
    """Return one line with the expected run time of the remaining jobs, given that of the finished ones.

    Args:
        left: Expected seconds and cores of each remaining job.
        done: Expected seconds and cores of each finished job.
        cores: Number of cores.
        elapsed: Seconds since the start.
        now: Time of day.
    """
    left, done = list(left), list(done)
    minutes, end = _in_words(seconds_left(left, done, cores, elapsed), now)
    return f"Left: {len(left)} of {_count(len(left) + len(done), 'job')}, {minutes}; {end}"


def seconds_left(
    left: Sequence[tuple[float, int]], done: Sequence[tuple[float, int]], cores: int, elapsed: float
) -> float:
    """Expected seconds of the remaining jobs, times the ratio of measured and expected seconds so far.

    The ratio is (elapsed + prior) / (expected seconds of `done` + prior), with a prior of `PRIOR_WEIGHT` times the
    expected seconds of all jobs.
    """
    expected_left, expected_done = (_seconds(jobs, cores) for jobs in (left, done))
    prior = PRIOR_WEIGHT * (expected_left + expected_done)
    pace = (elapsed + prior) / (expected_done + prior) if prior else 1.0
    return pace * max(expected_left, max((seconds for seconds, _ in left), default=0.0))


def _seconds(jobs: Iterable[tuple[float, int]], cores: int) -> float:
    """Seconds of all jobs if no core is ever idle."""
    return sum(seconds * min(threads, cores) for seconds, threads in jobs) / cores


def _in_words(seconds: float, now: datetime) -> tuple[str, str]:
    end = now + timedelta(seconds=seconds)
    return f"about {_count(max(round(seconds / 60), 1), 'minute')}", f"done around {end:%a %H:%M}."


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' * (number != 1)}"


SECONDS_BETWEEN_LINES = 60.0
"""Seconds between two lines, at least."""


class Progress(logging.Handler):
    """A handler of Snakemake's log that prints every minute how much is left.

    Args:
        jobs: Expected seconds and cores of each job, by Snakemake's number of the job.
        cores: Number of cores.
    """

    def __init__(self, jobs: Mapping[int, tuple[float, int]], cores: int) -> None:
        """Start the clock."""
        super().__init__()
        self.left, self.done, self.cores = dict(jobs), [], cores
        self.start = self.last_line = time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        """Count a finished job, and print a line if it is time."""
        event, now = getattr(getattr(record, "event", None), "name", ""), time.monotonic()
        if event == "JOB_FINISHED" and record.job_id in self.left:
            self.done.append(self.left.pop(record.job_id))
        if event == "PROGRESS" and self.left and now - self.last_line >= SECONDS_BETWEEN_LINES:
            self.last_line = now
            line = progress(self.left.values(), self.done, self.cores, now - self.start, datetime.now())
            print(line, file=sys.stderr, flush=True)
