"""Pulls of binned predictions: their distance from the data in units of their uncertainty (thesis 8.3.4, eq. 9.1)."""

import numpy as np
import xarray as xr

QUANTILES = (0.15865525393145707, 0.5, 0.8413447460685429)
"""Of a normal distribution at -1, 0 and 1 standard deviations."""

RESAMPLED = 200

SUMMED = ("counts", "data", "expected", "variance")

UNCERTAINTIES = ("ensemble", "statistical", "larger")
"""Uncertainties that a pull may be told in: the spread of the members, that of the data, the larger of both."""


def rebin(predicted: xr.Dataset, bins: int) -> xr.Dataset:
    """The same counts in fewer bins along each side: so many along x, and as many of them joined along y.

    Raises:
        ValueError: The bins that there are cannot be joined to so many.
    """
    factor, rest = divmod(predicted.sizes["x"], bins)
    if rest or predicted.sizes["y"] % factor:
        raise ValueError(f"{predicted.sizes['x']} × {predicted.sizes['y']} bins cannot be joined to {bins} along x")
    counts = predicted[[name for name in SUMMED if name in predicted]]
    return counts.coarsen(y=factor, x=factor).sum().assign(trained=predicted["trained"])


def pulls(counts: xr.Dataset, *, of: str = "data", at_least: float | int = 0, sigma: str = "ensemble") -> xr.DataArray:
    """(Mean of the members less `of`) / sigma, in every bin (context, y, x).

    There is none where all members agree, as where all have no samples, unless sigma is that of the data; nor where the
    data have fewer than `at_least` events.

    Args:
        counts: `counts` (member, context, y, x), `data` and `expected` (context, y, x), and the `variance` of the data.
        of: Compared with `data`, or with what is `expected`.
        at_least: Events that a bin must have.
        sigma: `ensemble`, the sample standard deviation of the members; `statistical`, of the data; or the `larger`.
    """
    spread = counts["counts"].std("member", ddof=1)
    spread = spread.where(spread > 1e-9 * counts["counts"].max())
    if sigma != "ensemble":
        statistical = np.sqrt(counts["variance"]).where(counts["variance"] > 0)
        spread = statistical if sigma == "statistical" else np.fmax(spread, statistical)
    return (counts["counts"].mean("member") - counts[of]) / spread.where(counts["data"] >= at_least)


def fit_normal(pull: xr.DataArray | np.ndarray) -> tuple[float, float]:
    """Mean and width of the normal distribution with the same median and the same central 68.3 %.

    The sample's own moments would be those of its few largest pulls: of an ensemble of three they have no variance. NaN
    where there are no pulls at all.
    """
    if not np.isfinite(pull).any():
        return np.nan, np.nan
    low, middle, high = np.nanquantile(pull, QUANTILES)
    return float(middle), float((high - low) / 2)


def width_uncertainty(pull: xr.DataArray) -> float:
    """Standard error of the width of `fit_normal`, by drawing contexts anew: bins of one context are not independent."""
    values, rng = pull.transpose("context", ...).values, np.random.default_rng(0)
    drawn = (values[rng.integers(len(values), size=len(values))] for _ in range(RESAMPLED))
    return float(np.std([fit_normal(each)[1] for each in drawn]))
