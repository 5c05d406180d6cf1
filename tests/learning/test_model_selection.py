"""Model selection: the parameters of the lowest validation loss, for inputs in any units."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhep.learning.model_selection import standardise_and_train, train_and_select_best, trained_parameters
from diffhep.learning.tasks import Task, TrainingData
from diffhep.samples import conditional_events

SETTINGS = {
    "iterations": 60,
    "evaluate_every": 10,
    "batch_size": 50,
    "learning_rate": 0.3,
    "members": 3,
    "seed": 5,
    "seeds_at_once": "auto",
}


def squares(parameters, batch):
    return jnp.sum(batch.weights[..., None] * (batch.events - parameters) ** 2) / jnp.sum(batch.weights)


def evaluate(parameters, held_out):
    return {"valid": squares(parameters, held_out), "parameters": parameters}


def task(sample):
    """Fit of the means of all features."""
    features = sample.events.shape[-1]
    return Task("squares", lambda key: 3 + jax.random.normal(key, (features,), jnp.float32), squares, evaluate)


def sample(seed):
    rng = np.random.default_rng(seed)
    return conditional_events(rng.normal([1.0, -2.0], 0.5, (400, 2)), rng.uniform(0, 1, (400, 1)))


@pytest.fixture(scope="module")
def trained():
    return train_and_select_best(task(sample(0)), TrainingData(sample(0), sample(1)), SETTINGS)


def test_every_member_has_losses_at_every_evaluation(trained):
    assert dict(trained.sizes) == {"member": 3, "iteration": 7, "parameter": 2}
    assert list(trained["member"].values) == [5, 6, 7]
    assert list(trained["iteration"].values) == [0, 10, 20, 30, 40, 50, 60]
    assert np.isnan(trained["train"][:, 0]).all() and np.isfinite(trained["train"][:, 1:]).all()


def test_the_selected_parameters_have_the_lowest_validation_loss(trained):
    valid = trained["valid"]
    np.testing.assert_array_equal(valid.sel(iteration=trained["selected"]), valid.min("iteration"))
    for member in range(3):
        loss = squares(jnp.asarray(trained["parameters"].values[member]), sample(1))
        assert float(loss) == pytest.approx(float(valid[member].min()), rel=1e-5)


def test_the_selected_parameters_are_near_the_minimum(trained):
    np.testing.assert_allclose(trained["parameters"], np.tile([1.0, -2.0], (3, 1)), atol=0.3)


def test_standardised_training_does_not_depend_on_units():
    """A power of two scales floating-point numbers without rounding."""

    def scaled(seed, factor):
        events, context, _ = (np.asarray(array)[0] for array in sample(seed))
        return conditional_events(factor * events, factor * context)

    first, other = (standardise_and_train(task, SETTINGS, scaled(0, factor), scaled(1, factor)) for factor in (1, 1024))
    for name in ("train", "valid", "parameters"):
        np.testing.assert_allclose(other[name], first[name], rtol=1e-6)
    np.testing.assert_allclose(other["event_mean"], 1024 * first["event_mean"], rtol=1e-6)


def test_stored_parameters_and_scalings_are_read_back():
    result = standardise_and_train(task, SETTINGS, sample(0), sample(1))
    trained = trained_parameters(result)
    np.testing.assert_array_equal(trained.parameters, result["parameters"])
    np.testing.assert_allclose(trained.events.mean, [1.0, -2.0], atol=0.1)
    np.testing.assert_allclose(trained.events.width, 0.5, rtol=0.1)
    np.testing.assert_allclose(trained.context.mean, 0.5, atol=0.05)
