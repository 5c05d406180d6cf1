"""Accuracy of smooth cuts and histograms, and two ways in which they fail (TOMATOS, Fig. B.12)."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from diffhep.data.vbf_hh4b import VARIABLES
from diffhep.histogramming.cuts import hard_cut, sigmoid_cut
from diffhep.histogramming.histograms import binned_kde, hard_histogram
from diffhep.studies.vbf_hh4b import inputs

EFFICIENCIES = (0.05, 0.95)
"""Efficiencies of the guiding lines of Fig. B.12, between which a sigmoid rises."""


def accuracy(settings: Mapping[str, Any], events: xr.Dataset) -> xr.Dataset:
    """Largest relative deviation of a bin of the smooth histogram, of cuts alone, of the bandwidth alone and of both.

    Args:
        settings: `data`; `cuts` (physical) and `edges` of m_HH, where it is told; `slopes` and `bandwidths`.
        events: Result of `inputs.generate`.

    Returns:
        `cuts` (sample, slope), `bandwidth` (sample, width) and `both` (sample, slope, width), of nominal signal and
        background in the signal region.
    """
    region = inputs.part(events, settings["data"]["regions"]).signal_region
    cuts = np.array([inputs.to_shares(events, value, name) for name, value in settings["cuts"].items()])
    edges = inputs.to_shares(events, settings["edges"], "m_hh")
    columns = region.variables[..., [VARIABLES.index(name) for name in ("m_hh", *settings["cuts"])]]
    slopes, widths = (np.array(settings[name]) for name in ("slopes", "bandwidths"))
    each = (_deviations(columns[n], region.weights[n], cuts, edges, slopes, widths) for n in (0, -1))
    soft, smeared, both = (np.stack(values) for values in zip(*each, strict=True))
    return xr.Dataset(
        {
            "cuts": (("sample", "slope"), soft),
            "bandwidth": (("sample", "width"), smeared),
            "both": (("sample", "slope", "width"), both),
        },
        coords={"sample": ["signal", "background"], "slope": slopes, "width": widths},
    )


@jax.jit
def _deviations(columns, weights, cuts, edges, slopes, widths) -> tuple[Array, Array, Array]:
    """Deviations of one sample for soft cuts (slope), bandwidths (width) and both (slope, width)."""
    values, *others = columns.T

    def passed(weigh: Callable[[Array, Array], Array]) -> Array:
        return weights * jnp.prod(jnp.stack([weigh(*each) for each in zip(others, cuts, strict=True)]), axis=0)

    kept = passed(hard_cut)
    truth = hard_histogram(values, edges, kept)

    def worst(found):
        return jnp.max(jnp.abs(found / truth - 1))

    def smeared(weight):
        return jax.lax.map(lambda width: worst(binned_kde(values, edges, width, weight, edges_mode="closed")), widths)

    def of_slope(slope):
        soft = passed(partial(sigmoid_cut, slope=slope))
        return worst(hard_histogram(values, edges, soft)), smeared(soft)

    cut, both = jax.lax.map(of_slope, slopes)
    return cut, smeared(kept), both


def sigmoids(settings: Mapping[str, Any]) -> xr.Dataset:
    """Sigmoids around a cut, and the failures of the formula 1 / (1 + exp(-m (x - c))) and with open outer edges.

    Args:
        settings: `slopes` of Fig. B.12, and `reach`, the distances beyond it that are looked at; `steep`, slopes whose
            gradients are looked at; `bandwidths`.

    Returns:
        `weight` (slope, distance) and `width` (slope), the distance between the `EFFICIENCIES`, in shares of the range;
        `last` (sigmoid, steep): the last cut at which the weight of an event at 0 has a finite gradient by the cut, of
        the formula and of `cuts.sigmoid_cut`; `leaked` (outer, bandwidth): share of events, uniform in [0, 1], that a
        histogram with open or with closed outer edges loses.
    """
    slopes, steep = np.array(settings["slopes"]), np.array(settings["steep"])
    distance = np.linspace(-settings["reach"], settings["reach"], 401)
    last = [[_last_cut(of, slope) for slope in steep] for of in (_formula, sigmoid_cut)]
    leaked = [[_leakage(width, mode) for width in settings["bandwidths"]] for mode in ("leak", "closed")]
    logit = np.log(np.divide(EFFICIENCIES, np.subtract(1, EFFICIENCIES)))
    return xr.Dataset(
        {
            "weight": (("slope", "distance"), np.stack([sigmoid_cut(distance, 0.0, m) for m in slopes])),
            "width": ("slope", np.ptp(logit) / slopes),
            "last": (("sigmoid", "steep"), last),
            "leaked": (("outer", "bandwidth"), leaked),
        },
        coords={
            "slope": slopes,
            "distance": distance,
            "sigmoid": ["formula", "safe"],
            "steep": steep,
            "outer": ["open", "closed"],
            "bandwidth": settings["bandwidths"],
        },
    )


def _last_cut(sigmoid: Callable[..., Array], slope: float) -> float:
    """Last of many cuts up to which all gradients are finite."""
    cuts = np.geomspace(1e-4, 1, 401)
    gradients = _gradients(sigmoid, cuts, slope)
    finite = np.logical_and.accumulate(np.isfinite(gradients))
    return float(cuts[finite][-1])


@partial(jax.jit, static_argnums=0)
def _gradients(sigmoid: Callable[..., Array], cuts, slope) -> Array:
    return jax.vmap(jax.grad(sigmoid, argnums=1), (None, 0, None))(0.0, cuts, slope)


def _leakage(width: float, mode: str) -> float:
    values = (np.arange(20_000) + 0.5) / 20_000
    kept = binned_kde(values, np.linspace(0, 1, 6), width, edges_mode=mode)
    return 1 - float(np.sum(np.asarray(kept))) / len(values)


def _formula(value: ArrayLike, cut: Float[ArrayLike, ""], slope: ArrayLike) -> Float[Array, ""]:
    """The sigmoid as it is written down, which overflows."""
    return 1 / (1 + jnp.exp(-slope * (value - cut)))
