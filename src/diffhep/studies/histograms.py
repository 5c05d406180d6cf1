"""Stages of the study of smooth histograms (neos 2.1, thesis 7.2.3)."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Real
from scipy import stats

from diffhep import prng
from diffhep.data.mixtures import draw_mixture, mixture_density
from diffhep.histogramming.histograms import binned_kde, hard_histogram, softmax_histogram


def bandwidth_tradeoff(settings: dict) -> xr.Dataset:
    """Densities that histogram, bKDE and KDE make of the same events, at several bandwidths (neos Fig. 2).

    Histogram and bKDE are normalised to unit area between the outermost edges; the KDE is the mean of its
    kernels (thesis 3.1.2).

    Returns:
        `hard` (bin), `binned` (bandwidth, bin), `curve` (bandwidth, x), `kernels` (bandwidth, event, x),
        `truth` (x) and `events` (event); `edges` (edge). The coordinate `bandwidth` is in bin widths.
    """
    mixture, (low, high) = settings["mixture"], settings["range"]
    events = draw_mixture(prng.key(settings["seed"], prng.HISTOGRAMS_MIXTURE), mixture, settings["events"])
    edges, x = np.linspace(low, high, settings["bins"] + 1), np.linspace(low, high, settings["points"])
    width = edges[1] - edges[0]
    bandwidths = np.asarray(settings["bandwidths"]) * width
    binned = jax.jit(jax.vmap(lambda bandwidth: binned_kde(events, edges, bandwidth, edges_mode="leak")))(bandwidths)
    kernels = stats.norm.pdf(x, np.asarray(events)[:, None], bandwidths[:, None, None])
    density = {
        "hard": (("bin",), _unit_area(np.histogram(events, edges)[0], width)),
        "binned": (("bandwidth", "bin"), _unit_area(np.asarray(binned), width)),
        "curve": (("bandwidth", "x"), kernels.mean(axis=1)),
        "kernels": (("bandwidth", "event", "x"), kernels),
        "truth": (("x",), mixture_density(jnp.asarray(x), **mixture)),
        "events": (("event",), events),
    }
    return xr.Dataset(
        {name: (dims, np.asarray(values)) for name, (dims, values) in density.items()},
        coords={"bandwidth": settings["bandwidths"], "x": x, "edges": ("edge", edges)},
    )


def _unit_area(counts: Real[np.ndarray, "*axis bin"], width: float) -> Float[np.ndarray, "*axis bin"]:
    return counts / (counts.sum(axis=-1, keepdims=True) * width)


def translation(settings: dict) -> xr.Dataset:
    """Histograms of Normal(mu, 1) at several mu, and the yield of the central bin over mu (thesis Figs. 7.8-7.11).

    Returns:
        `counts` (shown, bin) over `edges` (edge); `hard` and `binned` (mu), hard and bKDE yields of the bin at 0.
    """
    z = jax.random.normal(prng.key(settings["seed"], prng.HISTOGRAMS_NORMAL), (settings["events"],))
    edges = np.linspace(*settings["edges"], settings["bins"] + 1)
    mu, shown = _linear_grid(settings["mu"]), np.asarray(settings["shown"])
    hard = jax.jit(jax.vmap(lambda shift: hard_histogram(z + shift, edges)))
    binned = jax.jit(jax.vmap(lambda shift: binned_kde(z + shift, edges, settings["bandwidth"], edges_mode="leak")))
    centre = settings["bins"] // 2
    return xr.Dataset(
        {
            "counts": (("shown", "bin"), np.asarray(hard(shown))),
            "hard": ("mu", np.asarray(hard(mu))[:, centre]),
            "binned": ("mu", np.asarray(binned(mu))[:, centre]),
        },
        coords={"shown": shown, "mu": mu, "edges": ("edge", edges)},
        attrs={"bandwidth": settings["bandwidth"]},
    )


def gradients(settings: dict) -> xr.Dataset:
    """Yield of one bin over mu, and its derivative, by bandwidth and number of events (thesis Figs. 7.13-7.14).

    The derivative of the histogram is that of finite differences between neighbouring mu, those of the smooth ones are
    automatic. The softmax histogram, with the bandwidth as its temperature, is ours.

    Returns:
        `yield_...` and `gradient_...` of `hard` (events, mu), `binned` and `softmax` (bandwidth, events, mu), and
        `truth` (events, mu).
    """
    mu, (low, high) = _linear_grid(settings["mu"]), settings["bin"]
    edges, bandwidths = np.array([low, high]), np.asarray(settings["bandwidths"])
    found = {name: [] for name in ("hard", "binned", "softmax", "truth")}
    for events in settings["events"]:
        z = jax.random.normal(jax.random.fold_in(prng.key(settings["seed"], prng.HISTOGRAMS_NORMAL), events), (events,))
        values = jax.jit(jax.vmap(lambda shift, z: hard_histogram(z + shift, edges)[0], (0, None)))(mu, z)
        found["hard"].append((values, np.gradient(values, mu)))
        for name, smooth in (("binned", _bin_kde), ("softmax", _bin_softmax)):
            at = jax.jit(jax.vmap(partial(_with_slope, smooth), (None, None, None, 0)))
            found[name].append(at(z, settings["bin"], mu, bandwidths))
        found["truth"].append(tuple(events * array for array in true_yield(mu, low, high)))
    dims = {"binned": ("events", "bandwidth", "mu"), "softmax": ("events", "bandwidth", "mu")}
    return xr.Dataset(
        {
            f"{kind}_{name}": (dims.get(name, ("events", "mu")), np.stack([each[place] for each in pairs]))
            for name, pairs in found.items()
            for place, kind in enumerate(("yield", "gradient"))
        },
        coords={"mu": mu, "bandwidth": settings["bandwidths"], "events": settings["events"]},
    )


def true_yield(
    mu: Real[np.ndarray, " mu"], low: float, high: float
) -> tuple[Float[np.ndarray, " mu"], Float[np.ndarray, " mu"]]:
    """Share of Normal(mu, 1) between low and high, and its derivative by mu (thesis 7.2.3)."""
    return stats.norm.cdf(high, mu) - stats.norm.cdf(low, mu), stats.norm.pdf(low, mu) - stats.norm.pdf(high, mu)


def _bin_kde(values, bin_, bandwidth):
    return binned_kde(values, jnp.stack(bin_), bandwidth, edges_mode="leak")[0]


def _bin_softmax(values, bin_, bandwidth):
    """The bin between two outer ones, for a softmax histogram has nothing outside."""
    low, high = bin_
    return softmax_histogram(values, jnp.stack([low - 1, low, high, high + 1]), bandwidth)[1]


def _with_slope(smooth: Callable, z: Array, bin_: Sequence[ArrayLike], mu: ArrayLike, bandwidth: ArrayLike):
    """Yield and its derivative at each mu, if the events are z shifted by mu."""
    return jax.vmap(jax.value_and_grad(lambda shift: smooth(z + shift, bin_, bandwidth)))(mu)


def gradient_map(settings: dict) -> xr.Dataset:
    """Error of the derivative of a bKDE against bandwidth and number of events (thesis Fig. 7.15).

    `relative_error` is as the thesis has it: |derivative - truth| / |truth|, averaged over mu and seeds. The truth
    vanishes at mu = 0, so that a few mu dominate; `error` is the same ratio of averages over mu (ours).

    Returns:
        `relative_error` and `error` (events, bandwidth); `best_relative` and `best` (events), the bandwidths where they
        are lowest; `best_of_seed` (seed, events) for `error`; and the power law best = `factor` x events^`exponent`
        fitted to the latter, with `exponent_error`.
    """
    mu, bandwidths = _linear_grid(settings["mu"]), np.geomspace(*_range_and_points(settings["bandwidths"]))
    events = np.unique(np.round(np.geomspace(*_range_and_points(settings["events"]))).astype(int))
    _, truth = true_yield(mu, *settings["bin"])
    keys = [prng.key(settings["seed"] + seed, prng.HISTOGRAMS_NORMAL) for seed in range(settings["seeds"])]
    off = np.stack([[_distance(settings["bin"], mu, truth, bandwidths, key, int(n)) for n in events] for key in keys])
    relative = np.mean(off / np.abs(truth), axis=(0, -1))
    by_seed = off.mean(axis=-1) / np.mean(np.abs(truth))
    error, best = by_seed.mean(axis=0), bandwidths[np.argmin(by_seed, axis=-1)]
    line = stats.linregress(np.log(np.tile(events, len(keys))), np.log(best.ravel()))
    return xr.Dataset(
        {
            "relative_error": (("events", "bandwidth"), relative),
            "error": (("events", "bandwidth"), error),
            "best_relative": ("events", bandwidths[np.argmin(relative, axis=1)]),
            "best": ("events", bandwidths[np.argmin(error, axis=1)]),
            "best_of_seed": (("seed", "events"), best),
            "factor": np.exp(line.intercept),
            "exponent": line.slope,
            "exponent_error": line.stderr,
        },
        coords={"events": events, "bandwidth": bandwidths},
    )


def _distance(bin_, mu, truth, bandwidths, key, events: int) -> np.ndarray:
    """|derivative of the bKDE - truth| of one sample, per event, (bandwidth, mu)."""
    z = jax.random.normal(jax.random.fold_in(key, events), (events,))
    return np.abs(np.asarray(_slopes(z, bin_, mu, bandwidths)) / events - truth)


@jax.jit
def _slopes(z, bin_, mu, bandwidths):
    """One bandwidth after the other: (mu, event) fills the memory."""
    return jax.lax.map(lambda width: _with_slope(_bin_kde, z, bin_, mu, width)[1], bandwidths)


def _range_and_points(settings: Mapping) -> tuple[float, float, int]:
    return *map(float, settings["range"]), settings["points"]


def _linear_grid(settings: Mapping) -> np.ndarray:
    return np.linspace(*_range_and_points(settings))
