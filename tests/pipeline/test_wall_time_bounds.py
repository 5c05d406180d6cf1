"""Schedules against those made by hand, and against the bounds of Graham (1969)."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffhep.pipeline.wall_time_bounds import Job, System, longest_chain, megabytes, schedule, work_per_core

CHAIN = [Job("a", 3.0), Job("b", 4.0, needs=("a",)), Job("c", 5.0, needs=("b",))]


@st.composite
def graphs(draw, most_cores=1):
    """Jobs of which each needs some of those before it."""
    number = draw(st.integers(1, 12))
    seconds = st.integers(0, 9).map(float)
    needs = [draw(st.sets(st.integers(0, k - 1), max_size=3)) if k else set() for k in range(number)]
    return [
        Job(str(k), draw(seconds), draw(st.integers(1, most_cores)), tuple(map(str, needs[k])), 100.0)
        for k in range(number)
    ]


@pytest.mark.parametrize("cores", [1, 2, 16])
def test_a_chain_takes_as_long_with_any_number_of_cores(cores):
    assert schedule(CHAIN, [cores]).seconds == 12 == longest_chain(CHAIN)
    assert schedule(CHAIN, [1] * cores).spans == {"a": (0, 3), "b": (3, 7), "c": (7, 12)}


@pytest.mark.parametrize("cores, seconds", [(1, 60), (2, 30), (4, 20), (6, 10), (7, 10)])
def test_independent_jobs_share_the_cores(cores, seconds):
    assert schedule([Job(str(k), 10.0) for k in range(6)], [cores]).seconds == seconds


def test_a_job_of_all_cores_waits_until_they_are_free_and_others_pass_it():
    jobs = [Job("long", 10.0), Job("wide", 5.0, cores=1000), Job("short", 1.0)]
    assert schedule(jobs, [2]).spans == {"long": (0, 10), "short": (0, 1), "wide": (10, 15)}
    assert work_per_core(jobs, 2) == (10 + 2 * 5 + 1) / 2


def test_a_job_is_on_one_node():
    """Two nodes with a free core each are not a node with two."""
    jobs = [Job("a", 10.0), Job("b", 4.0, cores=2), Job("c", 1.0, cores=2)]
    assert schedule(jobs, [2, 2]).spans == {"a": (0, 10), "b": (0, 4), "c": (4, 5)}
    assert schedule(jobs, [3]).spans == {"a": (0, 10), "b": (0, 4), "c": (4, 5)}


def test_seconds_of_snakemake_come_before_the_first_job_and_with_each():
    told = schedule(CHAIN, [1], System(begin=6.0, overhead=1.0))
    assert told.spans["a"] == (6, 10) and told.seconds == 6 + 12 + 3


def test_what_has_ended_is_noticed_at_the_next_look():
    jobs = [Job("a", 3.0), Job("b", 4.0, needs=("a",))]
    told = schedule(jobs, [1], System(poll=20.0))
    assert told.spans == {"a": (0, 3), "b": (20, 24)} and told.seconds == 40


def test_looks_become_rarer_while_nothing_ends():
    """At 20, then 30 seconds later, then 40."""
    assert schedule([Job("a", 45.0)], [1], System(poll=20.0)).seconds == 50
    assert schedule([Job("a", 55.0)], [1], System(poll=20.0)).seconds == 90
    forever = schedule([Job("a", 1e6)], [1], System(poll=20.0)).seconds
    assert 1e6 <= forever < 1e6 + 180


def test_cores_are_taken_up_by_what_was_handed_over_before_anybody_looks():
    """One of three jobs has no place, though there are cores; the second runs on the core of the first."""
    jobs = [Job(name, 5.0) for name in "abc"]
    told = schedule(jobs, [1], System(poll=20.0, places=2))
    assert told.spans == {"a": (0, 5), "b": (5, 10), "c": (20, 25)}


def test_memory_is_that_of_the_jobs_which_run_at_once():
    jobs = [Job("a", 2.0, megabytes=300.0), Job("b", 1.0, megabytes=50.0), Job("c", 1.0, 1, ("b",), 500.0)]
    assert megabytes(jobs, schedule(jobs, [1]).spans) == 500
    assert megabytes(jobs, schedule(jobs, [2]).spans) == 800


def test_a_need_that_nobody_meets_and_a_circle_are_refused():
    with pytest.raises(ValueError, match="no job is called x"):
        schedule([Job("a", 1.0, needs=("x",))], [1])
    with pytest.raises(ValueError, match="cycle"):
        schedule([Job("a", 1.0, needs=("b",)), Job("b", 1.0, needs=("a",))], [1])
    assert schedule([], [1]).seconds == 0 == longest_chain([])


@given(graphs(), st.integers(1, 8))
def test_no_schedule_is_outside_the_bounds(jobs, cores):
    """max(W / w, C) <= T <= W / w + (1 - 1 / w) C, with the work W and the longest chain C."""
    taken, chain, share = schedule(jobs, [cores]).seconds, longest_chain(jobs), work_per_core(jobs, cores)
    assert max(share, chain) - 1e-9 <= taken <= share + (1 - 1 / cores) * chain + 1e-9
    assert schedule(jobs, [len(jobs)]).seconds == chain


@given(graphs(most_cores=3), st.lists(st.integers(1, 4), min_size=1, max_size=3), st.sampled_from([0.0, 2.0]))
def test_nothing_starts_before_its_needs_or_without_a_core(jobs, nodes, poll):
    system = System(begin=1.0, overhead=0.5, poll=poll, places=4 if poll else math.inf)
    spans = schedule(jobs, nodes, system).spans
    for job in jobs:
        begin, end = spans[job.name]
        assert end == begin + job.seconds + 0.5
        assert all(spans[need][1] <= begin for need in job.needs)
        beside = [other for other in jobs if spans[other.name][0] <= begin < spans[other.name][1]]
        assert sum(min(other.cores, max(nodes)) for other in beside) <= sum(nodes)
