"""The smoothing bias: relative, in percent, of nominal histograms and bins that are not empty."""

import numpy as np
import pytest
import xarray as xr

from diffhep.histogramming import smoothing_bias


@pytest.fixture
def run():
    """Two seeds and steps; the signal has three variations."""
    rng = np.random.default_rng(0)
    dims = ("seed", "step", "variation", "bin")
    values = {kind: rng.uniform(1, 2, (2, 2, 3, 4)) for kind in ("smooth", "train")}
    signal = {f"signal_{kind}": (dims, of) for kind, of in values.items()}
    background = {f"background_{kind}": ((*dims[:2], "bin"), 1000 * of[:, :, 1]) for kind, of in values.items()}
    return xr.Dataset(signal | background)


@pytest.mark.parametrize(("sample", "variation"), [("signal", 0), ("background", 1)])
def test_the_largest_bias_is_that_of_numpy(run, sample, variation):
    smooth, hard = (run[f"signal_{kind}"].values[:, :, variation] for kind in ("smooth", "train"))
    bias = smoothing_bias.largest_smoothing_bias(run, sample)
    assert bias.dims == ("seed", "step")
    np.testing.assert_allclose(bias, 100 * np.abs(smooth / hard - 1).max(axis=-1))


def test_bins_with_hardly_any_events_are_left_out(run):
    worst = np.abs(run["background_smooth"] / run["background_train"] - 1).values[0, 0].argmax()
    before = smoothing_bias.largest_smoothing_bias(run, "background")
    run["background_train"][0, 0, worst] = smoothing_bias.MIN_EVENTS / 2
    after = smoothing_bias.largest_smoothing_bias(run, "background")
    assert after[0, 0] < before[0, 0]
    np.testing.assert_array_equal(after[1], before[1])
