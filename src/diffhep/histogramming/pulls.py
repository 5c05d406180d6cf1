"""Pulls of binned predictions: deviations from the data in units of the uncertainty (thesis 8.3.4, eq. 9.1)."""

import numpy as np
import xarray as xr

NORMAL_QUANTILES = (0.15865525393145707, 0.5, 0.8413447460685429)
"""Probabilities of a normal distribution at -1, 0 and 1 standard deviations."""

BOOTSTRAP_SAMPLES = 200

ADDITIVE_VARIABLES = ("counts", "data", "expected", "variance")
"""Variables that are summed where bins are merged."""

UNCERTAINTIES = ("ensemble", "statistical", "larger")
"""Units of a pull: the spread of the members, the uncertainty of the data, or the larger of both."""


def rebin(predicted: xr.Dataset, bins: int) -> xr.Dataset:
    """Merge bins.

    Args:
        predicted: `ADDITIVE_VARIABLES` (..., y, x) and `trained`.
        bins: Number of bins along x; as many bins are merged along y as along x.

    Raises:
        ValueError: The bins cannot be merged into this number.
    """
    factor, rest = divmod(predicted.sizes["x"], bins)
    if rest or predicted.sizes["y"] % factor:
        raise ValueError(f"{predicted.sizes['x']} × {predicted.sizes['y']} bins cannot be merged into {bins} along x")
    counts = predicted[[name for name in ADDITIVE_VARIABLES if name in predicted]]
    return counts.coarsen(y=factor, x=factor).sum().assign(trained=predicted["trained"])


def pulls(
    counts: xr.Dataset, *, reference: str = "data", min_events: float | int = 0, sigma: str = "ensemble"
) -> xr.DataArray:
    """Return (mean of the members - reference) / sigma in every bin (context, y, x).

    A pull is NaN where sigma is 0, as where all members agree, and where the data have fewer than `min_events` events.

    Args:
        counts: `counts` (member, context, y, x); `data` and `expected` (context, y, x); `variance` of the data.
        reference: `data`, or the `expected` counts.
        min_events: Least number of events of the data in a bin.
        sigma: `ensemble`, the sample standard deviation of the members; `statistical`, the uncertainty of the data; or
            the `larger` of both.
    """
    spread = counts["counts"].std("member", ddof=1)
    spread = spread.where(spread > 1e-9 * counts["counts"].max())  # members that agree up to rounding
    if sigma != "ensemble":
        statistical = np.sqrt(counts["variance"]).where(counts["variance"] > 0)
        spread = statistical if sigma == "statistical" else np.fmax(spread, statistical)
    return (counts["counts"].mean("member") - counts[reference]) / spread.where(counts["data"] >= min_events)


def fit_normal(pull: xr.DataArray | np.ndarray) -> tuple[float, float]:
    """Return mean and width of the normal distribution with the median and the central 68.3 % interval of the pulls.

    Moments of the sample would be those of its few largest pulls: for an ensemble of three they have no variance. Both
    values are NaN if all pulls are.
    """
    if not np.isfinite(pull).any():
        return np.nan, np.nan
    low, middle, high = np.nanquantile(pull, NORMAL_QUANTILES)
    return float(middle), float((high - low) / 2)


def width_uncertainty(pull: xr.DataArray) -> float:
    """Return the standard error of the width of `fit_normal`.

    It is the standard deviation over bootstrap samples of contexts, because bins of one context are correlated.
    """
    values, rng = pull.transpose("context", ...).values, np.random.default_rng(0)
    samples = (values[rng.integers(len(values), size=len(values))] for _ in range(BOOTSTRAP_SAMPLES))
    return float(np.std([fit_normal(sample)[1] for sample in samples]))
