"""How far the smooth histograms of an optimisation are from hard ones."""

import numpy as np
import xarray as xr

WORTH = 2e-3
"""Events below which a bin is as good as empty."""


def largest_smoothing_bias(run: xr.Dataset, sample: str) -> xr.DataArray:
    """Largest relative deviation of a bin of the nominal smooth histogram from the hard one, in percent (seed, step).

    Bins with less than `WORTH` are left out.

    Args:
        run: `<sample>_smooth` and `<sample>_train`, the hard one (seed, step, bin), of variations (seed, step,
            variation, bin) the nominal first.
        sample: "signal" or "background".
    """
    smooth, hard = run[f"{sample}_smooth"], run[f"{sample}_train"]
    found = 100 * np.abs(smooth / hard.where(hard > WORTH) - 1).max("bin")
    return found.isel(variation=0) if "variation" in found.dims else found
