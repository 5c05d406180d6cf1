"""Pseudo-experiments follow their model, and their test statistics follow theory where it is exact."""

import jax
import jax.numpy as jnp
import numpy as np
import pyhf
import pytest
from scipy import stats
from support import oracles
from support.workspaces import WORKSPACES

from diffhep.inference import hypotests, test_statistics, toys
from diffhep.models import workspace
from diffhep.models.likelihood import expected_rates, nominal_parameters, with_unbounded_poi
from diffhep.models.simple import signal_background

SMOOTH = with_unbounded_poi(
    signal_background(*np.array([[40.0, 90.0], [900.0, 800.0], [930.0, 780.0], [860.0, 830.0]]))
)


@pytest.fixture(scope="module")
def thrown():
    pars = nominal_parameters(SMOOTH, 1.0)
    return toys.throw(SMOOTH, pars, 20_000, key=jax.random.key(1))


def test_toys_have_the_mean_and_the_variance_of_the_model(thrown):
    rates = np.asarray(expected_rates(SMOOTH, nominal_parameters(SMOOTH, 1.0)))
    error = np.sqrt(rates / 20_000)
    assert np.all(np.abs(thrown.main.mean(axis=0) - rates) < 4 * error)
    np.testing.assert_allclose(thrown.main.var(axis=0), rates, rtol=0.05)
    np.testing.assert_allclose([thrown.auxiliary.mean(), thrown.auxiliary.std()], [0, 1], atol=0.03)


def test_toy_statistics_are_those_of_single_data_sets(thrown):
    few = jax.tree.map(lambda array: array[:7], thrown)
    results = toys.toy_statistics(SMOOTH, few, jnp.asarray(1.0))
    q_mu = jax.jit(jax.vmap(lambda data: test_statistics.q_mu(SMOOTH, data, 1.0)))
    q_0 = jax.jit(jax.vmap(lambda data: test_statistics.q_0(SMOOTH, data)))
    np.testing.assert_allclose(results.q_mu, q_mu(few), atol=1e-7)
    np.testing.assert_allclose(results.q_0, q_0(few), atol=1e-7)


def test_test_statistics_of_large_samples_follow_the_asymptotic_distributions(thrown):
    """q_mu under its own hypothesis: half a chi-square of one degree of freedom (arXiv:1007.1727 eq. 58)."""
    results = toys.toy_statistics(SMOOTH, thrown, jnp.asarray(1.0))
    assert bool(results.converged.all())
    np.testing.assert_allclose(np.mean(results.q_mu == 0), 0.5, atol=0.02)
    positive = np.asarray(results.q_mu[results.q_mu > 0])
    assert stats.kstest(positive, stats.chi2(1).cdf).statistic < 0.03
    np.testing.assert_allclose(np.mean(results.mu_hat), 1.0, atol=0.05)


def test_scans_with_toys_agree_with_asymptotic_cls():
    scan = toys.scan_cls(SMOOTH, [0.5, 1.0], 20_000, key=jax.random.key(2))
    assert np.all(np.abs(scan.toys - scan.asymptotic) < 4 * scan.toys_error + 0.02 * scan.asymptotic)


@pytest.mark.parametrize("shift", [0.0, 1.5, 4.0])
def test_asymptotic_density_and_the_fraction_at_zero_add_up_to_one(shift):
    root = jnp.linspace(1e-9, 20, 100_001)
    area = jnp.trapezoid(2 * root * toys.asymptotic_density(root**2, jnp.asarray(shift)), root)
    np.testing.assert_allclose(area + stats.norm.cdf(-shift), 1, rtol=1e-6)


def test_auxiliary_data_fluctuate_with_their_errors():
    model, _ = workspace.model_and_data(WORKSPACES["correlated"])
    pars = jnp.asarray(model.parameters.initial)
    auxiliary = toys.throw(model, pars, 20_000, key=jax.random.key(3)).auxiliary
    errors = np.concatenate([model.constraints.width, np.sqrt(model.constraints.expected_count)])
    assert (np.abs(auxiliary.mean(axis=0) - model.constraints.expected(pars)) < 4.5 * errors / np.sqrt(20_000)).all()
    np.testing.assert_allclose(auxiliary.std(axis=0), errors, rtol=0.03)


def test_toy_hypotest_agrees_with_toys_of_pyhf_and_with_asymptotic_cls():
    spec = WORKSPACES["normsys"]
    model, data = workspace.model_and_data(spec)
    ours = toys.toy_hypotest(model, data, 1.0, 20_000, key=jax.random.key(5))
    assert (ours.failed == 0).all()
    oracle = oracles.PyhfAnalysis(spec)
    np.random.seed(0)
    calculator = pyhf.infer.calculators.ToyCalculator(oracle.data, oracle.model, ntoys=120, track_progress=False)
    theirs = calculator.pvalues(calculator.teststatistic(1.0), *calculator.distributions(1.0))[-1]
    np.testing.assert_allclose(ours.observed, theirs, atol=0.15)  # of 120 toys
    asymptotic = jax.jit(hypotests.hypotest)(model, data, 1.0)
    np.testing.assert_allclose(ours.observed, np.exp(asymptotic.log_observed), atol=0.03)
    np.testing.assert_allclose(ours.expected[:4], np.exp(asymptotic.log_expected[:4]), atol=0.03)
    assert ours.expected[4] == 1  # a fitted strength above the tested one: q is 0, which the asymptotic formula ignores
