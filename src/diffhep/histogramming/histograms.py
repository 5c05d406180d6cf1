"""Histograms of events, smooth ones to train with and hard ones to evaluate with; all return float64 yields."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erf
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Real

SATURATION = 40.0
"""Standard deviations from an edge beyond which a kernel's mass is 0 or 1 in float64."""


def binned_kde(
    values: Real[ArrayLike, " event"],
    edges: Real[ArrayLike, " edge"],
    bandwidth: Real[ArrayLike, ""],
    weights: Real[ArrayLike, " event"] | None = None,
    *,
    edges_mode: str,
) -> Float[Array, " bin"]:
    """Events in each bin when every event is smeared by a Gaussian: a histogram with gradients.

    yield_b = sum over events of weight x [Phi((e_(b+1) - value) / h) - Phi((e_b - value) / h)], the neos paper's bKDE
    (arXiv:2203.05570 section 2.1). As the bandwidth h goes to 0 it becomes `hard_histogram`.

    Args:
        values: observable of each event.
        edges: rising bin edges, one more than bins.
        bandwidth: standard deviation h > 0 of the smearing, in units of the values.
        weights: weight of each event, one if not given.
        edges_mode: "leak" loses what is smeared beyond the outermost edges, as published; "closed" keeps it in the
            outermost bins, and events outside the edges too, so that the yields sum to the weights.

    Raises:
        ValueError: edges do not rise, the bandwidth is not positive, or edges_mode is something else.
    """
    if edges_mode not in ("leak", "closed"):
        raise ValueError(f"edges_mode is {edges_mode!r}: choose 'leak' or 'closed'")
    values, edges, weights = _as_float64(values, edges, weights)
    _check_width("bandwidth", bandwidth)
    return _smeared(values, edges, bandwidth, weights, edges_mode)


@partial(jax.jit, static_argnames="edges_mode")
def _smeared(values, edges, bandwidth, weights, edges_mode):
    inner = edges[1:-1] if edges_mode == "closed" else edges
    # the clip keeps tiny bandwidths from making 0 x infinity in the gradient
    pulls = jnp.clip((inner[:, None] - values) / bandwidth, -SATURATION, SATURATION)
    # summed over events before neighbours are subtracted: one pass over (edge, event), which is never stored; and erf,
    # which is three times as fast as `ndtr` and less exact only where a share is below 1e-16
    below = _weighted_sum(0.5 * (1 + erf(pulls / np.sqrt(2))), weights)
    if edges_mode == "closed":
        total = jnp.asarray(values.shape[0] if weights is None else weights.sum(), jnp.float64)
        below = jnp.concatenate([jnp.zeros(1), below, total[None]])
    return jnp.diff(below)


def softmax_histogram(
    values: Real[ArrayLike, " event"],
    edges: Real[ArrayLike, " edge"],
    bandwidth: Real[ArrayLike, ""],
    weights: Real[ArrayLike, " event"] | None = None,
) -> Float[Array, " bin"]:
    """Events in each bin when every event is shared among bins by a softmax.

    yield_b = sum over events of weight x softmax_b(y(value) / tau), thesis eq. 7.5-7.6, with bandwidth tau and
    y_b(value) = sum over inner edges e_j up to bin b of (value - e_j): the shares of neighbouring bins stand as
    exp((value - edge) / tau) at the edge between them. The yields sum to the weights; an event outside the edges
    counts in the outermost bin. As the bandwidth goes to 0 it becomes `hard_histogram` of the values inside the edges.

    Args:
        values: observable of each event.
        edges: rising bin edges, one more than bins.
        bandwidth: softness tau > 0 of the edges, in units of the values.
        weights: weight of each event, one if not given.

    Raises:
        ValueError: edges do not rise, or the bandwidth is not positive.
    """
    values, edges, weights = _as_float64(values, edges, weights)
    _check_width("bandwidth", bandwidth)
    return _shared(values, edges, bandwidth, weights)


@jax.jit
def _shared(values, edges, bandwidth, weights):
    steps = jnp.concatenate([jnp.zeros_like(values)[None], values - edges[1:-1, None]])
    return _weighted_sum(jax.nn.softmax(jnp.cumsum(steps, axis=0) / bandwidth, axis=0), weights)


def hard_histogram(
    values: Real[ArrayLike, " event"],
    edges: Real[ArrayLike, " edge"],
    weights: Real[ArrayLike, " event"] | None = None,
) -> Float[Array, " bin"]:
    """Events in each bin, exactly as `numpy.histogram` counts them: the last bin includes its right edge.

    Args:
        values: observable of each event.
        edges: rising bin edges, one more than bins.
        weights: weight of each event, one if not given; gradients flow to weights only.

    Raises:
        ValueError: edges do not rise.
    """
    return _counted(*_as_float64(values, edges, weights))


@jax.jit
def _counted(values, edges, weights):
    above = jnp.concatenate([values >= edges[:-1, None], (values > edges[-1])[None]])
    return _weighted_sum((above[:-1] & ~above[1:]).astype(values.dtype), weights)


@jax.jit
def ordered_edges(raw: Real[ArrayLike, " bin"], least_width: float = 1e-3) -> Float[Array, " bin+1"]:
    """Rising bin edges from 0 to 1 out of any numbers, so that edges can be trained like everything else.

    Widths are a softmax of the numbers, shrunk so that no bin is below `least_width`: no number, however large, lets
    edges meet. Equal numbers give equal bins.

    Args:
        raw: one number for each bin.
        least_width: smallest width of a bin; less than 1 / bins.
    """
    raw = jnp.asarray(raw, jnp.float64)
    widths = least_width + (1 - least_width * raw.shape[0]) * jax.nn.softmax(raw)
    inner = jnp.cumsum(widths)[:-1]
    return jnp.concatenate([jnp.zeros(1), inner, jnp.ones(1)])


def _as_float64(values, edges, weights):
    values, edges = jnp.asarray(values, jnp.float64), jnp.asarray(edges, jnp.float64)
    if edges.shape[0] < 2:
        raise ValueError(f"edges has {edges.shape[0]} entries: a histogram needs at least 2")
    if not isinstance(edges, jax.core.Tracer):
        for bin_ in np.flatnonzero(~(np.diff(edges) > 0))[:1]:
            raise ValueError(f"edges go from {edges[bin_]} to {edges[bin_ + 1]} in bin {bin_}: edges must rise")
    return values, edges, None if weights is None else jnp.asarray(weights, jnp.float64)


def _check_width(name, width):
    if not isinstance(width, jax.core.Tracer) and not width > 0:
        raise ValueError(f"{name} is {width}: it must be positive; for its limit 0 use hard_histogram")


def _weighted_sum(shares, weights):
    """Sum over events of the (bin, event) shares."""
    return shares.sum(axis=1) if weights is None else shares @ weights
