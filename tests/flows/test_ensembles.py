"""Ensembles: histograms agree with numpy and with the densities, and densities are averaged over members."""

import jax
import numpy as np

from diffhep.flows import autoregressive, ensembles
from diffhep.learning import model_selection, scaling

FLOW = autoregressive.autoregressive_flow({"transform": "affine", "layers": 2, "hidden": 4}, 2, 2)
UNIT = scaling.Scaling(np.zeros(2, np.float32), np.ones(2, np.float32))
PARAMETERS = np.stack([FLOW.initialise(jax.random.key(seed)) for seed in range(3)])
ENSEMBLE = model_selection.TrainedParameters(PARAMETERS, UNIT, UNIT)
CONTEXTS = np.array([[0.0, 0.0], [1.0, -1.0]], np.float32)
EDGES = np.linspace(-2.0, 2.0, 9)


def test_histograms_equal_numpys():
    points = np.random.default_rng(0).normal(size=(1000, 2))
    expected, _, _ = np.histogram2d(*points.T, bins=[EDGES] * 2)
    np.testing.assert_array_equal(ensembles.histogram_2d(points, (EDGES, EDGES)), expected.T)
    weights, across = np.arange(1000.0), np.linspace(-1, 1.5, 5)
    expected, _, _ = np.histogram2d(*points.T, bins=[across, EDGES], weights=weights)
    np.testing.assert_allclose(ensembles.histogram_2d(points, (across, EDGES), weights), expected.T, rtol=1e-12)


def test_sampled_histograms_follow_the_density_of_each_member_at_each_context():
    def count(drawn, context):
        return ensembles.histogram_2d(drawn - context, (EDGES, EDGES))

    found = np.asarray(ensembles.sample_histograms(FLOW, ENSEMBLE, CONTEXTS, 20_000, count, key=jax.random.key(1)))
    assert found.shape == (2, 3, 8, 8)
    middle = (EDGES[1:] + EDGES[:-1]) / 2
    points = np.stack(np.meshgrid(middle, middle), axis=-1).reshape(-1, 2) + CONTEXTS[1]
    density = np.exp(ensembles.log_densities(FLOW, ENSEMBLE, points, CONTEXTS[1]))
    expected = 20_000 * 0.5**2 * density.reshape(3, 8, 8)
    assert np.abs(found[1] - expected).max() < 0.12 * expected.max()
    assert not np.array_equal(found[1, 0], found[1, 1])


def test_densities_are_averaged_over_the_members():
    offsets = np.stack(np.meshgrid(np.linspace(-1, 1, 3), np.linspace(-1, 1, 4)), axis=-1)
    found = np.asarray(ensembles.mean_densities(FLOW, ENSEMBLE, CONTEXTS, offsets))
    assert found.shape == (2, 4, 3)
    members = ensembles.log_densities(FLOW, ENSEMBLE, (CONTEXTS[1] + offsets).reshape(-1, 2), CONTEXTS[1])
    np.testing.assert_allclose(found[1].ravel(), np.exp(members).mean(axis=0), rtol=1e-5)
