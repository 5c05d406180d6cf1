"""How long a graph of jobs takes on one machine or on many nodes: a model, and the bounds that no schedule beats.

What it assumes: a job costs what it cost when it was measured, wherever and beside whatever it runs, and then some
seconds of Snakemake's; jobs start in the order in which they become ready, as soon as a node has enough free cores,
and none waits for a longer chain of others; files are seen everywhere at once, and reading them costs nothing more;
nodes are alike, and nobody else's. On a batch system, Snakemake learns only now and then which jobs have ended.
"""

import heapq
import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from graphlib import TopologicalSorter
from typing import NamedTuple

PATIENCE = 10.0
"""Seconds by which Snakemake's SLURM plugin waits longer for its next look each time that nothing has ended."""

MOST_PATIENCE = 180.0
"""Seconds that it waits at most."""


class Job(NamedTuple):
    """A job as it was measured.

    Attributes:
        name: Unlike that of any other.
        seconds: That it took.
        cores: That it holds; if no node has so many, it takes one node's and no longer.
        needs: Names of the jobs that must have ended before.
        megabytes: Of memory, at most.
    """

    name: str
    seconds: float
    cores: int = 1
    needs: tuple[str, ...] = ()
    megabytes: float = 0.0


class System(NamedTuple):
    """What starts the jobs.

    Attributes:
        begin: Seconds until it starts the first.
        overhead: Seconds that a job holds its cores beyond its own.
        poll: Seconds between two looks at what has ended, growing while nothing does; 0 if it knows at once.
        places: Jobs that it has handed over at once, and not yet seen to have ended.
    """

    begin: float = 0.0
    overhead: float = 0.0
    poll: float = 0.0
    places: float = math.inf


AT_ONCE = System()
"""Nothing but the jobs takes time."""


class Schedule(NamedTuple):
    """When everything happens.

    Attributes:
        seconds: Until all is done, and known to be.
        spans: When each job starts and ends, by name.
    """

    seconds: float
    spans: dict[str, tuple[float, float]]


class _Nodes:
    """Free cores, and what holds the others."""

    def __init__(self, cores: Sequence[int]) -> None:
        self.free, self.most = list(cores), max(cores)
        self.running: list[tuple[float, str, int, int]] = []

    def start(self, job: Job, now: float, overhead: float) -> bool:
        """Whether a node has room for the job, which then runs on the first that has."""
        cores = min(job.cores, self.most)
        node = next((node for node, free in enumerate(self.free) if free >= cores), None)
        if node is None:
            return False
        self.free[node] -= cores
        heapq.heappush(self.running, (now + job.seconds + overhead, job.name, node, cores))
        return True

    def end(self, now: float) -> list[str]:
        """Jobs that have ended by now."""
        ended = []
        while self.running and self.running[0][0] <= now:
            _, name, node, cores = heapq.heappop(self.running)
            self.free[node] += cores
            ended.append(name)
        return ended


def schedule(jobs: Iterable[Job], nodes: Sequence[int], system: System = AT_ONCE) -> Schedule:
    """Greedy list scheduling.

    Args:
        jobs: All of them.
        nodes: Cores of each node; one number is one machine.
        system: What starts the jobs.

    Raises:
        ValueError: A job needs one that is not there, or itself.
    """
    by_name = {job.name: job for job in jobs}
    graph, machines = _graph(by_name), _Nodes(nodes)
    graph.prepare()
    waiting, handed, ended, spans = deque(), [], [], {}
    now, pause = system.begin, system.poll
    look = now + pause if pause else math.inf
    while graph.is_active():
        waiting.extend(graph.get_ready())
        while waiting and len(handed) + len(machines.running) + len(ended) < system.places:
            handed.append(waiting.popleft())
        started = [name for name in handed if machines.start(by_name[name], now, system.overhead)]
        spans |= {name: (now, now + by_name[name].seconds + system.overhead) for name in started}
        handed = [name for name in handed if name not in spans]
        now = min(machines.running[0][0] if machines.running else math.inf, look)
        ended += machines.end(now)
        if now == look:
            pause = system.poll if ended else min(pause + PATIENCE, MOST_PATIENCE)
            look = now + pause
        elif system.poll:
            continue
        graph.done(*ended)
        ended = []
    return Schedule(now, spans)


def longest_chain(jobs: Iterable[Job]) -> float:
    """Seconds of the longest chain of jobs of which each needs the one before: no number of cores is faster."""
    by_name, ends = {job.name: job for job in jobs}, {}
    for name in _graph(by_name).static_order():
        job = by_name[name]
        ends[name] = job.seconds + max((ends[need] for need in job.needs), default=0.0)
    return max(ends.values(), default=0.0)


def work_per_core(jobs: Iterable[Job], cores: int) -> float:
    """Seconds of so many cores of one machine if none is ever idle: no order of jobs is faster."""
    return sum(job.seconds * min(job.cores, cores) for job in jobs) / cores


def megabytes(jobs: Iterable[Job], spans: Mapping[str, tuple[float, float]]) -> float:
    """The most memory of all jobs that run at once, each taken at its own most."""
    changes = [
        (when, sign * job.megabytes) for job in jobs for when, sign in zip(spans[job.name], (1, -1), strict=True)
    ]
    most = held = 0.0
    for _, change in sorted(changes):  # who ends makes room before another starts
        held += change
        most = max(most, held)
    return most


def _graph(jobs: Mapping[str, Job]) -> TopologicalSorter:
    """Jobs by name, with what they need."""
    missing = {need for job in jobs.values() for need in job.needs} - set(jobs)
    if missing:
        raise ValueError(f"no job is called {', '.join(sorted(missing))}, which others need")
    return TopologicalSorter({name: job.needs for name, job in jobs.items()})
