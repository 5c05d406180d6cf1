"""The training loop: independent seeds, resumption from checkpoints, errors for NaN, one compilation per program."""

import logging
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jaxtyping import Array

from diffhep.learning import training
from diffhep.learning.optimisers import grouped_adam
from diffhep.learning.tasks import Schedule, Task, TrainingData
from diffhep.static_settings import Bound, StaticSettings


class Points(NamedTuple):
    """Events of one number each."""

    x: Array
    weights: Array


POINTS = Points(np.linspace(0, 1, 25, dtype=np.float32)[None], np.ones((1, 25), np.float32))
DATA = TrainingData(POINTS, held_out=None)
SCHEDULE = Schedule(epochs=6, batch_size=10, learning_rate=0.1)
FULL_BATCHES = SCHEDULE._replace(batch_size=None, epochs=2, steps=3)


def initialise(key):
    return jax.random.normal(key, (), jnp.float32)


def squares(a, batch):
    return jnp.sum(batch.weights * (batch.x - a) ** 2) / jnp.sum(batch.weights)


def evaluate(a, _):
    return {"constant": a}


TASK = Task("squares", initialise, squares, evaluate)  # fits a constant, whose best value is the mean of the points


def test_training_reaches_the_minimum():
    schedule = SCHEDULE._replace(epochs=200, learning_rate=0.01)
    history, state = training.train(TASK, DATA, schedule, [0, 1])
    np.testing.assert_allclose(state.parameters, 0.5, atol=0.02)
    assert np.isnan(history["loss"][:, 0]).all() and np.isfinite(history["loss"][:, 1:]).all()


def test_with_a_number_of_steps_an_epoch_has_that_many():
    longer = SCHEDULE._replace(steps=40)
    assert [training.steps_per_epoch(DATA, schedule) for schedule in (SCHEDULE, longer)] == [3, 40]
    history, _ = training.train(TASK, DATA, longer, [0])
    np.testing.assert_allclose(history["constant"][0, -1], 0.5, atol=0.1)


@pytest.mark.parametrize(("setting", "expected"), [("auto", 1), (3, 3)])
def test_seeds_run_one_by_one_on_a_cpu_unless_a_number_is_set(setting, expected):
    assert training.parallel_seeds(setting, 9) == expected


def test_the_gradient_of_a_padded_batch_ignores_the_padding():
    """One epoch in a single padded step is one step on exactly all events."""
    history, _ = training.train(TASK, DATA, Schedule(epochs=1, batch_size=40, learning_rate=0.1), [0])
    start = history["constant"][0, 0]
    expected = np.mean((np.asarray(POINTS.x) - start) ** 2)
    np.testing.assert_allclose(history["loss"][0, 1], expected, rtol=1e-6)


def test_the_result_of_a_seed_does_not_depend_on_other_seeds():
    together, _ = training.train(TASK, DATA, SCHEDULE, [3, 7, 1])
    alone, _ = training.train(TASK, DATA, SCHEDULE, [7])
    np.testing.assert_array_equal(together["constant"][1], alone["constant"][0])


@pytest.mark.parametrize("at_once", [2, 3, 5])
def test_seeds_side_by_side_equal_seeds_in_turn(at_once):
    in_turn, _ = training.train(TASK, DATA, SCHEDULE, range(3))
    side_by_side, _ = training.train(TASK, DATA, SCHEDULE._replace(seeds_at_once=at_once), range(3))
    np.testing.assert_allclose(side_by_side["constant"], in_turn["constant"], rtol=1e-6)


def test_a_resumed_training_gives_the_result_of_an_uninterrupted_one(tmp_path, monkeypatch):
    uninterrupted, _ = training.train(TASK, DATA, SCHEDULE, [0, 1])
    save, path = training.save_checkpoint, tmp_path / "run.checkpoint"

    def save_and_die(run, file):
        save(run, file)
        if run.epoch == 3:
            raise KeyboardInterrupt

    eager = SCHEDULE._replace(checkpoint_seconds=0.0)
    monkeypatch.setattr(training, "save_checkpoint", save_and_die)
    with pytest.raises(KeyboardInterrupt):
        training.train(TASK, DATA, eager, [0, 1], checkpoint=path)
    monkeypatch.undo()
    resumed, _ = training.train(TASK, DATA, eager, [0, 1], checkpoint=path)
    assert list(resumed) == list(uninterrupted)  # the order is part of a file's bytes
    for name in uninterrupted:
        np.testing.assert_array_equal(resumed[name], uninterrupted[name])


def test_without_a_batch_size_every_step_takes_all_events():
    """Gradient descent on their mean, done by hand."""
    steps = [training.steps_per_epoch(DATA, each) for each in (FULL_BATCHES, FULL_BATCHES._replace(steps=None))]
    assert steps == [3, 1]
    history, state = training.train(TASK._replace(optimiser=optax.sgd(0.1)), DATA, FULL_BATCHES, [4])
    path = [float(history["constant"][0, 0])]
    for _ in range(6):
        path.append(path[-1] - 0.1 * 2 * (path[-1] - 0.5))
    np.testing.assert_allclose(history["constant"][0], path[::3], rtol=1e-5)
    losses = [np.mean((np.asarray(POINTS.x) - at) ** 2) for at in path[:6]]
    np.testing.assert_allclose(history["loss"][0, 1:], [np.mean(losses[:3]), np.mean(losses[3:])], rtol=1e-5)
    assert float(state.parameters[0]) == pytest.approx(path[-1], rel=1e-5)


