"""Objectives against closed forms and finite differences, and their weighted sums."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from diffhep.learning import losses
from diffhep.models.simple import signal_background

LOGITS = np.array([[2.0, 1.0, -0.5], [-1.0, 0.3, -2.0], [0.5, 0.1, -0.1], [-3.0, 1.0, 0.0]])
WEIGHTS = np.ones_like(LOGITS)
# one bin, in which the background does not shift
MODEL = signal_background(*np.array([[10.0], [100.0], [100.0], [100.0]]))


def cross_entropy(rows):
    scores = 1 / (1 + np.exp(-np.asarray(LOGITS)))
    return -np.mean(np.log(np.concatenate([scores[:1], 1 - scores[1:rows]])))


def test_cross_entropy_against_its_definition():
    np.testing.assert_allclose(losses.bce(LOGITS, WEIGHTS), cross_entropy(2), rtol=1e-6)
    np.testing.assert_allclose(losses.bce_augmented(LOGITS, WEIGHTS), cross_entropy(4), rtol=1e-6)


def test_cross_entropy_ignores_events_of_weight_zero():
    present = np.arange(3) != 2
    changed = np.where(present, LOGITS, 50.0)
    for loss in (losses.bce, losses.bce_augmented):
        np.testing.assert_allclose(loss(changed, WEIGHTS * present), loss(LOGITS, WEIGHTS * present), rtol=1e-12)


def evaluate(model, names):
    """Values of objectives by name, from one program."""
    return jax.jit(lambda model: {name: losses.MODEL_OBJECTIVES[name](model) for name in names})(model)


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
    for name, value in evaluate(MODEL, expected).items():
        fitted = name.removeprefix("log_") in ("cls", "p0")
        np.testing.assert_allclose(value, expected[name], rtol=1e-9 if fitted else 1e-12, atol=1e-20, err_msg=name)


def test_expected_p_values_are_the_objectives_of_their_names():
    shifted = signal_background(*np.array([[5.0, 10.0], [60.0, 40.0], [66.0, 38.0], [55.0, 41.0]]))
    p_values = jax.jit(losses.expected_p_values)(shifted)
    assert set(p_values) == {"cls", "p0", "log_cls", "log_p0"}
    for name, value in evaluate(shifted, p_values).items():
        np.testing.assert_allclose(p_values[name], value, rtol=1e-9, err_msg=name)


def test_an_objective_of_several_terms_is_their_weighted_sum():
    terms = {"cls": 1.0, "bce": 3.0, "poi_uncertainty": 0.5, "nuisance_deviation": 2.0}
    value = jax.jit(lambda model: losses.objective(terms)(LOGITS, WEIGHTS, lambda: model))(MODEL)
    values = evaluate(MODEL, set(terms) - {"bce"}) | {"bce": losses.bce(LOGITS, WEIGHTS)}
    np.testing.assert_allclose(value, sum(weight * float(values[name]) for name, weight in terms.items()), rtol=1e-15)


def test_an_objective_of_scores_alone_builds_no_model():
    def build_model():
        raise AssertionError("the model is not needed")

    value = losses.objective({"bce": 2.0, "bce_augmented": 1.0})(LOGITS, WEIGHTS, build_model)
    np.testing.assert_allclose(value, 2 * cross_entropy(2) + cross_entropy(4), rtol=1e-6)


@pytest.mark.parametrize("terms", [{"clz": 1.0}, {}])
def test_an_unknown_objective_is_refused_with_the_known_ones(terms):
    with pytest.raises(ValueError, match=r"unknown objective .*choose from \['bce'"):
        losses.objective(terms)


@pytest.mark.parametrize("name", losses.MODEL_OBJECTIVES)
def test_objectives_have_the_gradient_of_finite_differences(name):
    """With respect to the background in the bins, where the shifts differ between them."""

    @jax.jit
    @jax.value_and_grad
    def loss(background):
        model = signal_background(jnp.array([5.0, 11.0]), background, jnp.array([55.0, 45.0]), jnp.array([47.0, 53.0]))
        return losses.MODEL_OBJECTIVES[name](model)

    point, step = np.array([50.0, 50.0]), 1e-4
    differences = [float(loss(point + step * e)[0] - loss(point - step * e)[0]) / (2 * step) for e in np.eye(2)]
    np.testing.assert_allclose(loss(point)[1], differences, rtol=1e-5)
