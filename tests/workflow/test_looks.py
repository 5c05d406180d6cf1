"""Snakemake looks again for jobs to start only where the limit on starts has held some back."""

import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

RULES = Path(__file__).parents[2] / "workflow" / "rules" / "scheduler_patch.smk"


@pytest.mark.parametrize(("free", "again"), [(0, True), (1, False), (100, False)])
def test_another_look_is_due_where_no_more_jobs_may_be_started(free, again):
    rules = {}
    exec(RULES.read_text(), rules)
    limiter = SimpleNamespace(get_free_jobs=lambda: free)
    scheduler = SimpleNamespace(job_rate_limiter=limiter, _open_jobs=threading.Semaphore(0))
    rules["look_again_if_needed"](scheduler, 0.01)
    assert scheduler._open_jobs.acquire(timeout=0.5) is again


def test_included_twice_it_takes_the_place_of_snakemake_s_once():
    from snakemake.scheduling.job_scheduler import JobScheduler

    for _ in range(2):
        exec(RULES.read_text(), {})
    assert JobScheduler._schedule_reevalutation.__wrapped__.__module__ == JobScheduler.__module__
