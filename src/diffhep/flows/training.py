"""Maximum-likelihood training of an ensemble of flows."""

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
from diffhep.learning import tasks
from diffhep.learning.model_selection import TrainedParameters, standardise_and_train, trained_parameters
from diffhep.samples import ConditionalEvents
from diffhep.static_settings import Bound


def train(
    settings: Mapping[str, Any], seen: ConditionalEvents, valid: ConditionalEvents, *, checkpoint: Path | None = None
) -> xr.Dataset:
    """Train an ensemble of flows, and select the parameters of the lowest validation loss for each member.

    The loss is the weighted mean of -log q(event | context) (thesis 6.2.1, 9.5). Events and contexts are scaled to the
    mean 0 and width 1 of the training sample (thesis 8.3).

    Args:
        settings: `flow` (settings of `autoregressive.autoregressive_flow`); `members`, the number of flows;
            `iterations`, the number of optimiser steps; `evaluate_every`, the steps between two validations;
            `batch_size`; `learning_rate` of Adam; `seed` of the first member; `seeds_at_once`, the members trained in
            parallel.
        seen: Training sample.
        valid: Validation sample.
        checkpoint: File of the checkpoint, see `learning.training.train`.

    Returns:
        Losses `train` and `valid` (member, iteration) in the units of the events; `selected` (member), the step of
        the lowest validation loss; `parameters` (member, parameter) at that step; and the scaling of events and
        contexts (`event_mean`, `event_width`, `context_mean`, `context_width`).
    """
    result = standardise_and_train(
        partial(likelihood_task, settings["flow"]), settings, seen, valid, checkpoint=checkpoint
    )
    log_widths = float(np.sum(np.log(result["event_width"].values)))
    return result.assign({name: result[name] + log_widths for name in ("train", "valid")})


def likelihood_task(settings: Mapping[str, Any], seen: ConditionalEvents) -> tasks.Task:
    """Build the training task of a flow: maximum likelihood of scaled events given their scaled contexts.

    Args:
        settings: Settings of `autoregressive.autoregressive_flow`.
        seen: Scaled training sample.

    Returns:
        The task.
    """
    flow = autoregressive.autoregressive_flow(settings, seen.events.shape[-1], seen.context.shape[-1])
    functions = flow.initialise, Bound(_loss, flow), Bound(_evaluate, flow)
    return tasks.Task("negative log-likelihood", *functions)


def _loss(flow: Flow, parameters: Array, batch: ConditionalEvents) -> Array:
    log_density = flows_flow.scaled_log_density(flow, parameters, batch.events[0], batch.context[0])
    return -jnp.sum(batch.weights[0] * log_density) / jnp.sum(batch.weights[0])


def _evaluate(flow: Flow, parameters: Array, valid: ConditionalEvents) -> dict[str, Array]:
    log_density = flows_flow.blockwise_scaled_log_density(flow, parameters, valid.events[0], valid.context[0])
    loss = -jnp.sum(valid.weights[0] * log_density) / jnp.sum(valid.weights[0])
    return {"valid": loss, "parameters": parameters}


def restore(settings: Mapping[str, Any], trained: xr.Dataset) -> tuple[Flow, TrainedParameters]:
    """Restore a trained ensemble.

    Args:
        settings: Settings of `autoregressive.autoregressive_flow`.
        trained: Result of `train`.

    Returns:
        The flow, and the parameters of all members with their scaling.
    """
    flow = autoregressive.autoregressive_flow(settings, trained["event_mean"].size, trained["context_mean"].size)
    return flow, trained_parameters(trained)
