"""The landscape of two bins: its symmetries and limits."""

import numpy as np
import pytest
from scipy import stats
from support.study_settings import study_settings

from diffhep.studies import two_bins

SETTINGS = study_settings("two_bins")
SMALL = SETTINGS | {"landscape": {"range": [-10.0, 10.0], "points": 5}}


@pytest.fixture(scope="module")
def landscape():
    return two_bins.landscape(SMALL)


def test_without_uncertainty_metrics_are_closed_forms(landscape):
    at = landscape["landscape"].sel(u=0.0, d=0.0)
    s, b = np.array([5.0, 11.0]), np.array([50.0, 50.0])
    z = np.sqrt(2 * np.sum((s + b) * np.log1p(s / b) - s))
    q_a = 2 * np.sum(s - b * np.log1p(s / b))  # Asimov data without signal, tested at mu = 1
    assert float(at.sel(metric="p0")) == pytest.approx(stats.norm.sf(z), rel=1e-6)
    assert float(at.sel(metric="cls")) == pytest.approx(2 * stats.norm.sf(np.sqrt(q_a)), rel=1e-6)
    assert float(at.sel(metric="poi_uncertainty")) == pytest.approx(np.sum(s**2 / (s + b)) ** -0.5, rel=1e-9)


def test_swapping_up_and_down_changes_nothing(landscape):
    values = landscape["landscape"].transpose("metric", "u", "d").values
    np.testing.assert_allclose(values, values.transpose(0, 2, 1), rtol=1e-6)


def test_the_diagonal_is_that_of_the_plane(landscape):
    for u in landscape["u"].values:
        np.testing.assert_array_equal(landscape["diagonal"].sel(u=u), landscape["landscape"].sel(u=u, d=u))


def test_fisher_information_does_not_see_equal_shifts(landscape):
    assert float(landscape["spread"].sel(metric="poi_uncertainty")) < 1e-9


def test_asymmetry_is_that_of_the_two_halves(landscape):
    values = landscape["landscape"].sel(metric="cls").values
    total = np.add.outer(landscape["u"].values, landscape["d"].values)
    ratio = values[total < 0].mean() / values[total > 0].mean()
    np.testing.assert_allclose(landscape["asymmetry"].sel(metric="cls"), np.log(ratio))
