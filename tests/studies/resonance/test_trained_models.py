"""Search samples contain the test events, weighted to the yields of all events, and their background densities."""

import jax.numpy as jnp
import numpy as np
import pytest
from support.resonance_study import MODELS

from diffhep.flows import ensembles
from diffhep.studies.resonance.trained_models import restore_models, search_samples

pytestmark = pytest.mark.xdist_group("resonance")  # one process computes the shared fixtures


@pytest.fixture(scope="module")
def models(trained):
    return restore_models(MODELS, **trained)


@pytest.fixture(scope="module")
def samples(models, signal, background):
    return search_samples(models, signal, background)


def test_test_events_are_weighted_to_the_yields_of_all_events(samples, signal, background):
    signal_sample, background_sample = samples
    np.testing.assert_allclose(signal_sample.weights.sum(axis=1), signal["yield"])
    np.testing.assert_allclose(background_sample.weights.sum(), background["weight"].sum())
    assert len(background_sample.events) == int(background["test"].sum())


def test_padding_has_weight_zero(samples, signal):
    n_test = np.bincount(signal["mass_point"], signal["test"]).astype(int)
    for weights, number in zip(samples[0].weights, n_test, strict=True):
        assert (weights[:number] > 0).all() and not weights[number:].any()


def test_background_densities_belong_to_their_events(samples, models):
    events = jnp.array(samples[0].events[3, :5])
    expected = ensembles.log_densities(models.background_flow, models.background, events, jnp.zeros(0, jnp.float32))
    np.testing.assert_allclose(samples[0].background[3, :, :5], expected, rtol=1e-5)


def test_the_pnn_depends_on_the_masses_of_the_search(samples, models):
    events = jnp.array(samples[1].events[:50])
    logits = [np.asarray(models.pnn(events, jnp.array(masses, jnp.float32))) for masses in ((250, 100), (600, 200))]
    assert logits[0].shape == (50,) and np.abs(logits[0] - logits[1]).max() > 1e-3
