"""Training steps: what CLs costs over cross-entropy, and nine seeds in one program over a Python loop."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import peers, timing
from diffhep import training
from diffhep.data.blobs import Events
from diffhep.studies import blobs

OBJECTIVES = ("cls", "bce_augmented")


def step_cost(settings: Mapping[str, Any], network: list[int]) -> dict[str, Any]:
    """One row: a CLs step over an augmented cross-entropy step, with us and with relaxed, one seed on all cores."""
    settings = {**settings, "network": network}
    sides = {"ours": {o: ours(settings, o, 1) for o in OBJECTIVES}, "peer": theirs(settings, 1)}
    works = {(side, o): work for side, objectives in sides.items() for o, work in objectives.items()}
    taken = timing.turns(works, settings["repeats"])
    ratios = {side: float(np.median(taken[side, "cls"] / taken[side, "bce_augmented"])) for side in sides}
    milliseconds = {key: 1e3 * np.median(seconds) / settings["steps"] for key, seconds in taken.items()}
    told = {
        side: f"{ratios[side]:.2f} ({milliseconds[side, 'cls']:.1f} / {milliseconds[side, 'bce_augmented']:.1f} ms/step)"
        for side in sides
    }
    work = (
        f"cost of a CLs step / cost of an augmented cross-entropy step, network {_shape(network)}; "
        "ratio is that of ours, lower is better (neos 4: 3, thesis: 3 to 4)"
    )
    return {"work": work, **told, "peer_version": peers.RELAXED, "ratio": ratios["ours"]}


def seed_step(settings: Mapping[str, Any], processes: list[ProcessPoolExecutor]) -> dict[str, Any]:
    """One row: CLs training of all seeds in one program, a job on every core, over a Python loop on all cores."""
    seeds, jobs = settings["seeds"], len(processes)
    text = json.dumps(settings)
    works = {
        "ours": lambda: timing.in_all(processes, train_seeds, text),
        "peer": theirs(settings, seeds)["cls"],
    }
    taken = timing.turns(works, settings["repeats"])
    taken["ours"] = taken["ours"] / jobs  # each job trained all seeds
    told = {
        side: f"{1e3 * np.median(s) / seeds / settings['steps']:.1f} ms/seed-step"
        for side, s in taken.items()
    }
    work = (
        f"CLs training, network {_shape(settings['network'])}: {seeds} seeds in one program, {jobs} such jobs of one core "
        f"each, against a Python loop over single-seed steps on {jobs} cores; ratio is how many times faster ours is"
    )
    ratio = float(np.median(taken["peer"] / taken["ours"]))
    return {"work": work, **told, "peer_version": peers.RELAXED, "ratio": ratio}


def ours(settings: Mapping[str, Any], objective: str, seeds: int) -> Callable[[], None]:
    """One epoch of all seeds in our compiled program."""
    problem, schedule = our_problem(settings, objective), blobs._schedule({**settings, "epochs": 1})
    start, advance = training.programs(
        problem._replace(evaluate=lambda parameters: {}), schedule, range(seeds)
    )
    state, _ = start()
    return lambda: jax.block_until_ready(advance(state, 1))


def our_problem(settings: Mapping[str, Any], objective: str) -> training.Problem:
    """What the study trains."""
    events = blobs.generate(
        {**settings, "events": 2 * settings["batch_size"] * settings["steps"], "test_fraction": 0.5}
    )
    return blobs._problem({**settings, "objective": {objective: 1.0}}, events)


def theirs(settings: Mapping[str, Any], seeds: int) -> dict[str, Callable[[], None]]:
    """One epoch of each seed in turn in a Python loop, for each objective."""
    problem = our_problem(settings, "cls")
    parameters = problem.initialise(training.key(0, training.INITIALISE))
    epochs = {
        objective: peers.relaxed_epoch(loss, parameters, problem.events, settings)
        for objective, loss in peers.relaxed_losses(settings).items()
    }
    return {
        objective: lambda epoch=epoch: [epoch() for _ in range(seeds)] for objective, epoch in epochs.items()
    }


def losses(settings: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """Ours and theirs of each objective on the same network and batch, which have to agree."""
    found, relaxed_losses = {}, peers.relaxed_losses(settings)
    for objective in OBJECTIVES:
        problem = our_problem(settings, objective)
        batch = Events(*(jnp.asarray(array[:, : settings["batch_size"]]) for array in problem.events))
        parameters = problem.initialise(training.key(0, training.INITIALISE))
        both = problem.loss(parameters, batch), relaxed_losses[objective](parameters, batch.features)
        found[objective] = tuple(map(float, both))
    return found


@cache
def _our_seeds(text: str) -> Callable[[], None]:
    settings = json.loads(text)
    return ours(settings, "cls", settings["seeds"])


def train_seeds(text: str) -> None:
    """One epoch of all seeds with settings in JSON, compiled when first called; runs in a process of one core."""
    _our_seeds(text)()


def _shape(network: list[int]) -> str:
    return " x ".join(map(str, network))
