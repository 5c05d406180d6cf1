"""Training of a network on the uncertainty of the signal strength, through the whole fit (ours).

INFERNO and neos train on the result of an analysis; here the analysis is that of the HiggsML Uncertainty Challenge. The
model of the training has the six nuisance parameters as shifts of the smooth background histogram, and neglects shifts
of the signal.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array, Float

from diffhep import prng
from diffhep.data.htautau.shifts import NORMALISATIONS, NUISANCES, PROCESSES, nuisances_from_normal
from diffhep.histogramming.histograms import binned_kde, hard_histogram
from diffhep.learning import classifiers, losses, model_selection, scaling, tasks
from diffhep.learning.networks import logits
from diffhep.models.likelihood import Model
from diffhep.models.simple import signal_background
from diffhep.samples import ConditionalEvents
from diffhep.studies.higgsml.events import (
    PoolSample,
    Reconstruction,
    concatenate_samples,
    draw_rows,
    pool_samples,
    reconstruction,
)

FLOOR = 1e-3
"""Events added to each bin, so that the logarithm of an empty bin is finite."""


class ShiftedEvents(NamedTuple):
    """Signal and background events, and the background events at shifted energy scales.

    Samples are the signal, the background at the median, and the background up and down for each of three shifts.

    Attributes:
        features: Prepared columns and the category.
        weights: Expected events at full luminosity, divided by the number of events; 0 if an event is not selected.
        scaled: Factors of the three normalisations on the weights of the background, up before down.
    """

    features: Float[Array, "sample event feature"]
    weights: Float[Array, "sample event"]
    scaled: Float[Array, "1 event change"]


def draw_shifted_events(settings: Mapping, pools: Mapping[str, xr.Dataset]) -> tuple[ShiftedEvents, ShiftedEvents]:
    """Draw equally many events of signal and background, with probabilities proportional to their weights.

    Args:
        settings: `events` of each class; fraction of the pool for `validation`; `columns`; `seed`.
        pools: Results of `events.build_pool`, by process.

    Returns:
        Training events and validation events.
    """
    reconstruct, parts = reconstruction(settings["columns"]["logarithms"]), ([], [])
    for sample in pool_samples(pools, "train"):
        cut = round((1 - settings["validation"]) * len(sample.weights))
        for part, rows in zip(parts, (slice(None, cut), slice(cut, None)), strict=True):
            subsample = PoolSample(*(column[rows] for column in sample))
            part.append(subsample._replace(weights=subsample.weights * sample.weights.sum() / subsample.weights.sum()))
    return tuple(_shift(settings, reconstruct, samples) for samples in parts)


def _shift(settings: Mapping, reconstruct: Reconstruction, samples: list[PoolSample]) -> ShiftedEvents:
    rng, number, classes = np.random.default_rng([settings["seed"], prng.HIGGSML_INFERNO]), settings["events"], []
    for group in (samples[:1], samples[1:]):
        pool = concatenate_samples(group)
        rows = draw_rows(rng, pool.weights, number)
        process = np.repeat(np.arange(len(group)), [len(sample.weights) for sample in group])[rows]
        classes.append((pool.primaries[rows], pool.noise[rows], pool.weights.sum(), process))
    normal = np.concatenate([np.zeros((1, 3)), np.repeat(np.eye(3), 2, axis=0) * np.tile([1, -1], 3)[:, None]])
    points = np.asarray(nuisances_from_normal(normal))
    features, weights = [], []
    for (primaries, noise, total, _), point in [(classes[0], points[0]), *((classes[1], point) for point in points)]:
        columns, category, selected = map(np.asarray, reconstruct(primaries, tuple(point), noise))
        features.append(np.column_stack([columns, category]))
        weights.append((selected & (category >= 0)) * total / number)
    arrays = np.stack(features), np.stack(weights), _normalisation_factors(1 + classes[1][3])[None]
    return ShiftedEvents(*jax.device_put([array.astype(np.float32) for array in arrays]))


def _normalisation_factors(process: np.ndarray) -> Float[np.ndarray, "event change"]:
    """Factors on events of each process at one standard deviation up and down of the three normalisations."""
    factors = []
    for name in tuple(NUISANCES)[3:]:
        mask = np.array([name in NORMALISATIONS[process_name] for process_name in PROCESSES])[process]
        factors += [np.where(mask, 1 + sign * NUISANCES[name].width, 1.0) for sign in (1, -1)]
    return np.stack(factors, axis=-1)


def build_model(
    settings: Mapping, scores: Float[Array, "sample event"], batch: ShiftedEvents, histogram: Callable, scale: float
) -> Model:
    """Build the statistical model of histograms of scores.

    Args:
        settings: `luminosity`.
        scores: Scores of the events.
        batch: Events, for their weights.
        histogram: Function of scores and weights that returns bin contents.
        scale: Factor on all contents, which compensates for events outside of the batch.
    """
    bins = [histogram(*sample) for sample in zip(scores, batch.weights, strict=True)]
    changes = [histogram(scores[1], batch.weights[1] * batch.scaled[0, :, n]) for n in range(batch.scaled.shape[-1])]
    signal, background, *shifted = (settings["luminosity"] * scale * content + FLOOR for content in (*bins, *changes))
    return signal_background(signal, background, jnp.stack(shifted[::2]), jnp.stack(shifted[1::2]))


def train(settings: dict, pools: dict[str, xr.Dataset], checkpoint: Path | None = None) -> xr.Dataset:
    """Train the network, and select the parameters with the smallest objective on validation events.

    Validation uses hard histograms.

    Args:
        settings: `objective`, names and weights of `losses`; `bins` and `bandwidth` of the histogram; `network`;
            `luminosity`; settings of `draw_shifted_events` and `model_selection.train_and_select_best`.
        pools: Results of `events.build_pool`, by process.
        checkpoint: File of the checkpoint, see `learning.training.train`.
    """
    seen, valid = draw_shifted_events(settings, pools)
    context = jnp.zeros((*seen.weights.shape, 0), jnp.float32)
    scales = scaling.fit_scalings(ConditionalEvents(seen.features, context, seen.weights))
    seen, valid = (events._replace(features=scales[0](events.features)) for events in (seen, valid))
    trained = model_selection.train_and_select_best(
        build_task(settings, seen), tasks.TrainingData(seen, valid), settings, checkpoint=checkpoint
    )
    return trained.assign(scaling.to_variables(scales))


def build_task(settings: Mapping, seen: ShiftedEvents) -> tasks.Task:
    """Build the training task.

    Args:
        settings: Settings of `train`.
        seen: Scaled training events.
    """
    net, first, unravel = classifiers.build_flat_network(settings["network"], seen.features.shape[-1])
    objective, edges = losses.objective(settings["objective"]), jnp.linspace(0, 1, settings["bins"] + 1)
    smooth = partial(binned_kde, edges=edges, bandwidth=settings["bandwidth"], edges_mode="closed")

    def value(parameters, batch, histogram, number):
        outputs = logits(net, unravel(parameters), batch.features)
        scale = number / batch.weights.shape[1]
        model = partial(build_model, settings, jax.nn.sigmoid(outputs), batch, histogram, scale)
        return objective(outputs, batch.weights, model)

    def loss(parameters, batch):
        return value(parameters, batch, lambda scores, weights: smooth(scores, weights=weights), settings["events"])

    def evaluate(parameters, held_out):
        hard = partial(hard_histogram, edges=edges)
        valid = value(parameters, held_out, lambda scores, weights: hard(scores, weights=weights), settings["events"])
        return {"valid": valid, "parameters": parameters}

    return tasks.Task(" + ".join(settings["objective"]), first, loss, evaluate)
