"""Summary statistics: networks whose output is binned for a likelihood, their yields and their metrics."""

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
from diffhep.models.simple import signal_background

FISHER_METRICS: dict[str, losses.ModelObjective] = {
    "poi_variance": losses.poi_variance,
    "poi_uncertainty": losses.poi_uncertainty,
    "nuisance_uncertainty": losses.nuisance_uncertainty,
    "nuisance_deviation": losses.nuisance_deviation,
    "generalised_variance": losses.generalised_variance,
    "gaussianity": losses.gaussianity,
}

METRICS = ("cls", "p0", "log_cls", "log_p0", *FISHER_METRICS)
"""Objectives that are evaluated after every epoch.

New objectives do not join them by themselves, which would rerun every training, nor does `upper_limit`, which takes too
many fits.
"""


class StatisticParameters(NamedTuple):
    """Trained parameters of a binned summary statistic.

    Attributes:
        network: Parameters of the network.
        edges: One number per bin, from which `ordered_edges` makes the bin edges; None if the edges are fixed.
    """

    network: PyTree
    edges: Float[Array, " bin"] | None


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
    """Evaluate the `METRICS` and further objectives of binned yields.

    Args:
        yields: Expected events of signal, background and the background shifted up and down.
        interpolation: Interpolation code of the background, `code0` or `code4p`.
        others: Names of further objectives in `losses.MODEL_OBJECTIVES`.
    """
    model = signal_background(*yields, interpolation=interpolation)
    values = {name: metric(model) for name, metric in FISHER_METRICS.items()}
    values |= {name: losses.MODEL_OBJECTIVES[name](model) for name in others}
    return losses.expected_p_values(model) | values
