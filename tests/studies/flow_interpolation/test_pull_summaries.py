"""Summaries of the pulls agree with numpy, for trained and unseen contexts and for both selections of bins."""

import numpy as np
import pytest
import xarray as xr

from diffhep.studies.flow_interpolation.pull_summaries import summarise_pulls

RNG = np.random.default_rng(0)
BINS = ("context", "y", "x")


@pytest.fixture(scope="module")
def predicted():
    expected = np.broadcast_to(np.linspace(1, 9, 6), (3, 6, 6))
    return xr.Dataset(
        {
            "counts": (("context", "member", "y", "x"), RNG.poisson(expected[:, None], (3, 4, 6, 6)).astype(float)),
            "data": (BINS, RNG.poisson(expected).astype(float)),
            "expected": (BINS, expected),
            "trained": ("context", [True, False, True]),
        },
        coords={"x": np.arange(6.0), "y": np.arange(6.0)},
    )


@pytest.fixture(scope="module")
def coarse(predicted):
    """Counts of the members, data and expected counts, in 3 × 3 bins."""

    def joined(name):
        values = predicted[name].values
        return values.reshape(*values.shape[:-2], 3, 2, 3, 2).sum(axis=(-3, -1))

    return joined("counts"), joined("data"), joined("expected")


def test_differences_and_pulls_are_those_of_joined_bins(predicted, coarse):
    summary = summarise_pulls(predicted, {"bins": 3, "min_events": 20})
    counts, data, expected = coarse
    np.testing.assert_allclose(summary["difference"], data - counts.mean(axis=1))
    np.testing.assert_array_equal(summary["coarse_data"], data)
    spread = counts.std(axis=1, ddof=1)
    np.testing.assert_allclose(summary["pull"], (counts.mean(axis=1) - data) / spread)
    np.testing.assert_allclose(summary["pull_of_truth"], (counts.mean(axis=1) - expected) / spread)


@pytest.mark.parametrize("part", ["trained", "unseen"])
@pytest.mark.parametrize("min_events", [0, 20])
def test_normals_have_the_quantiles_of_the_selected_pulls(predicted, part, min_events):
    summary = summarise_pulls(predicted, {"bins": 3, "min_events": 20})
    chosen = predicted["trained"].values == (part == "trained")
    pulls, data = summary["pull"].values[chosen], summary["coarse_data"].values[chosen]
    low, middle, high = np.quantile(pulls[data >= min_events], [0.1586553, 0.5, 0.8413447])
    here = summary.sel(part=part, min_events=min_events)
    assert float(here["pull_centre"]) == pytest.approx(middle)
    assert float(here["pull_width"]) == pytest.approx((high - low) / 2, rel=1e-6)
