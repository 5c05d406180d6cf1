"""Forecasts against sums made by hand."""

from datetime import datetime

import numpy as np
import pytest

from diffhep.pipeline.progress import forecast, progress, seconds_left
from diffhep.pipeline.run_times import STARTUP_SECONDS, flow_seconds, training_seconds

NOON = datetime(2026, 1, 1, 12)


def test_jobs_share_the_cores():
    assert forecast([(600.0, 1)] * 4, 2, NOON).endswith("4 jobs, about 20 minutes on 2 cores; done around Thu 12:20.")


def test_one_job_is_in_the_singular():
    assert "1 job, about 1 minute on 1 core;" in forecast([(20.0, 1)], 1, NOON)


def test_no_run_is_shorter_than_its_longest_job():
    assert "about 60 minutes" in forecast([(3600.0, 1), (60.0, 1)], 8, NOON)


def test_a_job_that_wants_all_cores_keeps_the_others_out():
    assert "about 40 minutes" in forecast([(1200.0, 64), (2400.0, 1)], 2, NOON)


def test_training_takes_as_long_as_there_is_to_compute():
    once = training_seconds([2, 100, 1], events=1000, epochs=1, seeds=1) - STARTUP_SECONDS
    assert once == pytest.approx(1000 * 300 * 20 / 3 / 8e10)
    assert training_seconds([2, 100, 1], events=2000, epochs=3, seeds=5) - STARTUP_SECONDS == pytest.approx(30 * once)


def test_flows_cost_by_event_layer_and_transform():
    training = {"members": 3, "iterations": 3000, "batch_size": 4000}
    affine, spline = (
        flow_seconds({"transform": transform, "layers": 2}, training) - STARTUP_SECONDS
        for transform in ("affine", "spline")
    )
    assert spline > 10 * affine > 0
    deeper = flow_seconds({"transform": "affine", "layers": 10}, training | {"members": 6}) - STARTUP_SECONDS
    assert deeper == pytest.approx(10 * affine)


def test_what_is_left_takes_as_expected_if_what_is_done_did():
    jobs = [(600.0, 1)] * 4
    assert seconds_left(jobs, jobs, 2, elapsed=1200.0) == pytest.approx(1200.0)
    assert seconds_left(jobs, [], 2, elapsed=0.0) == pytest.approx(1200.0)
    printed = progress(jobs, [(600.0, 1)], 2, 300.0, NOON)
    assert printed == "Left: 4 of 5 jobs, about 20 minutes; done around Thu 12:20."


def test_the_more_is_done_the_more_counts_how_long_it_took():
    """Everything takes three times as long as expected."""
    paces = []
    for number in (0, 1, 10, 50, 99):
        done, left = [(60.0, 1)] * number, [(60.0, 1)] * (100 - number)
        paces.append(seconds_left(left, done, 2, 90.0 * number) / (30.0 * len(left)) if number < 99 else 3.0)
    assert paces[0] == 1 and (np.diff(paces) > 0).all()
    assert paces[1] < 1.3 and paces[2] == pytest.approx(2.0)  # a tenth: halfway
    assert paces[3] > 2.6


@pytest.mark.parametrize("pace", [0.35, 1.0, 2.8])
@pytest.mark.parametrize("seed", range(5))
def test_from_a_tenth_of_the_way_on_the_end_is_right_within_a_factor_of_two(pace, seed):
    """Whether all is slower or faster than expected, and single jobs are out by a factor of two besides."""
    rng = np.random.default_rng(seed)
    expected = rng.choice([4.0, 10.0, 60.0, 600.0], 300)
    taken = pace * expected * 2.0 ** rng.uniform(-1, 1, 300) / 2  # on two cores
    ended = taken.cumsum()
    for number in np.flatnonzero((ended > 0.1 * ended[-1]) & (ended < ended[-1])):
        done, left = ([(seconds, 1) for seconds in part] for part in np.split(expected, [number + 1]))
        total = ended[number] + seconds_left(left, done, 2, ended[number])
        assert 0.5 < total / ended[-1] < 2


def test_nothing_left_takes_no_time():
    assert seconds_left([], [(60.0, 1)], 2, 100.0) == 0 == seconds_left([], [], 2, 0.0)
