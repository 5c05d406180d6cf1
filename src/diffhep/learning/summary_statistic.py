"""A network whose output is binned for a likelihood: from settings to what is trained and what it is judged by."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float, PyTree

from diffhep.histogramming.histograms import binned_kde, ordered_edges
from diffhep.learning import losses
from diffhep.learning.losses import Outcome
from diffhep.models.simple import signal_background

ON_SCORES = ("bce", "bce_augmented")  # objectives that know nothing of bins
NOT_METRICS = (*ON_SCORES, "upper_limit")  # a limit takes too many fits to be found after every epoch
METRICS = tuple(name for name in losses.OBJECTIVES if name not in NOT_METRICS)


class StatisticParameters(NamedTuple):
    """What is trained: the network, and numbers that stand for the bin edges, if they are learned."""

    network: PyTree
    edges: Array | None


def bin_edges(parameters: StatisticParameters, bins: int) -> Float[ArrayLike, " edge"]:
    """Edges of the bins of the score: the trained ones, or equal bins in [0, 1].

    Args:
        parameters: Parameters of the statistic.
        bins: Number of bins.
    """
    return np.linspace(0, 1, bins + 1) if parameters.edges is None else ordered_edges(parameters.edges)


def smooth_yields(
    logits: Float[Array, "sample event"],
    weights: Float[Array, "sample event"],
    edges: Float[ArrayLike, " edge"],
    *,
    bandwidth: float,
    outer_edges: str,
    scales: Mapping[str, float],
) -> Float[Array, "sample bin"]:
    """Expected events in smooth histograms of the scores, to train on.

    Args:
        logits: Outputs of the network; the score is their sigmoid.
        weights: Weights of the events.
        edges: Edges of the bins.
        bandwidth: Bandwidth of the binned KDE, in units of the score.
        outer_edges: Treatment of the tails beyond the outermost edges; see `histograms.binned_kde`.
        scales: Arguments of `expected_yields`.
    """
    histogram = partial(binned_kde, edges=edges, bandwidth=bandwidth, edges_mode=outer_edges)
    counts = jax.vmap(lambda scores, weights: histogram(scores, weights=weights))(jax.nn.sigmoid(logits), weights)
    return expected_yields(counts / jnp.sum(weights, axis=1, keepdims=True), **scales)


def expected_yields(
    shares: Float[ArrayLike, "*axis sample bin"], *, signal: float, background: float, overall: float, floor: float
) -> Float[ArrayLike, "*axis sample bin"]:
    """Expected events: share of the sample's events in the bin x scale of the sample x overall + floor (neos A).

    Args:
        shares: Share of the events of each sample in each bin; the signal is the first sample.
        signal: Scale of the signal.
        background: Scale of the other samples.
        overall: Scale of all samples.
        floor: Events added to every bin, so that none is empty.
    """
    sample = np.array([signal] + [background] * (shares.shape[-2] - 1))
    return shares * (sample * overall)[:, None] + floor


def metrics(
    yields: Float[Array, "sample bin"], interpolation: str, others: Iterable[str] = ()
) -> dict[str, Float[Array, ""]]:
    """`METRICS`, and others of the objectives, of binned yields, by name."""
    outcome = Outcome(None, None, signal_background(*yields, interpolation=interpolation))
    tests = losses.expected_p_values(outcome)
    return tests | {name: losses.OBJECTIVES[name](outcome) for name in (*METRICS, *others) if name not in tests}
