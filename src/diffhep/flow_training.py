"""Maximum-likelihood training of an ensemble of flows, and how it is stored."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array, Float

from diffhep import flows, training
from diffhep.compilation import Told
from diffhep.flows import Flow, Scaling, Trained

SCALES = ("event_mean", "event_width", "context_mean", "context_width")


class Pairs(NamedTuple):
    """Events and their contexts, as one sample of `training`.

    Attributes:
        events: what is to be learned.
        context: where.
        weights: how much each event counts.
    """

    events: Float[Array, "sample event feature"]
    context: Float[Array, "sample event condition"]
    weights: Float[Array, "sample event"]


def pairs(
    events: Float[np.ndarray, "event feature"],
    context: Float[np.ndarray, "event condition"],
    weights: Float[np.ndarray, " event"] | None = None,
) -> Pairs:
    """Events of one sample, of weight one by default."""
    weights = np.ones(len(events)) if weights is None else weights
    return Pairs(*jax.device_put([np.asarray(each, np.float32)[None] for each in (events, context, weights)]))


def train(settings: Mapping[str, Any], seen: Pairs, valid: Pairs, *, checkpoint: Path | None = None) -> xr.Dataset:
    """Train an ensemble, and keep of each member the parameters of its best validation loss.

    The loss is the mean of -log q(event | context), weighted with the events' weights (thesis 6.2.1, 9.5); events and
    contexts are scaled to mean 0 and width 1 of those seen (thesis 8.3).

    Args:
        settings: `flow` (keys of `flows.build`), `members`, `iterations`, `evaluate_every`, `batch_size`,
            `learning_rate`, `seed`, `seeds_at_once`.
        seen: What is trained on.
        valid: What it is validated on.
        checkpoint: As in `training.train`.

    Returns:
        Losses `train` and `valid` (member, iteration) in the units of the events, `selected` (member), the iteration
        that is kept, `parameters` (member, parameter) there, and what events and contexts were scaled with.
    """
    found = kept_of_scaled(partial(problem, settings["flow"]), settings, seen, valid, checkpoint=checkpoint)
    units = float(np.sum(np.log(found["event_width"].values)))
    return found.assign({name: found[name] + units for name in ("train", "valid")})


def kept_of_scaled(
    posed: Callable[[Pairs, Pairs], training.Problem],
    settings: Mapping[str, Any],
    seen: Pairs,
    valid: Pairs,
    *,
    checkpoint: Path | None = None,
) -> xr.Dataset:
    """Result of `kept` on events and contexts of mean 0 and width 1, and what they were scaled with.

    Args:
        posed: What makes a problem of scaled events, those that are trained on and those that validate.
        settings: As for `kept`.
        seen: What is trained on, and scaled by.
        valid: What it is validated on.
        checkpoint: As in `training.train`.
    """
    scales = scales_of(seen)
    of_scaled = posed(*(scaled(each, scales) for each in (seen, valid)))
    return kept(of_scaled, settings, checkpoint=checkpoint).assign(stored(scales))


def scales_of(seen: Pairs) -> tuple[Scaling, Scaling]:
    """What gives all these events, and all their contexts, mean 0 and width 1."""
    return tuple(flows.scaling(np.concatenate(np.asarray(each))) for each in (seen.events, seen.context))


def scaled(pairs: Pairs, scales: tuple[Scaling, Scaling]) -> Pairs:
    """The same events, scaled."""
    events, context = (scale(np.asarray(each)) for scale, each in zip(scales, pairs[:2], strict=True))
    return Pairs(*jax.device_put((events, context)), pairs.weights)


def stored(scales: tuple[Scaling, Scaling]) -> dict[str, tuple[str, np.ndarray]]:
    """Variables that hold what events and contexts were scaled with."""
    values = zip(SCALES, (*scales[0], *scales[1]), strict=True)
    return {name: (name.split("_")[0] + "_axis", np.asarray(value)) for name, value in values}


def kept(problem: training.Problem, settings: Mapping[str, Any], *, checkpoint: Path | None = None) -> xr.Dataset:
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
        training.at_once(settings["seeds_at_once"], settings["members"]),
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


def problem(settings: Mapping[str, Any], seen: Pairs, valid: Pairs) -> training.Problem:
    """Maximum likelihood of scaled events in their scaled contexts, for a flow of these settings."""
    flow = flows.build(settings, seen.events.shape[-1], seen.context.shape[-1])
    functions = flow.initialise, Told(_loss, flow), Told(_evaluated, flow)
    return training.Problem("negative log-likelihood", *functions, seen, valid)


def _loss(flow: Flow, parameters: Array, batch: Pairs) -> Array:
    found = flows.scaled_log_density(flow, parameters, batch.events[0], batch.context[0])
    return -jnp.sum(batch.weights[0] * found) / jnp.sum(batch.weights[0])


def _evaluated(flow: Flow, parameters: Array, held_out: Pairs) -> dict[str, Array]:
    found = flows.in_blocks(flow, parameters, held_out.events[0], held_out.context[0])
    valid = -jnp.sum(held_out.weights[0] * found) / jnp.sum(held_out.weights[0])
    return {"valid": valid, "parameters": parameters}


def restored(settings: Mapping[str, Any], trained: xr.Dataset) -> tuple[Flow, Trained]:
    """What was trained: the flow that all members are, and the ensemble of them.

    Args:
        settings: Of the flow (keys of `flows.build`).
        trained: Result of `train`.
    """
    flow = flows.build(settings, trained["event_mean"].size, trained["context_mean"].size)
    return flow, parameters_of(trained)


def parameters_of(trained: xr.Dataset) -> Trained:
    """Parameters and scaling that are stored."""
    values = jax.device_put([trained[name].values for name in ("parameters", *SCALES)])
    return Trained(values[0], Scaling(*values[1:3]), Scaling(*values[3:]))
