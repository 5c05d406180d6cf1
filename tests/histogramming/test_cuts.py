"""Smooth cuts against their formula and limit, and the significance against expected p-values."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhep.histogramming.cuts import asimov_significance, hard_cut, sigmoid_cut
from diffhep.inference.hypotests import expected_p0, log_p0
from diffhep.models.simple import signal_background

X = np.linspace(-3, 3, 12)


def test_steep_sigmoid_is_the_hard_cut():
    np.testing.assert_allclose(sigmoid_cut(X, 0.1, 1e6), hard_cut(X, 0.1), atol=1e-12)


def test_sigmoid_is_the_formula_of_the_thesis():
    np.testing.assert_allclose(sigmoid_cut(X, 0.4, 2.0), 1 / (1 + np.exp(-2.0 * (X - 0.4))), rtol=1e-12)


def test_gradient_of_a_steep_cut_is_finite_far_from_it():
    gradient = jax.jit(jax.grad(lambda cut: sigmoid_cut(X * 1e3, cut, 1e4).sum()))
    assert np.isfinite(gradient(0.5))


def test_significance_of_few_signal_events_is_s_over_root_b():
    assert float(asimov_significance(1.0, 1e6)) == pytest.approx(1e-3, rel=1e-5)


def test_significance_is_that_of_the_expected_p_value_without_uncertainty():
    @jax.jit
    def both(s, b):
        return expected_p0(signal_background(s, b, b, b)), jnp.exp(log_p0(asimov_significance(s, b) ** 2))

    p0, expected = both(np.array([3.0, 8.0]), np.array([20.0, 5.0]))
    np.testing.assert_allclose(p0, expected, rtol=1e-6)
