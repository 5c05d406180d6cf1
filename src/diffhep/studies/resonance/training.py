"""Trainings of the search for X -> SH -> bb gamma gamma, and how well they interpolate (thesis 9.4 and 9.5)."""

from functools import partial
from pathlib import Path

import numpy as np
import xarray as xr

from diffhep import prng, samples
from diffhep.data import mass_grid
from diffhep.flows import ensembles, training
from diffhep.flows.training import restore
from diffhep.histogramming.pulls import UNCERTAINTIES, fit_normal, pulls, rebin
from diffhep.learning import classifiers
from diffhep.samples import conditional_events
from diffhep.studies.resonance.pull_summaries import summarise_pulls
from diffhep.studies.resonance.strategies import NO_CONTEXT


def _pairs(signal: xr.Dataset, chosen: np.ndarray) -> samples.ConditionalEvents:
    """Signal events with the masses that they were generated at."""
    context = signal["masses"].values[signal["mass_point"].values[chosen]]
    return conditional_events(signal["events"].values[chosen], context, signal["weight"].values[chosen])


def train_flow(settings: dict, signal: xr.Dataset, checkpoint: Path | None = None) -> xr.Dataset:
    """Train the signal's ensemble on some mass points; the best iteration is that on all others (thesis 9.5.1)."""
    unseen = signal["held_out"].values[signal["mass_point"].values]
    parts = (_pairs(signal, chosen) for chosen in (~unseen, unseen))
    return training.train(settings, *parts, checkpoint=checkpoint).assign(trained=~signal["held_out"])


def train_background(settings: dict, background: xr.Dataset, checkpoint: Path | None = None) -> xr.Dataset:
    """Train the background's ensemble, which knows no masses, on a part of the events (thesis 9.7)."""
    test, none = background["test"].values, np.zeros((background.sizes["event"], 0))
    events, weights = background["events"].values, background["weight"].values / background["weight"].values.mean()
    parts = (conditional_events(events[part], none[part], weights[part]) for part in (~test, test))
    return training.train(settings, *parts, checkpoint=checkpoint)


def train_network(
    settings: dict, signal: xr.Dataset, background: xr.Dataset, checkpoint: Path | None = None
) -> xr.Dataset:
    """Train the pNN on a part of the events of the same mass points (thesis 9.4.2)."""
    rng, parts = np.random.default_rng([settings["seed"], prng.RESONANCE_CLASSES]), []
    seen = ~signal["held_out"].values[signal["mass_point"].values]
    for test in (False, True):
        chosen = background["test"].values == test
        events, weights = background["events"].values[chosen], background["weight"].values[chosen]
        of_signal = _pairs(signal, seen & (signal["test"].values == test))
        parts.append(
            classifiers.combine_classes(of_signal, conditional_events(events, np.zeros((len(events), 2)), weights), rng)
        )
    return classifiers.train(settings, *parts, checkpoint=checkpoint)


def predict(settings: dict, signal: xr.Dataset, trained: xr.Dataset) -> xr.Dataset:
    """Events at every mass point in bins of the plane of m_bbgg and m_bb, as simulated and as each flow has them.

    Args:
        settings: `samples` of each flow at each point, the ranges `m_bbgg` and `m_bb` and the `width` of the bins,
            `flow`, `seed`; `shown`, masses of the points whose shapes are drawn.
        signal: Result of `events.select_signal`.
        trained: Result of `train_flow`.

    Returns:
        `data` and their `variance` (context, y, x), in units of the mean weight at the point, so that they are numbers
        of events; `counts` (context, member, y, x), scaled to as many; `trained`, `shown` and `mean`, both masses, of
        each context; and the variables of `pull_summaries.summarise_pulls`.
    """
    flow, ensemble = restore(settings["flow"], trained)
    edges, key = _edges(settings), prng.key(settings["seed"], prng.RESONANCE_SAMPLES)
    count = partial(ensembles.histogram_2d, edges=edges)
    counts = ensembles.sample_histograms(
        flow, ensemble, signal["masses"].values, settings["samples"], lambda drawn, _: count(drawn), key=key
    )
    point, weight = signal["mass_point"].values, signal["weight"].values
    unit = np.bincount(point, weight) / np.bincount(point)
    relative = weight / unit[point]
    total = np.bincount(point, relative)[:, None, None, None]
    data, variance = (_counted(signal, edges, weights) for weights in (relative, relative**2))
    bins = ("context", "y", "x")
    predicted = xr.Dataset(
        {
            "counts": (("context", "member", "y", "x"), total / settings["samples"] * np.asarray(counts)),
            "data": (bins, data),
            "variance": (bins, variance),
            "trained": ("context", trained["trained"].values),
            "shown": ("context", mass_grid.select_points(signal["masses"].values, settings["shown"])),
            "mean": (("context", "axis"), signal["masses"].values),
        },
        coords={"x": _middle(edges[0]), "y": _middle(edges[1])},
    )
    return predicted.merge(summarise_pulls(predicted, settings["min_events"]))


