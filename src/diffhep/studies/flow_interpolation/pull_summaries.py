"""Pulls of the ensemble's predictions in coarse bins, as the figures show them (thesis 8.3.4)."""

from collections.abc import Mapping
from typing import Any

import xarray as xr

from diffhep.histogramming.pulls import fit_normal, pulls, rebin

PARTS = {"trained": True, "unseen": False}


def summarise_pulls(predicted: xr.Dataset, settings: Mapping[str, Any]) -> xr.Dataset:
    """Return differences and pulls in coarse bins, and the normal distributions of the pulls.

    Args:
        predicted: `counts` (context, member, y, x), `data` and `expected` (context, y, x), and `trained` (context).
        settings: `bins` along each axis, and `min_events` that the data of a bin must have for the second selection.

    Returns:
        `difference` (context, coarse_y, coarse_x), data less the mean of the members; `coarse_data`; `pull` with
        respect to the data and `pull_of_truth` with respect to the expected counts, in these bins; `pull_centre` and
        `pull_width` (part, min_events), mean and width of the normal distribution with the quantiles of the pulls, for
        trained and unseen contexts, in bins with at least `min_events` events.
    """
    counts = rebin(predicted, settings["bins"])
    pull = pulls(counts)
    selections = [settings["min_events"], 0]
    normals = [
        [
            fit_normal(pull.where(counts["data"] >= events).sel(context=counts["trained"] == trained))
            for events in selections
        ]
        for trained in PARTS.values()
    ]
    coarse = xr.Dataset(
        {
            "difference": counts["data"] - counts["counts"].mean("member"),
            "coarse_data": counts["data"],
            "pull": pull,
            "pull_of_truth": pulls(counts, reference="expected"),
        }
    ).rename(x="coarse_x", y="coarse_y")
    centre, width = (
        xr.DataArray(
            [[normal[number] for normal in row] for row in normals],
            dims=("part", "min_events"),
            coords={"part": list(PARTS), "min_events": selections},
        )
        for number in (0, 1)
    )
    return coarse.assign(pull_centre=centre, pull_width=width)
