"""Contrastive normalizing flows: densities trained towards signal events and away from background events.

L = -E_s[log p(x)] + c E_b[log p(x)] (contrastive flows eq. 5) is minimised, among densities, by

    p*(x) = max(p_s(x) - c p_b(x), 0) / lambda_c                                                   (eq. 10)

The loss has no lower bound: where p_s < c p_b it decreases with log p without limit. So log p of each background event
is clamped from below at a floor k. The paper's text clamps the loss of a whole batch instead; below the floor a batch
then has no gradient at all (`clamp: batch`).
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.scipy.special import expit
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from diffhep.flows import coupling
from diffhep.flows import flow as flows_flow
from diffhep.flows.flow import Flow
from diffhep.learning import model_selection, tasks
from diffhep.learning.model_selection import TrainedParameters
from diffhep.samples import ConditionalEvents
from diffhep.static_settings import Bound


def contrastive_loss(
    log_density: Float[Array, "2 event"], weights: Float[Array, "2 event"], *, floor: float, clamp: str
) -> Float[Array, ""]:
    """Contrastive loss of a batch, mean(-w_s log p(x_s)) + mean(w_b log p(x_b)).

    Args:
        log_density: Log density of every event, signal first.
        weights: Weights of the events: of mean one in the signal, of mean c (the strength) in the background.
        floor: Lower bound k; -50 in the paper.
        clamp: What is bounded: log p of every background `event`, or the loss of the `batch`.

    Returns:
        The loss.

    Raises:
        ValueError: The clamp is unknown.
    """
    if clamp not in ("event", "batch"):
        raise ValueError(f"clamp {clamp!r} is unknown; choose event or batch")
    background = jnp.maximum(log_density[1], floor) if clamp == "event" else log_density[1]
    loss = jnp.mean(weights[1] * background) - jnp.mean(weights[0] * log_density[0])
    return loss if clamp == "event" else jnp.maximum(loss, floor)


def optimal_density(
    signal: Float[np.ndarray, "*axis"], background: Float[np.ndarray, "*axis"], strength: float
) -> Float[np.ndarray, "*axis"]:
    """Density that minimises the contrastive loss, up to its norm: lambda_c p* = max(p_s - c p_b, 0) (eq. 10).

    Args:
        signal: True density of the signal.
        background: True density of the background.
        strength: Strength c of the contrast.

    Returns:
        The density before normalisation.
    """
    return np.maximum(signal - strength * background, 0.0)


@jax.jit
def discrimination(
    log_density: Float[Array, "*axis"], centre: float | Array = 0.0, width: float | Array = 1.0
) -> Float[Array, "*axis"]:
    """Discrimination function Phi = p / (1 + p) = sigmoid(log p) (contrastive flows section 4).

    In more than a few dimensions p is so small that this is zero for all events in float32. It is not with the median
    and the interquartile range of log p of the training events as `centre` and `width` (ours). Both are monotone in p.

    Args:
        log_density: Log density of the events.
        centre: Subtracted from the log density; 0 as printed.
        width: Divides the log density; 1 as printed.

    Returns:
        Phi of each event, between 0 and 1.
    """
    return expit((log_density - centre) / width)


def train(
    settings: Mapping[str, Any], seen: ConditionalEvents, valid: ConditionalEvents, *, checkpoint: Path | None = None
) -> xr.Dataset:
    """Train contrastive flows, and select the parameters of the lowest validation loss for each.

    Args:
        settings: `flow` (settings of `coupling.coupling_flow`); `strength` c (0 trains an ordinary normalizing flow);
            `floor` and `clamp` of `contrastive_loss`; `members`, the number of flows; `iterations`, the number of
            optimiser steps; `evaluate_every`, the steps between two validations; `batch_size`; `learning_rate` of
            Adam; `seed` of the first member; `seeds_at_once`, the members trained in parallel.
        seen: Training sample from `classifiers.combine_classes`, signal first.
        valid: Validation sample from `classifiers.combine_classes`.
        checkpoint: File of the checkpoint, see `learning.training.train`.

    Returns:
        Losses `train` and `valid` (member, iteration) in the units of the scaled events; `selected` (member), the step
        of the lowest validation loss; `parameters` (member, parameter) at that step; and the scaling of the events.
    """
    factors = np.array([[1.0], [settings["strength"]]], np.float32)
    # the strength enters through the weights, so that flows of every strength share one compiled program
    seen, valid = (
        sample._replace(weights=jax.device_put(np.asarray(sample.weights) * factors)) for sample in (seen, valid)
    )
    return model_selection.standardise_and_train(
        partial(contrastive_task, settings), settings, seen, valid, checkpoint=checkpoint
    )


def contrastive_task(settings: Mapping[str, Any], seen: ConditionalEvents) -> tasks.Task:
    """Build the training task of a contrastive flow on scaled events.

    Args:
        settings: Settings of `train`.
        seen: Scaled training sample, signal first.

    Returns:
        The task.
    """
    flow = coupling.coupling_flow(settings["flow"], seen.events.shape[-1])
    static = flow, settings["floor"], settings["clamp"]
    functions = flow.initialise, Bound(_loss, static), Bound(_evaluate, static)
    return tasks.Task("contrastive loss", *functions)


def _loss(
    static: tuple[Flow, float, str], parameters: Array, batch: ConditionalEvents, density=flows_flow.scaled_log_density
) -> Array:
    flow, floor, clamp = static
    events, context = (array.reshape(batch.weights.size, -1) for array in batch[:2])
    values = density(flow, parameters, events, context).reshape(batch.weights.shape)
    return contrastive_loss(values, batch.weights, floor=floor, clamp=clamp)


def _evaluate(static: tuple[Flow, float, str], parameters: Array, valid: ConditionalEvents) -> dict[str, Array]:
    loss = _loss(static, parameters, valid, flows_flow.blockwise_scaled_log_density)
    return {"valid": loss, "parameters": parameters}


def restore(settings: Mapping[str, Any], trained: xr.Dataset) -> tuple[Flow, TrainedParameters]:
    """Restore the first trained flow.

    Args:
        settings: Settings of `coupling.coupling_flow`.
        trained: Result of `train`.

    Returns:
        The flow, and its parameters with the scaling of the events.
    """
    return coupling.coupling_flow(settings, trained["event_mean"].size), _first_member(trained)


def _first_member(trained: xr.Dataset) -> TrainedParameters:
    ensemble = model_selection.trained_parameters(trained)
    return ensemble._replace(parameters=ensemble.parameters[0])


def log_density(
    flow: Flow, trained: TrainedParameters, events: Float[ArrayLike, "event feature"]
) -> Float[Array, " event"]:
    """Log density of events, in their own units.

    Args:
        flow: Architecture.
        trained: Parameters of one flow, and the scaling of the events.
        events: Events.

    Returns:
        Log densities.
    """
    return flows_flow.log_density(flow, trained, events, np.zeros((len(events), 0)))


def log_density_function(settings: Mapping[str, Any], dimension: int) -> Callable[[xr.Dataset, np.ndarray], np.ndarray]:
    """Build a function that evaluates log densities, compiled once for all flows of these settings.

    Args:
        settings: Settings of `coupling.coupling_flow`.
        dimension: Number of features of an event.

    Returns:
        Function of a result of `train` and events (*axis, feature) that returns log densities (*axis).
    """
    flow = coupling.coupling_flow(settings, dimension)

    def evaluate(trained, events):
        flat = np.asarray(events.reshape(-1, events.shape[-1]), np.float32)
        return np.asarray(log_density(flow, _first_member(trained), flat), float).reshape(events.shape[:-1])

    return evaluate