def predict_background(settings: dict, background: xr.Dataset, trained: xr.Dataset) -> xr.Dataset:
    """The background in the same bins: `weighted`, as the flows `learned` it, and `unweighted` (y, x), shares of all.

    Args:
        settings: As for `predict`; `background_samples` of each flow.
        background: Result of `events.select_background`.
        trained: Result of `train_background`.
    """
    flow, ensemble = restore(settings["flow"], trained)
    edges, key, number = (
        _edges(settings),
        prng.key(settings["seed"], prng.RESONANCE_SAMPLES),
        settings["background_samples"],
    )
    count = partial(ensembles.histogram_2d, edges=edges)
    learned = ensembles.sample_histograms(
        flow, ensemble, NO_CONTEXT[None], number, lambda drawn, _: count(drawn), key=key
    )
    events, weight = background["events"].values, background["weight"].values
    found = {
        "weighted": np.histogram2d(*events.T, edges, weights=weight / weight.sum())[0].T,
        "learned": np.asarray(learned[0].mean(axis=0)) / number,
        "unweighted": np.histogram2d(*events.T, edges)[0].T / len(events),
    }
    return xr.Dataset(
        {name: (("y", "x"), values) for name, values in found.items()},
        coords={"x": _middle(edges[0]), "y": _middle(edges[1])},
    )


def _edges(settings: dict) -> tuple[np.ndarray, np.ndarray]:
    """Of the bins in m_bbgg and in m_bb."""
    ranges, width = (settings["m_bbgg"], settings["m_bb"]), settings["width"]
    return tuple(np.linspace(low, high, round((high - low) / width) + 1) for low, high in ranges)


def _middle(edges: np.ndarray) -> np.ndarray:
    return (edges[1:] + edges[:-1]) / 2


def _counted(signal: xr.Dataset, edges: tuple[np.ndarray, np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Sums of weights (point, y, x)."""
    point = signal["mass_point"].values
    columns = np.column_stack([point, signal["events"].values[:, ::-1]])
    bins = (np.arange(signal.sizes["point"] + 1) - 0.5, *edges[::-1])
    return np.histogramdd(columns, bins, weights=weights)[0]


def compare(settings: dict, predicted: xr.Dataset) -> xr.Dataset:
    """What the claims on pulls are checked on.

    Args:
        settings: `joined`, numbers of bins that become one along each axis, a point each; `at_least` events in a bin.
        predicted: Result of `predict`.

    Returns:
        `bias`, the absolute mean, and `width` of the normal distribution of the pulls at each mass point, as
        `claims.ordering` takes them (point, run, seed, epoch), for each uncertainty of trained and of unseen points.
    """
    x, joined = predicted["x"].values, settings["joined"]
    found = [_judged(rebin(predicted, len(x) // number), settings["at_least"]) for number in joined]
    return xr.concat(found, xr.Variable("point", [f"bins of {(x[1] - x[0]) * number:g} GeV" for number in joined]))


def _judged(predicted: xr.Dataset, at_least: int) -> xr.Dataset:
    runs = {}
    for sigma in UNCERTAINTIES:
        found = pulls(predicted, at_least=at_least, sigma=sigma)
        normals = np.array([fit_normal(found.isel(context=n)) for n in range(found.sizes["context"])])
        for part, trained in (("trained", True), ("unseen", False)):
            chosen = normals[predicted["trained"].values == trained]
            runs[f"{part}_{sigma}"] = xr.Dataset({
                "bias": (("seed", "epoch"), np.abs(chosen[:, :1])),
                "width": (("seed", "epoch"), chosen[:, 1:]),
            }).assign_coords(seed=np.arange(len(chosen)))  # fmt: skip
    return xr.concat(runs.values(), xr.Variable("run", list(runs)), join="outer")
