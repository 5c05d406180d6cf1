"""Bias of the smooth histograms of an optimisation with respect to hard ones."""

import numpy as np
import xarray as xr

MIN_EVENTS = 2e-3
"""Bins with fewer expected events count as empty."""


def largest_smoothing_bias(run: xr.Dataset, sample: str) -> xr.DataArray:
    """Return the largest relative deviation of a smooth bin from the hard one, in percent (seed, step).

    Bins with fewer than `MIN_EVENTS` events are left out, and variations other than the nominal one.

    Args:
        run: `<sample>_smooth` and `<sample>_train`, the hard histogram: (seed, step, bin), or (seed, step, variation,
            bin) with the nominal variation first.
        sample: `signal` or `background`.
    """
    smooth, hard = run[f"{sample}_smooth"], run[f"{sample}_train"]
    bias = 100 * np.abs(smooth / hard.where(hard > MIN_EVENTS) - 1).max("bin")
    return bias.isel(variation=0) if "variation" in bias.dims else bias
