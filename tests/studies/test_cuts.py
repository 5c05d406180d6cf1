"""Cuts on the toy: its best cut is the closed form's, and both optimisers find it."""

import numpy as np
import pytest
from scipy import stats
from support.study_settings import study_settings

from diffhep.studies import cuts

SETTINGS = study_settings("cuts", "quick") | {"seed": 0}


@pytest.fixture(scope="module")
def scan():
    return cuts.scan(SETTINGS)


def expected(cut):
    """Z_A of the expected yields above a cut."""
    signal, background = SETTINGS["data"]["signal"], SETTINGS["data"]["background"]
    s = signal["yield"] * stats.norm.sf(cut, signal["mean"], signal["width"])
    b = background["yield"] * stats.expon.sf(cut, scale=background["scale"])
    return np.sqrt(2 * ((s + b) * np.log1p(s / b) - s))


def test_significance_is_the_expected_one_up_to_statistics():
    scan = cuts.scan(SETTINGS | {"data": SETTINGS["data"] | {"events": 200_000}})
    np.testing.assert_allclose(scan["hard"][:40], expected(scan["cut"].values)[:40], rtol=0.03)


def test_best_cut_of_the_expected_yields_is_the_thesis_s():
    grid = np.linspace(0, 3, 3001)
    assert grid[np.argmax(expected(grid))] == pytest.approx(1.54, abs=0.005)


def test_the_histogram_holds_all_events(scan):
    assert float(scan["background"].sum()) == pytest.approx(1e4, rel=0.01)
    assert float(scan["signal"].sum()) == pytest.approx(300, rel=0.01)


def test_the_steeper_the_closer_to_the_hard_cut(scan):
    distance = np.abs(scan["smooth"] - scan["hard"]).mean("cut")
    assert (np.diff(distance) < 0).all()


def test_descent_ends_near_the_best_hard_significance(scan):
    found = cuts.descend(SETTINGS, scan)
    assert float(found["share"]) > 0.97
    assert float(found["cut"][0]) == SETTINGS["descent"]["start"]


def test_comparison_never_forgets_its_best():
    found = cuts.compare(SETTINGS)
    for name in ("bayesian", "gradient"):
        values = found[name].values
        assert (np.diff(values, axis=-1) >= 0).all()
        assert (values.max(axis=1)[..., -1] > 0.9 * found["best"].values).all()
    assert found["bayesian"].sizes["evaluation"] == SETTINGS["comparison"]["evaluations"]
