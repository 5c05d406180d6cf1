"""Training that selects the parameters of the lowest validation loss."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import xarray as xr
from jaxtyping import Array, Float

from diffhep.learning import training
from diffhep.learning.scaling import SCALING_VARIABLES, Scaling, fit_scalings, scale, to_variables
from diffhep.samples import ConditionalEvents


class TrainedParameters(NamedTuple):
    """What makes a flow that of certain data.

    Attributes:
        parameters: of the flow.
        events: scaling of the events.
        context: scaling of the context.
    """

    parameters: Float[Array, "*member parameter"]
    events: Scaling
    context: Scaling


def standardise_and_train(
    posed: Callable[[ConditionalEvents, ConditionalEvents], training.Problem],
    settings: Mapping[str, Any],
    seen: ConditionalEvents,
    valid: ConditionalEvents,
    *,
    checkpoint: Path | None = None,
) -> xr.Dataset:
    """Result of `train_and_select_best` on events and contexts of mean 0 and width 1, and what they were scaled with.

    Args:
        posed: What makes a problem of scaled events, those that are trained on and those that validate.
        settings: As for `train_and_select_best`.
        seen: What is trained on, and scaled by.
        valid: What it is validated on.
        checkpoint: As in `training.train`.
    """
    scales = fit_scalings(seen)
    of_scaled = posed(*(scale(each, scales) for each in (seen, valid)))
    return train_and_select_best(of_scaled, settings, checkpoint=checkpoint).assign(to_variables(scales))


def train_and_select_best(
    problem: training.Problem, settings: Mapping[str, Any], *, checkpoint: Path | None = None
) -> xr.Dataset:
    """Train every member, and keep its parameters of the best validation loss.

    Args:
        problem: What is trained; it is evaluated to `valid`, a loss, and `parameters`, a vector.
        settings: As for `train`, without `flow`.
        checkpoint: As in `training.train`.

    Returns:
        `train` and `valid` (member, iteration), `selected` (member), `parameters` (member, parameter).
    """
    every = settings["evaluate_every"]
    schedule = training.Schedule(
        settings["iterations"] // every,
        settings["batch_size"],
        settings["learning_rate"],
        training.parallel_seeds(settings["seeds_at_once"], settings["members"]),
        steps=every,
    )
    seeds = range(settings["seed"], settings["seed"] + settings["members"])
    history, _ = training.train(problem, schedule, seeds, checkpoint=checkpoint)
    best = np.argmin(history["valid"], axis=1)
    return xr.Dataset(
        {
            "train": (("member", "iteration"), history["loss"]),
            "valid": (("member", "iteration"), history["valid"]),
            "selected": ("member", every * best),
            "parameters": (("member", "parameter"), history["parameters"][np.arange(len(best)), best]),
        },
        coords={"member": list(seeds), "iteration": every * np.arange(schedule.epochs + 1)},
    )


def trained_parameters(trained: xr.Dataset) -> TrainedParameters:
    """Parameters and scaling that are stored."""
    values = jax.device_put([trained[name].values for name in ("parameters", *SCALING_VARIABLES)])
    return TrainedParameters(values[0], Scaling(*values[1:3]), Scaling(*values[3:]))
