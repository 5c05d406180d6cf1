"""One compiled training loop for all seeds of a variant, with checkpoints."""

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
from jaxtyping import Array, Float, Key, PyTree

from diffhep import prng
from diffhep.learning.checkpoints import load_checkpoint, save_checkpoint
from diffhep.prng import key

log = logging.getLogger(__name__)


class Problem(NamedTuple):
    """What is trained; pure functions that are compiled together.

    Attributes:
        name: What messages call the loss.
        initialise: Key to trainable parameters.
        loss: Parameters, a batch of `events` and all of `whole` to the scalar to minimise; padding has weight zero.
        evaluate: Parameters and `held_out` to named arrays worth keeping after every epoch; those of no dimension are
            logged.
        events: What is trained on: a named tuple of arrays (sample, event, ...), one of them `weights`.
        held_out: What is evaluated on.
        whole: Further arguments of the loss, which are not parted into batches.
        optimiser: By default Adam at the schedule's learning rate.
    """

    name: str
    initialise: Callable[[Key[Array, ""]], PyTree]
    loss: Callable[..., Float[Array, ""]]
    evaluate: Callable[[PyTree, Any], dict[str, Array]]
    events: Any
    held_out: Any
    whole: tuple[Any, ...] = ()
    optimiser: optax.GradientTransformation | None = None


class Schedule(NamedTuple):
    """How long and in what steps.

    Attributes:
        epochs: Passes over all events, or over so many batches as `steps` says.
        batch_size: Events of every sample in a step; what is left over makes a smaller last batch. None: all of them in
            every step, as they are.
        learning_rate: Of the Adam optimiser.
        seeds_at_once: Seeds computed side by side; 1 is fastest on a CPU, all of them on a GPU.
        checkpoint_seconds: At least so long between two checkpoints.
        steps: Batches in an epoch, drawn with repetition; by default as many as it takes to see every event once.
    """

    epochs: int
    batch_size: int | None
    learning_rate: float
    seeds_at_once: int = 1
    checkpoint_seconds: float = 10.0
    steps: int | None = None


class TrainingState(NamedTuple):
    """What a training run carries from epoch to epoch; one entry a seed."""

    parameters: PyTree
    optimiser: PyTree


class _Run(NamedTuple):
    """All that is needed to go on: what a checkpoint holds."""

    epoch: np.ndarray
    history: dict[str, np.ndarray]
    state: TrainingState


def parallel_seeds(setting: str | int, seeds: int) -> int:
    """Seeds to compute side by side: what is set or, if that is `auto`, one on a CPU and all of them elsewhere."""
    if setting != "auto":
        return setting
    return 1 if jax.default_backend() == "cpu" else seeds


