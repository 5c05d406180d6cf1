"""Cuts, bins and bandwidth optimised together: one compiled step for the whole run, beside a new program in every step.

TOMATOS makes a new statistical model in every step, which is known only when compiling: everything is traced and
compiled again, and stays in memory.
"""

import json
import multiprocessing
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import jax
import psutil

from diffhep import prng
from diffhep.learning import tasks, training
from diffhep.pipeline import jobs
from diffhep.studies.vbf_hh4b import inputs
from diffhep.studies.vbf_hh4b.optimisation import build_task

FIRST = 10  # step from which on memory shall not grow, and steps between two evaluations


def steps_and_memory(settings: Mapping[str, Any], cores: int) -> list[dict[str, Any]]:
    """Two rows: the time of all steps, compiling and evaluations included, and the memory that they take."""
    found = {side: _alone(work, settings, cores) for side, work in (("ours", optimise), ("peer", retrace))}
    events = settings["data"]["events"]
    shared = {"peer_version": "our step, compiled anew every time as in TOMATOS"}
    (ours, memory), (theirs, their_memory) = found["ours"], found["peer"]
    steps = settings["run"]["steps"]
    return [
        {
            "work": f"{steps} steps of cuts, bins and bandwidth on {events['signal']} and {events['background']} "
            f"events, {cores} cores, from compiling to the last evaluation (ratio: times a step of ours is faster)",
            "ours": f"{ours:.0f} s",
            "peer": f"{theirs:.1f} s/step",
            "ratio": theirs * steps / ours,
            **shared,
        },
        {
            "work": f"resident memory of the same, after step {FIRST} and at most later (ratio: of these, ours)",
            "ours": f"{memory[0]:.0f} to {memory[1]:.0f} MiB",
            "peer": f"{their_memory[0]:.0f} to {their_memory[1]:.0f} MiB in {settings['retraced']} steps",
            "ratio": memory[1] / memory[0],
            **shared,
        },
    ]


def _alone(work, settings: Mapping[str, Any], cores: int):
    """Do it in a process of its own, for its memory's sake."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, fresh, initializer=_prepare, initargs=(cores,)) as process:
        return process.submit(work, json.dumps(settings)).result()


def _prepare(cores: int) -> None:
    """Compile all that is timed: nothing may be left from an earlier measurement."""
    jobs.prepare(cores)
    jax.config.update("jax_enable_compilation_cache", False)


def _problem(settings: Mapping[str, Any]) -> tuple[tasks.Task, tasks.TrainingData]:
    run = {**settings["run"], "seed": settings["seed"]}
    return build_task(run, inputs.parts(inputs.generate(settings), run, settings["data"]["regions"]))


def optimise(text: str) -> tuple[float, tuple[float, float]]:
    """Seconds of all steps; memory in MiB after the first `FIRST` of them and at most later; settings in JSON."""
    settings = json.loads(text)
    run, memory = settings["run"], []
    task, data = _problem(settings)
    begin = time.perf_counter()
    schedule = tasks.Schedule(run["steps"] // FIRST, None, run["learning_rate"], steps=FIRST)
    programs = training.compile_programs(task, data, schedule, [settings["seed"]])
    state = programs.start()
    for epoch in range(schedule.epochs):
        state, _ = programs.advance(state, epoch)
        jax.block_until_ready(programs.evaluate(state))
        memory.append(_resident())
    return time.perf_counter() - begin, (memory[0], max(memory[1:]))


def retrace(text: str) -> tuple[float, tuple[float, float]]:
    """Seconds of a step that is compiled anew; memory in MiB after the first of them and at most later."""
    settings = json.loads(text)
    (task, data), memory = _problem(settings), []
    parameters = task.initialise(prng.key(settings["seed"], prng.INITIALISE))
    begin = time.perf_counter()
    for number in range(settings["retraced"]):
        scale = 1 + 1e-9 * number  # as histograms are there: a constant of the program, in each step another

        def loss(parameters, events, *whole, scale=scale):
            return scale * task.loss(parameters, events, *whole)

        jax.block_until_ready(jax.jit(jax.value_and_grad(loss))(parameters, data.events, *data.constants))
        memory.append(_resident())
    return (time.perf_counter() - begin) / settings["retraced"], (memory[0], max(memory[1:]))


def _resident() -> float:
    """Memory of this process now, in MiB; the peak that Linux tells of a new process is that of its parent."""
    return psutil.Process().memory_info().rss / 2**20
