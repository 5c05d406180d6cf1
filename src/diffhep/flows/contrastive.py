"""Contrastive normalizing flows: densities that are drawn to one class of events and shun another.

L = -E_s[log p(x)] + c E_b[log p(x)] (contrastive flows eq. 5) is least, among densities, for

    p*(x) = max(p_s(x) - c p_b(x), 0) / lambda_c                                                   (eq. 10)

The loss has no lower bound, for where p_s < c p_b it falls for ever with log p. So log p of a shunned event counts for
no less than a floor k, event by event; the paper's text bounds the loss of a whole batch instead, after which no batch
has a gradient any more (`clamp: batch`).
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
from diffhep.learning import model_selection, training
from diffhep.learning.model_selection import TrainedParameters
from diffhep.samples import ConditionalEvents
from diffhep.static_settings import Bound


def contrastive_loss(
    log_density: Float[Array, "2 event"], weights: Float[Array, "2 event"], *, floor: float, clamp: str
) -> Float[Array, ""]:
    """The loss of a batch, mean(-w_s log p(x_s)) + mean(w_b log p(x_b)), the class that is wanted first.

    Args:
        log_density: log p of every event.
        weights: of mean one in the class that is wanted, of mean c in the one that is shunned.
        floor: k, the paper's -50.
        clamp: what is kept above it: log p of every shunned `event`, or the loss of the `batch`.

    Raises:
        ValueError: The clamp is none of these.
    """
    if clamp not in ("event", "batch"):
        raise ValueError(f"clamp {clamp!r} is unknown; choose event or batch")
    shunned = jnp.maximum(log_density[1], floor) if clamp == "event" else log_density[1]
    loss = jnp.mean(weights[1] * shunned) - jnp.mean(weights[0] * log_density[0])
    return loss if clamp == "event" else jnp.maximum(loss, floor)


def optimal_density(
    wanted: Float[np.ndarray, "*axis"], shunned: Float[np.ndarray, "*axis"], strength: float
) -> Float[np.ndarray, "*axis"]:
    """lambda_c p*(x) = max(p_s - c p_b, 0), the best density up to its norm (eq. 10), of both true densities."""
    return np.maximum(wanted - strength * shunned, 0.0)


@jax.jit
def discrimination(
    log_density: Float[Array, "*axis"], centre: float | Array = 0.0, width: float | Array = 1.0
) -> Float[Array, "*axis"]:
    """Phi = p / (1 + p) = sigmoid(log p), by default as printed (contrastive flows section 4).

    In more than a few dimensions p is so small that this is zero for all events in float32. With the median and the
    interquartile range of log p of the training events as `centre` and `width` it is not (ours); both are monotone.
    """
    return expit((log_density - centre) / width)


def train(
    settings: Mapping[str, Any], seen: ConditionalEvents, valid: ConditionalEvents, *, checkpoint: Path | None = None
) -> xr.Dataset:
    """Train a flow, and keep its parameters of the best validation loss.

    Args:
        settings: `flow` (keys of `coupling.coupling_flow`), the `strength` c (0 makes an ordinary normalizing flow),
            `floor` and `clamp` of `contrastive_loss`, and the keys of `training.kept`.
        seen: What is trained on, from `classifiers.combine_classes`: the class that is wanted, and the one that is shunned.
        valid: What it is validated on.
        checkpoint: As in `training.train`.

    Returns:
        As of `training.train`; losses in the units of the scaled events.
    """
    return model_selection.standardise_and_train(
        partial(contrastive_task, settings), settings, seen, valid, checkpoint=checkpoint
    )


def contrastive_task(
    settings: Mapping[str, Any], seen: ConditionalEvents, valid: ConditionalEvents
) -> training.Problem:
    """The contrastive loss of scaled events."""
    flow = coupling.coupling_flow(settings["flow"], seen.events.shape[-1])

    # the strength is data, so that flows of every strength are one program
    def contrasted(each: ConditionalEvents) -> ConditionalEvents:
        factors = np.array([[1.0], [settings["strength"]]], np.float32)
        return each._replace(weights=jax.device_put(np.asarray(each.weights) * factors))

    told = flow, settings["floor"], settings["clamp"]
    functions = flow.initialise, Bound(_loss, told), Bound(_evaluated, told)
    return training.Problem("contrastive loss", *functions, contrasted(seen), contrasted(valid))


def _loss(
    told: tuple[Flow, float, str], parameters: Array, batch: ConditionalEvents, density=flows_flow.scaled_log_density
) -> Array:
    flow, floor, clamp = told
    events, context = (each.reshape(batch.weights.size, -1) for each in batch[:2])
    found = density(flow, parameters, events, context).reshape(batch.weights.shape)
    return contrastive_loss(found, batch.weights, floor=floor, clamp=clamp)


def _evaluated(told: tuple[Flow, float, str], parameters: Array, held_out: ConditionalEvents) -> dict[str, Array]:
    return {
        "valid": _loss(told, parameters, held_out, flows_flow.blockwise_scaled_log_density),
        "parameters": parameters,
    }


def restore(settings: Mapping[str, Any], trained: xr.Dataset) -> tuple[Flow, TrainedParameters]:
    """The flow and its first member, from settings of `coupling.coupling_flow` and the result of `train`."""
    return coupling.coupling_flow(settings, trained["event_mean"].size), _first(trained)


def _first(trained: xr.Dataset) -> TrainedParameters:
    found = model_selection.trained_parameters(trained)
    return found._replace(parameters=found.parameters[0])


def log_density(
    flow: Flow, trained: TrainedParameters, events: Float[ArrayLike, "event feature"]
) -> Float[Array, " event"]:
    """Logarithm of p of events, in their own units."""
    return flows_flow.log_density(flow, trained, events, np.zeros((len(events), 0)))


def log_density_function(settings: Mapping[str, Any], dimension: int) -> Callable[[xr.Dataset, np.ndarray], np.ndarray]:
    """What evaluates log p (*axis) of events (*axis, feature) by a trained flow: compiled once for all of one shape.

    Args:
        settings: Of the flows, keys of `coupling.coupling_flow`.
        dimension: Features of an event.
    """
    flow = coupling.coupling_flow(settings, dimension)

    def of(trained, events):
        flat = np.asarray(events.reshape(-1, events.shape[-1]), np.float32)
        return np.asarray(log_density(flow, _first(trained), flat), float).reshape(events.shape[:-1])

    return of
