"""The observable of the blobs study: a network whose binned output enters a likelihood."""

from collections.abc import Mapping
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Key

from diffhep.data import blobs
from diffhep.histogramming.histograms import hard_histogram
from diffhep.learning import losses, training
from diffhep.learning.losses import Outcome
from diffhep.learning.networks import DenseNetwork
from diffhep.learning.networks import logits as logits_of
from diffhep.learning.summary_statistic import (
    METRICS,
    ON_SCORES,
    StatisticParameters,
    bin_edges,
    expected_yields,
    metrics,
    smooth_yields,
)
from diffhep.models.likelihood import Model
from diffhep.models.simple import signal_background
from diffhep.samples import WeightedEvents
from diffhep.static_settings import Bound, StaticSettings

POSED = ("network", "objective", "bin_edges", "bins", "bandwidth", "outer_edges", "yields", "interpolation")


FINE_BINS = 60  # a multiple of every number of bins that `evaluate` is asked for


def problem(settings: dict, events: xr.Dataset) -> training.Problem:
    """What a run of these settings trains, and what it is judged by."""
    terms = settings["objective"]
    samples = 2 if set(terms) == {"bce"} else len(blobs.SAMPLES)  # the shifts are of no use to it
    train_part, test_part = (_weighted(events[part].values) for part in ("train", "test"))
    losses.objective(terms)  # refuses names that there are not
    posed = StaticSettings({name: settings[name] for name in POSED if name in settings})
    return training.Problem(
        name=" + ".join(f"{weight:g} {name}" for name, weight in terms.items()),
        initialise=Bound(_initialised, posed),
        loss=Bound(_loss, posed),
        evaluate=Bound(_judged, _judgement(settings)),
        events=jax.device_put(WeightedEvents(*(array[:samples] for array in train_part))),
        held_out=jax.device_put(test_part),
    )


def _initialised(settings: StaticSettings, key: Key[Array, ""]) -> StatisticParameters:
    learned, nothing = settings["bin_edges"] == "learned", jnp.zeros(blobs.N_FEATURES, jnp.float32)
    return StatisticParameters(
        DenseNetwork(settings["network"]).init(key, nothing), jnp.zeros(settings["bins"]) if learned else None
    )


def _loss(settings: StaticSettings, trained: StatisticParameters, batch: WeightedEvents) -> Array:
    terms, model = settings["objective"], None
    logits = logits_of(DenseNetwork(settings["network"]), trained.network, batch.features)
    if not set(terms) <= set(ON_SCORES):
        model = _smooth_model(settings, bin_edges(settings, trained), logits, batch)
    return losses.objective(terms)(Outcome(logits, batch.weights, model))


def _judgement(settings: dict) -> StaticSettings:
    """What the evaluation depends on: it is the same for many objectives."""
    needed = {name: settings[name] for name in ("network", "plane", "bins", "yields", "interpolation")}
    return StaticSettings(
        needed | {"also": [name for name in settings["objective"] if name not in (*ON_SCORES, *METRICS)]}
    )


def _judged(settings: StaticSettings, trained: StatisticParameters, held_out: WeightedEvents) -> dict[str, Array]:
    """All that is told of a trained observable."""
    network, axis = DenseNetwork(settings["network"]), jnp.asarray(plane_axis(settings["plane"]), jnp.float32)
    logits = logits_of(network, trained.network, held_out.features)
    plane = jnp.stack(jnp.meshgrid(axis, axis), axis=-1)
    found = _evaluate(settings, bin_edges(settings, trained), logits, held_out)
    return found | {"logits": logits_of(network, trained.network, plane)}


def _weighted(features: np.ndarray) -> WeightedEvents:
    return WeightedEvents(features, np.ones(features.shape[:2], np.float32))


def _smooth_model(
    settings: dict, edges: ArrayLike, logits: Float[Array, "sample event"], batch: WeightedEvents
) -> Model:
    yields = smooth_yields(settings, edges, logits, batch.weights)
    return signal_background(*yields, interpolation=settings["interpolation"])


def _evaluate(
    settings: dict, edges: ArrayLike, logits: Float[Array, "sample event"], events: WeightedEvents
) -> dict[str, Array]:
    """Metrics of the hard analysis, its yields, and counts in bins fine enough to make other binnings from."""
    scores = jax.nn.sigmoid(logits)
    counts, fine = (
        jax.vmap(partial(hard_histogram, edges=each))(scores) for each in (edges, np.linspace(0, 1, FINE_BINS + 1))
    )
    yields = expected_yields(settings["yields"], counts / logits.shape[1])
    on_scores = {name: losses.OBJECTIVES[name](Outcome(logits, events.weights, None)) for name in ON_SCORES}
    binned = {"yields": yields, "counts": fine, "edges": jnp.asarray(edges)}
    return on_scores | metrics(yields, settings["interpolation"], settings["also"]) | binned


def plane_axis(settings: Mapping) -> np.ndarray:
    """Positions along each axis at which trained networks are looked at."""
    return np.linspace(*settings["range"], settings["points"])
