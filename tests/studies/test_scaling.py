"""Noise of gradients: none of a batch of all events, no bias of a mean over events, falling with the batch."""

import jax.numpy as jnp
import numpy as np
import pytest
from study_settings import study_settings

from diffhep.studies import blobs, scaling

BLOBS = study_settings("blobs", "quick")
EVENTS = 300


@pytest.fixture(scope="module")
def noise():
    data = {"seed": 0, "events": 400, "test_fraction": 0.25, "means": BLOBS["data"]["means"]}
    settings = study_settings("scaling", "quick")["gradient_noise"] | {
        "seed": 0, "yields": BLOBS["yields"], "plane": BLOBS["plane"],
        "objectives": ["bce_augmented", "cls"], "batch_sizes": [10, EVENTS], "batches": 1000,
    }  # fmt: skip
    return scaling.gradient_noise(settings, blobs.generate(data))


def test_a_batch_of_all_events_has_their_gradient(noise):
    last = noise.sel(batch_size=EVENTS)
    np.testing.assert_allclose(last["bias"], 0, atol=1e-4)  # networks are in single precision
    np.testing.assert_allclose(last["spread"], 0, atol=1e-4)
    np.testing.assert_allclose(last["cosine"], 1, atol=1e-6)


def test_spread_falls_with_the_size_of_the_batch(noise):
    assert (np.diff(noise["spread"]) < 0).all() and (np.diff(noise["cosine"]) > 0).all()


def test_a_mean_over_events_has_no_bias_and_cls_has(noise):
    small = noise.sel(batch_size=10)
    assert small["bias"].sel(objective="bce_augmented") < 2 * small["bias_error"].sel(objective="bce_augmented")
    assert small["bias"].sel(objective="cls") > 4 * small["bias_error"].sel(objective="cls")


def test_measures_of_known_gradients():
    gradients = jnp.array([[1.0, 1.0], [1.0, -1.0]])
    found = dict(zip(scaling.MEASURES, scaling._compare(gradients, jnp.array([2.0, 0.0])), strict=True))
    expected = {"bias": 0.5, "bias_error": 0.5 / np.sqrt(2), "spread": 0.5, "cosine": 1 / np.sqrt(2)}
    for name, value in expected.items():
        assert found[name] == pytest.approx(value), name
