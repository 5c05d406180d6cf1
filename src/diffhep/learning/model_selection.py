"""Training of ensembles that selects the parameters of the lowest validation loss."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import xarray as xr
from jaxtyping import Array, Float

from diffhep.learning import training
from diffhep.learning.scaling import SCALING_VARIABLES, Scaling, fit_scalings, scale, to_variables
from diffhep.learning.tasks import Schedule, Task, TrainingData
from diffhep.samples import ConditionalEvents


class TrainedParameters(NamedTuple):
    """Trained parameters and the scaling of their inputs.

    Attributes:
        parameters: Parameters of a flow or a classifier, of one or of all members of an ensemble.
        events: Scaling of the events.
        context: Scaling of the conditioning variables.
    """

    parameters: Float[Array, "*member parameter"]
    events: Scaling
    context: Scaling


def standardise_and_train(
    make_task: Callable[[ConditionalEvents], Task],
    settings: Mapping[str, Any],
    seen: ConditionalEvents,
    valid: ConditionalEvents,
    *,
    checkpoint: Path | None = None,
) -> xr.Dataset:
    """Scale events and conditioning variables to mean 0 and standard deviation 1, train, and select the best.

    Args:
        make_task: Builds the task from the scaled training sample.
        settings: Settings of `train_and_select_best`.
        seen: Training sample, which defines the scaling.
        valid: Validation sample.
        checkpoint: File of the checkpoint, see `training.train`.

    Returns:
        Result of `train_and_select_best`, and the variables of the scaling.
    """
    scalings = fit_scalings(seen)
    seen, valid = (scale(sample, scalings) for sample in (seen, valid))
    result = train_and_select_best(make_task(seen), TrainingData(seen, valid), settings, checkpoint=checkpoint)
    return result.assign(to_variables(scalings))


def train_and_select_best(
    task: Task, data: TrainingData, settings: Mapping[str, Any], *, checkpoint: Path | None = None
) -> xr.Dataset:
    """Train the members of an ensemble, and select the parameters of the lowest validation loss for each.

    Args:
        task: Task whose evaluation returns `valid`, a loss, and `parameters`, a vector.
        data: Samples of events.
        settings: `iterations`, the number of optimiser steps; `evaluate_every`, the steps between two evaluations;
            `batch_size`; `learning_rate` of Adam; `members`, the size of the ensemble; `seed` of the first member;
            `seeds_at_once`, the members computed side by side, or `auto`.
        checkpoint: File of the checkpoint, see `training.train`.

    Returns:
        Losses `train` and `valid` (member, iteration); `selected` (member), the step of the lowest validation loss; and
        `parameters` (member, parameter) at that step.
    """
    interval = settings["evaluate_every"]
    schedule = Schedule(
        settings["iterations"] // interval,
        settings["batch_size"],
        settings["learning_rate"],
        training.parallel_seeds(settings["seeds_at_once"], settings["members"]),
        steps=interval,
    )
    seeds = range(settings["seed"], settings["seed"] + settings["members"])
    history, _ = training.train(task, data, schedule, seeds, checkpoint=checkpoint)
    best = np.argmin(history["valid"], axis=1)
    return xr.Dataset(
        {
            "train": (("member", "iteration"), history["loss"]),
            "valid": (("member", "iteration"), history["valid"]),
            "selected": ("member", interval * best),
            "parameters": (("member", "parameter"), history["parameters"][np.arange(len(best)), best]),
        },
        coords={"member": list(seeds), "iteration": interval * np.arange(schedule.epochs + 1)},
    )


def trained_parameters(trained: xr.Dataset) -> TrainedParameters:
    """Read parameters and scalings from a result of `standardise_and_train`."""
    values = jax.device_put([trained[name].values for name in ("parameters", *SCALING_VARIABLES)])
    return TrainedParameters(values[0], Scaling(*values[1:3]), Scaling(*values[3:]))
