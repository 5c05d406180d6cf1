"""The training loop: seeds are independent, interruptions leave no trace, NaN is told, nothing is compiled twice."""

import logging
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jaxtyping import Array

from diffhep.learning import training
from diffhep.learning.training import Problem, Schedule
from diffhep.static_settings import Bound, StaticSettings


class Points(NamedTuple):
    """Events of one number each."""

    x: Array
    weights: Array


POINTS = Points(np.linspace(0, 1, 25, dtype=np.float32)[None], np.ones((1, 25), np.float32))


def initialise(key):
    return jax.random.normal(key, (), jnp.float32)


def squares(a, batch):
    return jnp.sum(batch.weights * (batch.x - a) ** 2) / jnp.sum(batch.weights)


def evaluate(a, _):
    return {"constant": a}


def problem(loss=squares):
    """Fit a constant to points: the minimum is their mean. All with the same loss and schedule share programs."""
    return Problem("squares", initialise, loss, evaluate, POINTS, held_out=None)


SCHEDULE = Schedule(epochs=6, batch_size=10, learning_rate=0.1)
batches = jax.jit(training.draw_batches, static_argnums=(1, 2), static_argnames="steps")


def test_training_reaches_the_minimum():
    history, state = training.train(problem(), SCHEDULE._replace(epochs=200, learning_rate=0.01), [0, 1])
    np.testing.assert_allclose(state.parameters, 0.5, atol=0.02)
    assert np.isnan(history["loss"][:, 0]).all() and np.isfinite(history["loss"][:, 1:]).all()


def test_every_event_is_seen_once_an_epoch_and_padding_never():
    order, mask = jax.device_get(batches(jax.random.key(3), 25, 10))
    assert order.shape == (3, 10)
    np.testing.assert_array_equal(np.sort(order[mask > 0]), np.arange(25))
    assert mask.sum() == 25


def test_with_a_number_of_steps_so_many_whole_batches_are_drawn():
    order, mask = jax.device_get(batches(jax.random.key(3), 25, 10, steps=40))
    assert order.shape == mask.shape == (40, 10) and (mask == 1).all()
    counts = np.bincount(np.ravel(order), minlength=25)
    assert len(counts) == 25 and counts.min() > 4  # 16 expected of each
    one = SCHEDULE._replace(steps=40)
    assert [training.steps_per_epoch(problem(), schedule) for schedule in (SCHEDULE, one)] == [3, 40]
    history, _ = training.train(problem(), one, [0])
    np.testing.assert_allclose(history["constant"][0, -1], 0.5, atol=0.1)


@pytest.mark.parametrize(("setting", "expected"), [("auto", 1), (3, 3)])
def test_seeds_are_computed_one_by_one_on_a_cpu_unless_told(setting, expected):
    assert training.parallel_seeds(setting, 9) == expected


def test_gradient_of_a_padded_batch_ignores_the_padding():
    """One epoch in a single padded step is one step on exactly all events."""
    one = Schedule(epochs=1, batch_size=40, learning_rate=0.1)
    history, _ = training.train(problem(), one, [0])
    start = history["constant"][0, 0]
    expected = np.mean((np.asarray(POINTS.x) - start) ** 2)
    np.testing.assert_allclose(history["loss"][0, 1], expected, rtol=1e-6)


def test_a_seed_is_the_same_run_alone_and_beside_others():
    together, _ = training.train(problem(), SCHEDULE, [3, 7, 1])
    alone, _ = training.train(problem(), SCHEDULE, [7])
    np.testing.assert_array_equal(together["constant"][1], alone["constant"][0])


@pytest.mark.parametrize("at_once", [2, 3, 5])
def test_seeds_side_by_side_equal_seeds_in_turn(at_once):
    turn, _ = training.train(problem(), SCHEDULE, range(3))
    side, _ = training.train(problem(), SCHEDULE._replace(seeds_at_once=at_once), range(3))
    np.testing.assert_allclose(side["constant"], turn["constant"], rtol=1e-6)


def test_going_on_from_a_checkpoint_gives_the_undisturbed_result(tmp_path, monkeypatch):
    undisturbed, _ = training.train(problem(), SCHEDULE, [0, 1])
    save, path = training.save_checkpoint, tmp_path / "run.checkpoint"

    def save_and_die(run, file):
        save(run, file)
        if run.epoch == 3:
            raise KeyboardInterrupt

    eager = SCHEDULE._replace(checkpoint_seconds=0.0)
    monkeypatch.setattr(training, "save_checkpoint", save_and_die)
    with pytest.raises(KeyboardInterrupt):
        training.train(problem(), eager, [0, 1], checkpoint=path)
    monkeypatch.undo()
    resumed, _ = training.train(problem(), eager, [0, 1], checkpoint=path)
    assert list(resumed) == list(undisturbed)  # the order is part of a file's bytes
    for name in undisturbed:
        np.testing.assert_array_equal(resumed[name], undisturbed[name])


