"""Contrastive flows minimise the printed loss, with gradients only above its floor, and learn the density of eq. 10."""

import jax
import numpy as np
import pytest

from diffhep.data import gaussian_classes
from diffhep.flows import contrastive
from diffhep.flows import flow as flows_flow
from diffhep.learning import classifiers
from diffhep.samples import conditional_events

LOG_DENSITY = np.array([[-1.0, -2.0, -3.0], [-4.0, -60.0, -200.0]])
WEIGHTS = np.array([[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]])
SETTINGS = {
    "flow": {"layers": 4, "couplings": ["gated_affine", "hyperbolic"], "width": 16, "depth": 1},
    "strength": 1.0,
    "floor": -50.0,
    "clamp": "event",
    "members": 1,
    "iterations": 600,
    "evaluate_every": 100,
    "batch_size": 256,
    "learning_rate": 0.004,
    "seed": 0,
    "seeds_at_once": "auto",
}
CLASSES = gaussian_classes.Classes(np.array([[0.0, 0.0], [1.5, 0.0]]), np.array([np.eye(2), [[2.0, 0.5], [0.5, 1.0]]]))


contrast = jax.jit(contrastive.contrastive_loss, static_argnames=("floor", "clamp"))
with_slopes = jax.jit(jax.value_and_grad(contrastive.contrastive_loss), static_argnames=("floor", "clamp"))


def test_the_loss_is_the_difference_of_both_means():
    for clamp in ("event", "batch"):
        found = contrast(LOG_DENSITY, WEIGHTS, floor=-1e3, clamp=clamp)
        assert float(found) == pytest.approx(2.0 + 2 * np.mean([-4, -60, -200]))


def test_events_are_weighted():
    weights = np.array([[3.0, 0.0, 0.0], [0.0, 3.0, 0.0]])
    assert float(contrast(LOG_DENSITY, weights, floor=-1e3, clamp="event")) == pytest.approx(1.0 - 60.0)


def test_the_floor_of_events_removes_gradients_of_events_below_it_only():
    value, slopes = with_slopes(LOG_DENSITY, WEIGHTS, floor=-50.0, clamp="event")
    assert float(value) == pytest.approx(2.0 + 2 * np.mean([-4, -50, -50]))
    np.testing.assert_allclose(slopes, [[-1 / 3] * 3, [2 / 3, 0, 0]], rtol=1e-6)


def test_the_floor_of_a_batch_removes_all_its_gradients():
    value, slopes = with_slopes(LOG_DENSITY, WEIGHTS, floor=-50.0, clamp="batch")
    assert float(value) == -50.0
    assert not np.any(slopes)
    assert np.all(with_slopes(LOG_DENSITY / 100, WEIGHTS, floor=-50.0, clamp="batch")[1])


def test_an_unknown_clamp_raises():
    with pytest.raises(ValueError, match="clamp 'loss' is unknown; choose event or batch"):
        contrast(LOG_DENSITY, WEIGHTS, floor=-50.0, clamp="loss")


def test_the_optimal_density_is_the_positive_part_of_the_difference():
    signal, background = np.array([0.4, 0.2, 0.1]), np.array([0.1, 0.1, 0.1])
    np.testing.assert_allclose(contrastive.optimal_density(signal, background, 2.0), [0.2, 0.0, 0.0], atol=1e-12)
    np.testing.assert_array_equal(contrastive.optimal_density(signal, background, 0.0), signal)


def test_no_density_of_equal_support_has_a_lower_loss_than_the_optimal_one():
    rng = np.random.default_rng(0)
    signal, background = (sample / sample.sum() for sample in rng.exponential(size=(2, 200)))
    best = contrastive.optimal_density(signal, background, 0.5)
    support = best > 0

    def loss(density):
        return -np.sum((signal - 0.5 * background)[support] * np.log((density / density.sum())[support]))

    assert loss(best) < min(loss(best * rng.uniform(0.8, 1.25, 200)) for _ in range(50))


def test_discrimination_is_p_over_one_plus_p():
    density = np.array([1e-3, 1.0, 50.0])
    found = contrastive.discrimination(np.log(density))
    np.testing.assert_allclose(found, density / (1 + density), rtol=1e-6)
    scaled = contrastive.discrimination(np.array([-30.0, -20.0, -10.0]), -20.0, 10.0)
    np.testing.assert_allclose(scaled, [1 / (1 + np.e), 0.5, np.e / (1 + np.e)], rtol=1e-6)


def samples(seed, number):
    rng = np.random.default_rng(seed)
    return classifiers.combine_classes(
        *(conditional_events(each, np.zeros((number, 0))) for each in gaussian_classes.draw(rng, CLASSES, number)), rng
    )


@pytest.fixture(scope="module")
def trained():
    return contrastive.train(SETTINGS, samples(0, 8000), samples(1, 2000))


def test_a_trained_flow_approximates_the_optimal_density(trained):
    flow, found = contrastive.restore(SETTINGS["flow"], trained)
    axis = np.linspace(-8, 8, 161)
    points, area = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2), (axis[1] - axis[0]) ** 2
    learned = np.exp(contrastive.log_density(flow, found, points.astype(np.float32)))
    truth = np.exp(gaussian_classes.log_densities(CLASSES, points))
    best = contrastive.optimal_density(*truth, 1.0)
    best /= best.sum() * area
    assert learned.sum() * area == pytest.approx(1.0, abs=0.01)
    distance = [np.abs(each - best).sum() * area / 2 for each in (learned, truth[0])]
    assert distance[0] < 0.15 < distance[1]


def test_a_restored_flow_has_the_stored_loss(trained):
    flow, found = contrastive.restore(SETTINGS["flow"], trained)
    events = np.asarray(samples(1, 2000).events)
    values = np.stack([contrastive.log_density(flow, found, each) for each in events])
    values += np.log(found.events.width).sum()  # the loss is that of scaled events
    loss = contrast(values, np.ones((2, 2000)), floor=-50.0, clamp="event")
    assert float(loss) == pytest.approx(float(trained["valid"].min()), abs=1e-3)


def test_a_log_density_function_compiles_once_for_all_flows(trained, monkeypatch):
    flow, found = contrastive.restore(SETTINGS["flow"], trained)
    events, traced, plain = np.asarray(samples(1, 30).events), [], flows_flow.blockwise_scaled_log_density

    def counted(*args):
        traced.append(args)
        return plain(*args)

    monkeypatch.setattr(flows_flow, "blockwise_scaled_log_density", counted)
    evaluated = contrastive.log_density_function(SETTINGS["flow"], 2)
    rows = evaluated(trained, events)
    other = evaluated(trained.assign(parameters=0.9 * trained["parameters"].astype(np.float32)), events)
    assert len(traced) == 1 and np.abs(other - evaluated(trained, events)).max() > 0.01
    for row, each in zip(rows, events, strict=True):
        np.testing.assert_allclose(row, contrastive.log_density(flow, found, each), rtol=1e-4, atol=1e-4)


def test_a_flow_of_strength_zero_ignores_the_background():
    settings = SETTINGS | {"strength": 0.0, "iterations": 200, "evaluate_every": 50}
    seen = samples(0, 4000)
    found = contrastive.train(settings, seen, samples(1, 1000))
    events = np.array(seen.events)
    events[1] = events[1, ::-1].copy()
    reordered = seen._replace(events=jax.device_put(events))  # other batches, equal scaling
    again = contrastive.train(settings, reordered, samples(1, 1000))
    np.testing.assert_allclose(again["valid"], found["valid"], rtol=1e-4)
