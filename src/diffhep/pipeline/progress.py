"""How long a run will take, told before it starts and while it goes on."""

import logging
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

PRIOR_WEIGHT = 0.1
"""Share of all work after which what was seen so far counts as much as what was expected."""


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

    That factor is (elapsed + prior) / (expected of `done` + prior), the prior being `PRIOR_WEIGHT` of all that was expected.
    """
    expected_left, expected_done = (_seconds(jobs, cores) for jobs in (left, done))
    prior = PRIOR_WEIGHT * (expected_left + expected_done)
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


SECONDS_BETWEEN_LINES = 60.0
"""Seconds between two lines, at least."""


class Progress(logging.Handler):
    """A handler of Snakemake's log that prints every minute how much is left.

    Args:
        jobs: Seconds that each job is expected to take and the cores it holds, by Snakemake's number of the job.
        cores: How many there are.
    """

    def __init__(self, jobs: Mapping[int, tuple[float, int]], cores: int) -> None:
        """Start the clock."""
        super().__init__()
        self.left, self.done, self.cores = dict(jobs), [], cores
        self.start = self.told = time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        """Count a job that has ended; tell, if it is time to."""
        event, now = getattr(getattr(record, "event", None), "name", ""), time.monotonic()
        if event == "JOB_FINISHED" and record.job_id in self.left:
            self.done.append(self.left.pop(record.job_id))
        if event == "PROGRESS" and self.left and now - self.told >= SECONDS_BETWEEN_LINES:
            self.told = now
            line = progress(self.left.values(), self.done, self.cores, now - self.start, datetime.now())
            print(line, file=sys.stderr, flush=True)
