"""Uncertain shapes enter a model as the covariance of the ensemble, uncertain yields as a log-normal factor."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhep.inference import upper_limits
from diffhep.models import interpolated_signal
from diffhep.models.likelihood import expected_rates, nominal_parameters

BACKGROUND = jnp.array([20.0, 10.0, 5.0])
TEMPLATES = jnp.array([[3.0, 5.0, 4.0], [3.5, 5.5, 3.0], [2.0, 6.0, 4.5], [3.2, 4.5, 4.0]])


def model(templates, error):
    return interpolated_signal.interpolated_signal_model(
        templates.mean(axis=0), BACKGROUND, interpolated_signal.shape_shifts(templates), error
    )


def test_shifts_reproduce_the_covariance_of_the_ensemble():
    shifts = interpolated_signal.shape_shifts(TEMPLATES)
    assert shifts.shape == (3, 3)
    np.testing.assert_allclose(shifts.T @ shifts, np.cov(TEMPLATES.T), atol=1e-12)


def test_each_parameter_scales_or_shifts_the_signal():
    built = model(TEMPLATES, 0.2)
    names, shifts = built.parameters.names, interpolated_signal.shape_shifts(TEMPLATES)
    start, signal = nominal_parameters(built, 2.0), TEMPLATES.mean(axis=0)

    def rates(**moved):
        at = start
        for name, value in moved.items():
            at = at.at[names.index(name)].set(value)
        return expected_rates(built, at)

    np.testing.assert_allclose(rates(), 2 * signal + BACKGROUND)
    np.testing.assert_allclose(rates(signal_yield=1.0), 2 * 1.2 * signal + BACKGROUND)
    np.testing.assert_allclose(rates(signal_yield=-1.0), 2 / 1.2 * signal + BACKGROUND)
    np.testing.assert_allclose(rates(shape_1=0.5), 2 * (signal + 0.5 * shifts[1]) + BACKGROUND)


def test_uncertainties_weaken_the_expected_limit():
    limit = jax.jit(lambda templates, error: upper_limits.expected_upper_limit(model(templates, error)))
    same = jnp.broadcast_to(TEMPLATES.mean(axis=0), TEMPLATES.shape)
    exact, uncertain_yield, uncertain_shape = limit(same, 0.0), limit(same, 0.3), limit(TEMPLATES, 0.0)
    assert exact < uncertain_shape < 1.1 * exact and 1.02 * exact < uncertain_yield


def test_the_limit_does_not_depend_on_the_order_of_the_members():
    limit = jax.jit(lambda templates: upper_limits.expected_upper_limit(model(templates, 0.1)))
    assert float(limit(TEMPLATES)) == pytest.approx(float(limit(TEMPLATES[::-1])), rel=1e-6)
