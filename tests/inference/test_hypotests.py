"""Test statistics and p-values against pyhf, their gradients against finite differences, and their limits."""

import jax
import jax.numpy as jnp
import numpy as np
import pyhf
import pytest
from hypothesis import given, settings
from scipy.stats import norm
from support import oracles

from diffhep.inference import hypotests, test_statistics
from diffhep.models.likelihood import Data
from diffhep.models.simple import signal_background

CLS, P0 = jax.jit(hypotests.expected_cls), jax.jit(hypotests.expected_p0)
QMU, Q0 = jax.jit(test_statistics.q_mu), jax.jit(test_statistics.q_0)


def _loss(code):
    def losses(*yields):
        model = signal_background(*yields, interpolation=code)
        return hypotests.expected_log_cls(model) + hypotests.expected_log_p0(model)

    return jax.jit(jax.value_and_grad(losses, (0, 1, 2, 3)))


LOSSES = {code: _loss(code) for code in oracles.CODES}


@pytest.mark.parametrize("code", oracles.CODES)
@settings(max_examples=10)
@given(yields=oracles.ordinary())
def test_expected_p_values_and_test_statistics_are_those_of_pyhf(code, yields):
    model, oracle = oracles.ours(yields, code), oracles.pyhf_model(*yields, code)
    data = Data(jnp.round(yields[1] + 0.5 * yields[0]), jnp.array([0.2]))
    args = oracle.config.suggested_init(), oracle.config.suggested_bounds(), oracle.config.suggested_fixed()
    with oracles.tight_pyhf():

        def asimov(mu):
            return oracle.expected_data(oracles.in_pyhf_order(oracle, [mu, 0.0]))

        q_a = pyhf.infer.test_statistics.qmu_tilde(1.0, asimov(0.0), oracle, *args)
        q_d = pyhf.infer.test_statistics.q0(0.0, asimov(1.0), oracle, *args)
        seen = np.concatenate(data)
        q_1, q_0 = (
            pyhf.infer.test_statistics.qmu_tilde(1.0, seen, oracle, *args),
            pyhf.infer.test_statistics.q0(0.0, seen, oracle, *args),
        )
    np.testing.assert_allclose(CLS(model), 2 * norm.sf(np.sqrt(q_a)), rtol=1e-5)
    np.testing.assert_allclose(P0(model), norm.sf(np.sqrt(q_d)), rtol=1e-5)
    np.testing.assert_allclose(QMU(model, data, 1.0), q_1, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(Q0(model, data), q_0, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("code", oracles.CODES)
@settings(max_examples=30)
@given(yields=oracles.awkward())
def test_awkward_models_have_finite_losses_and_gradients(code, yields):
    value, gradient = LOSSES[code](*(jnp.asarray(y) for y in yields))
    assert np.isfinite(value) and all(np.isfinite(g).all() for g in gradient)


@settings(max_examples=8)
@given(yields=oracles.ordinary())
def test_gradients_are_those_of_finite_differences(yields):
    loss = LOSSES["code4p"]
    gradients = loss(*yields)[1]
    for template in range(4):
        step = [1e-4 * (np.arange(oracles.BINS) == 1) * (template == k) for k in range(4)]
        up, down = (loss(*(y + sign * s for y, s in zip(yields, step, strict=True)))[0] for sign in (1, -1))
        np.testing.assert_allclose(gradients[template][1], (up - down) / 2e-4, rtol=1e-4, atol=1e-7)


def test_huge_significances_have_a_precise_value_and_gradient():
    value, gradient = jax.value_and_grad(hypotests.log_p0)(jnp.array(4000.0))
    np.testing.assert_allclose(value, norm.logsf(np.sqrt(4000.0)), rtol=1e-12)
    np.testing.assert_allclose(gradient, -0.5, rtol=1e-2)


def test_q_of_zero_has_a_finite_gradient():
    value, gradient = jax.value_and_grad(hypotests.log_p0)(jnp.array(0.0))
    assert np.isclose(value, np.log(0.5)) and gradient == 0


def test_observed_cls_is_the_ratio_of_p_values_and_at_the_median_the_expected_cls():
    q, q_a = jnp.array([0.0, 4.0, 9.0]), jnp.array(4.0)
    expected = norm.sf(np.sqrt(q)) / norm.sf(np.sqrt(q) - 2)
    np.testing.assert_allclose(jnp.exp(hypotests.log_cls(q, q_a)), expected, rtol=1e-12)
    np.testing.assert_allclose(expected[1], 2 * norm.sf(2.0))
