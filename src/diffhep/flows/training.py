"""Maximum-likelihood training of an ensemble of flows, and how it is stored."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array

from diffhep.flows import autoregressive
from diffhep.flows import flow as flows_flow
from diffhep.flows.flow import Flow
from diffhep.learning import training
from diffhep.learning.model_selection import TrainedParameters, standardise_and_train, trained_parameters
from diffhep.samples import ConditionalEvents
from diffhep.static_settings import Bound


def train(
    settings: Mapping[str, Any], seen: ConditionalEvents, valid: ConditionalEvents, *, checkpoint: Path | None = None
) -> xr.Dataset:
    """Train an ensemble, and keep of each member the parameters of its best validation loss.

    The loss is the mean of -log q(event | context), weighted with the events' weights (thesis 6.2.1, 9.5); events and
    contexts are scaled to mean 0 and width 1 of those seen (thesis 8.3).

    Args:
        settings: `flow` (keys of `flow.build`), `members`, `iterations`, `evaluate_every`, `batch_size`,
            `learning_rate`, `seed`, `seeds_at_once`.
        seen: What is trained on.
        valid: What it is validated on.
        checkpoint: As in `training.train`.

    Returns:
        Losses `train` and `valid` (member, iteration) in the units of the events, `selected` (member), the iteration
        that is kept, `parameters` (member, parameter) there, and what events and contexts were scaled with.
    """
    found = standardise_and_train(
        partial(likelihood_task, settings["flow"]), settings, seen, valid, checkpoint=checkpoint
    )
    units = float(np.sum(np.log(found["event_width"].values)))
    return found.assign({name: found[name] + units for name in ("train", "valid")})


def likelihood_task(settings: Mapping[str, Any], seen: ConditionalEvents, valid: ConditionalEvents) -> training.Problem:
    """Maximum likelihood of scaled events in their scaled contexts, for a flow of these settings."""
    flow = autoregressive.autoregressive_flow(settings, seen.events.shape[-1], seen.context.shape[-1])
    functions = flow.initialise, Bound(_loss, flow), Bound(_evaluated, flow)
    return training.Problem("negative log-likelihood", *functions, seen, valid)


def _loss(flow: Flow, parameters: Array, batch: ConditionalEvents) -> Array:
    found = flows_flow.scaled_log_density(flow, parameters, batch.events[0], batch.context[0])
    return -jnp.sum(batch.weights[0] * found) / jnp.sum(batch.weights[0])


def _evaluated(flow: Flow, parameters: Array, held_out: ConditionalEvents) -> dict[str, Array]:
    found = flows_flow.blockwise_scaled_log_density(flow, parameters, held_out.events[0], held_out.context[0])
    valid = -jnp.sum(held_out.weights[0] * found) / jnp.sum(held_out.weights[0])
    return {"valid": valid, "parameters": parameters}


def restore(settings: Mapping[str, Any], trained: xr.Dataset) -> tuple[Flow, TrainedParameters]:
    """What was trained: the flow that all members are, and the ensemble of them.

    Args:
        settings: Of the flow (keys of `flow.build`).
        trained: Result of `train`.
    """
    flow = autoregressive.autoregressive_flow(settings, trained["event_mean"].size, trained["context_mean"].size)
    return flow, trained_parameters(trained)
