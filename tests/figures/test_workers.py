"""The figure of wall times shows the measured times and the two lower bounds."""

import numpy as np
import pytest
import xarray as xr

from benchmarks.workers import CORES, bounds
from diffhep.figures import workers
from diffhep.pipeline.wall_time_bounds import Job

JOBS = [
    Job("events", 60.0),
    *(Job(f"train {k}", 120.0, 1, ("events",)) for k in range(4)),
    Job("alone", 60.0, 1000, ("events",)),
    Job("figure", 30.0, 1, tuple(f"train {k}" for k in range(4))),
]
WORK, CHAIN = 60 + 4 * 120 + 60 + 30, 60 + 120 + 30


@pytest.fixture
def measured():
    times = {"seconds": (("repeat", "workers"), [[642.0, 400.0], [642.0, 410.0]]), "startup": ("repeat", [5.0, 5.0])}
    graphs = bounds("built", JOBS) | bounds("full", JOBS)
    return xr.Dataset(times | graphs, {"workers": [1, 2], "cores": list(CORES)}, {"target": "neos"})


def lines(axis):
    return {line.get_label(): line for line in axis.lines}


def test_measured_times_are_shown_with_both_bounds(measured):
    figure = workers.wall_time(measured)
    built, full = figure.axes
    np.testing.assert_allclose(lines(built)["measured"].get_ydata(), [642 / 60, 410 / 60])
    assert "measured" not in lines(full)
    for axis in (built, full):
        drawn = {label: line.get_ydata() for label, line in lines(axis).items()}
        assert drawn["longest chain of jobs"][0] == pytest.approx(CHAIN / 60)
        np.testing.assert_allclose(drawn["work / cores"][:2], [WORK / 60, (WORK - 60 + 120) / 2 / 60])
        np.testing.assert_allclose(
            drawn["lower bound: the larger of both"], np.maximum(drawn["work / cores"], CHAIN / 60)
        )
        assert axis.get_xlabel() == "cores" and axis.get_ylabel() == "wall time / minutes"
        assert axis.get_title().endswith("7 jobs")
    assert {text.get_text() for text in figure.legends[0].get_texts()} == set(lines(built))