def test_constants_are_arguments_of_the_loss_that_are_not_split_into_batches():
    """The minimum is then the mean of the events plus all constants."""

    def loss(a, batch, shifts, offset):
        assert shifts["shift"].shape == (5,)
        return jnp.sum(batch.weights * (batch.x + shifts["shift"].sum() + offset - a) ** 2) / jnp.sum(batch.weights)

    data = DATA._replace(constants=({"shift": np.full(5, 0.2)}, np.array(0.5)))
    for schedule in (SCHEDULE._replace(epochs=60), FULL_BATCHES._replace(epochs=60)):
        history, _ = training.train(TASK._replace(loss=loss), data, schedule, [0])
        np.testing.assert_allclose(history["constant"][0, -1], 2.0, atol=0.06)


def test_the_optimiser_of_a_task_replaces_adam():
    """A step of this one is a hundredth, whatever learning rate and gradient."""
    signed = optax.chain(optax.scale_by_sign(), optax.scale(-0.01))
    schedule = FULL_BATCHES._replace(steps=1, epochs=4)
    history, _ = training.train(TASK._replace(optimiser=signed), DATA, schedule, [0, 1])
    np.testing.assert_allclose(np.abs(np.diff(history["constant"], axis=1)), 0.01, rtol=1e-4)
    by_default, _ = training.train(TASK, DATA, FULL_BATCHES, [0, 1])
    named, _ = training.train(TASK._replace(optimiser=optax.adam(0.1)), DATA, FULL_BATCHES, [0, 1])
    np.testing.assert_array_equal(by_default["constant"], named["constant"])


def test_a_loss_that_is_not_finite_is_an_error_that_names_loss_seed_and_epoch():
    def breaks(a, batch):
        return jnp.where(batch.x[0, 0] >= 0, jnp.log(a - 1e3), 0.0)

    with pytest.raises(ValueError, match=r"loss squares is nan for seed 5 in epoch 1: lower the learning rate"):
        training.train(TASK._replace(loss=breaks), DATA, SCHEDULE, [5])


STARTS = {
    "a strongly typed array": lambda key: initialise(key),  # a new function shares no program
    "a weakly typed array": lambda key: jnp.array(-1.5),
    "a Python number": lambda key: -1.5,
    "arrays of several types": lambda key: jnp.float32(-1.0) + 1.0 * jax.random.bits(key, (), jnp.uint8) / 255,
}


@pytest.mark.parametrize("start", STARTS)
def test_each_program_is_compiled_once(start):
    own = Task("squares", STARTS[start], lambda *args: squares(*args), lambda *args: evaluate(*args))
    programs = training.compile_programs(own, DATA, SCHEDULE, [0, 1])
    state = programs.start()
    for epoch in range(1, 5):
        state, _ = programs.advance(state, epoch)
        programs.evaluate(state)
    assert [program.func._cache_size() for program in programs] == [1, 1, 1]


def test_weakly_typed_parameters_of_several_kinds_are_compiled_once():
    def loss(parameters, batch):
        return squares(parameters["mean"], batch) + parameters["width"] ** 2

    own = Task(
        "squares",
        lambda key: {"mean": jnp.array(-1.5), "width": 2.0},
        loss,
        lambda parameters, _: parameters,
        grouped_adam(0.1, {"mean": None, "width": 0.01}, lower_bounds={"width": 0.5}),
    )
    programs = training.compile_programs(own, DATA, SCHEDULE, [0])
    state = programs.start()
    assert not any(leaf.weak_type for leaf in jax.tree.leaves(state))
    for epoch in range(1, 4):
        state, _ = programs.advance(state, epoch)
    assert programs.advance.func._cache_size() == 1


def test_trainings_of_other_data_and_lengths_share_their_programs():
    traces = []

    def loss(a, batch):
        traces.append(batch)
        return squares(a, batch)

    task = TASK._replace(loss=loss)
    first, _ = training.train(task, DATA, SCHEDULE, [0])
    doubled = DATA._replace(events=POINTS._replace(x=2 * POINTS.x))
    other, _ = training.train(task, doubled, SCHEDULE._replace(epochs=2), [5])
    assert len(traces) == 1 and first["constant"][0, 0] != other["constant"][0, 0]
    training.train(task, DATA, SCHEDULE._replace(learning_rate=0.2), [0])
    assert len(traces) == 2


def test_trainings_of_equal_evaluations_share_the_program():
    traces = []

    def scaled_constant(settings, a, _):
        traces.append(settings["scale"])
        return {"constant": settings["scale"] * a}

    for scale in (1.0, 2.0, 1.0):
        task = TASK._replace(evaluate=Bound(scaled_constant, StaticSettings({"scale": scale})))
        history, _ = training.train(task, DATA, SCHEDULE, [0])
    plain, _ = training.train(TASK, DATA, SCHEDULE, [0])
    assert traces == [1.0, 2.0]
    np.testing.assert_array_equal(history["constant"], plain["constant"])


def test_every_epoch_is_logged(caplog):
    with caplog.at_level(logging.INFO, logger="diffhep"):
        training.train(TASK, DATA, SCHEDULE, [0])
    lines = [record.message for record in caplog.records]
    assert len(lines) == SCHEDULE.epochs and lines[-1].startswith("epoch 6/6") and "loss=" in lines[-1]
