"""Objectives against closed forms, and sums of them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from diffhep.learning import losses
from diffhep.learning.losses import Outcome
from diffhep.models.simple import signal_background

LOGITS = np.array([[2.0, 1.0, -0.5], [-1.0, 0.3, -2.0], [0.5, 0.1, -0.1], [-3.0, 1.0, 0.0]])
# one bin, in which the background does not shift
MODEL = signal_background(*np.array([[10.0], [100.0], [100.0], [100.0]]))


def outcome(weights=None):
    """Four samples of three events."""
    return Outcome(LOGITS, np.ones_like(LOGITS) if weights is None else weights, MODEL)


def cross_entropy(rows):
    scores = 1 / (1 + np.exp(-np.asarray(LOGITS)))
    return -np.mean(np.log(np.concatenate([scores[:1], 1 - scores[1:rows]])))


def test_cross_entropy_against_its_definition():
    np.testing.assert_allclose(losses.bce(outcome()), cross_entropy(2), rtol=1e-6)
    np.testing.assert_allclose(losses.bce_augmented(outcome()), cross_entropy(4), rtol=1e-6)


def test_cross_entropy_ignores_events_of_weight_zero():
    there = np.arange(3) != 2
    weights = np.ones_like(LOGITS) * there
    changed = outcome(weights)._replace(logits=np.where(there, LOGITS, 50.0))
    for loss in (losses.bce, losses.bce_augmented):
        np.testing.assert_allclose(loss(changed), loss(outcome(weights)), rtol=1e-12)


def objectives(of, names):
    """Their values by name, from one program."""
    return jax.jit(lambda of: {name: losses.OBJECTIVES[name](of) for name in names})(of)


def test_one_bin_without_systematics_has_closed_forms():
    """sigma_mu² = (s + b) / s²; sigma_gamma = 1; q_A of a Poisson count."""
    s, b = 10.0, 100.0
    variance = (s + b) / s**2
    q_exclusion = 2 * (s + b * np.log(b / (s + b)))
    q_discovery = 2 * ((s + b) * np.log((s + b) / b) - s)
    expected = {
        "poi_variance": variance,
        "poi_uncertainty": np.sqrt(variance),
        "nuisance_uncertainty": 1,
        "nuisance_deviation": 0,
        "generalised_variance": variance,
        "log_cls": np.log(2) + norm.logsf(np.sqrt(q_exclusion)),
        "log_p0": norm.logsf(np.sqrt(q_discovery)),
    }
    expected |= {name: np.exp(expected[f"log_{name}"]) for name in ("cls", "p0")}
    for name, found in objectives(outcome(), expected).items():
        fitted = name.removeprefix("log_") in ("cls", "p0")
        np.testing.assert_allclose(found, expected[name], rtol=1e-9 if fitted else 1e-12, atol=1e-20, err_msg=name)


def test_expected_tests_are_the_objectives_of_their_names():
    shifted = signal_background(*np.array([[5.0, 10.0], [60.0, 40.0], [66.0, 38.0], [55.0, 41.0]]))
    found = jax.jit(losses.expected_p_values)(Outcome(None, None, shifted))
    assert set(found) == {"cls", "p0", "log_cls", "log_p0"}
    for name, value in objectives(Outcome(None, None, shifted), found).items():
        np.testing.assert_allclose(found[name], value, rtol=1e-9, err_msg=name)


def test_a_sum_of_objectives_is_the_weighted_sum():
    terms = {"cls": 1.0, "poi_uncertainty": 0.5, "nuisance_deviation": 2.0}
    total = losses.objective(terms)
    found, each = jax.jit(lambda of: (total(of), {name: losses.OBJECTIVES[name](of) for name in terms}))(outcome())
    expected = sum(weight * float(each[name]) for name, weight in terms.items())
    np.testing.assert_allclose(found, expected, rtol=1e-15)


@pytest.mark.parametrize("terms", [{"clz": 1.0}, {}])
def test_an_unknown_objective_is_refused_with_the_known_ones(terms):
    with pytest.raises(ValueError, match=r"unknown objective .*choose from \['bce'"):
        losses.objective(terms)


@pytest.mark.parametrize("name", sorted(set(losses.OBJECTIVES) - {"bce", "bce_augmented"}))
def test_objectives_have_the_gradient_of_finite_differences(name):
    """With respect to the background in the bins, where the shifts differ between them."""

    @jax.jit
    @jax.value_and_grad
    def loss(background):
        model = signal_background(jnp.array([5.0, 11.0]), background, jnp.array([55.0, 45.0]), jnp.array([47.0, 53.0]))
        return losses.OBJECTIVES[name](Outcome(None, None, model))

    point, step = np.array([50.0, 50.0]), 1e-4
    differences = [float(loss(point + step * e)[0] - loss(point - step * e)[0]) / (2 * step) for e in np.eye(2)]
    np.testing.assert_allclose(loss(point)[1], differences, rtol=1e-5)
