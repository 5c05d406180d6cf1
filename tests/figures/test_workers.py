"""The figure of wall times shows what was measured, what the model says of the same jobs, and the bounds."""

import numpy as np
import pytest
import xarray as xr

from benchmarks.workers import tabulated
from diffhep.figures import workers
from diffhep.pipeline import wall_time_bounds

CLUSTER = {"overhead": 10.0, "poll": 20.0, "places": 50}
JOBS = [
    wall_time_bounds.Job("events", 60.0, megabytes=500.0),
    *(wall_time_bounds.Job(f"train {k}", 120.0, 1, ("events",), 1000.0) for k in range(4)),
    wall_time_bounds.Job("alone", 60.0, 1000, ("events",), 100.0),
    wall_time_bounds.Job("figure", 30.0, 1, tuple(f"train {k}" for k in range(4))),
]


@pytest.fixture
def measured():
    begin, more = 5.0, 7.0  # seconds of Snakemake before and beside all jobs
    alone = wall_time_bounds.work_per_core(JOBS, 1) + begin + more
    of_workers = {"seconds": (("repeat", "workers"), [[alone, 400.0], [alone, 410.0]]), "begin": ("repeat", [5.0, 5.0])}
    graphs = tabulated("built", JOBS) | tabulated("full", JOBS)
    return xr.Dataset(of_workers | graphs, {"workers": [1, 2]}, {"target": "neos"})


def lines(axis):
    return {line.get_label(): line for line in axis.lines}


def test_jobs_are_stored_with_what_they_need(measured):
    numbers = {job.name: str(number) for number, job in enumerate(JOBS)}
    renamed = [job._replace(name=numbers[job.name], needs=tuple(numbers[n] for n in job.needs)) for job in JOBS]
    assert workers.jobs_of(measured, "built") == renamed


def test_what_snakemake_takes_is_what_one_worker_took_beyond_its_jobs(measured):
    assert workers.local(measured) == wall_time_bounds.System(begin=5.0, overhead=pytest.approx(7.0 / len(JOBS)))


def test_the_model_agrees_with_one_worker_and_lies_above_both_bounds(measured):
    built, full, memory = workers.wall_time(measured, [4, 16], CLUSTER).axes
    shown = lines(built)
    np.testing.assert_allclose(shown["measured"].get_ydata(), [(630 + 12) / 60, 410 / 60])
    model = shown["one machine, model"].get_ydata()
    assert model[0] == pytest.approx(shown["measured"].get_ydata()[0])
    chain = shown["longest chain of jobs"].get_ydata()[0]
    assert chain == 210 / 60 and (model >= np.maximum(shown["no core ever idle"].get_ydata(), chain)).all()
    assert (np.diff(model) <= 0).all()
    for label in ("nodes of 4 cores, model", "nodes of 16 cores, model"):
        of_nodes = dict(lines(full)[label].get_xydata())
        one_machine = dict(lines(full)["one machine, model"].get_xydata())
        assert all(one_machine[cores] < minutes for cores, minutes in of_nodes.items())
    np.testing.assert_allclose(lines(memory)["one machine, model"].get_ydata()[:3], [1, 2, 4])
