"""Histograms against numpy, normal integrals, their limits and finite differences."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from diffhep.histogramming.histograms import binned_kde, hard_histogram, ordered_edges, softmax_histogram

EDGES = np.array([0.0, 0.1, 0.35, 0.6, 1.0])
VALUES = np.random.default_rng(0).uniform(0.01, 0.99, 200)
WEIGHTS = np.random.default_rng(1).uniform(0, 2, 200)


def test_the_hard_histogram_is_that_of_numpy_also_on_and_beyond_edges():
    values = np.concatenate([VALUES, EDGES, [-1.0, 2.0, np.nan]])
    weights = np.arange(values.size, dtype=float)
    np.testing.assert_allclose(hard_histogram(values, EDGES, weights), np.histogram(values, EDGES, weights=weights)[0])
    np.testing.assert_array_equal(hard_histogram(values, EDGES), np.histogram(values, EDGES)[0])


@pytest.mark.parametrize("mode", ["leak", "closed"])
def test_binned_kde_becomes_the_hard_histogram(mode):
    smooth = binned_kde(VALUES, EDGES, 1e-9, WEIGHTS, edges_mode=mode)
    np.testing.assert_allclose(smooth, hard_histogram(VALUES, EDGES, WEIGHTS), rtol=1e-12)


def test_the_softmax_histogram_becomes_the_hard_histogram_and_sums_to_the_weights():
    hard = hard_histogram(VALUES, EDGES, WEIGHTS)
    np.testing.assert_allclose(softmax_histogram(VALUES, EDGES, 1e-9, WEIGHTS), hard, rtol=1e-12)
    np.testing.assert_allclose(np.sum(softmax_histogram(VALUES, EDGES, 0.3, WEIGHTS)), WEIGHTS.sum())


def test_binned_kde_is_the_sum_of_normal_integrals():
    expected = np.diff(norm.cdf((EDGES[:, None] - VALUES) / 0.2), axis=0) @ WEIGHTS
    np.testing.assert_allclose(binned_kde(VALUES, EDGES, 0.2, WEIGHTS, edges_mode="leak"), expected, rtol=1e-12)


def test_closed_edges_lose_no_events_and_leaking_ones_do():
    closed, leaking = (np.sum(binned_kde(VALUES, EDGES, 0.2, edges_mode=mode)) for mode in ("closed", "leak"))
    assert np.isclose(closed, VALUES.size) and leaking < VALUES.size - 1


def _closed(values, width):
    return binned_kde(values, EDGES, width, edges_mode="closed")


def _soft(values, width):
    return softmax_histogram(values, EDGES, width)


@partial(jax.jit, static_argnums=0)
def _gradients(smooth, values, width):
    return jax.grad(lambda v, w: jnp.sum(smooth(v, w) ** 2), (0, 1))(values, width)


@pytest.mark.parametrize("smooth", [_closed, _soft])
@pytest.mark.parametrize("width", [1e-100, 1e-12, 0.1, 1e3])
def test_gradients_are_finite(smooth, width):
    gradients = _gradients(smooth, np.concatenate([VALUES, EDGES]), width)
    assert all(np.isfinite(gradient).all() for gradient in gradients)


@pytest.mark.parametrize("smooth", [_closed, _soft])
def test_gradients_are_those_of_finite_differences(smooth):
    gradient = np.asarray(jax.jit(jax.grad(lambda v: smooth(v, 0.1)[1]))(VALUES))
    for event in (0, 7):
        step = 1e-6 * (np.arange(VALUES.size) == event)
        above, below = (np.asarray(smooth(values, 0.1))[1] for values in (VALUES + step, VALUES - step))
        np.testing.assert_allclose(gradient[event], (above - below) / 2e-6, rtol=1e-4, atol=1e-8)


def test_float32_scores_give_float64_yields():
    assert binned_kde(VALUES.astype(np.float32), EDGES, 0.1, edges_mode="leak").dtype == jnp.float64


@pytest.mark.parametrize(
    ("edges", "width", "mode", "message"),
    [
        ([0.0, 1.0, 0.5], 0.1, "leak", "from 1.0 to 0.5"),
        ([0.0, 1.0], 0.0, "leak", "0.0"),
        ([0.0, 1.0], 1.0, "x", "'x'"),
    ],
)
def test_errors_name_the_wrong_value(edges, width, mode, message):
    with pytest.raises(ValueError, match=message):
        binned_kde(VALUES, np.array(edges), width, edges_mode=mode)


@pytest.mark.parametrize("size", [0.0, 1.0, 1e3, 1e30])
def test_learned_edges_stay_ordered_and_within_0_and_1_under_huge_gradients(size):
    raw = np.zeros(20)
    for gradient in size * np.random.default_rng(0).normal(size=(5, 20)):
        raw = raw - gradient
        edges = np.asarray(ordered_edges(raw))
        assert edges[0] == 0 and edges[-1] == 1 and np.all(np.diff(edges) > 5e-4)


def test_equal_numbers_give_equal_bins_and_inner_edges_have_gradients():
    np.testing.assert_allclose(ordered_edges(np.full(4, 7.0)), np.linspace(0, 1, 5), atol=1e-12)
    jacobian = np.asarray(jax.jit(jax.jacobian(ordered_edges))(np.array([0.0, 1.0, -1.0])))
    assert np.all(jacobian[1:3] != 0) and np.all(jacobian[[0, 3]] == 0)
