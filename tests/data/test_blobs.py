"""Blobs have their means and are split without overlap."""

import jax
import numpy as np
import pytest

from diffhep.data import blobs

MEANS = {"signal": [-1.0, 1.0], "background": [1.0, -1.0], "up": [2.5, 2.0], "down": [-2.5, -1.5]}


def test_blobs_have_their_means_and_unit_covariance():
    events = blobs.draw_blobs(jax.random.key(0), MEANS, 20_000)
    for sample, points in zip(blobs.SAMPLES, np.asarray(events.features), strict=True):
        np.testing.assert_allclose(points.mean(axis=0), MEANS[sample], atol=0.03)
        np.testing.assert_allclose(np.cov(points.T), np.eye(2), atol=0.04)


def test_blobs_are_independent_of_each_other():
    features = np.asarray(blobs.draw_blobs(jax.random.key(0), MEANS, 20_000).features)
    centred = (features - features.mean(axis=1, keepdims=True))[..., 0]
    np.testing.assert_allclose(np.corrcoef(centred), np.eye(4), atol=0.03)


def test_split_divides_every_sample():
    events = blobs.draw_blobs(jax.random.key(0), MEANS, 100)
    train, test = blobs.split_events(events, 0.25)
    assert train.features.shape == (4, 75, 2) and test.weights.shape == (4, 25)
    np.testing.assert_array_equal(np.concatenate([train.features, test.features], axis=1), events.features)


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match=r"given for \['signal'\]; give exactly"):
        blobs.draw_blobs(jax.random.key(0), {"signal": [0.0, 0.0]}, 5)
    with pytest.raises(ValueError, match=r"test_fraction 0\.001 leaves no events"):
        blobs.split_events(blobs.draw_blobs(jax.random.key(0), MEANS, 10), 0.001)
