"""Pulls against their definition, and normal distributions fitted to quantiles."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from diffhep.histogramming.pulls import fit_normal, pulls, rebin, width_uncertainty


@pytest.fixture
def counts():
    values = np.array([[10.0, 0.0, 4.0, 7.0], [12.0, 0.0, 4.0, 9.0], [14.0, 0.0, 4.0, 2.0]]).reshape(3, 1, 2, 2)
    bins = ("context", "y", "x")
    return xr.Dataset({
        "counts": (("member", *bins), values),
        "data": (bins, np.array([[[14.0, 1.0], [5.0, 9.0]]])),
        "expected": (bins, np.array([[[12.0, 1.0], [5.0, 3.0]]])),
        "variance": (bins, np.array([[[16.0, 1.0], [0.0, 9.0]]])),
        "trained": ("context", [True]),
    })  # fmt: skip


def test_a_pull_is_a_distance_in_standard_deviations_of_the_members(counts):
    spread = np.std([7.0, 9.0, 2.0], ddof=1)
    np.testing.assert_allclose(pulls(counts).values.ravel(), [-1.0, np.nan, np.nan, (6 - 9) / spread])
    np.testing.assert_allclose(pulls(counts, reference="expected").values[0, 0, 0], 0.0)


def test_sigma_may_be_the_uncertainty_of_the_data_or_the_larger_one(counts):
    spread = np.std([7.0, 9.0, 2.0], ddof=1)
    statistical, larger = (pulls(counts, sigma=sigma).values.ravel() for sigma in ("statistical", "larger"))
    np.testing.assert_allclose(statistical, [-2 / 4, -1.0, np.nan, -3 / 3])
    np.testing.assert_allclose(larger, [-2 / 4, -1.0, np.nan, -3 / max(3, spread)])


def test_bins_with_too_few_events_have_no_pull(counts):
    assert list(pulls(counts, min_events=10).notnull().values.ravel()) == [True, False, False, False]


def test_bins_where_members_agree_up_to_rounding_have_no_pull(counts):
    scaled = counts.assign(counts=counts["counts"] * 0.1)
    scaled["counts"][:, 0, 1, 0] = [0.1 * 3, 0.3, 0.1 + 0.2]
    assert np.isnan(pulls(scaled).values[0, 1, 0])


def test_merged_bins_are_sums(counts):
    merged = rebin(counts, 1)
    assert merged["data"].item() == 29 and list(merged["counts"].values.ravel()) == [21, 25, 20]
    assert merged["variance"].item() == 26
    with pytest.raises(ValueError, match="2 × 2 bins cannot be merged into 3"):
        rebin(counts, 3)


def test_the_fit_to_a_normal_sample_ignores_outliers():
    sample = xr.DataArray(stats.norm.ppf((np.arange(100_000) + 0.5) / 100_000, 0.3, 1.7), dims="context")
    assert fit_normal(sample) == pytest.approx((0.3, 1.7), rel=1e-3)
    sample[::1000] = 1e9 * (-1.0) ** np.arange(100)
    assert fit_normal(sample) == pytest.approx((0.3, 1.7), rel=0.01)


def test_the_uncertainty_of_the_width_is_its_spread_over_samples():
    rng = np.random.default_rng(1)
    widths = [fit_normal(xr.DataArray(rng.normal(size=(40, 5, 5))))[1] for _ in range(200)]
    sample = xr.DataArray(rng.normal(size=(40, 5, 5)), dims=("context", "y", "x"))
    assert width_uncertainty(sample) == pytest.approx(np.std(widths), rel=0.3)
