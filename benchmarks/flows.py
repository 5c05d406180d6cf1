"""Training of flows: an ensemble in one program over flowjax's own training step in a Python loop."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from typing import Any

import equinox as eqx
import flowjax
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flowjax.distributions import StandardNormal, Transformed
from flowjax.train.losses import MaximumLikelihoodLoss
from flowjax.train.train_utils import step

from benchmarks import pinned
from diffhep import prng, samples
from diffhep.flows import autoregressive
from diffhep.flows import training as flow_training
from diffhep.learning import tasks, training


def member_step(settings: Mapping[str, Any], processes: list[ProcessPoolExecutor]) -> dict[str, Any]:
    """A row: iterations of an ensemble in one program, a job on every core, over a Python loop on all cores."""
    cores = len(processes)
    return {
        "work": f"training of {settings['members']} flows of {settings['flow']['layers']} affine layers, batches of "
        f"{settings['batch_size']}: ours one program in each of {cores} one-core jobs, peer a Python loop on {cores} "
        "cores (ratio: times ours is faster)",
        "peer_version": f"flowjax {flowjax.__version__}",
        **pinned.beside_a_loop(processes, train_members, theirs(settings), settings, settings["members"]),
    }


def pairs(settings: Mapping[str, Any]) -> samples.ConditionalEvents:
    """Events and contexts of the size that one iteration takes."""
    events, context = np.random.default_rng(0).normal(size=(2, settings["batch_size"], 2))
    return samples.conditional_events(events + context, context)


def problem(settings: Mapping[str, Any]) -> tuple[tasks.Task, tasks.TrainingData]:
    """What the study of interpolation trains, on these events."""
    events = pairs(settings)
    return flow_training.likelihood_task(settings["flow"], events), tasks.TrainingData(events, events)


@cache
def _our_members(text: str) -> Callable[[], None]:
    settings = json.loads(text)
    schedule = tasks.Schedule(1, settings["batch_size"], settings["learning_rate"], steps=settings["steps"])
    programs = training.compile_programs(*problem(settings), schedule, range(settings["members"]))
    state = programs.start()
    return lambda: jax.block_until_ready(programs.advance(state, 1))


def train_members(text: str) -> None:
    """Iterations of all members, settings in JSON: in a process of its own, where the first call compiles."""
    _our_members(text)()


def peer_parts(settings: Mapping[str, Any]) -> tuple[Any, Any]:
    """Flowjax's distribution with the bijection that ours has at first: what is trained of it, and the rest."""
    flow = autoregressive.autoregressive_flow(settings["flow"], 2, 2)
    first = flow.initialise(prng.key(0, prng.INITIALISE))
    return eqx.partition(Transformed(StandardNormal((2,)), flow.bijection(first)), eqx.is_inexact_array)


def theirs(settings: Mapping[str, Any]) -> Callable[[], None]:
    """Iterations of one member in a Python loop."""
    start, static = peer_parts(settings)
    optimiser, loss = optax.adam(settings["learning_rate"]), MaximumLikelihoodLoss()
    memory, batch = optimiser.init(start), pairs(settings)
    data = batch.events[0], batch.context[0]

    def run():
        parameters, state = start, memory
        for _ in range(settings["steps"]):
            parameters, state, _ = step(parameters, static, *data, optimizer=optimiser, opt_state=state, loss_fn=loss)
        jax.block_until_ready(jax.tree.leaves(parameters))

    return run


def losses(settings: Mapping[str, Any]) -> tuple[float, float]:
    """Our loss and theirs of the same flow and events, which have to agree."""
    task, data = problem(settings)
    ours = task.loss(task.initialise(prng.key(0, prng.INITIALISE)), data.events)
    start, static = peer_parts(settings)
    peer = MaximumLikelihoodLoss()(start, static, data.events.events[0], data.events.context[0])
    return float(ours), float(jnp.asarray(peer))
