"""Bounds on wall times equal those computed by hand, and greedy schedules lie within the bounds of Graham (1969)."""

import heapq

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffhep.pipeline.wall_time_bounds import Job, longest_chain, wall_time_bound, work_per_core

CHAIN = [Job("a", 3.0), Job("b", 4.0, needs=("a",)), Job("c", 5.0, needs=("b",))]


@pytest.mark.parametrize("cores", [1, 2, 16])
def test_more_cores_do_not_shorten_a_chain(cores):
    assert longest_chain(CHAIN) == 12 == wall_time_bound(CHAIN, cores)


def test_the_longest_of_several_chains_counts():
    jobs = [*CHAIN, Job("d", 6.0, needs=("a",)), Job("e", 20.0), Job("f", 1.0, needs=("d", "e", "c"))]
    assert longest_chain(jobs) == 21


@pytest.mark.parametrize("cores, seconds", [(1, 60), (2, 30), (4, 15), (6, 10), (12, 10)])
def test_independent_jobs_share_the_cores_until_each_has_its_own(cores, seconds):
    assert wall_time_bound([Job(str(k), 10.0) for k in range(6)], cores) == seconds


def test_a_job_occupies_at_most_all_cores():
    jobs = [Job("long", 10.0), Job("wide", 5.0, cores=1000), Job("short", 1.0)]
    assert work_per_core(jobs, 2) == (10 + 2 * 5 + 1) / 2
    assert work_per_core(jobs, 1) == 16


def test_a_missing_job_and_a_cycle_are_refused():
    with pytest.raises(ValueError, match="jobs need x: add the missing jobs"):
        longest_chain([Job("a", 1.0, needs=("x",))])
    with pytest.raises(ValueError, match="cycle"):
        longest_chain([Job("a", 1.0, needs=("b",)), Job("b", 1.0, needs=("a",))])
    assert wall_time_bound([], 1) == 0


@st.composite
def graphs(draw):
    """Draw jobs of one core, each of which needs some of those before it."""
    number = draw(st.integers(1, 12))
    needs = [draw(st.sets(st.integers(0, k - 1), max_size=3)) if k else set() for k in range(number)]
    return [Job(str(k), float(draw(st.integers(0, 9))), 1, tuple(map(str, needs[k]))) for k in range(number)]


def greedy_wall_time(jobs, cores):
    """Return the wall time if each job starts as soon as its needs have ended and a core is free."""
    now, running, ended, waiting = 0.0, [], set(), list(jobs)
    while waiting or running:
        for job in [job for job in waiting if ended.issuperset(job.needs)][: cores - len(running)]:
            heapq.heappush(running, (now + job.seconds, job.name))
            waiting.remove(job)
        now, name = heapq.heappop(running)
        ended.add(name)
    return now


@given(graphs(), st.integers(1, 8))
def test_a_greedy_schedule_is_within_the_bounds_of_graham(jobs, cores):
    """max(W / w, C) <= T <= W / w + (1 - 1 / w) C, with the work W, the longest chain C and w cores."""
    time, chain, share = greedy_wall_time(jobs, cores), longest_chain(jobs), work_per_core(jobs, cores)
    assert wall_time_bound(jobs, cores) - 1e-9 <= time <= share + (1 - 1 / cores) * chain + 1e-9
    assert greedy_wall_time(jobs, len(jobs)) == chain