def draw_batches(rng: Key[Array, ""], events: int, batch_size: int, steps: int | None = None) -> tuple[Array, Array]:
    """Shuffled indices (batch, event) of one epoch and a mask of the same shape that is zero on padding.

    With a number of `steps`, so many whole batches are drawn with repetition: shuffling all events would take longer
    than to train on a few.
    """
    if steps is not None:
        drawn = jax.random.randint(rng, (steps, batch_size), 0, events)
        return drawn, jnp.ones(drawn.shape, jnp.float32)
    count = -(-events // batch_size)
    order = jnp.pad(jax.random.permutation(rng, events), (0, count * batch_size - events))
    mask = jnp.arange(count * batch_size) < events
    return order.reshape(count, batch_size), mask.reshape(count, batch_size).astype(jnp.float32)


def _step(problem: Problem, state: TrainingState, batch) -> tuple[TrainingState, Array]:
    events = problem.events
    if batch is not None:
        indices, mask = batch
        events = jax.tree.map(lambda array: array[:, indices], events)
        events = events._replace(weights=events.weights * mask)
    value, gradient = jax.value_and_grad(problem.loss)(state.parameters, events, *problem.whole)
    updates, memory = problem.optimiser.update(gradient, state.optimiser, state.parameters)
    return TrainingState(optax.apply_updates(state.parameters, updates), memory), value


def _epoch(
    problem: Problem, schedule: Schedule, epoch: Array, run: tuple[Array, TrainingState]
) -> tuple[TrainingState, Array]:
    seed, state = run
    rng = jax.random.fold_in(key(seed, prng.SHUFFLE), epoch)
    events, size = problem.events.weights.shape[1], schedule.batch_size
    order = None if size is None else draw_batches(rng, events, size, schedule.steps)
    state, losses = jax.lax.scan(partial(_step, problem), state, order, length=steps_per_epoch(problem, schedule))
    return state, jnp.mean(losses)


class Programs(NamedTuple):
    """The compiled programs of a run, each over all its seeds.

    Attributes:
        start: () to the state before training.
        advance: State and number of the epoch to the state after it and the mean loss.
        evaluate: State to what `Problem.evaluate` makes of it; one program for all variants that are judged alike.
    """

    start: Callable[[], TrainingState]
    advance: Callable[[TrainingState, int], tuple[TrainingState, Array]]
    evaluate: Callable[[TrainingState], dict[str, Array]]


def compile_programs(problem: Problem, schedule: Schedule, seeds: Sequence[int]) -> Programs:
    """Compile a run over all seeds; runs of equal functions and schedules share their programs."""
    alike, seeds = problem._replace(name="", evaluate=None, events=None, held_out=None, whole=()), np.asarray(seeds)
    start, advance = _steps(alike, schedule._replace(epochs=0, checkpoint_seconds=0.0))
    return Programs(
        partial(start, seeds),
        partial(advance, problem.events, problem.whole, seeds),
        partial(_evaluation(problem.evaluate, schedule.seeds_at_once), problem.held_out),
    )


def _spread(at_once: int) -> Callable:
    """A map over seeds, one after the other where a batch is one: `batch_size=1` would add an axis to everything."""
    return partial(jax.lax.map, batch_size=at_once if at_once > 1 else None)


@lru_cache(maxsize=8)  # runs that are alike follow each other; others shall not be kept for ever
def _steps(problem: Problem, schedule: Schedule) -> tuple[Callable, Callable]:
    problem = problem._replace(optimiser=problem.optimiser or optax.adam(schedule.learning_rate))
    spread = _spread(schedule.seeds_at_once)

    def start(seed):
        parameters = problem.initialise(key(seed, prng.INITIALISE))
        return TrainingState(parameters, problem.optimiser.init(parameters))

    # events are arguments: as constants they would make a program of their own of every data set
    def advance(events, whole, seeds, state, epoch):
        return spread(partial(_epoch, problem._replace(events=events, whole=whole), schedule, epoch), (seeds, state))

    return jax.jit(partial(spread, start)), jax.jit(advance)


@lru_cache(maxsize=8)  # likewise those that are judged alike
def _evaluation(evaluate: Callable, at_once: int) -> Callable:
    return jax.jit(lambda held_out, state: _spread(at_once)(lambda each: evaluate(each, held_out), state.parameters))


def steps_per_epoch(problem: Problem, schedule: Schedule) -> int:
    """Steps between two evaluations."""
    events = problem.events.weights.shape[1]
    return schedule.steps or -(-events // (schedule.batch_size or events))


def train(
    problem: Problem, schedule: Schedule, seeds: Sequence[int], *, checkpoint: Path | None = None
) -> tuple[dict[str, np.ndarray], TrainingState]:
    """Minimise the loss from every seed, in one compiled program.

    Args:
        problem: What is trained.
        schedule: For how long.
        seeds: Each draws its own first parameters and its own order of events.
        checkpoint: File to keep the run in now and then, and to go on from if it is there. Whoever names it sees to it
            that no other run has left it, and removes it.

    Returns:
        History by name, arrays (seed, epoch, ...) with epoch 0 before training and `loss` among them; and the state
        after the last epoch.

    Raises:
        ValueError: The loss is not finite; seed and epoch are named.
    """
    compiled = compile_programs(problem, schedule, seeds)
    state = compiled.start()
    run = _begin(state, {"loss": np.full(len(seeds), np.nan), **compiled.evaluate(state)}, schedule.epochs)
    if checkpoint and checkpoint.exists():
        run = load_checkpoint(checkpoint, like=run)
        log.info("going on after epoch %d from %s", run.epoch, checkpoint)
    saved = time.monotonic()
    for epoch in range(int(run.epoch) + 1, schedule.epochs + 1):
        state, losses = compiled.advance(run.state, epoch)
        record = {"loss": losses, **compiled.evaluate(state)}
        run = _record(run, state, record, epoch)
        _refuse_nan(problem.name, run.history["loss"][:, epoch], np.asarray(seeds), epoch)
        log.info("epoch %d/%d %s", epoch, schedule.epochs, _summary(record))
        if checkpoint and time.monotonic() - saved >= schedule.checkpoint_seconds:
            save_checkpoint(run, checkpoint)
            saved = time.monotonic()
    return run.history, run.state


def _begin(state: TrainingState, first: Mapping[str, Any], epochs: int) -> _Run:
    """A run before its first epoch, its history still to be filled."""
    history = {}
    for name, values in sorted(first.items()):  # in the order in which a checkpoint gives them back
        history[name] = np.full((len(values), epochs + 1, *values.shape[1:]), np.nan, values.dtype)
        history[name][:, 0] = values
    return _Run(np.asarray(0), history, state)


def _record(run: _Run, state: TrainingState, record: Mapping[str, Array], epoch: int) -> _Run:
    for name, values in record.items():
        run.history[name][:, epoch] = values
    return _Run(np.asarray(epoch), run.history, state)


def _refuse_nan(name: str, losses: np.ndarray, seeds: np.ndarray, epoch: int) -> None:
    for n in np.flatnonzero(~np.isfinite(losses))[:1]:
        remedy = "lower the learning rate or widen the bandwidth"
        raise ValueError(f"the loss {name} is {losses[n]} for seed {seeds[n]} in epoch {epoch}: {remedy}")


def _summary(record: Mapping[str, Array]) -> str:
    """Means over seeds of what has one value a seed."""
    return " ".join(f"{name}={np.asarray(values).mean():.4g}" for name, values in record.items() if values.ndim == 1)
