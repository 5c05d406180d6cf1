"""Lower bounds on the wall time of a graph of jobs: the longest chain of jobs, and the work divided by the cores.

Both assume that a job takes as long as when it was measured, on any cores and beside any other job. Starting jobs,
reading files and idle cores come on top, so that a build takes at least max(longest chain, work / cores).
"""

from collections.abc import Iterable
from graphlib import TopologicalSorter
from typing import NamedTuple


class Job(NamedTuple):
    """Job with its measured time.

    Attributes:
        name: Unique name of the job.
        seconds: Measured wall time of the job.
        cores: Number of cores that the job occupies; all cores, if a machine has fewer.
        needs: Names of the jobs that have to end before this one starts.
    """

    name: str
    seconds: float
    cores: int = 1
    needs: tuple[str, ...] = ()


def longest_chain(jobs: Iterable[Job]) -> float:
    """Return the seconds of the longest chain of jobs that need each other, a bound for any number of cores.

    Raises:
        ValueError: A job needs one that is missing, or itself.
    """
    by_name = {job.name: job for job in jobs}
    missing = {need for job in by_name.values() for need in job.needs} - set(by_name)
    if missing:
        raise ValueError(f"jobs need {', '.join(sorted(missing))}: add the missing jobs")
    ends = {}
    for name in TopologicalSorter({name: job.needs for name, job in by_name.items()}).static_order():
        job = by_name[name]
        ends[name] = job.seconds + max((ends[need] for need in job.needs), default=0.0)
    return max(ends.values(), default=0.0)


def work_per_core(jobs: Iterable[Job], cores: int) -> float:
    """Return the seconds that all jobs take if none of the cores is ever idle, a bound for any order of the jobs."""
    return sum(job.seconds * min(job.cores, cores) for job in jobs) / cores


def wall_time_bound(jobs: Iterable[Job], cores: int) -> float:
    """Return the larger of `longest_chain` and `work_per_core`, in seconds."""
    jobs = list(jobs)
    return max(longest_chain(jobs), work_per_core(jobs, cores))
