"""Fine-tuning lowers the loss, stops where another fold is best, and leaves the judged fold alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhep import classifiers, fine_tuning, mass_shapes
from diffhep.split_n_fit import Shapes

EDGES = np.linspace(100, 180, 41)
SHAPES = Shapes(
    mass_shapes.build({"shape": "polynomial", "order": 2}, EDGES),
    mass_shapes.build({"shape": "gaussian", "mean": 125.0, "width": 1.5}, EDGES),
    40,
)
SETTINGS = {
    "network": {"widths": [8], "activation": "swish"}, "steps": 40, "learning_rate": 0.02, "folds": 3,
    "lambda_v": 0.0, "lambda_chi": 0.0, "delta": 1.0,
}  # fmt: skip
START = classifiers.built(SETTINGS["network"], 2)[1](jax.random.key(0))


@pytest.fixture(scope="module")
def data():
    """Signal at high, background at low values of the first observable; the second says nothing."""
    rng = np.random.default_rng(0)
    signal = np.arange(6000) < 600
    mass = np.where(signal, rng.normal(125, 1.5, 6000), rng.uniform(100, 180, 6000))
    observables = rng.normal(size=(6000, 2)) + np.stack([1.5 * signal, 0 * signal], axis=1)
    return fine_tuning.Data(
        jnp.asarray(observables, jnp.float32),
        jnp.asarray(np.clip((mass - 100) / 2, 0, 39).astype(int)),
        jnp.ones(6000),
    )


FOLD = np.arange(6000) % 3
tune = jax.jit(lambda data: fine_tuning.in_folds(SETTINGS, SHAPES, START, data, scaled=True))


@pytest.fixture(scope="module")
def tuned(data):
    return tune(data)


def test_the_loss_falls_and_signal_passes(data, tuned):
    assert (tuned.seen[:, -1] < tuned.seen[:, 0] - 20).all()
    found = fine_tuning.scores_in_folds(SETTINGS["network"], tuned.best, data.observables)
    before = fine_tuning.scores(SETTINGS["network"], START, data.observables)
    assert found[:600].mean() - found[600:].mean() > before[:600].mean() - before[600:].mean() + 0.2


def test_the_parameters_of_the_lowest_loss_on_the_next_fold_are_kept(data, tuned):
    for fold in range(3):
        stop = data._replace(weights=jnp.asarray(3.0 * ((fold + 1) % 3 == FOLD)))
        kept = fine_tuning.objective(SETTINGS, SHAPES, tuned.best[fold], stop)
        assert float(kept) == pytest.approx(float(tuned.valid[fold].min()), rel=1e-4)


def test_a_fold_has_no_part_in_its_own_network(data, tuned):
    other = data._replace(observables=jnp.where((FOLD == 1)[:, None], -data.observables, data.observables))
    again = tune(other)
    np.testing.assert_array_equal(again.best[1], tuned.best[1])
    assert (again.best[0] != tuned.best[0]).any() and (again.best[2] != tuned.best[2]).any()


def test_every_event_is_judged_by_the_network_of_its_fold(data, tuned):
    found = fine_tuning.scores_in_folds(SETTINGS["network"], tuned.best, data.observables)
    for fold in range(3):
        here = fold == FOLD
        expected = fine_tuning.scores(SETTINGS["network"], tuned.best[fold], data.observables[here])
        np.testing.assert_allclose(found[here], expected, rtol=1e-5)


def test_events_without_weight_do_not_count(data):
    absent = data._replace(observables=data.observables.at[::7].set(50.0), weights=data.weights.at[::7].set(0.0))
    present = jax.tree.map(lambda array: array[np.arange(6000) % 7 != 0], data)
    values = [float(fine_tuning.objective(SETTINGS, SHAPES, START, each)) for each in (absent, present)]
    assert values[0] == pytest.approx(values[1], rel=1e-6)


def test_lambda_v_adds_the_spread(data):
    from diffhep import split_n_fit

    scores = fine_tuning.scores(SETTINGS["network"], START, data.observables)
    plain, more = (float(fine_tuning.objective(SETTINGS | {"lambda_v": v}, SHAPES, START, data)) for v in (0.0, 5.0))
    assert more - plain == pytest.approx(5 * float(split_n_fit.spread(scores, data.observables)), rel=1e-4)


def test_folds_of_other_numbers_are_filled_up(data):
    """With events of no weight, and every event gets its own score."""
    some = jax.tree.map(lambda array: array[:1000], data)
    parts = fine_tuning.parted(some, 3)
    assert parts.observables.shape == (3, 334, 2) and float(parts.weights.sum()) == 1000
    np.testing.assert_array_equal(parts.observables[1, :5], some.observables[1:15:3])
    same = jnp.stack([START] * 3)
    found = fine_tuning.scores_in_folds(SETTINGS["network"], same, some.observables)
    np.testing.assert_allclose(found, fine_tuning.scores(SETTINGS["network"], START, some.observables), rtol=1e-5)


def test_a_part_of_the_data_stands_for_all_if_it_is_scaled(data):
    """Without scaling the first loss is that of a third of the events."""
    plain = fine_tuning.in_folds(SETTINGS | {"steps": 1}, SHAPES, START, data, scaled=False)
    third = jax.tree.map(lambda array: array[FOLD == 2], data)
    expected = fine_tuning.objective(SETTINGS, SHAPES, START, third)
    assert float(plain.seen[0, 0]) == pytest.approx(float(expected), rel=1e-5)
    thrice = third._replace(weights=3 * third.weights)
    scaled = fine_tuning.in_folds(SETTINGS | {"steps": 1}, SHAPES, START, data, scaled=True)
    assert float(scaled.seen[0, 0]) == pytest.approx(
        float(fine_tuning.objective(SETTINGS, SHAPES, START, thrice)), rel=1e-5
    )
