"""Normal distributions on a grid: eq. 8.1 as printed, and their bin probabilities."""

import jax
import numpy as np
import pytest
from scipy import stats

from diffhep.data import gaussian_grid


def test_firework_is_narrow_by_one_over_r_and_wide_towards_the_origin_on_the_diagonal():
    means = np.array([[3.0, 4.0], [2.0, 2.0], [0.0, 2.0]])
    covariances = gaussian_grid.firework_covariances(means)
    np.testing.assert_allclose(np.linalg.eigvalsh(covariances)[:, 0], [1 / 25, 1 / 8, 1 / 4])
    np.testing.assert_allclose(np.linalg.eigvalsh(covariances)[:, 1], 1.0)
    diagonal = np.array([1.0, 1.0]) / np.sqrt(2)
    assert diagonal @ covariances[1] @ diagonal == pytest.approx(1.0)
    np.testing.assert_allclose(covariances[2], np.diag([1.0, 1 / 4]), atol=1e-12)


def test_opposite_quadrants_have_equal_covariances():
    means = np.array([[3.0, 4.0], [-1.0, 2.5]])
    np.testing.assert_allclose(
        gaussian_grid.firework_covariances(means), gaussian_grid.firework_covariances(-means), atol=1e-12
    )


def test_firework_refuses_the_origin():
    with pytest.raises(ValueError, match=r"mean 1 is \(0, 0\)"):
        gaussian_grid.firework_covariances(np.array([[1.0, 0.0], [0.0, 0.0]]))


def test_grid_is_row_by_row_from_below():
    np.testing.assert_allclose(gaussian_grid.grid_means(1.0, 3.0, 3)[[0, 1, 3]], [[1, 1], [2, 1], [1, 2]])


def test_events_have_the_mean_and_covariance():
    means = np.array([[3.0, 4.0], [-2.0, 1.0]])
    drawn = np.asarray(gaussian_grid.draw(jax.random.key(0), means, gaussian_grid.firework_covariances(means), 50_000))
    assert drawn.dtype == np.float32
    np.testing.assert_allclose(drawn.mean(axis=1), means, atol=0.02)
    for events, covariance in zip(drawn, gaussian_grid.firework_covariances(means), strict=True):
        np.testing.assert_allclose(np.cov(events.T), covariance, atol=0.02)


def test_bin_probabilities_are_differences_of_the_cumulative_distribution():
    edges = np.linspace(-2.5, 2.5, 11)
    probabilities = gaussian_grid.bin_probabilities(np.array([5.0, 1.0]), np.diag([1.0, 0.25]), edges)
    across, along = (np.diff(stats.norm.cdf(edges, scale=width)) for width in (1.0, 0.5))
    np.testing.assert_allclose(probabilities, along[:, None] * across, rtol=5e-3, atol=1e-6)


def test_bin_probabilities_contain_correlations():
    edges, covariance = np.linspace(-3, 3, 13), np.array([[1.0, 0.8], [0.8, 1.0]])
    probabilities = np.asarray(gaussian_grid.bin_probabilities(np.zeros(2), covariance, edges))
    middle = (edges[1:] + edges[:-1]) / 2
    y, x = np.meshgrid(middle, middle, indexing="ij")
    assert np.sum(probabilities * x * y) / probabilities.sum() == pytest.approx(0.8, abs=0.05)
