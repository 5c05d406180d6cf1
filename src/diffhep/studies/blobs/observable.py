"""The observable of the blobs study: a network whose binned output enters a likelihood."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Key

from diffhep.data import blobs
from diffhep.histogramming.histograms import hard_histogram
from diffhep.learning import losses, tasks
from diffhep.learning.networks import DenseNetwork
from diffhep.learning.networks import logits as logits_of
from diffhep.learning.summary_statistic import (
    METRICS,
    StatisticParameters,
    bin_edges,
    expected_yields,
    metrics,
    smooth_yields,
)
from diffhep.models.likelihood import Model
from diffhep.models.simple import signal_background
from diffhep.samples import WeightedEvents
from diffhep.static_settings import Bound
from diffhep.studies.blobs.settings import Evaluation, Loss, Observable, Plane, Run
from diffhep.typed_settings import select

FINE_BINS = 60  # a multiple of every number of bins that `evaluate` is asked for


def build_task(settings: Run, events: xr.Dataset) -> tuple[tasks.Task, tasks.TrainingData]:
    """Training task of a run, and its data."""
    terms = settings.objective
    samples = 2 if set(terms) == {"bce"} else len(blobs.SAMPLES)  # the shifts are of no use to it
    train_part, test_part = (_weighted(events[part].values) for part in ("train", "test"))
    losses.objective(terms)  # refuses names that there are not
    task = tasks.Task(
        name=" + ".join(f"{weight:g} {name}" for name, weight in terms.items()),
        initialise=Bound(_initialised, select(Observable, settings)),
        loss=Bound(_loss, select(Loss, settings)),
        evaluate=Bound(_evaluate_trained, _evaluation(settings)),
    )
    train_part = WeightedEvents(*(array[:samples] for array in train_part))
    return task, tasks.TrainingData(*jax.device_put((train_part, test_part)))


def _initialised(settings: Observable, key: Key[Array, ""]) -> StatisticParameters:
    learned, nothing = settings.bin_edges == "learned", jnp.zeros(blobs.N_FEATURES, jnp.float32)
    return StatisticParameters(
        DenseNetwork(settings.widths).init(key, nothing), jnp.zeros(settings.bins) if learned else None
    )


def _loss(settings: Loss, trained: StatisticParameters, batch: WeightedEvents) -> Array:
    logits = logits_of(DenseNetwork(settings.widths), trained.network, batch.features)
    build_model = partial(_smooth_model, settings, bin_edges(trained, settings.bins), logits, batch)
    return losses.objective(settings.objective)(logits, batch.weights, build_model)


def _evaluation(settings: Run) -> Evaluation:
    """Settings that the metrics are compiled for."""
    others = tuple(name for name in settings.objective if name not in (*losses.SCORE_OBJECTIVES, *METRICS))
    return select(Evaluation, settings, objectives=others)


def _evaluate_trained(settings: Evaluation, trained: StatisticParameters, held_out: WeightedEvents) -> dict[str, Array]:
    """Metrics, yields and logits of a trained observable, stored after every epoch."""
    network, axis = DenseNetwork(settings.widths), jnp.asarray(plane_axis(settings.plane), jnp.float32)
    logits = logits_of(network, trained.network, held_out.features)
    plane = jnp.stack(jnp.meshgrid(axis, axis), axis=-1)
    metrics_and_yields = _evaluate(settings, bin_edges(trained, settings.bins), logits, held_out)
    return metrics_and_yields | {"logits": logits_of(network, trained.network, plane)}


def _weighted(features: np.ndarray) -> WeightedEvents:
    return WeightedEvents(features, np.ones(features.shape[:2], np.float32))


def _smooth_model(
    settings: Loss, edges: ArrayLike, logits: Float[Array, "sample event"], batch: WeightedEvents
) -> Model:
    yields = smooth_yields(
        logits,
        batch.weights,
        edges,
        bandwidth=settings.bandwidth,
        outer_edges=settings.outer_edges,
        scales=dict(settings.yields),
    )
    return signal_background(*yields, interpolation=settings.interpolation)


def _evaluate(
    settings: Evaluation, edges: ArrayLike, logits: Float[Array, "sample event"], events: WeightedEvents
) -> dict[str, Array]:
    """Metrics of the hard analysis, its yields, and counts in bins fine enough to make other binnings from."""
    scores = jax.nn.sigmoid(logits)
    counts, fine = (
        jax.vmap(partial(hard_histogram, edges=each))(scores) for each in (edges, np.linspace(0, 1, FINE_BINS + 1))
    )
    yields = expected_yields(counts / logits.shape[1], **dict(settings.yields))
    on_scores = {name: score(logits, events.weights) for name, score in losses.SCORE_OBJECTIVES.items()}
    binned = {"yields": yields, "counts": fine, "edges": jnp.asarray(edges)}
    return on_scores | metrics(yields, settings.interpolation, settings.objectives) | binned


def plane_axis(settings: Plane) -> np.ndarray:
    """Positions along each axis at which trained networks are stored."""
    return np.linspace(*settings.range, settings.points)
