"""Pulls of the flows' predictions in bins of both masses, as the figures show them (thesis 9.5, eq. 9.1)."""

import xarray as xr

from diffhep.histogramming.pulls import UNCERTAINTIES, fit_normal, pulls

PARTS = {"trained": True, "unseen": False}


def summarise_pulls(predicted: xr.Dataset, min_events: float | int) -> xr.Dataset:
    """Return the pulls by uncertainty, and the normal distributions of the pulls.

    Args:
        predicted: `counts` (context, member, y, x), `data` and `variance` (context, y, x), and `trained` (context).
        min_events: Events that the data of a bin must have.

    Returns:
        `pull` (sigma, context, y, x), NaN in bins with fewer events; `pull_centre` and `pull_width` (part, sigma), mean
        and width of the normal distribution with the quantiles of all pulls of trained and of unseen points;
        `point_pull_centre` and `point_pull_width` (context, sigma), those of each point.
    """
    enough = predicted["data"] >= min_events
    pull = xr.concat(
        [pulls(predicted, sigma=sigma).where(enough) for sigma in UNCERTAINTIES],
        xr.Variable("sigma", list(UNCERTAINTIES)),
    )
    by_part = xr.concat(
        [_normals(pull.sel(context=predicted["trained"] == trained), "sigma") for trained in PARTS.values()],
        xr.Variable("part", list(PARTS)),
    )
    by_point = xr.concat(
        [_normals(pull.isel(context=number), "sigma") for number in range(pull.sizes["context"])], "context"
    )
    names = {"pull_centre": by_part["centre"], "pull_width": by_part["width"]}
    return xr.Dataset({"pull": pull, **names, **{f"point_pull_{name}": by_point[name] for name in by_point}})


def _normals(pull: xr.DataArray, dimension: str) -> xr.Dataset:
    """Mean and width of the normal distribution at each coordinate of one dimension."""
    normals = [fit_normal(pull.sel({dimension: value})) for value in pull[dimension].values]
    centre, width = ((dimension, list(values)) for values in zip(*normals, strict=True))
    return xr.Dataset({"centre": centre, "width": width}, coords={dimension: pull[dimension].values})
