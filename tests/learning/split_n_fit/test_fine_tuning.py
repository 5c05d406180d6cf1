"""Fine-tuning lowers the loss, stops where another fold is best, and leaves the judged fold alone."""

from functools import partial

import jax
import numpy as np
import pytest

from diffhep.inference.spectra import shapes
from diffhep.learning import classifiers
from diffhep.learning.split_n_fit import fine_tuning
from diffhep.learning.split_n_fit.loss import Shapes

EDGES = np.linspace(100, 180, 41)
SHAPES = Shapes(
    shapes.build_shape({"shape": "polynomial", "order": 2}, EDGES),
    shapes.build_shape({"shape": "gaussian", "mean": 125.0, "width": 1.5}, EDGES),
    40,
)
SETTINGS = {
    "network": {"widths": [8], "activation": "swish"}, "steps": 40, "learning_rate": 0.02, "folds": 3,
    "lambda_v": 0.0, "lambda_chi": 0.0, "delta": 1.0,
}  # fmt: skip
NETWORK = SETTINGS["network"]
START = jax.jit(classifiers.build_flat_network(NETWORK, 2)[1])(jax.random.key(0))
scores = jax.jit(partial(fine_tuning.scores, NETWORK))
scores_in_folds = jax.jit(partial(fine_tuning.scores_in_folds, NETWORK))
objective = jax.jit(partial(fine_tuning.objective, SETTINGS, SHAPES))


@pytest.fixture(scope="module")
def data():
    """Signal at high, background at low values of the first observable; the second says nothing."""
    rng = np.random.default_rng(0)
    signal = np.arange(6000) < 600
    mass = np.where(signal, rng.normal(125, 1.5, 6000), rng.uniform(100, 180, 6000))
    observables = rng.normal(size=(6000, 2)) + np.stack([1.5 * signal, 0 * signal], axis=1)
    return fine_tuning.FineTuningData(
        observables.astype(np.float32), np.clip((mass - 100) / 2, 0, 39).astype(int), np.ones(6000)
    )


FOLD = np.arange(6000) % 3
tune = jax.jit(
    lambda data, scaled: fine_tuning.fine_tune_in_folds(SETTINGS, SHAPES, START, data, scaled=scaled), static_argnums=1
)


@pytest.fixture(scope="module")
def tuned(data):
    return jax.device_get(tune(data, True))


def test_the_loss_falls_and_signal_passes(data, tuned):
    assert (tuned.seen[:, -1] < tuned.seen[:, 0] - 20).all()
    found = np.asarray(scores_in_folds(tuned.best, data.observables))
    before = np.asarray(scores(START, data.observables))
    assert found[:600].mean() - found[600:].mean() > before[:600].mean() - before[600:].mean() + 0.2


def test_the_parameters_of_the_lowest_loss_on_the_next_fold_are_kept(data, tuned):
    for fold in range(3):
        stop = data._replace(weights=3.0 * ((fold + 1) % 3 == FOLD))
        kept = objective(tuned.best[fold], stop)
        assert float(kept) == pytest.approx(float(tuned.valid[fold].min()), rel=1e-4)


def test_a_fold_has_no_part_in_its_own_network(data, tuned):
    other = data._replace(observables=np.where((FOLD == 1)[:, None], -data.observables, data.observables))
    again = jax.device_get(tune(other, True))
    np.testing.assert_array_equal(again.best[1], tuned.best[1])
    assert (again.best[0] != tuned.best[0]).any() and (again.best[2] != tuned.best[2]).any()


def test_every_event_is_judged_by_the_network_of_its_fold(data, tuned):
    found = np.asarray(scores_in_folds(tuned.best, data.observables))
    for fold in range(3):
        here = fold == FOLD
        expected = np.asarray(scores(tuned.best[fold], data.observables))
        np.testing.assert_allclose(found[here], expected[here], rtol=1e-5)


def test_events_without_weight_do_not_count(data):
    there = np.arange(6000) % 7 != 0
    absent = data._replace(
        observables=np.where(there[:, None], data.observables, np.float32(50.0)), weights=1.0 * there
    )
    present = jax.tree.map(lambda array: array[there], data)
    values = [float(objective(START, each)) for each in (absent, present)]
    assert values[0] == pytest.approx(values[1], rel=1e-6)


def test_lambda_v_adds_the_spread(data):
    from diffhep.learning.split_n_fit import loss

    plain = float(objective(START, data))
    more = float(jax.jit(partial(fine_tuning.objective, SETTINGS | {"lambda_v": 5.0}, SHAPES))(START, data))
    spread = loss.score_spread(scores(START, data.observables), data.observables)
    assert more - plain == pytest.approx(5 * float(spread), rel=1e-4)


def test_folds_of_other_numbers_are_filled_up(data):
    """With events of no weight, and every event gets its own score."""
    some = jax.tree.map(lambda array: array[:1000], data)
    parts = jax.device_get(jax.jit(fine_tuning.split_into_folds, static_argnums=1)(some, 3))
    assert parts.observables.shape == (3, 334, 2) and float(parts.weights.sum()) == 1000
    np.testing.assert_array_equal(parts.observables[1, :5], some.observables[1:15:3])
    found = scores_in_folds(np.stack([START] * 3), some.observables)
    np.testing.assert_allclose(found, scores(START, some.observables), rtol=1e-5)


def test_a_part_of_the_data_stands_for_all_if_it_is_scaled(data, tuned):
    """Without scaling the first loss is that of a third of the events."""
    plain = tune(data, False)
    third = data._replace(weights=1.0 * (FOLD == 2))
    assert float(plain.seen[0, 0]) == pytest.approx(float(objective(START, third)), rel=1e-5)
    thrice = third._replace(weights=3 * third.weights)
    assert float(tuned.seen[0, 0]) == pytest.approx(float(objective(START, thrice)), rel=1e-5)
