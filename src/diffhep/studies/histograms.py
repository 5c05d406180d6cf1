"""Stages of the study of smooth histograms (neos 2.1, thesis 7.2.3)."""

from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.scipy.stats import norm
from jaxtyping import Array, Float, Key

from diffhep import training
from diffhep.histograms import binned_kde, hard_histogram

MIXTURE = 20  # purpose of the suite's seed, beyond those of `training`


def bandwidth_tradeoff(settings: dict) -> xr.Dataset:
    """Densities that histogram, bKDE and KDE make of the same events, at several bandwidths (neos Fig. 2).

    Histogram and bKDE are normalised to unit area between the outermost edges; the KDE is the mean of its
    kernels (thesis 3.1.2).

    Returns:
        `hard` (bin), `binned` (bandwidth, bin), `curve` (bandwidth, x), `kernels` (bandwidth, event, x),
        `truth` (x) and `events` (event); `edges` (edge). The coordinate `bandwidth` is in bin widths.
    """
    mixture, (low, high) = settings["mixture"], settings["range"]
    events = _draw(training.key(settings["seed"], MIXTURE), mixture, settings["events"])
    edges, x = np.linspace(low, high, settings["bins"] + 1), np.linspace(low, high, settings["points"])
    width = edges[1] - edges[0]
    bandwidths = np.asarray(settings["bandwidths"]) * width
    binned = jax.vmap(lambda bandwidth: binned_kde(events, edges, bandwidth, edges_mode="leak"))(bandwidths)
    kernels = norm.pdf(x, events[:, None], bandwidths[:, None, None])
    density = {
        "hard": (("bin",), _unit_area(hard_histogram(events, edges), width)),
        "binned": (("bandwidth", "bin"), _unit_area(binned, width)),
        "curve": (("bandwidth", "x"), kernels.mean(axis=1)),
        "kernels": (("bandwidth", "event", "x"), kernels),
        "truth": (("x",), mixture_density(jnp.asarray(x), **mixture)),
        "events": (("event",), events),
    }
    return xr.Dataset(
        {name: (dims, np.asarray(values)) for name, (dims, values) in density.items()},
        coords={"bandwidth": settings["bandwidths"], "x": x, "edges": ("edge", edges)},
    )


def mixture_density(
    x: Float[Array, " x"], weights: Sequence[float], means: Sequence[float], widths: Sequence[float]
) -> Float[Array, " x"]:
    """Density of a mixture of normal distributions; the weights sum to one."""
    return norm.pdf(x[:, None], jnp.asarray(means), jnp.asarray(widths)) @ jnp.asarray(weights)


def _draw(key: Key[Array, ""], mixture: Mapping[str, Sequence[float]], events: int) -> Float[Array, " event"]:
    which, where = jax.random.split(key)
    component = jax.random.choice(which, len(mixture["means"]), (events,), p=jnp.asarray(mixture["weights"]))
    means, widths = jnp.asarray(mixture["means"]), jnp.asarray(mixture["widths"])
    return means[component] + widths[component] * jax.random.normal(where, (events,))


def _unit_area(counts: Float[Array, "*axis bin"], width: float) -> Float[Array, "*axis bin"]:
    return counts / (counts.sum(axis=-1, keepdims=True) * width)
