"""Pulls, divergences and losses of trained and unseen conditioning points, for the claims (thesis chapter 8)."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import xarray as xr

from diffhep.histogramming.pulls import fit_normal, pulls, rebin, width_uncertainty


def compare(settings: dict, trained: Mapping[str, xr.Dataset], predicted: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Summarise pulls in several binnings, the selected steps of training, and the gap between both losses.

    Args:
        settings: `thesis_examples`, the examples that reproduce the thesis's `mean` and `firework`; `other_examples`,
            other choices of the two by name; `bins`, numbers of bins along each side, the first of which all other
            points use; `min_events`, the least data of a bin at one further point; `large_pull`, the least absolute
            value of a large pull.
        trained: Results of `stages.train` by example.
        predicted: Results of `stages.predict` by example.

    Returns:
        For each point (a binning and a choice of examples) and run (an example's trained or unseen conditioning
        points): `centre`, `width`, `width_error` and `bias` = centre / width of the pulls (point, run);
        `large_pull_share`, the share of large pulls at each conditioning point, and `kl` there, in the dimensions of
        `claims.ordering` (point, run, seed, epoch). For each example: `gap` between validation and training loss with
        `gap_error` (point, run), and the `selected` steps of the members (point, run, seed, epoch).
    """
    (bins, *others), examples, min_events = settings["bins"], settings["thesis_examples"], settings["min_events"]
    points = {
        f"{bins} bins": (examples, bins, 0),
        **{f"{other} bins": (examples, other, 0) for other in others},
        f"{bins} bins of at least {min_events} events": (examples, bins, min_events),
        **{f"{bins} bins, {name}": (names, bins, 0) for name, names in settings["other_examples"].items()},
    }
    summaries = [
        _compare_examples(
            names,
            trained,
            predicted,
            partial(_summarise, bins=bins, min_events=min_events, large_pull=settings["large_pull"]),
        )
        for names, bins, min_events in points.values()
    ]
    return xr.concat(summaries, xr.Variable("point", list(points)), join="outer")


def _compare_examples(
    names: Mapping[str, str],
    trained: Mapping[str, xr.Dataset],
    predicted: Mapping[str, xr.Dataset],
    summarise: Callable[[xr.Dataset], xr.Dataset],
) -> xr.Dataset:
    """Runs of both examples: their trainings, and their trained and unseen conditioning points."""
    runs = {}
    for example, name in names.items():
        losses = trained[name].sel(iteration=trained[name]["selected"])
        gap = losses["valid"] - losses["train"]
        runs[example] = xr.Dataset({
            "gap": gap.mean(),
            "gap_error": gap.std(ddof=1) / np.sqrt(gap.size),
            "selected": _as_seeds(trained[name]["selected"]),
        })  # fmt: skip
        for part, is_trained in (("trained", True), ("unseen", False)):
            prediction = predicted[name]
            runs[f"{example}_{part}"] = summarise(prediction.sel(context=prediction["trained"] == is_trained))
    return xr.concat(runs.values(), xr.Variable("run", list(runs)), join="outer", data_vars="all")


def _as_seeds(values: xr.DataArray) -> xr.DataArray:
    """Values of members or conditioning points in the dimensions of claims, as seeds of one epoch."""
    return xr.DataArray(values.values[:, None], dims=("seed", "epoch"), coords={"seed": np.arange(values.size)})


def _summarise(predicted: xr.Dataset, *, bins: int, min_events: float | int, large_pull: float) -> xr.Dataset:
    """Pulls and divergences of some conditioning points, in one binning."""
    pull = pulls(rebin(predicted, bins), min_events=min_events)
    centre, width = fit_normal(pull)
    share = (np.abs(pull) > large_pull).sum(("y", "x")) / pull.notnull().sum(("y", "x"))
    return xr.Dataset({
        "centre": centre,
        "bias": centre / width if width else np.nan,
        "width": width,
        "width_error": width_uncertainty(pull),
        "large_pull_share": _as_seeds(share),
        "kl": _as_seeds(predicted["kl_ensemble"]),
    })  # fmt: skip
