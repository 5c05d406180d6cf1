"""A network trained on the uncertainty of the signal strength through the whole fit, on the challenge's events (ours).

INFERNO and neos train what an analysis is judged by; here they meet the challenge. The model of training has the six
nuisance parameters as shifts of the background's smooth histogram; the signal's shifts are left out.
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
from diffhep.learning import classifiers, losses, model_selection, scaling, training
from diffhep.learning.losses import Outcome
from diffhep.learning.networks import logits
from diffhep.models.likelihood import Model
from diffhep.models.simple import signal_background
from diffhep.samples import ConditionalEvents
from diffhep.studies.higgsml.events import PoolSample, concatenate_samples, draw_rows, pool_samples, reconstruction

FLOOR = 1e-3
"""Events in each bin, so that an empty one has a logarithm."""


class ShiftedEvents(NamedTuple):
    """Events, and the same events of background at shifted energy scales.

    Samples are the signal; the background at its median; and, up before down, at each of three shifts.

    Attributes:
        features: prepared columns and, last, the category.
        weights: expected events at full luminosity, divided by the number of events; 0 if an event does not pass.
        scaled: factor by which normalisations change an event's weight, up before down, of background alone.
    """

    features: Float[Array, "sample event feature"]
    weights: Float[Array, "sample event"]
    scaled: Float[Array, "1 event change"]


def draw_shifted_events(settings: Mapping, pools: Mapping[str, xr.Dataset]) -> tuple[ShiftedEvents, ShiftedEvents]:
    """As many events of either class, each as often as its weight says; and others, which validate."""
    look, found = reconstruction(settings["columns"]["logarithms"]), ([], [])
    for sample in pool_samples(pools, "train"):
        cut = round((1 - settings["validation"]) * len(sample.weights))
        for part, rows in zip(found, (slice(None, cut), slice(cut, None)), strict=True):
            some = PoolSample(*(column[rows] for column in sample))
            part.append(some._replace(weights=some.weights * sample.weights.sum() / some.weights.sum()))
    return tuple(_shifted(settings, look, every) for every in found)


def _shifted(settings: Mapping, look: Callable, every: list[PoolSample]) -> ShiftedEvents:
    rng, number, classes = np.random.default_rng([settings["seed"], prng.HIGGSML_INFERNO]), settings["events"], []
    for group in (every[:1], every[1:]):
        whole = concatenate_samples(group)
        rows = draw_rows(rng, whole.weights, number)
        process = np.repeat(np.arange(len(group)), [len(each.weights) for each in group])[rows]
        classes.append((whole.primaries[rows], whole.noise[rows], whole.weights.sum(), process))
    shifts = np.concatenate([np.zeros((1, 3)), np.repeat(np.eye(3), 2, axis=0) * np.tile([1, -1], 3)[:, None]])
    points = np.asarray(nuisances_from_normal(shifts))
    features, weights = [], []
    for (primaries, noise, total, _), point in [(classes[0], points[0]), *((classes[1], each) for each in points)]:
        columns, category, passes = map(np.asarray, look(primaries, tuple(point), noise))
        features.append(np.column_stack([columns, category]))
        weights.append((passes & (category >= 0)) * total / number)
    found = np.stack(features), np.stack(weights), _changes(1 + classes[1][3])[None]
    return ShiftedEvents(*jax.device_put([each.astype(np.float32) for each in found]))


def _changes(process: np.ndarray) -> Float[np.ndarray, "event change"]:
    """Factors on events of each process at one standard deviation up and down of the three normalisations."""
    found = []
    for name in tuple(NUISANCES)[3:]:
        here = np.array([name in NORMALISATIONS[each] for each in PROCESSES])[process]
        found += [np.where(here, 1 + sign * NUISANCES[name].width, 1.0) for sign in (1, -1)]
    return np.stack(found, axis=-1)


def build_model(
    settings: Mapping, scores: Float[Array, "sample event"], batch: ShiftedEvents, histogram, scale: float
) -> Model:
    """The model of these scores; `histogram` counts weighted scores, and `scale` makes up for events left out."""
    bins = [histogram(*each) for each in zip(scores, batch.weights, strict=True)]
    changes = [histogram(scores[1], batch.weights[1] * batch.scaled[0, :, n]) for n in range(batch.scaled.shape[-1])]
    signal, background, *shifted = (settings["luminosity"] * scale * each + FLOOR for each in (*bins, *changes))
    return signal_background(signal, background, jnp.stack(shifted[::2]), jnp.stack(shifted[1::2]))


def train(settings: dict, pools: dict[str, xr.Dataset], checkpoint: Path | None = None) -> xr.Dataset:
    """Train the network, and keep its parameters of the least uncertainty on other events, with hard histograms.

    Args:
        settings: `objective`, names and weights of `losses`; `bins` and `bandwidth` of the histogram; `network`;
            `events` of each sample, and share of the pool that is for `validation`; `luminosity`, `columns`; keys of
            `training.kept`.
        pools: Results of `events.build_pool`, by process.
        checkpoint: As in `training.train`.
    """
    seen, valid = draw_shifted_events(settings, pools)
    nothing = jnp.zeros((*seen.weights.shape, 0), jnp.float32)
    scales = scaling.fit_scalings(ConditionalEvents(seen.features, nothing, seen.weights))
    seen, valid = (each._replace(features=scales[0](each.features)) for each in (seen, valid))
    found = model_selection.train_and_select_best(problem(settings, seen, valid), settings, checkpoint=checkpoint)
    return found.assign(scaling.to_variables(scales))


def problem(settings: Mapping, seen: ShiftedEvents, valid: ShiftedEvents) -> training.Problem:
    """The objective of scaled events."""
    net, first, unravel = classifiers.build_flat_network(settings["network"], seen.features.shape[-1])
    objective, edges = losses.objective(settings["objective"]), jnp.linspace(0, 1, settings["bins"] + 1)
    smooth = partial(binned_kde, edges=edges, bandwidth=settings["bandwidth"], edges_mode="closed")

    def value(parameters, batch, histogram, number):
        found = logits(net, unravel(parameters), batch.features)
        scale = number / batch.weights.shape[1]
        model = build_model(settings, jax.nn.sigmoid(found), batch, histogram, scale)
        return objective(Outcome(found, batch.weights, model))

    def loss(parameters, batch):
        return value(parameters, batch, lambda scores, weights: smooth(scores, weights=weights), settings["events"])

    def evaluate(parameters, held_out):
        hard = partial(hard_histogram, edges=edges)
        found = value(parameters, held_out, lambda scores, weights: hard(scores, weights=weights), settings["events"])
        return {"valid": found, "parameters": parameters}

    return training.Problem(" + ".join(settings["objective"]), first, loss, evaluate, seen, valid)
