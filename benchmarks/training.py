"""Training steps: what CLs costs over cross-entropy, and nine seeds in one program over a Python loop."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from typing import Any

import jax
import numpy as np
from jax.flatten_util import ravel_pytree

from benchmarks import peers, pinned
from diffhep import prng
from diffhep.learning import tasks, training
from diffhep.peers import relaxed, timing
from diffhep.studies.blobs import observable, stages
from diffhep.studies.blobs.settings import Generation, Run
from diffhep.typed_settings import from_plain

OBJECTIVES = ("cls", "bce_augmented")


def step_cost(settings: Mapping[str, Any]) -> dict[str, Any]:
    """A row: one CLs step over one of augmented cross-entropy, with us and with relaxed, on all cores."""
    sides = {"ours": {name: ours(settings, name, seeds=1) for name in OBJECTIVES}, "peer": theirs(settings)}
    works = {(side, name): work for side, both in sides.items() for name, work in both.items()}
    taken = timing.time_in_turns(works, settings["repeats"])
    return {
        "work": "cost of a CLs step over that of an augmented cross-entropy step on the same four samples, "
        f"network {_shape(settings)} (ratio: CLs / cross-entropy of ours; neos paper 3, thesis 3 to 4)",
        **{side: _relative(taken[side, "cls"], taken[side, "bce_augmented"], settings["steps"]) for side in sides},
        "peer_version": relaxed.NAME,
        "ratio": np.median(taken["ours", "cls"] / taken["ours", "bce_augmented"]),
    }


def seed_step(settings: Mapping[str, Any], processes: list[ProcessPoolExecutor]) -> dict[str, Any]:
    """A row: training of all seeds in one program, a job on every core, over a Python loop on all cores."""
    cores = len(processes)
    return {
        "work": f"CLs training of {settings['seeds']} seeds, network {_shape(settings)}: ours one program in "
        f"each of {cores} one-core jobs, peer a Python loop on {cores} cores (ratio: times ours is faster)",
        "peer_version": relaxed.NAME,
        **pinned.beside_a_loop(processes, train_seeds, theirs(settings)["cls"], settings, settings["seeds"]),
    }


def _shape(settings: Mapping[str, Any]) -> str:
    return "x".join(map(str, settings["widths"]))


def _relative(seconds: np.ndarray, reference: np.ndarray, steps: int) -> str:
    """How many times the reference, and both of them."""
    times, above, below = (
        np.median(seconds / reference),
        *(1e3 * np.median(s) / steps for s in (seconds, reference)),
    )
    return f"{times:.2f} x ({above:.1f} / {below:.1f} ms/step)"


def problem(settings: Mapping[str, Any], objective: str) -> tuple[tasks.Task, tasks.TrainingData]:
    """Task and data of the study of blobs, with as many events as the steps of an epoch need."""
    events = settings["batch_size"] * settings["steps"]
    data = {"seed": settings["seed"], "means": settings["means"], "events": 2 * events, "test_fraction": 0.5}
    run = {key: settings[key] for key in Run.model_fields if key in settings}
    run |= {"epochs": 1, "seeds": 1, "objective": {objective: 1.0}}
    return observable.build_task(from_plain(Run, run), stages.generate(from_plain(Generation, data)))


def ours(settings: Mapping[str, Any], objective: str, seeds: int) -> Callable[[], None]:
    """One epoch of all seeds in our compiled program."""
    schedule = tasks.Schedule(1, *(settings[key] for key in ("batch_size", "learning_rate", "seeds_at_once")))
    programs = training.compile_programs(*problem(settings, objective), schedule, range(seeds))
    state = programs.start()
    return lambda: jax.block_until_ready(programs.advance(state, 1))


@cache
def _our_seeds(text: str) -> Callable[[], None]:
    settings = json.loads(text)
    return ours(settings, "cls", settings["seeds"])


def train_seeds(text: str) -> None:
    """One epoch of all seeds, settings in JSON: in a process of its own, where the first call compiles."""
    _our_seeds(text)()


def theirs(settings: Mapping[str, Any]) -> dict[str, Callable[[], None]]:
    """One epoch of one seed in a Python loop, for each objective."""
    task, data = problem(settings, "cls")
    parameters = task.initialise(prng.key(0, prng.INITIALISE)).network
    return {
        name: peers.python_loop(loss, parameters, data.events.features, settings)
        for name, loss in peers.relaxed_losses(settings).items()
    }


def losses(settings: Mapping[str, Any]) -> dict[str, list[tuple[float, np.ndarray]]]:
    """Loss and gradient of each objective, ours and theirs, which have to agree; same network and events."""
    values_by_objective = {}
    for name, loss in peers.relaxed_losses(settings).items():
        task, data = problem(settings, name)
        trained = task.initialise(prng.key(0, prng.INITIALISE))
        both = [(task.loss, trained, data.events), (loss, trained.network, data.events.features)]
        values = [jax.jit(jax.value_and_grad(side))(start, events) for side, start, events in both]
        values_by_objective[name] = [
            (float(value), np.asarray(ravel_pytree(gradient)[0])) for value, gradient in values
        ]
    return values_by_objective
