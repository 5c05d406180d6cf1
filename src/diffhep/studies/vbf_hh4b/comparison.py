"""Numbers behind the claims on the optimisation of VBF HH -> 4b."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from diffhep.histogramming.smoothing_bias import largest_smoothing_bias

PAIRS = {
    "m_hh": "traditional",
    "m_hh_annealed": "traditional",
    "network": "cross_entropy",
    "network_annealed": "cross_entropy",
}
"""Automatic optimisations, and their traditional counterparts."""

RESULTS = ["cls", "limit"]
FIXED_BANDWIDTHS = ("held_0.01", "held_0.05", "held_0.2")
SLOPE_SETTINGS = {"slope 20000": "", "annealed": "_annealed"}


def compare(
    settings: Mapping[str, Any],
    trained: dict[str, xr.Dataset],
    judged: dict[str, xr.Dataset],
    exploit: xr.Dataset,
    landscape: xr.Dataset,
) -> xr.Dataset:
    """Compute the numbers behind the claims; CLs and limits are those of the reference events.

    Args:
        settings: `number` of folds; `plateau`: relative distance of the end of the plateau from the best CLs.
        trained: Results of `stages.train` of all folds, by run.
        judged: Results of `stages.evaluate` by group: `compared`, `traditional` cuts, `slopes`, `starts`
            and `bandwidths`.
        exploit: Result of `exploit.exploit`.
        landscape: Result of `scan.landscape`.

    Returns:
        `limit` and `cls` (strategy, fold); of each pair of `PAIRS` the `ratio` of limits, automated over traditional,
        with `ratio_error` over folds; `deviation` (pair), the `largest_deviation` of signal and background after the
        last step, averaged over folds, with `deviation_error`; `missed` (slope_run), CLs over the best of the
        scan less one, of each slope; `reached` (start_run), starts that end within the plateau, and `starts`, of how
        many; `held` (point, run, seed, epoch), CLs as `claims.ordering` takes it, and `emptiest` (point, run),
        background in the emptiest bin; `gap` (exploit) with `gap_error`.
    """
    best = landscape["best_cls"].sel(binning="three").item()
    slopes, starts, bandwidths = (judged[group] for group in ("slopes", "starts", "bandwidths"))
    found = {
        "missed": ("slope_run", slopes["cls"].values[:, 0] / best - 1),
        "reached": ("start_run", (starts["cls"].values < (1 + settings["plateau"]) * best).sum(axis=1)),
        "starts": starts.sizes["seed"],
        "held": (("point", "run", "seed", "epoch"), _at_points(bandwidths["cls"])),
        "emptiest": (("point", "run"), _at_points(bandwidths["background"].min("bin"))[..., 0].mean(axis=-1)),
        **_mean("gap", "exploit", exploit["gap"].transpose("run", "fold").values),
    }
    coords = {"slope_run": slopes["run"].values, "start_run": starts["run"].values, "exploit": exploit["run"].values}
    places = {"point": list(SLOPE_SETTINGS), "run": ["dynamic", *FIXED_BANDWIDTHS]}
    strategies = xr.concat([judged[group][RESULTS] for group in ("compared", "traditional")], "run", coords="minimal")
    of_folds = [_limits(strategies, settings["number"]), _deviations(trained, settings["number"])]
    return xr.merge([xr.Dataset(found, coords=coords | places), *of_folds])


def _limits(judged: xr.Dataset, number: int) -> xr.Dataset:
    """Limits and CLs of every strategy and fold, and ratios of automated to traditional limits."""
    strategies = [*dict.fromkeys(PAIRS.values()), *PAIRS]
    runs = [_fold_names(name, number) for name in strategies]
    found = {name: np.array([judged[name].sel(run=each).values[:, 0] for each in runs]) for name in RESULTS}
    limit = dict(zip(strategies, found["limit"], strict=True))
    ratios = np.array([limit[ours] / limit[theirs] for ours, theirs in PAIRS.items()])
    return xr.Dataset(
        {name: (("strategy", "fold"), values) for name, values in found.items()} | _mean("ratio", "pair", ratios),
        coords={"strategy": strategies, "pair": list(PAIRS)},
    )


def _deviations(trained: dict[str, xr.Dataset], number: int) -> xr.Dataset:
    def last(run):
        of = trained[run].isel(seed=[0], step=[-1])
        return max(largest_smoothing_bias(of, sample).item() for sample in ("signal", "background"))

    values = [[last(run) for run in _fold_names(pair, number)] for pair in PAIRS]
    return xr.Dataset(_mean("deviation", "pair", np.array(values)), coords={"pair": list(PAIRS)})


def _fold_names(name: str, number: int) -> list[str]:
    return [f"{name}_fold_{fold}" for fold in range(number)]


def _at_points(judged: xr.DataArray) -> np.ndarray:
    """Values of each run at each setting of the slope (point, run, seed, epoch)."""
    runs = [[f"{name}{place}" for name in ("dynamic", *FIXED_BANDWIDTHS)] for place in SLOPE_SETTINGS.values()]
    return np.array([[judged.sel(run=run).values for run in of_place] for of_place in runs])[..., None]


def _mean(name: str, dimension: str, values: np.ndarray) -> dict[str, tuple[str, np.ndarray]]:
    """Mean over the last axis, and its standard error."""
    error = values.std(axis=-1, ddof=1) / np.sqrt(values.shape[-1])
    return {name: (dimension, values.mean(axis=-1)), f"{name}_error": (dimension, error)}
