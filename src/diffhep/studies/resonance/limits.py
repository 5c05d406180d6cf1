"""Stages of the study of the search for X -> SH -> bb gamma gamma: what is gained from it (thesis 9.4.2 and 9.7)."""

from collections.abc import Sequence
from functools import partial

import jax
import numpy as np
import xarray as xr
from jaxtyping import Array, Float
from scipy import stats
from sklearn.metrics import roc_auc_score

from diffhep import prng
from diffhep.data import mass_grid
from diffhep.flows.density_ratio import log_mean_density, s_flow
from diffhep.static_settings import StaticSettings
from diffhep.studies.resonance import strategies
from diffhep.studies.resonance.strategies import SearchSample


def discriminate(settings: dict, signal: xr.Dataset, background: xr.Dataset, **trained: xr.Dataset) -> xr.Dataset:
    """How pNN and s_flow tell signal from background, on events that neither network nor background flow has seen.

    Args:
        settings: `flow`, `network`; `bins` of the observables; `pnn`, masses of the point at which that is shown, and
            `s_flow`, of some that are held out, at which this is.
        signal: Result of `events.select_signal`.
        background: Result of `events.select_background`.
        trained: `flow`, `background_flow` and `pnn`, the results of the trainings.

    Returns:
        `share` (context, observable, sample, bin) of the weight in bins of each observable between 0 and 1; `error`
        (context, sample, bin), mean uncertainty of s_flow there; `auc` (context, observable), areas under the receiver
        operating characteristic; `crowd` (context), the background's density at m_bbgg = m_X and m_bb = m_S in 1/GeV²;
        `masses` (context, mass), `held_out` (context), `shown` (context, observable); over the points held out,
        `least_auc` of s_flow, and Spearman's `correlation` of it with `crowd`, and its error.
    """
    tools = strategies.restore_models(settings, **trained)
    every, points = signal["masses"].values, ([settings["pnn"]], settings["s_flow"])
    wanted = np.stack([mass_grid.select_points(every, each) for each in points], axis=-1)
    here = signal["held_out"].values | wanted.any(axis=1)
    masses = every[here].astype(np.float32)
    of_signal, of_background = _competing(tools, signal, background)
    of_signal = jax.tree.map(lambda array: array[here], of_signal)

    found = []
    for number, at in enumerate(masses):
        both = jax.tree.map(lambda array, n=number: array[n], of_signal), of_background
        told = [tuple(map(np.asarray, _observables(tools, sample, at))) for sample in both]
        found.append(_judged(told, np.linspace(0, 1, settings["bins"] + 1)))
    crowd, held_out = np.exp(log_mean_density(tools.log_background(masses))), signal["held_out"].values[here]
    joined = xr.concat(found, "context").assign(
        masses=(("context", "mass"), every[here]),
        shown=(("context", "observable"), wanted[here]),
        held_out=("context", held_out),
        crowd=("context", np.asarray(crowd)),
    )
    unseen = joined.sel(observable="s_flow").isel(context=held_out)
    return joined.assign(
        least_auc=unseen["auc"].min(),
        correlation=stats.spearmanr(unseen["auc"], unseen["crowd"]).statistic,
        correlation_error=1 / np.sqrt(held_out.sum() - 1),
    )


@jax.jit
def _observables(
    tools: strategies.TrainedModels, sample: SearchSample, masses: Float[Array, " mass"]
) -> tuple[Array, ...]:
    """pNN, s_flow and its uncertainty, and the weight of each event."""
    found = s_flow(tools.log_signal(sample.events, masses), sample.background)
    return jax.nn.sigmoid(tools.pnn(sample.events, masses)), found.value, found.error, sample.weights


def _competing(
    tools: strategies.TrainedModels, signal: xr.Dataset, background: xr.Dataset
) -> tuple[SearchSample, SearchSample]:
    """Events kept for tests, weighted so that they stand for all: signal by mass point, padded, and background."""
    points = [_test(signal, signal["mass_point"].values == point) for point in range(signal.sizes["point"])]
    longest = max(len(weights) for _, weights in points)
    events, weights = (
        np.stack([np.pad(each, [(0, longest - len(each))] + [(0, 0)] * (each.ndim - 1), "edge") for each in column])
        for column in zip(*points, strict=True)
    )
    there = np.arange(longest) < np.array([len(each) for _, each in points])[:, None]
    of_background = _test(background, np.ones(background.sizes["event"], bool))
    logs = np.asarray(tools.log_background(events.reshape(-1, events.shape[-1])))
    return (
        SearchSample(events, weights * there, logs.reshape(-1, len(points), longest).swapaxes(0, 1)),
        SearchSample(*of_background, tools.log_background(of_background[0])),
    )


