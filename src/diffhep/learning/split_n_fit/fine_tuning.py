"""Training a classifier on data without labels: it is changed until Split-N-Fit finds more of a signal in them.

Networks are told apart by their fold: each is fitted to some folds of the data, stopped where it is best on another,
and applied to the one that it has never seen ("k-folding").
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int

from diffhep.learning.classifiers import build_flat_network
from diffhep.learning.split_n_fit import loss as split_n_fit_loss
from diffhep.learning.split_n_fit.loss import Shapes


class FineTuningData(NamedTuple):
    """Events without labels. Event n belongs to fold n modulo the number of folds.

    Attributes:
        observables: scaled inputs of the network.
        place: bin of the mass.
        weights: of each event; 0 for those that are not there.
    """

    observables: Float[Array, "*fold event observable"]
    place: Int[Array, "*fold event"]
    weights: Float[Array, "*fold event"]


class FineTuned(NamedTuple):
    """Result of fine-tuning a network.

    Attributes:
        best: its parameters of the lowest loss on the fold it was stopped on.
        last: its parameters after all steps.
        seen: loss before every step on the folds it is fitted to.
        valid: on the fold it is stopped on.
    """

    best: Float[Array, "*fold parameter"]
    last: Float[Array, "*fold parameter"]
    seen: Float[Array, "*fold step"]
    valid: Float[Array, "*fold step"]


def scores(
    network: Mapping[str, Any], parameters: Float[Array, " parameter"], observables: Float[Array, "event observable"]
) -> Float[Array, " event"]:
    """Between 0 (fail) and 1 (pass)."""
    net, _, unravel = build_flat_network(network, observables.shape[-1])
    return jax.nn.sigmoid(net.apply(unravel(parameters), observables))


def objective(
    settings: Mapping[str, Any], shapes: Shapes, parameters: Float[Array, " parameter"], data: FineTuningData
) -> Float[Array, ""]:
    """The loss of Split-N-Fit (eq. 4) of a network's scores.

    Args:
        settings: `network`, `lambda_v`, and those of `loss.loss`.
        shapes: What is fitted.
        parameters: Of the network.
        data: That are split.
    """
    found = scores(settings["network"], parameters, data.observables)
    value = split_n_fit_loss.loss(
        settings, shapes, split_n_fit_loss.split(found, data.place, data.weights, shapes.bins)
    )
    if settings["lambda_v"]:
        value += settings["lambda_v"] * split_n_fit_loss.score_spread(found, data.observables)
    return value


def fine_tune(
    settings: Mapping[str, Any],
    shapes: Shapes,
    start: Float[Array, " parameter"],
    seen: FineTuningData,
    valid: FineTuningData | None = None,
) -> FineTuned:
    """Adam on all the data in every step.

    Args:
        settings: `steps` and `learning_rate`, and those of `objective`.
        shapes: What is fitted.
        start: Parameters before.
        seen: What the network is fitted to.
        valid: What decides when it stops, by default the same.
    """
    adam = optax.adam(settings["learning_rate"])

    def step(state, _):
        parameters, memory, best, lowest = state
        loss, slope = jax.value_and_grad(partial(objective, settings, shapes))(parameters, seen)
        value = loss if valid is None else objective(settings, shapes, parameters, valid)
        better = value < lowest
        best, lowest = jnp.where(better, parameters, best), jnp.where(better, value, lowest)
        updates, memory = adam.update(slope, memory)
        return (optax.apply_updates(parameters, updates), memory, best, lowest), (loss, value)

    state = start, adam.init(start), start, jnp.array(jnp.inf)
    (last, _, best, _), (losses, values) = jax.lax.scan(step, state, None, length=settings["steps"])
    return FineTuned(best, last, losses, values)


def split_into_folds(data: FineTuningData, folds: int) -> FineTuningData:
    """Events by fold, all folds filled up to the same number with events of no weight."""

    def part(array):
        missing = -len(array) % folds
        padded = jnp.pad(array, [(0, missing)] + [(0, 0)] * (array.ndim - 1))
        return padded.reshape(-1, folds, *array.shape[1:]).swapaxes(0, 1)

    return jax.tree.map(part, data)


def fine_tune_in_folds(
    settings: Mapping[str, Any],
    shapes: Shapes,
    start: Float[Array, " parameter"],
    data: FineTuningData,
    *,
    scaled: bool,
) -> FineTuned:
    """One network for every fold f: stopped on fold f + 1, fitted to all others but f and f + 1.

    Args:
        settings: `folds`, three or more, and those of `fine_tune`.
        shapes: What is fitted.
        start: Parameters before.
        data: All of them.
        scaled: Whether some folds stand for all data, with larger weights.
    """
    folds, parts = settings["folds"], split_into_folds(data, settings["folds"])

    def of_fold(fold):
        _, valid, *seen = (jax.tree.map(lambda array, n=n: array[(fold + n) % folds], parts) for n in range(folds))
        seen = jax.tree.map(lambda *arrays: jnp.concatenate(arrays), *seen)
        if scaled:
            seen, valid = (
                part._replace(weights=part.weights * share)
                for part, share in ((seen, folds / (folds - 2)), (valid, folds))
            )
        return fine_tune(settings, shapes, start, seen, valid)

    return jax.lax.map(of_fold, jnp.arange(folds))


def scores_in_folds(
    network: Mapping[str, Any],
    parameters: Float[Array, "fold parameter"],
    observables: Float[Array, "event observable"],
) -> Float[Array, " event"]:
    """Score of each event from the network of its fold."""
    nothing = jnp.zeros(len(observables))
    parts = split_into_folds(FineTuningData(observables, nothing.astype(int), nothing), len(parameters))
    found = jax.lax.map(lambda job: scores(network, *job), (parameters, parts.observables))
    return found.swapaxes(0, 1).reshape(-1)[: len(observables)]
