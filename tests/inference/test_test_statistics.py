"""Test statistics of counting experiments against closed forms, and their limits."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhep.inference import test_statistics
from diffhep.inference.mle import conditional_fit
from diffhep.models.likelihood import Data, expected_rates, nominal_parameters, with_unbounded_poi
from diffhep.models.simple import signal_background

SIGNAL, BACKGROUND = 4.0, 12.0
COUNTING = signal_background(*np.array([[SIGNAL], [BACKGROUND]]), *np.zeros((2, 0, 1)))
UNBOUNDED = with_unbounded_poi(COUNTING)
Q_MU, Q_0 = jax.jit(test_statistics.q_mu), jax.jit(test_statistics.q_0)

S, B = np.array([1.0, 5.0, 9.0]), np.array([30.0, 20.0, 10.0])
MODEL = signal_background(S, B, B * 1.1, B * 0.9)


def counted(n):
    return Data(jnp.array([n]), jnp.zeros(0))


def ratio(n, mu, best_rate=None):
    """-2 log [L(mu) / L(best)] of a counting experiment."""
    rate, best_rate = mu * SIGNAL + BACKGROUND, n if best_rate is None else best_rate
    return 2 * (rate - best_rate + n * np.log(best_rate / rate))


@pytest.mark.parametrize("n", [5.0, 12.0, 14.0, 16.0, 30.0])
def test_test_statistics_of_a_counting_experiment_have_closed_forms(n):
    data, mu = counted(n), 1.0
    np.testing.assert_allclose(Q_MU(UNBOUNDED, data, mu), ratio(n, mu) if n < 16 else 0, rtol=1e-9, atol=1e-12)
    bounded = ratio(n, mu, max(n, BACKGROUND))  # qmu-tilde: the best fit has mu >= 0
    np.testing.assert_allclose(Q_MU(COUNTING, data, mu), bounded if n < 16 else 0, rtol=1e-9, atol=1e-12)
    for model in (COUNTING, UNBOUNDED):
        np.testing.assert_allclose(Q_0(model, data), ratio(n, 0.0) if n > 12 else 0, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("mu", "true_mu"), [(1.0, 0.0), (0.0, 1.0), (0.5, 2.0)])
def test_expected_q_is_the_ratio_at_the_expected_count(mu, true_mu):
    expected = ratio(true_mu * SIGNAL + BACKGROUND, mu)
    np.testing.assert_allclose(test_statistics.expected_q(COUNTING, mu, true_mu), expected, rtol=1e-9)


def test_q_is_zero_on_the_wrong_side():
    excess, deficit = (Data(jnp.asarray(B + k * S), jnp.zeros(1)) for k in (2.0, -0.5))
    assert Q_MU(MODEL, excess, 1.0) == 0 and Q_MU(MODEL, deficit, 1.0) > 0
    assert Q_0(with_unbounded_poi(MODEL), deficit) == 0 and Q_0(MODEL, excess) > 0


def test_convergence_is_reported():
    data, bad = Data(jnp.asarray(B + S), jnp.zeros(1)), Data(jnp.array([30.0, jnp.nan, 10.0]), jnp.zeros(1))
    tests = jax.jit(lambda data: (
        test_statistics.q_mu_and_convergence(MODEL, data, 1.0), test_statistics.q_0_and_convergence(MODEL, data)
    ))  # fmt: skip
    assert [bool(converged) for _, converged in tests(data)] == [True, True]
    assert [bool(converged) for _, converged in tests(bad)] == [False, False]
    assert [float(q) for q, _ in tests(data)] == [Q_MU(MODEL, data, 1.0), Q_0(MODEL, data)]


def test_asimov_data_follow_the_nuisance_parameters_fitted_at_mu():
    data = Data(jnp.asarray(B * 1.08 + S), jnp.zeros(1))
    asimov = jax.jit(test_statistics.generate_asimov_data)(MODEL, data, 0.5)
    fitted = jax.jit(conditional_fit)(MODEL, data, 0.5).parameters
    np.testing.assert_allclose(asimov.parameters, fitted, rtol=1e-12)
    assert fitted[1] > 0.3 and asimov.converged
    np.testing.assert_allclose(asimov.data.main, expected_rates(MODEL, fitted), rtol=1e-12)
    np.testing.assert_allclose(asimov.data.auxiliary, fitted[1:], rtol=1e-12)
    q, converged = jax.jit(test_statistics.asimov_q_and_convergence)(MODEL, asimov, 0.5)
    assert q < 1e-9 and converged


def test_only_q_removes_the_lower_bound():
    low, high = MODEL.parameters.bounds[0]
    assert test_statistics.with_test_statistic_bounds(MODEL, "qtilde") == MODEL
    assert test_statistics.with_test_statistic_bounds(MODEL, "q").parameters.bounds[0] == (-np.inf, high)
    assert low == 0
    with_bounds = inspect.unwrap(test_statistics.with_test_statistic_bounds)  # without the type check of the suite
    with pytest.raises(ValueError, match="unknown test statistic 'qmu': choose 'qtilde' or 'q'"):
        with_bounds(MODEL, "qmu")


def test_with_poi_value_changes_the_parameter_of_interest_only():
    pars = nominal_parameters(MODEL, 1.0) + 0.25
    np.testing.assert_array_equal(test_statistics.with_poi_value(MODEL, pars, 3.0), [3.0, 0.25])


def test_the_ratio_of_a_better_conditional_fit_is_zero():
    best, worse = jnp.array([1.0]), jnp.array([0.2])
    q = [test_statistics.minus_two_log_ratio(COUNTING, counted(16.0), *pair) for pair in ((worse, best), (best, worse))]
    np.testing.assert_allclose(q, [ratio(16.0, 0.2), 0], rtol=1e-9)


def test_the_square_root_has_a_finite_derivative_at_zero():
    values, slopes = jax.vmap(jax.value_and_grad(test_statistics.safe_sqrt))(jnp.array([-1.0, 0.0, 4.0]))
    np.testing.assert_array_equal(values, [0, 0, 2])
    np.testing.assert_array_equal(slopes, [0, 0, 0.25])