def _test(sample: xr.Dataset, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Events kept for tests among those chosen, and their weights."""
    weight, test = sample["weight"].values, chosen & sample["test"].values
    return sample["events"].values[test], weight[test] * weight[chosen].sum() / weight[test].sum()


def _judged(samples: Sequence[tuple[np.ndarray, ...]], edges: np.ndarray) -> xr.Dataset:
    """Shares, uncertainties and areas of both observables at one mass point, of signal and background."""
    labels = np.repeat([1, 0], [len(weights) for *_, weights in samples])
    weights = np.concatenate([each[-1] for each in samples])
    areas = [
        roc_auc_score(labels, np.concatenate([each[n] for each in samples]), sample_weight=weights) for n in (0, 1)
    ]
    shares = [[np.histogram(each[n], edges, weights=each[-1] / each[-1].sum())[0] for each in samples] for n in (0, 1)]
    errors = [np.histogram(value, edges, weights=error * w / w.sum())[0] for _, value, error, w in samples]
    filled = np.where(np.array(shares[1]) > 0, shares[1], 1.0)
    return xr.Dataset(
        {
            "auc": ("observable", areas),
            "share": (("observable", "sample", "bin"), np.array(shares)),
            "error": (("sample", "bin"), np.array(errors) / filled),
            "edges": ("edge", edges),
        },
        coords={"observable": ["pNN", "s_flow"], "sample": ["signal", "background"]},
    )


def compute_limits(
    settings: dict, signal: xr.Dataset, background: xr.Dataset, yields: xr.Dataset, **trained: xr.Dataset
) -> xr.Dataset:
    """Expected upper limits on the cross section of the signal by three strategies.

    Args:
        settings: `flow`, `network`, and those of `strategies.expected_limits`,
            `first` and `last` of the contexts, and `seed`.
        signal: As for `discriminate`.
        background: Likewise.
        yields: Result of `yields.interpolate`.
        trained: As for `discriminate`.

    Returns:
        `limit` (context, strategy, source) at the simulated points and on a mesh where there is nothing but
        interpolation; `masses` (context, mass), `simulated` and `held_out` (context).
    """
    tools, known = strategies.restore_models(settings, **trained), signal.sizes["point"]
    masses, mean, error = (
        np.concatenate([yields[f"{place}_{name}"].values for place in ("point", "limit")])
        for name in ("masses", "yield", "error")
    )
    of_signal, of_background = _competing(tools, signal, background)
    of_signal = _extended(of_signal, len(masses) - known)
    keys = jax.random.split(prng.key(settings["seed"], prng.RESONANCE_LIMITS), len(masses))
    contexts = jax.device_put((masses.astype(np.float32), of_signal, mean, error, keys))
    needed = StaticSettings({name: settings[name] for name in ("plane", "bins", "samples")})
    numbers = range(len(masses))[settings["first"] : settings["last"] + 1]
    here = np.array(numbers)
    found = np.stack([_expected_limits(needed, tools, contexts, n, of_background) for n in numbers])
    held_out = np.append(signal["held_out"].values, np.zeros(len(masses) - known, bool))
    return xr.Dataset(
        {
            "limit": (("context", "strategy", "source"), found),
            "masses": (("context", "mass"), masses[here]),
            "simulated": ("context", (np.arange(len(masses)) < known)[here]),
            "held_out": ("context", held_out[here]),
        },
        coords={"strategy": list(strategies.STRATEGIES), "source": list(strategies.SOURCES)},
    )


@partial(jax.jit, static_argnums=0)  # of one context: the same program however many there are
def _expected_limits(
    settings: StaticSettings, tools: strategies.TrainedModels, contexts: tuple, number, of_background: SearchSample
):
    context = jax.tree.map(lambda array: array[number], contexts)
    return strategies.expected_limits(tools, settings, *context, of_background)


def compare(settings: dict, limits: xr.Dataset) -> xr.Dataset:
    """What claims are checked on.

    Returns:
        `unseen_ratio` (strategy), median over the points held out of the interpolated limit over the simulated one.
    """
    unseen = limits["limit"].values[limits["held_out"].values]
    simulated, interpolated = (unseen[..., strategies.SOURCES.index(name)] for name in strategies.SOURCES[:2])
    return xr.Dataset(
        {"unseen_ratio": ("strategy", np.median(interpolated / simulated, axis=0))},
        coords={"strategy": limits["strategy"]},
    )


def _extended(sample: SearchSample, number: int) -> SearchSample:
    """The same with so many points more at which nothing is simulated: no weight, so that the limit is infinite."""
    return jax.tree.map(lambda array: np.pad(array, [(0, number)] + [(0, 0)] * (array.ndim - 1)), sample)
