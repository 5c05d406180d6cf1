"""A training loop that trains all seeds in one compiled program, with checkpoints."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PyTree

from diffhep import prng
from diffhep.learning.batches import draw_batches, select_batch
from diffhep.learning.checkpoints import load_checkpoint, save_checkpoint
from diffhep.learning.optimisers import gradient_step
from diffhep.learning.tasks import Schedule, Task, TrainingData

log = logging.getLogger(__name__)


class TrainingState(NamedTuple):
    """State of a training after an epoch; the first axis of every array is the seed.

    Attributes:
        parameters: Trained parameters.
        opt_state: State of the optimiser.
    """

    parameters: PyTree
    opt_state: PyTree


class _Run(NamedTuple):
    """Content of a checkpoint."""

    epoch: np.ndarray
    history: dict[str, np.ndarray]
    state: TrainingState


def parallel_seeds(setting: str | int, seeds: int) -> int:
    """Return the number of seeds to compute side by side.

    Args:
        setting: The number, or `auto` for one on a CPU and all of them elsewhere.
        seeds: Number of seeds that are trained.
    """
    if setting != "auto":
        return setting
    return 1 if jax.default_backend() == "cpu" else seeds


def steps_per_epoch(data: TrainingData, schedule: Schedule) -> int:
    """Return the number of optimiser steps between two evaluations."""
    events = data.events.weights.shape[1]
    return schedule.steps or -(-events // (schedule.batch_size or events))


class Programs(NamedTuple):
    """Compiled programs of a training, each over all its seeds.

    Attributes:
        start: Returns the state before training.
        advance: Maps a state and the number of an epoch to the state after it and the mean loss (seed) in it.
        evaluate: Maps a state to the named arrays of `Task.evaluate`.
    """

    start: Callable[[], TrainingState]
    advance: Callable[[TrainingState, int], tuple[TrainingState, Float[Array, " seed"]]]
    evaluate: Callable[[TrainingState], dict[str, Array]]


def compile_programs(task: Task, data: TrainingData, schedule: Schedule, seeds: Sequence[int]) -> Programs:
    """Compile a training over all seeds.

    Trainings share programs if their functions, batch sizes and learning rates are equal. Data are arguments of the
    programs: constants would need a new program for every data set.

    Args:
        task: Functions of the training.
        data: Samples of events.
        schedule: Length and steps of the training.
        seeds: Seeds of the first parameters and of the order of events.
    """
    seeds, at_once = np.asarray(seeds), schedule.seeds_at_once
    optimiser = task.optimiser or _adam(schedule.learning_rate)
    start = _start_program(task.initialise, optimiser, at_once)
    advance = _epoch_program(task.loss, optimiser, schedule._replace(epochs=0, checkpoint_seconds=0.0))
    evaluate = _evaluation_program(task.evaluate, at_once)
    return Programs(
        partial(start, seeds),
        partial(advance, data._replace(held_out=None), seeds),
        partial(evaluate, data.held_out),
    )


# the caches are small because trainings of equal functions follow each other
@lru_cache(maxsize=8)
def _adam(learning_rate: float) -> optax.GradientTransformation:
    return optax.adam(learning_rate)


@lru_cache(maxsize=8)
def _start_program(initialise: Callable, optimiser: optax.GradientTransformation, at_once: int) -> Callable:
    def start(seed):
        parameters = jax.tree.map(_strongly_typed, initialise(prng.key(seed, prng.INITIALISE)))
        return TrainingState(parameters, jax.tree.map(_strongly_typed, optimiser.init(parameters)))

    return jax.jit(partial(_map_seeds(at_once), start))


@lru_cache(maxsize=8)
def _epoch_program(loss: Callable, optimiser: optax.GradientTransformation, schedule: Schedule) -> Callable:
    def advance(data, seeds, state, epoch):
        one_seed = partial(_train_epoch, loss, optimiser, schedule, data, epoch)
        return _map_seeds(schedule.seeds_at_once)(one_seed, (seeds, state))

    return jax.jit(advance)


@lru_cache(maxsize=8)
def _evaluation_program(evaluate: Callable, at_once: int) -> Callable:
    return jax.jit(lambda held_out, state: _map_seeds(at_once)(lambda each: evaluate(each, held_out), state.parameters))


def _map_seeds(at_once: int) -> Callable:
    """Map over seeds; without `batch_size` where it would be 1, which adds an axis to everything."""
    return partial(jax.lax.map, batch_size=at_once if at_once > 1 else None)


def _strongly_typed(leaf: Any) -> Array:
    """Remove weak types, which become strong in the first step: every program would be compiled twice."""
    return jax.lax.convert_element_type(leaf, jnp.result_type(leaf))


def _train_epoch(
    loss: Callable,
    optimiser: optax.GradientTransformation,
    schedule: Schedule,
    data: TrainingData,
    epoch: Array,
    run: tuple[Array, TrainingState],
) -> tuple[TrainingState, Array]:
    def step(state, batch):
        events = data.events if batch is None else select_batch(data.events, *batch)
        *state, value = gradient_step(loss, optimiser, *state, events, *data.constants)
        return TrainingState(*state), value

    seed, state = run
    rng = jax.random.fold_in(prng.key(seed, prng.SHUFFLE), epoch)
    events, size = data.events.weights.shape[1], schedule.batch_size
    batches = None if size is None else draw_batches(rng, events, size, schedule.steps)
    state, losses = jax.lax.scan(step, state, batches, length=steps_per_epoch(data, schedule))
    return state, jnp.mean(losses)


def train(
    task: Task, data: TrainingData, schedule: Schedule, seeds: Sequence[int], *, checkpoint: Path | None = None
) -> tuple[dict[str, np.ndarray], TrainingState]:
    """Minimise the loss from every seed, in one compiled program.

    Args:
        task: Functions of the training.
        data: Samples of events.
        schedule: Length and steps of the training.
        seeds: Seeds of the first parameters and of the order of events.
        checkpoint: File to store the run in from time to time, and to resume it from if the file exists. The caller
            makes sure that no other run has written it, and deletes it afterwards.

    Returns:
        History by name, arrays (seed, epoch, ...) with epoch 0 before training and `loss` among them; and the state
        after the last epoch.

    Raises:
        ValueError: The loss is not finite; the message names seed and epoch.

    Example:
        >>> from diffhep.samples import WeightedEvents
        >>> sample = WeightedEvents(features=np.array([[[1.0], [2.0], [6.0]]]), weights=np.ones((1, 3)))
        >>> task = dh.Task(
        ...     name="squared distance",
        ...     initialise=lambda key: 0.0,
        ...     loss=lambda centre, batch: ((batch.features[..., 0] - centre) ** 2 * batch.weights).sum(),
        ...     evaluate=lambda centre, held_out: {"centre": centre},
        ... )
        >>> schedule = dh.Schedule(epochs=300, batch_size=None, learning_rate=0.1)
        >>> history, state = dh.train(task, dh.TrainingData(sample, held_out=sample), schedule, seeds=[0, 1])
        >>> history["centre"].shape, history["centre"][:, -1].round(2)
        ((2, 301), array([3., 3.]))
    """
    programs = compile_programs(task, data, schedule, seeds)
    state = programs.start()
    run = _begin(state, {"loss": np.full(len(seeds), np.nan), **programs.evaluate(state)}, schedule.epochs)
    if checkpoint and checkpoint.exists():
        run = load_checkpoint(checkpoint, like=run)
        log.info("resumed after epoch %d from %s", run.epoch, checkpoint)
    saved = time.monotonic()
    for epoch in range(int(run.epoch) + 1, schedule.epochs + 1):
        state, losses = programs.advance(run.state, epoch)
        record = {"loss": losses, **programs.evaluate(state)}
        run = _record(run, state, record, epoch)
        _check_finite(task.name, run.history["loss"][:, epoch], np.asarray(seeds), epoch)
        log.info("epoch %d/%d %s", epoch, schedule.epochs, _summary(record))
        if checkpoint and time.monotonic() - saved >= schedule.checkpoint_seconds:
            save_checkpoint(run, checkpoint)
            saved = time.monotonic()
    return run.history, run.state


def _begin(state: TrainingState, first: Mapping[str, Any], epochs: int) -> _Run:
    """A run before its first epoch, with the rest of its history NaN."""
    history = {}
    for name, values in sorted(first.items()):  # the order in which a checkpoint is read
        history[name] = np.full((len(values), epochs + 1, *values.shape[1:]), np.nan, values.dtype)
        history[name][:, 0] = values
    return _Run(np.asarray(0), history, state)


def _record(run: _Run, state: TrainingState, record: Mapping[str, Array], epoch: int) -> _Run:
    for name, values in record.items():
        run.history[name][:, epoch] = values
    return _Run(np.asarray(epoch), run.history, state)


def _check_finite(name: str, losses: np.ndarray, seeds: np.ndarray, epoch: int) -> None:
    for n in np.flatnonzero(~np.isfinite(losses))[:1]:
        remedy = "lower the learning rate or widen the bandwidth"
        raise ValueError(f"the loss {name} is {losses[n]} for seed {seeds[n]} in epoch {epoch}: {remedy}")


def _summary(record: Mapping[str, Array]) -> str:
    """Means over seeds of the scalars."""
    return " ".join(f"{name}={np.asarray(values).mean():.4g}" for name, values in record.items() if values.ndim == 1)
