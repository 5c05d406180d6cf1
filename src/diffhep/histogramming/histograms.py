"""Histograms of events in double precision: smooth ones for training, hard ones for evaluation."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erf
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Real

MAX_PULL = 40.0
"""Standard deviations from an edge beyond which the integral of a kernel is 0 or 1 in float64."""


def binned_kde(
    values: Real[ArrayLike, " event"],
    edges: Real[ArrayLike, " edge"],
    bandwidth: Real[ArrayLike, ""],
    weights: Real[ArrayLike, " event"] | None = None,
    *,
    edges_mode: str,
) -> Float[Array, " bin"]:
    """Return a binned kernel density estimate: a histogram of events that are smeared with a Gaussian.

    yield_b = sum over events of weight x [Phi((e_(b+1) - value) / h) - Phi((e_b - value) / h)], the bKDE of the neos
    paper (arXiv:2203.05570 section 2.1). In the limit of small bandwidths h this is `hard_histogram`. It has gradients
    with respect to values, edges, bandwidth and weights.

    Args:
        values: Observable of each event.
        edges: Bin edges, increasing.
        bandwidth: Standard deviation h > 0 of the smearing, in units of the values.
        weights: Weight of each event; one by default.
        edges_mode: "leak" drops the part of the kernels beyond the outermost edges, as published; "closed" adds it to
            the outermost bins, and events outside the edges too, so that the yields sum to the weights.

    Returns:
        Yield of each bin.

    Raises:
        ValueError: The edges do not increase, the bandwidth is not positive, or the mode is unknown.

    Example:
        >>> values, edges = np.array([0.1, 0.4, 0.45]), np.array([0.0, 0.5, 1.0])
        >>> dh.binned_kde(values, edges, 0.1, edges_mode="closed").round(3)
        Array([2.533, 0.467], dtype=float64)
    """
    if edges_mode not in ("leak", "closed"):
        raise ValueError(f"edges_mode is {edges_mode!r}: choose 'leak' or 'closed'")
    values, edges, weights = _as_float64(values, edges, weights)
    _check_width("bandwidth", bandwidth)
    return _binned_kde(values, edges, bandwidth, weights, edges_mode)


@partial(jax.jit, static_argnames="edges_mode")
def _binned_kde(values, edges, bandwidth, weights, edges_mode):
    inner = edges[1:-1] if edges_mode == "closed" else edges
    # the clip keeps tiny bandwidths from making 0 x infinity in the gradient
    pulls = jnp.clip((inner[:, None] - values) / bandwidth, -MAX_PULL, MAX_PULL)
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
    """Return a histogram in which a softmax distributes every event over the bins (thesis eq. 7.5-7.6).

    yield_b = sum over events of weight x softmax_b(y(value) / tau), with the bandwidth tau and y_b(value) = sum over
    inner edges e_j up to bin b of (value - e_j). The ratio of an event's shares in two neighbouring bins is
    exp((value - edge) / tau). The yields sum to the weights; an event outside the edges counts in the outermost bin. In
    the limit of small bandwidths this is `hard_histogram` of the values inside the edges.

    Args:
        values: Observable of each event.
        edges: Bin edges, increasing.
        bandwidth: Width tau > 0 of the transition at the edges, in units of the values.
        weights: Weight of each event; one by default.

    Returns:
        Yield of each bin.

    Raises:
        ValueError: The edges do not increase, or the bandwidth is not positive.

    Example:
        >>> values, edges = np.array([0.1, 0.4, 0.45]), np.array([0.0, 0.5, 1.0])
        >>> dh.softmax_histogram(values, edges, 0.1).round(3)
        Array([2.336, 0.664], dtype=float64)
    """
    values, edges, weights = _as_float64(values, edges, weights)
    _check_width("bandwidth", bandwidth)
    return _softmax_histogram(values, edges, bandwidth, weights)


@jax.jit
def _softmax_histogram(values, edges, bandwidth, weights):
    steps = jnp.concatenate([jnp.zeros_like(values)[None], values - edges[1:-1, None]])
    return _weighted_sum(jax.nn.softmax(jnp.cumsum(steps, axis=0) / bandwidth, axis=0), weights)


def hard_histogram(
    values: Real[ArrayLike, " event"],
    edges: Real[ArrayLike, " edge"],
    weights: Real[ArrayLike, " event"] | None = None,
) -> Float[Array, " bin"]:
    """Return a histogram with the conventions of `numpy.histogram`: the last bin includes its right edge.

    Args:
        values: Observable of each event.
        edges: Bin edges, increasing.
        weights: Weight of each event; one by default. Only weights have gradients.

    Returns:
        Yield of each bin.

    Raises:
        ValueError: The edges do not increase.

    Example:
        >>> dh.hard_histogram(np.array([0.1, 0.4, 0.7]), np.array([0.0, 0.5, 1.0]))
        Array([2., 1.], dtype=float64)
    """
    return _hard_histogram(*_as_float64(values, edges, weights))


@jax.jit
def _hard_histogram(values, edges, weights):
    above = jnp.concatenate([values >= edges[:-1, None], (values > edges[-1])[None]])
    return _weighted_sum((above[:-1] & ~above[1:]).astype(values.dtype), weights)


@jax.jit
def ordered_edges(raw: Real[ArrayLike, " bin"], min_width: float = 1e-3) -> Float[Array, " bin+1"]:
    """Return increasing bin edges from 0 to 1 as a function of unconstrained numbers, so that edges can be trained.

    The widths are a softmax of the numbers, scaled so that none is below `min_width`, however large the numbers are.
    Equal numbers give equal bins.

    Args:
        raw: One number per bin.
        min_width: Smallest width of a bin; less than 1 / bins.
    """
    raw = jnp.asarray(raw, jnp.float64)
    widths = min_width + (1 - min_width * raw.shape[0]) * jax.nn.softmax(raw)
    inner = jnp.cumsum(widths)[:-1]
    return jnp.concatenate([jnp.zeros(1), inner, jnp.ones(1)])


def _as_float64(values, edges, weights):
    values, edges = jnp.asarray(values, jnp.float64), jnp.asarray(edges, jnp.float64)
    if edges.shape[0] < 2:
        raise ValueError(f"edges has {edges.shape[0]} entries: a histogram needs at least 2")
    if not isinstance(edges, jax.core.Tracer):
        for bin_ in np.flatnonzero(~(np.diff(edges) > 0))[:1]:
            raise ValueError(f"edges go from {edges[bin_]} to {edges[bin_ + 1]} in bin {bin_}: edges must increase")
    return values, edges, None if weights is None else jnp.asarray(weights, jnp.float64)


def _check_width(name, width):
    if not isinstance(width, jax.core.Tracer) and not width > 0:
        raise ValueError(f"{name} is {width}: it must be positive; use hard_histogram for the limit of 0")


def _weighted_sum(shares, weights):
    """Sum over events of the (bin, event) shares."""
    return shares.sum(axis=1) if weights is None else shares @ weights
