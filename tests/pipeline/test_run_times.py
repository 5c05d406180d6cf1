"""Expected run times grow in proportion to events, weights, layers and steps."""

import pytest

from diffhep.pipeline import run_times


def beyond_startup(seconds):
    return seconds - run_times.STARTUP_SECONDS


def test_a_training_grows_with_epochs_seeds_and_events():
    base = beyond_startup(run_times.training_seconds([2, 100, 1], events=1000, epochs=10, seeds=1))
    larger = beyond_startup(run_times.training_seconds([2, 100, 1], events=2000, epochs=20, seeds=3))
    assert larger == pytest.approx(12 * base)


def test_splines_take_longer_than_affine_transforms():
    training = {"members": 2, "iterations": 100, "batch_size": 1000}
    affine, spline = (
        run_times.flow_seconds({"transform": name, "layers": 5}, training) for name in ("affine", "spline")
    )
    assert spline > affine > run_times.STARTUP_SECONDS


def test_a_coupling_flow_grows_with_the_square_of_its_width():
    def seconds(width):
        flow = {"layers": 4, "width": width, "depth": 2}
        return beyond_startup(run_times.coupling_seconds({"iterations": 100, "batch_size": 500, "flow": flow}))

    assert seconds(32) == pytest.approx(4 * seconds(16))


@pytest.mark.parametrize(("content", "expected"), [
    ("s\th:m:s\n12.5\t0:00:12\n", 12.5),  # as measured
    ("s\th:m:s\n12.5\t0:00:12\n14\t0:00:14\n", 14.0),  # of several runs, the last
    ("s\th:m:s\n9000\t2:30:00\n", 20.0),  # another job
    ("s\th:m:s\n-\t-\n", 20.0),
    ("", 20.0),
])  # fmt: skip
def test_the_last_run_replaces_an_estimate_that_it_resembles(tmp_path, content, expected):
    (tmp_path / "job.benchmark.tsv").write_text(content)
    assert run_times.measured_seconds(tmp_path / "job.benchmark.tsv", 20.0) == expected


@pytest.mark.parametrize("benchmark", [None, "absent.tsv"])
def test_a_job_without_a_measurement_takes_as_long_as_estimated(benchmark):
    assert run_times.measured_seconds(benchmark, 20.0) == 20.0
