"""Summaries of the pulls agree with numpy, by uncertainty, for trained and unseen points and point by point."""

import numpy as np
import pytest
import xarray as xr

from diffhep.studies.resonance.pull_summaries import summarise_pulls

RNG = np.random.default_rng(0)
MIN_EVENTS = 12
BINS = ("context", "y", "x")


@pytest.fixture(scope="module")
def predicted():
    expected = np.full((4, 5, 6), 15.0)
    return xr.Dataset(
        {
            "counts": (("context", "member", "y", "x"), RNG.poisson(expected[:, None], (4, 3, 5, 6)).astype(float)),
            "data": (BINS, RNG.poisson(expected).astype(float)),
            "variance": (BINS, expected),
            "trained": ("context", [True, False, True, True]),
        },
        coords={"x": np.arange(6.0), "y": np.arange(5.0)},
    )


def uncertainty(predicted, sigma):
    ensemble = predicted["counts"].values.std(axis=1, ddof=1)
    statistical = np.sqrt(predicted["variance"].values)
    return {"ensemble": ensemble, "statistical": statistical, "larger": np.maximum(ensemble, statistical)}[sigma]


def half_width(values):
    low, high = np.nanquantile(values, [0.158655254, 0.841344746])
    return (high - low) / 2


@pytest.mark.parametrize("sigma", ["ensemble", "statistical", "larger"])
def test_pulls_and_their_normals_are_those_of_bins_with_enough_events(predicted, sigma):
    summary = summarise_pulls(predicted, MIN_EVENTS).sel(sigma=sigma)
    data = predicted["data"].values
    expected = (predicted["counts"].values.mean(axis=1) - data) / uncertainty(predicted, sigma)
    expected[data < MIN_EVENTS] = np.nan
    np.testing.assert_allclose(summary["pull"], expected)
    for part in ("trained", "unseen"):
        chosen = expected[predicted["trained"].values == (part == "trained")]
        assert float(summary["pull_centre"].sel(part=part)) == pytest.approx(np.nanmedian(chosen))
        assert float(summary["pull_width"].sel(part=part)) == pytest.approx(half_width(chosen))
    np.testing.assert_allclose(summary["point_pull_centre"], np.nanmedian(expected, axis=(1, 2)), atol=1e-12)
    np.testing.assert_allclose(summary["point_pull_width"], [half_width(point) for point in expected])


def test_a_point_without_enough_events_has_no_normal(predicted):
    few = predicted.assign(data=predicted["data"].where(predicted["context"] != 1, 0.0))
    summary = summarise_pulls(few, MIN_EVENTS)
    assert np.isnan(summary["point_pull_width"].isel(context=1)).all()
    assert np.isnan(summary["pull_width"].sel(part="unseen")).all()
    assert np.isfinite(summary["pull_width"].sel(part="trained")).all()
