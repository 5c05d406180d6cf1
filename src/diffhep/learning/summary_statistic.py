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


def bin_edges(settings: dict, trained: StatisticParameters) -> ArrayLike:
    return np.linspace(0, 1, settings["bins"] + 1) if trained.edges is None else ordered_edges(trained.edges)


def smooth_yields(
    settings: Mapping, edges: ArrayLike, logits: Float[Array, "sample event"], weights: Float[Array, "sample event"]
) -> Float[Array, "sample bin"]:
    """Expected events in smooth histograms of the scores: what is trained on."""
    bandwidth, mode = settings["bandwidth"], settings["outer_edges"]
    histogram = partial(binned_kde, edges=edges, bandwidth=bandwidth, edges_mode=mode)
    counts = jax.vmap(lambda scores, weights: histogram(scores, weights=weights))(jax.nn.sigmoid(logits), weights)
    return expected_yields(settings["yields"], counts / jnp.sum(weights, axis=1, keepdims=True))


def expected_yields(scales: Mapping[str, float], shares: ArrayLike) -> ArrayLike:
    """Expected events (..., sample, bin) from the share of each sample's events in each bin (neos Appendix A)."""
    sample = np.array([scales["signal"]] + [scales["background"]] * (shares.shape[-2] - 1))
    return shares * (sample * scales["overall"])[:, None] + scales["floor"]


def metrics(
    yields: Float[Array, "sample bin"], interpolation: str, others: Iterable[str] = ()
) -> dict[str, Float[Array, ""]]:
    """`METRICS`, and others of the objectives, of binned yields, by name."""
    outcome = Outcome(None, None, signal_background(*yields, interpolation=interpolation))
    tests = losses.expected_p_values(outcome)
    return tests | {name: losses.OBJECTIVES[name](outcome) for name in (*METRICS, *others) if name not in tests}
