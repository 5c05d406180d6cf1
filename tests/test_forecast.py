"""Forecasts against sums made by hand."""

from datetime import datetime

import pytest

from diffhep.forecast import START, flow_seconds, forecast, training_seconds

NOON = datetime(2026, 1, 1, 12)


def test_jobs_share_the_cores():
    assert forecast([(600.0, 1)] * 4, 2, NOON).endswith("4 jobs, about 20 minutes on 2 cores; done around Thu 12:20.")


def test_no_run_is_shorter_than_its_longest_job():
    assert "about 60 minutes" in forecast([(3600.0, 1), (60.0, 1)], 8, NOON)


def test_a_job_that_wants_all_cores_keeps_the_others_out():
    assert "about 40 minutes" in forecast([(1200.0, 64), (2400.0, 1)], 2, NOON)


def test_training_takes_as_long_as_there_is_to_compute():
    once = training_seconds([2, 100, 1], events=1000, epochs=1, seeds=1) - START
    assert once == pytest.approx(1000 * 300 * 20 / 3 / 8e10)
    assert training_seconds([2, 100, 1], events=2000, epochs=3, seeds=5) - START == pytest.approx(30 * once)


def test_flows_cost_by_event_layer_and_transform():
    training = {"members": 3, "iterations": 3000, "batch_size": 4000}
    affine, spline = (
        flow_seconds({"transform": transform, "layers": 2}, training) - START for transform in ("affine", "spline")
    )
    assert spline > 10 * affine > 0
    deeper = flow_seconds({"transform": "affine", "layers": 10}, training | {"members": 6}) - START
    assert deeper == pytest.approx(10 * affine)
