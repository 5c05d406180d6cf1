"""Strategies sort events into bins of the masses searched for, and empty background bins give no infinite precision."""

import jax.numpy as jnp
import numpy as np
import pytest
from support.resonance_study import MODELS

from diffhep.studies.resonance import strategies
from diffhep.studies.resonance.trained_models import SearchSample, restore_models

pytestmark = pytest.mark.xdist_group("resonance")  # one process computes the shared fixtures

MASSES = jnp.array([300.0, 100.0], jnp.float32)
PLANE = {"m_bbgg": [0.7, 1.3], "m_bb": [0.5, 1.5], "bins": 4}


@pytest.fixture(scope="module")
def models(trained):
    return restore_models(MODELS, **trained)


@pytest.fixture(scope="module")
def sample(models):
    events = jnp.array(np.random.default_rng(0).normal(MASSES, [40.0, 20.0], (1200, 2)), jnp.float32)
    return SearchSample(events, jnp.ones(1200), models.log_background(events))


@pytest.fixture(scope="module")
def binnings(models, sample):
    return strategies.binnings(models, {"plane": PLANE, "bins": 6}, MASSES, sample)


def test_every_strategy_has_a_binning(binnings):
    assert len(binnings) == len(strategies.STRATEGIES)
    assert [binning.n_bins for binning in binnings] == [16, 6, 6]


def test_the_plane_is_histogrammed_in_units_of_the_masses(binnings, sample):
    scaled = np.asarray(sample.events) / MASSES
    edges = [np.linspace(*PLANE[name], 5) for name in ("m_bbgg", "m_bb")]
    expected, _, _ = np.histogram2d(*scaled.T, edges)
    np.testing.assert_array_equal(binnings[0](sample, sample.weights), expected.T.ravel())


def test_bins_of_the_scores_have_equal_shares_of_the_generated_signal(binnings, sample):
    for binning in binnings[1:]:
        np.testing.assert_allclose(binning(sample, sample.weights), 200, atol=2)


def test_every_background_bin_has_half_a_simulated_event(binnings, sample):
    few = SearchSample(sample.events[:3], 4.0 * jnp.ones(3), sample.background[:, :3])
    content = np.asarray(strategies._background_content(binnings[0], few))
    counts = np.asarray(binnings[0](few, few.weights))
    np.testing.assert_allclose(content[counts == 0], 2.0)
    np.testing.assert_allclose(content[counts > 0], counts[counts > 0])


def test_twice_the_signal_yield_halves_the_limits():
    """The limit is on the strength, and the relative uncertainties stay."""
    shares = jnp.full((2, 5), 0.2) + jnp.array([[0.01, -0.01, 0, 0, 0], [0, 0, 0.01, 0, -0.01]])
    background = jnp.full(5, 30.0)
    once, twice = (
        np.asarray(strategies._limits(jnp.array(size), jnp.array(0.1 * size), (shares, size * shares[0], background)))
        for size in (10.0, 20.0)
    )
    np.testing.assert_allclose(once, 2 * twice, rtol=1e-3)
