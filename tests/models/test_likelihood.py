"""Rates and log-likelihoods equal those of pyhf; the floor on rates is smooth."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import oracles

from diffhep.models.likelihood import RATE_FLOOR, Data, apply_rate_floor, expected_data, expected_rates, log_likelihood
from diffhep.models.simple import signal_background

S, B, U, D = np.array([1.0, 2, 3]), np.array([10.0, 20, 30]), np.array([12.0, 19, 33]), np.array([9.0, 22, 31])


@pytest.mark.parametrize("code", oracles.CODES)
@settings(max_examples=15)
@given(yields=oracles.ordinary(), mu=st.floats(0, 5), gamma=st.floats(-3, 3))
def test_rates_and_log_likelihood_equal_those_of_pyhf(code, yields, mu, gamma):
    model, oracle = oracles.ours(yields, code), oracles.pyhf_model(*yields, code)
    pars = jnp.array([mu, gamma])
    rates = expected_rates(model, pars)
    with oracles.tight_pyhf():
        theirs = oracles.in_pyhf_order(oracle, pars)
        np.testing.assert_allclose(rates, oracle.expected_actualdata(theirs), rtol=1e-10)
        data = np.concatenate([yields[1], [0.3]])
        value = oracle.logpdf(jnp.asarray(theirs), jnp.asarray(data))[0]
    np.testing.assert_allclose(
        log_likelihood(model, pars, Data(jnp.asarray(yields[1]), jnp.array([0.3]))), value, rtol=1e-10
    )


def test_code0_has_the_derivative_of_the_up_side_at_its_kink():
    model = signal_background(S, B, U, D, interpolation="code0")
    np.testing.assert_allclose(jax.jacfwd(lambda p: expected_rates(model, p))(jnp.array([0.0, 0.0]))[:, 1], U - B)


def test_shifts_of_several_parameters_add_up():
    one = [signal_background(S, B, u, d) for u, d in ((U, D), (D, U))]
    both = signal_background(S, B, np.stack([U, D]), np.stack([D, U]))
    added = sum(expected_rates(m, jnp.array([1.0, g])) - (S + B) for m, g in zip(one, (0.4, -1.7), strict=True))
    np.testing.assert_allclose(expected_rates(both, jnp.array([1.0, 0.4, -1.7])), S + B + added, rtol=1e-12)


def test_asimov_data_equal_the_expectation():
    data = expected_data(signal_background(S, B, U, D), jnp.array([1.0, 0.0]))
    np.testing.assert_allclose(data.main, S + B)
    np.testing.assert_allclose(data.auxiliary, [0.0])


def test_the_floor_on_rates_is_smooth_and_finite_below():
    below = jax.vmap(jax.grad(lambda r: apply_rate_floor(r)[0]))(RATE_FLOOR * jnp.array([1 - 1e-9, 1 + 1e-9]))
    np.testing.assert_allclose(below, 1.0, rtol=1e-6)
    assert np.isfinite(apply_rate_floor(jnp.array(-5.0))[1])
