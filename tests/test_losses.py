"""Objectives against closed forms, and sums of them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhep import losses
from diffhep.losses import Outcome
from diffhep.models import signal_background

LOGITS = jnp.array([[2.0, 1.0, -0.5], [-1.0, 0.3, -2.0], [0.5, 0.1, -0.1], [-3.0, 1.0, 0.0]])


def outcome(weights=None):
    """Four samples of three events; one bin, in which the background does not shift."""
    model = signal_background(*np.array([[10.0], [100.0], [100.0], [100.0]]))
    return Outcome(LOGITS, jnp.ones_like(LOGITS) if weights is None else weights, model)


def cross_entropy(rows):
    scores = 1 / (1 + np.exp(-np.asarray(LOGITS)))
    return -np.mean(np.log(np.concatenate([scores[:1], 1 - scores[1:rows]])))


def test_cross_entropy_against_its_definition():
    np.testing.assert_allclose(losses.bce(outcome()), cross_entropy(2), rtol=1e-6)
    np.testing.assert_allclose(losses.bce_augmented(outcome()), cross_entropy(4), rtol=1e-6)


def test_cross_entropy_ignores_events_of_weight_zero():
    weights = jnp.ones_like(LOGITS).at[:, 2].set(0)
    changed = outcome(weights)._replace(logits=LOGITS.at[:, 2].set(50.0))
    for loss in (losses.bce, losses.bce_augmented):
        np.testing.assert_allclose(loss(changed), loss(outcome(weights)), rtol=1e-12)


def test_one_bin_without_systematics_has_closed_forms():
    """sigma_mu² = (s + b) / s²; sigma_gamma = 1; q_A of a Poisson count."""
    s, b = 10.0, 100.0
    variance = (s + b) / s**2
    np.testing.assert_allclose(losses.poi_variance(outcome()), variance, rtol=1e-12)
    np.testing.assert_allclose(losses.poi_uncertainty(outcome()), np.sqrt(variance), rtol=1e-12)
    np.testing.assert_allclose(losses.nuisance_uncertainty(outcome()), 1, rtol=1e-12)
    np.testing.assert_allclose(losses.nuisance_deviation(outcome()), 0, atol=1e-20)
    np.testing.assert_allclose(losses.generalised_variance(outcome()), variance, rtol=1e-12)
    q_exclusion = 2 * (s + b * np.log(b / (s + b)))
    q_discovery = 2 * ((s + b) * np.log((s + b) / b) - s)
    tail = jax.scipy.stats.norm.sf
    np.testing.assert_allclose(losses.cls(outcome()), 2 * tail(np.sqrt(q_exclusion)), rtol=1e-9)
    np.testing.assert_allclose(losses.p0(outcome()), tail(np.sqrt(q_discovery)), rtol=1e-9)
    np.testing.assert_allclose(losses.log_cls(outcome()), np.log(losses.cls(outcome())), rtol=1e-12)
    np.testing.assert_allclose(losses.log_p0(outcome()), np.log(losses.p0(outcome())), rtol=1e-12)


def test_expected_tests_side_by_side_are_the_objectives_of_their_names():
    shifted = signal_background(*np.array([[5.0, 10.0], [60.0, 40.0], [66.0, 38.0], [55.0, 41.0]]))
    found = jax.jit(losses.expected_tests)(Outcome(None, None, shifted))
    assert set(found) == {"cls", "p0", "log_cls", "log_p0"}
    alone = jax.jit(lambda of: {name: losses.OBJECTIVES[name](of) for name in found})(Outcome(None, None, shifted))
    for name, value in alone.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-9, err_msg=name)


def test_a_sum_of_objectives_is_the_weighted_sum():
    terms = {"cls": 1.0, "poi_uncertainty": 0.5, "nuisance_deviation": 2.0}
    expected = sum(weight * losses.OBJECTIVES[name](outcome()) for name, weight in terms.items())
    np.testing.assert_allclose(losses.objective(terms)(outcome()), expected, rtol=1e-15)


@pytest.mark.parametrize("terms", [{"clz": 1.0}, {}])
def test_an_unknown_objective_is_refused_with_the_known_ones(terms):
    with pytest.raises(ValueError, match=r"unknown objective .*choose from \['bce'"):
        losses.objective(terms)


@pytest.mark.parametrize("name", sorted(set(losses.OBJECTIVES) - {"bce", "bce_augmented"}))
def test_objectives_have_the_gradient_of_finite_differences(name):
    """With respect to the background in the bins, where the shifts differ between them."""

    def loss(background):
        model = signal_background(jnp.array([5.0, 11.0]), background, jnp.array([55.0, 45.0]), jnp.array([47.0, 53.0]))
        return losses.OBJECTIVES[name](Outcome(None, None, model))

    point, step = jnp.array([50.0, 50.0]), 1e-4
    differences = [(loss(point + step * e) - loss(point - step * e)) / (2 * step) for e in jnp.eye(2)]
    np.testing.assert_allclose(jax.grad(loss)(point), differences, rtol=1e-5)
