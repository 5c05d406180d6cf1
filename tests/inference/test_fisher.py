"""Fisher information and covariance against closed forms, curvatures and finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhep.inference.fisher import covariance, fisher_information, gaussianity, generalised_variance
from diffhep.models.likelihood import expected_data, log_likelihood, nominal_parameters
from diffhep.models.simple import signal_background

S, B = np.array([1.0, 5.0, 9.0]), np.array([30.0, 20.0, 10.0])
U, D = B * [1.1, 0.9, 1.2], B * [0.9, 1.05, 0.8]
MODEL = signal_background(S, B, U, D)
PARS = nominal_parameters(MODEL, 1.0)


def test_fisher_information_has_the_closed_form():
    slopes = np.stack([S, (U - D) / 2], axis=1)  # code4p at 0 has the mean slope
    np.testing.assert_allclose(
        fisher_information(MODEL, PARS), (slopes.T / (S + B)) @ slopes + np.diag([0, 1]), rtol=1e-12
    )


def test_fisher_information_is_the_curvature_at_asimov_data():
    hessian = jax.hessian(lambda p: -log_likelihood(MODEL, p, expected_data(MODEL, PARS)))(PARS)
    np.testing.assert_allclose(fisher_information(MODEL, PARS), hessian, rtol=1e-10)


def test_covariance_is_the_inverse_information_and_generalised_variance_its_determinant():
    matrix = covariance(MODEL, PARS)
    np.testing.assert_allclose(matrix @ fisher_information(MODEL, PARS), np.eye(2), atol=1e-12)
    np.testing.assert_allclose(generalised_variance(MODEL, PARS), np.linalg.det(matrix), rtol=1e-10)


def test_gradient_of_the_variance_is_that_of_finite_differences():
    def variance(s):
        return covariance(signal_background(s, B, U, D), PARS)[0, 0]

    step = np.array([0, 1e-5, 0])
    difference = (variance(S + step) - variance(S - step)) / 2e-5
    np.testing.assert_allclose(jax.grad(variance)(jnp.asarray(S))[1], difference, rtol=1e-4)


@pytest.mark.parametrize("function", [covariance, generalised_variance])
def test_no_signal_raises_an_error_that_names_the_parameter_and_gives_infinity_under_jit(function):
    with pytest.raises(ValueError, match=r"no information on parameter mu .*fix it"):
        function(signal_background(0 * S, B, U, D), PARS)
    traced = jax.jit(lambda s: function(signal_background(s, B, U, D), PARS))(0 * S)
    assert not np.isfinite(traced).all()


def test_gaussianity_of_one_counting_bin_has_the_closed_form():
    """L(mu) / L(1) = exp(n - nu) (nu / n)^n with nu = mu s + b, compared with a normal density of variance n / s²."""
    s, b = np.array([4.0]), np.array([12.0])
    model = signal_background(s, b, np.zeros((0, 1)), np.zeros((0, 1)))
    n, units = s[0] + b[0], np.linspace(-2, 2, 11)
    rate = n + units * np.sqrt(n)
    expected = np.mean((np.exp(n - rate + n * np.log(rate / n)) - np.exp(-(units**2) / 2)) ** 2)
    np.testing.assert_allclose(gaussianity(model, nominal_parameters(model, 1.0)), expected, rtol=1e-10)


def test_many_events_make_a_likelihood_gaussian():
    few, many = (
        gaussianity(model, nominal_parameters(model, 1.0))
        for model in (signal_background(*(scale * np.stack([S, B, U, D]))) for scale in (1, 1e4))
    )
    assert 0 < many < 1e-2 * few