ALL = SCHEDULE._replace(batch_size=None, epochs=2, steps=3)


def test_without_a_batch_size_every_step_takes_all_events_as_they_are():
    """Gradient descent on their mean, done by hand."""
    steps = [training.steps_per_epoch(problem(), each) for each in (ALL, ALL._replace(steps=None))]
    assert steps == [3, 1]
    history, state = training.train(problem()._replace(optimiser=optax.sgd(0.1)), ALL, [4])
    path = [float(history["constant"][0, 0])]
    for _ in range(6):
        path.append(path[-1] - 0.1 * 2 * (path[-1] - 0.5))
    np.testing.assert_allclose(history["constant"][0], path[::3], rtol=1e-5)
    losses = [np.mean((np.asarray(POINTS.x) - at) ** 2) for at in path[:6]]
    np.testing.assert_allclose(history["loss"][0, 1:], [np.mean(losses[:3]), np.mean(losses[3:])], rtol=1e-5)
    assert float(state.parameters[0]) == pytest.approx(path[-1], rel=1e-5)


def test_what_is_not_parted_into_batches_is_further_arguments_of_the_loss():
    """The minimum is then the mean of the events and all of these."""

    def loss(a, batch, some, more):
        assert some["shift"].shape == (5,)
        return jnp.sum(batch.weights * (batch.x + some["shift"].sum() + more - a) ** 2) / jnp.sum(batch.weights)

    shifted = problem(loss)._replace(whole=({"shift": np.full(5, 0.2)}, np.array(0.5)))
    for schedule in (SCHEDULE._replace(epochs=60), ALL._replace(epochs=60)):
        history, _ = training.train(shifted, schedule, [0])
        np.testing.assert_allclose(history["constant"][0, -1], 2.0, atol=0.06)


def test_an_optimiser_of_its_own_takes_the_place_of_adam():
    """A step of this one is a hundredth, whatever learning rate and gradient."""
    signed = optax.chain(optax.scale_by_sign(), optax.scale(-0.01))
    history, _ = training.train(problem()._replace(optimiser=signed), ALL._replace(steps=1, epochs=4), [0, 1])
    np.testing.assert_allclose(np.abs(np.diff(history["constant"], axis=1)), 0.01, rtol=1e-4)
    by_default, _ = training.train(problem(), ALL, [0, 1])
    named, _ = training.train(problem()._replace(optimiser=optax.adam(0.1)), ALL, [0, 1])
    np.testing.assert_array_equal(by_default["constant"], named["constant"])


def test_a_loss_that_is_not_finite_names_loss_seed_and_epoch():
    def breaks(a, batch):
        return jnp.where(batch.x[0, 0] >= 0, jnp.log(a - 1e3), 0.0)

    with pytest.raises(ValueError, match=r"loss squares is nan for seed 5 in epoch 1"):
        training.train(problem(breaks), SCHEDULE, [5])


def test_each_program_is_compiled_once():
    own = problem(lambda *of: squares(*of))._replace(evaluate=lambda *of: evaluate(*of))
    compiled = training.compile_programs(own, SCHEDULE, [0, 1])
    state = compiled.start()
    for epoch in range(1, 5):
        state, _ = compiled.advance(state, epoch)
        compiled.evaluate(state)
    jitted = [program.func for program in compiled]
    assert [program._cache_size() for program in jitted] == [1, 1, 1]


def test_runs_that_differ_in_events_and_length_alone_share_their_programs():
    traced = []

    def loss(a, batch):
        traced.append(batch)
        return squares(a, batch)

    first, _ = training.train(problem(loss), SCHEDULE, [0])
    twice = POINTS._replace(x=2 * POINTS.x)
    other, _ = training.train(problem(loss)._replace(events=twice), SCHEDULE._replace(epochs=2), [5])
    assert len(traced) == 1 and first["constant"][0, 0] != other["constant"][0, 0]
    training.train(problem(loss), SCHEDULE._replace(learning_rate=0.2), [0])
    assert len(traced) == 2


def test_runs_that_are_judged_alike_share_the_program():
    traced = []

    def judged(settings, a, _):
        traced.append(settings["scale"])
        return {"constant": settings["scale"] * a}

    for scale in (1.0, 2.0, 1.0):
        told = problem()._replace(evaluate=Bound(judged, StaticSettings({"scale": scale})))
        history, _ = training.train(told, SCHEDULE, [0])
    plain, _ = training.train(problem(), SCHEDULE, [0])
    assert traced == [1.0, 2.0]
    np.testing.assert_array_equal(history["constant"], plain["constant"])


def test_progress_is_logged_every_epoch(caplog):
    with caplog.at_level(logging.INFO, logger="diffhep"):
        training.train(problem(), SCHEDULE, [0])
    lines = [record.message for record in caplog.records]
    assert len(lines) == SCHEDULE.epochs and lines[-1].startswith("epoch 6/6") and "loss=" in lines[-1]
