"""The table of methods compares scores, widths and run times, and reports coverage outside of the window."""

import numpy as np
import pytest
import xarray as xr

from diffhep.studies.higgsml import challenge_score
from diffhep.studies.higgsml import table as higgsml_table


def result(half_width, toys=50):
    """Intervals of constant width around normally distributed estimates."""
    truth = np.linspace(0.5, 2.5, 4)
    estimate = truth[:, None] + np.random.default_rng(0).normal(size=(4, toys))
    values = {"estimate": estimate, "low": estimate - half_width, "high": estimate + half_width}
    variables = {name: (("set", "toy"), array) for name, array in values.items()}
    return xr.Dataset(variables | {"truth": ("set", truth), "fit_seconds": 1e-3})


BELTED = {
    "cnf": result(1.0),
    "nuisance_conditioned": result(2.0).assign(seconds=("experiment", np.full(9, 6.0))),
    "baseline": result(0.3),
}


@pytest.fixture(scope="module")
def table():
    direct = xr.Dataset(
        {"seconds": (("network", "point"), np.full((3, 2), 0.5))}, coords={"network": ["cnf", "baseline", "inferno"]}
    )
    profiled = {"cnf": result(1.0), "inferno": result(2.0)}
    return higgsml_table.build_table({"bootstraps": 20, "seed": 0}, BELTED, profiled, result(1.0), direct)


def test_coverage_outside_of_the_window_has_a_distance(table):
    assert float(table["distance"].sel(strategy="cnf")) == 0 < float(table["distance"].sel(strategy="baseline"))


def test_metrics_are_those_of_the_challenge(table):
    intervals = BELTED["cnf"]
    truth = intervals["truth"].broadcast_like(intervals["low"])
    expected = challenge_score.score(intervals["low"], intervals["high"], truth)
    for name in ("score", "width", "coverage"):
        assert float(table[name].sel(strategy="cnf")) == pytest.approx(getattr(expected, name))
    assert float(table["n_toys"].sel(strategy="cnf")) == 200


def test_bootstrap_error_of_the_coverage_is_binomial(table):
    coverage = float(table["coverage"].sel(strategy="cnf"))
    binomial = np.sqrt(coverage * (1 - coverage) / 200)
    assert float(table["coverage_error"].sel(strategy="cnf")) == pytest.approx(binomial, rel=0.5)


def test_run_times_are_measured_as_a_whole_or_as_scoring_and_fit(table):
    assert float(table["minutes"].sel(strategy="nuisance_conditioned")) == pytest.approx(100)
    assert float(table["minutes"].sel(strategy="cnf")) == pytest.approx(501 / 60)
    assert float(table["time_ratio"]) == pytest.approx(6 / 0.501)


def test_comparisons_are_differences_of_scores_and_a_ratio_of_widths(table):
    score = {name: float(table["score"].sel(strategy=name)) for name in table["strategy"].values}
    others = max(score["nuisance_conditioned"], score["baseline"])
    assert float(table["lead"]) == pytest.approx(score["cnf"] - others)
    assert float(table["lead_profile"]) == pytest.approx(0)
    assert float(table["lead_inferno"]) == pytest.approx(score["cnf"] - score["profile_inferno"])
    assert float(table["width_ratio"]) == pytest.approx(0.5)


def test_set_distance_is_the_largest_distance_of_any_true_strength(table):
    assert "cnf_high_statistics" not in table["set_strategy"]
    low, high = table["set_window"].sel(set_strategy="baseline").values
    baseline = table.sel(set_strategy="baseline")
    distances = np.maximum(low - baseline["set_coverage"], baseline["set_coverage"] - high)
    assert float(baseline["set_distance"]) == pytest.approx(float(distances.max())) != float(distances.min())
