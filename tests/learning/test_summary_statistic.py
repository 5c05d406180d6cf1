"""Binned summary statistics: yields in closed form, metrics as their objectives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm

from diffhep.learning import losses, summary_statistic
from diffhep.learning.summary_statistic import StatisticParameters, bin_edges, expected_yields, smooth_yields
from diffhep.models.simple import signal_background

SCALES = {"signal": 2.0, "background": 10.0, "overall": 3.0, "floor": 0.01}
LOGITS = np.random.default_rng(0).normal(size=(4, 50))
YIELDS = np.array([[5.0, 11.0], [50.0, 50.0], [55.0, 45.0], [47.0, 53.0]])


def test_fixed_edges_are_those_of_equal_bins():
    np.testing.assert_allclose(bin_edges(StatisticParameters(None, None), 4), [0, 0.25, 0.5, 0.75, 1])


def test_trained_edges_are_a_softmax_of_their_numbers():
    raw = jnp.log(jnp.array([1.0, 3.0]))
    np.testing.assert_allclose(bin_edges(StatisticParameters(None, raw), 2), [0, 0.25, 1], atol=1e-3)


def test_yields_are_shares_times_scales_plus_the_floor():
    shares = np.array([[0.25, 0.75], [0.5, 0.5], [1.0, 0.0]])
    np.testing.assert_allclose(expected_yields(shares, **SCALES), [[1.51, 4.51], [15.01, 15.01], [30.01, 0.01]])


def test_smooth_yields_are_integrals_of_normal_distributions():
    edges, weights = np.linspace(0, 1, 4), np.random.default_rng(1).uniform(0, 2, (4, 50))
    smooth = smooth_yields(*jax.device_put((LOGITS, weights)), edges, bandwidth=0.1, outer_edges="leak", scales=SCALES)
    integrals = np.diff(norm.cdf((edges[:, None, None] - expit(LOGITS)) / 0.1), axis=0)
    shares = (integrals * weights).sum(axis=-1).T / weights.sum(axis=1, keepdims=True)
    factors = 3.0 * np.array([2.0, 10.0, 10.0, 10.0])[:, None]
    np.testing.assert_allclose(smooth, shares * factors + 0.01, rtol=1e-9)


@pytest.mark.parametrize("others", [(), ("upper_limit",)])
def test_metrics_are_the_objectives_of_their_names(others):
    metrics = jax.jit(lambda yields: summary_statistic.metrics(yields, "code4p", others))(jnp.asarray(YIELDS))
    assert set(metrics) == {*summary_statistic.METRICS, *others}
    model = signal_background(*YIELDS, interpolation="code4p")
    values = jax.jit(lambda model: {name: losses.MODEL_OBJECTIVES[name](model) for name in metrics})(model)
    for name, value in metrics.items():
        np.testing.assert_allclose(value, values[name], rtol=1e-8, err_msg=name)


def test_every_metric_is_an_objective():
    assert set(summary_statistic.METRICS) <= set(losses.MODEL_OBJECTIVES)
    assert not set(losses.SCORE_OBJECTIVES) & set(losses.MODEL_OBJECTIVES)
