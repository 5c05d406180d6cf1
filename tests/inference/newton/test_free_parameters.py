"""Free parameters of a fit, and the minimisation problem against the likelihood of all parameters."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from diffhep.inference.newton.free_parameters import (
    free_bounds,
    free_indices,
    has_kink,
    insert_fixed_parameters,
    newton_problem,
)
from diffhep.models.likelihood import Data, Model, negative_log_likelihood, poisson_counts, poisson_rates
from diffhep.models.simple import signal_background

S, B = np.array([2.0, 6.0]), np.array([40.0, 30.0])
SHIFTS = np.array([[1.1, 0.95], [1.02, 1.2], [0.9, 1.05]])


def model(code="code4p", fixed=()) -> Model:
    """Return a model with the parameters mu and three shifts."""
    built = signal_background(S, B, B * SHIFTS, B / SHIFTS, interpolation=code)
    mask = tuple(index in fixed for index in range(4))
    return dataclasses.replace(built, parameters=dataclasses.replace(built.parameters, fixed=mask))


@pytest.mark.parametrize(
    ("fixed", "mu", "expected"), [((), None, (0, 1, 2, 3)), ((2,), None, (0, 1, 3)), ((1, 3), 0.5, (2,))]
)
def test_free_parameters_are_those_that_neither_model_nor_mu_fixes(fixed, mu, expected):
    assert free_indices(model(fixed=fixed), mu) == expected


@pytest.mark.parametrize("fixed", [(), (1,), (3,), (1, 2), (1, 2, 3)])
@pytest.mark.parametrize("mu", [None, 0.5])
def test_fixed_parameters_are_inserted_at_their_indices(fixed, mu):
    built = model(fixed=fixed)
    indices = list(free_indices(built, mu))
    free = jnp.arange(len(indices)) + 7.0
    expected = np.array(built.parameters.initial, float)
    expected[0] = expected[0] if mu is None else mu
    expected[indices] = free
    np.testing.assert_array_equal(insert_fixed_parameters(built, free, mu), expected)


def test_bounds_are_those_of_the_free_parameters():
    built = model(fixed=(2,))
    expected = np.array(built.parameters.bounds)[[1, 3]]
    np.testing.assert_array_equal(np.stack(free_bounds(built, 1.0), axis=1), expected)


@pytest.mark.parametrize(("code", "expected"), [("code0", [False, True, True]), ("code4p", [False, False, False])])
def test_only_shifts_with_a_piecewise_linear_code_have_kinks(code, expected):
    np.testing.assert_array_equal(has_kink(model(code, fixed=(1,)), None), expected)


@pytest.mark.parametrize("mu", [None, 0.5])
def test_the_problem_is_the_likelihood_of_all_parameters(mu):
    built, data = model(fixed=(2,)), Data(jnp.array([43.0, 28.0]), jnp.array([0.1, -0.2, 0.3]))
    problem = newton_problem(built, data, mu)
    free = jnp.array([0.4, -0.7]) if mu is not None else jnp.array([1.2, 0.4, -0.7])
    pars = jnp.array([1.2 if mu is None else mu, 0.4, 0.0, -0.7])
    np.testing.assert_allclose(
        problem.negative_log_likelihood(free), negative_log_likelihood(built, pars, data), rtol=1e-12
    )
    np.testing.assert_array_equal(problem.rates(free), poisson_rates(built, pars))
    np.testing.assert_array_equal(problem.counts, poisson_counts(built, data))


def test_shifts_have_unit_information_and_the_signal_strength_none():
    problem = newton_problem(model(), Data(jnp.asarray(B), jnp.zeros(3)), None)
    np.testing.assert_array_equal(problem.is_shift, [False, True, True, True])
    np.testing.assert_array_equal(problem.information, [0, 1, 1, 1])
