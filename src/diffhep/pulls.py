"""Pulls of binned predictions: their distance from the data in units of their uncertainty (thesis 8.3.4, eq. 9.1)."""

import numpy as np
import xarray as xr

QUANTILES = (0.15865525393145707, 0.5, 0.8413447460685429)
"""Of a normal distribution at -1, 0 and 1 standard deviations."""

RESAMPLED = 200


def coarser(predicted: xr.Dataset, bins: int) -> xr.Dataset:
    """The same counts in fewer bins along each side.

    Raises:
        ValueError: The bins that there are cannot be joined to so many.
    """
    factor, rest = divmod(predicted.sizes["x"], bins)
    if rest:
        raise ValueError(f"{predicted.sizes['x']} bins cannot be joined to {bins}")
    counts = predicted[["counts", "data", "expected"]]
    return counts.coarsen(y=factor, x=factor).sum().assign(trained=predicted["trained"])


def pulls(counts: xr.Dataset, *, of: str = "data", at_least: float | int = 0) -> xr.DataArray:
    """(Mean of the members less `of`) / sample standard deviation of the members, in every bin (context, y, x).

    There is none where all members agree, as where all have no samples, nor where the data have fewer than `at_least`
    events.

    Args:
        counts: `counts` (member, context, y, x), `data` and `expected` (context, y, x).
        of: Compared with `data`, or with what is `expected`.
        at_least: Events that a bin must have.
    """
    spread = counts["counts"].std("member", ddof=1)
    there = (spread > 1e-9 * counts["counts"].max()) & (counts["data"] >= at_least)
    return (counts["counts"].mean("member") - counts[of]) / spread.where(there)


def normal_of(pull: xr.DataArray | np.ndarray) -> tuple[float, float]:
    """Mean and width of the normal distribution with the same median and the same central 68.3 %.

    The sample's own moments would be those of its few largest pulls: of an ensemble of three they have no variance. NaN
    where there are no pulls at all.
    """
    if not np.isfinite(pull).any():
        return np.nan, np.nan
    low, middle, high = np.nanquantile(pull, QUANTILES)
    return float(middle), float((high - low) / 2)


def error_of_width(pull: xr.DataArray) -> float:
    """Standard error of the width of `normal_of`, by drawing contexts anew: bins of one context are not independent."""
    values, rng = pull.transpose("context", ...).values, np.random.default_rng(0)
    drawn = (values[rng.integers(len(values), size=len(values))] for _ in range(RESAMPLED))
    return float(np.std([normal_of(each)[1] for each in drawn]))
