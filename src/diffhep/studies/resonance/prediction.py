"""Histograms predicted by the flows in the plane of m_bbgg and m_bb, compared with simulation (thesis 9.5)."""

from functools import partial

import numpy as np
import xarray as xr

from diffhep import prng
from diffhep.data import mass_grid
from diffhep.flows import ensembles
from diffhep.flows.training import restore
from diffhep.histogramming.pulls import UNCERTAINTIES, fit_normal, pulls, rebin
from diffhep.studies.resonance.pull_summaries import summarise_pulls
from diffhep.studies.resonance.trained_models import NO_CONTEXT


def predict(settings: dict, signal: xr.Dataset, trained: xr.Dataset) -> xr.Dataset:
    """Histogram the signal at every mass point, as simulated and as predicted by each flow.

    Args:
        settings: `flow` (settings of `autoregressive_flow`); `samples` of each flow at each point; the ranges `m_bbgg`
            and `m_bb` and the `width` of the bins in GeV; `figure_points`, the mass points whose histograms are shown
            in figures; `min_events`, as in `pull_summaries.summarise_pulls`; `seed`.
        signal: Result of `events.select_signal`.
        trained: Result of `training.train_flow`.

    Returns:
        `data` and their `variance` (context, y, x), divided by the mean weight at the point, so that they are numbers
        of events; `counts` (context, member, y, x), scaled to that number of events; `trained`, `in_figure` and `mean`
        (m_X and m_S) of each point; and the variables of `pull_summaries.summarise_pulls`.
    """
    flow, ensemble = restore(settings["flow"], trained)
    edges, key = _bin_edges(settings), prng.key(settings["seed"], prng.RESONANCE_SAMPLES)
    count = partial(ensembles.histogram_2d, edges=edges)
    counts = ensembles.sample_histograms(
        flow, ensemble, signal["masses"].values, settings["samples"], lambda events, _: count(events), key=key
    )
    point, weight = signal["mass_point"].values, signal["weight"].values
    unit = np.bincount(point, weight) / np.bincount(point)
    relative = weight / unit[point]
    total = np.bincount(point, relative)[:, None, None, None]
    data, variance = (_point_histograms(signal, edges, weights) for weights in (relative, relative**2))
    dims = ("context", "y", "x")
    predicted = xr.Dataset(
        {
            "counts": (("context", "member", "y", "x"), total / settings["samples"] * np.asarray(counts)),
            "data": (dims, data),
            "variance": (dims, variance),
            "trained": ("context", trained["trained"].values),
            "in_figure": ("context", mass_grid.select_points(signal["masses"].values, settings["figure_points"])),
            "mean": (("context", "axis"), signal["masses"].values),
        },
        coords={"x": _bin_centres(edges[0]), "y": _bin_centres(edges[1])},
    )
    return predicted.merge(summarise_pulls(predicted, settings["min_events"]))


def predict_background(settings: dict, background: xr.Dataset, trained: xr.Dataset) -> xr.Dataset:
    """Histogram the background, as simulated and as predicted by the mean of the flows.

    Args:
        settings: `flow` (settings of `autoregressive_flow`); `background_samples` of each flow; the ranges `m_bbgg`
            and `m_bb` and the `width` of the bins in GeV; `seed`.
        background: Result of `events.select_background`.
        trained: Result of `training.train_background`.

    Returns:
        Shares (y, x) of all events: `weighted` and `unweighted` simulation, and `learned` by the flows.
    """
    flow, ensemble = restore(settings["flow"], trained)
    edges, key = _bin_edges(settings), prng.key(settings["seed"], prng.RESONANCE_SAMPLES)
    count, number = partial(ensembles.histogram_2d, edges=edges), settings["background_samples"]
    counts = ensembles.sample_histograms(
        flow, ensemble, NO_CONTEXT[None], number, lambda events, _: count(events), key=key
    )
    events, weight = background["events"].values, background["weight"].values
    shares = {
        "weighted": np.histogram2d(*events.T, edges, weights=weight / weight.sum())[0].T,
        "learned": np.asarray(counts[0].mean(axis=0)) / number,
        "unweighted": np.histogram2d(*events.T, edges)[0].T / len(events),
    }
    return xr.Dataset(
        {name: (("y", "x"), values) for name, values in shares.items()},
        coords={"x": _bin_centres(edges[0]), "y": _bin_centres(edges[1])},
    )


def _bin_edges(settings: dict) -> tuple[np.ndarray, np.ndarray]:
    """Bin edges in m_bbgg and in m_bb."""
    ranges, width = (settings["m_bbgg"], settings["m_bb"]), settings["width"]
    return tuple(np.linspace(low, high, round((high - low) / width) + 1) for low, high in ranges)


def _bin_centres(edges: np.ndarray) -> np.ndarray:
    return (edges[1:] + edges[:-1]) / 2


def _point_histograms(signal: xr.Dataset, edges: tuple[np.ndarray, np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Sums of weights at each mass point (point, y, x)."""
    point = signal["mass_point"].values
    columns = np.column_stack([point, signal["events"].values[:, ::-1]])
    bins = (np.arange(signal.sizes["point"] + 1) - 0.5, *edges[::-1])
    return np.histogramdd(columns, bins, weights=weights)[0]


def compare(settings: dict, predicted: xr.Dataset) -> xr.Dataset:
    """Fit normal distributions to the pulls at every mass point, in several binnings.

    Args:
        settings: `rebin_factors`, the numbers of bins that are merged along each axis; `min_events`, the least data
            of a bin.
        predicted: Result of `predict`.

    Returns:
        `bias`, the absolute mean, and `width` of the normal distribution of the pulls at each mass point, for each
        binning (point), and for each uncertainty of trained and of unseen mass points (run), in the dimensions of
        `claims.ordering` (point, run, seed, epoch).
    """
    x, factors = predicted["x"].values, settings["rebin_factors"]
    normals = [_pull_normals(rebin(predicted, len(x) // factor), settings["min_events"]) for factor in factors]
    return xr.concat(normals, xr.Variable("point", [f"bins of {(x[1] - x[0]) * factor:g} GeV" for factor in factors]))


def _pull_normals(predicted: xr.Dataset, min_events: float | int) -> xr.Dataset:
    runs = {}
    for sigma in UNCERTAINTIES:
        pull = pulls(predicted, min_events=min_events, sigma=sigma)
        normals = np.array([fit_normal(pull.isel(context=n)) for n in range(pull.sizes["context"])])
        for part, is_trained in (("trained", True), ("unseen", False)):
            selected = normals[predicted["trained"].values == is_trained]
            runs[f"{part}_{sigma}"] = xr.Dataset({
                "bias": (("seed", "epoch"), np.abs(selected[:, :1])),
                "width": (("seed", "epoch"), selected[:, 1:]),
            }).assign_coords(seed=np.arange(len(selected)))  # fmt: skip
    return xr.concat(runs.values(), xr.Variable("run", list(runs)), join="outer")
