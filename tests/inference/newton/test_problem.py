"""Expansions of the negative log-likelihood against jax.hessian, closed forms and finite differences."""

import jax
import jax.numpy as jnp
import numpy as np

from diffhep.inference.newton.problem import NewtonProblem, expand, rate_derivatives

RNG = np.random.default_rng(0)
SLOPES, OFFSETS, COUNTS = RNG.uniform(1, 3, (4, 2)), RNG.uniform(5, 9, 4), np.array([4.0, 11.0, 7.0, 9.0])
POINT = jnp.array([0.3, -0.4])


def curved_rates(free):
    return OFFSETS + SLOPES @ free + 0.2 * free[0] * free[1] ** 2


PROBLEM = NewtonProblem(
    rates=curved_rates,
    constraint_nll=lambda free: 0.5 * free[1] ** 2,
    information=jnp.array([0.0, 1.0]),
    counts=jnp.asarray(COUNTS),
    bounds=(np.full(2, -np.inf), np.full(2, np.inf)),
    is_shift=np.array([False, True]),
    has_kink=np.array([False, False]),
)


def test_negative_log_likelihood_is_poisson_and_constraint():
    rates = np.asarray(curved_rates(POINT))
    expected = np.sum(rates - COUNTS * np.log(rates)) + POINT[1] ** 2 / 2
    np.testing.assert_allclose(PROBLEM.negative_log_likelihood(POINT), expected, rtol=1e-12)


def test_expansion_has_the_gradient_and_the_hessian_of_jax():
    local = expand(PROBLEM, POINT, jnp.zeros(4))
    hessian = (local.jacobian.T * local.curvature) @ local.jacobian + local.bend + local.information
    np.testing.assert_allclose(local.gradient, jax.grad(PROBLEM.negative_log_likelihood)(POINT), rtol=1e-12)
    np.testing.assert_allclose(hessian, jax.hessian(PROBLEM.negative_log_likelihood)(POINT), rtol=1e-12)


def test_fisher_weights_are_one_over_the_rates():
    local = expand(PROBLEM, POINT, jnp.zeros(4))
    np.testing.assert_allclose(local.fisher, 1 / curved_rates(POINT), rtol=1e-12)


def test_empty_bins_enter_the_second_derivatives_with_their_forces():
    empty = PROBLEM._replace(counts=jnp.array([0.0, 11.0, 7.0, 9.0]))
    bend = [expand(empty, POINT, jnp.array([force, 5.0, 5.0, 5.0])).bend for force in (0.0, 0.25)]
    np.testing.assert_allclose(bend[1] - bend[0], 0.25 * jax.hessian(lambda x: curved_rates(x)[0])(POINT), rtol=1e-12)


def test_frozen_parameters_have_no_derivatives_and_unit_information():
    local = expand(PROBLEM, POINT, jnp.zeros(4)).freeze(jnp.array([True, False]))
    assert local.gradient[0] == 0 and not local.jacobian[:, 0].any() and not local.bend[0].any()
    np.testing.assert_array_equal(local.information, np.eye(2))


def test_rate_derivatives_are_those_of_finite_differences():
    weights, step = jnp.array([1.0, -2.0, 0.5, 0.0]), 1e-4
    jacobian, hessian = rate_derivatives(curved_rates, POINT, weights)
    for k in range(2):
        shift = step * (np.arange(2) == k)
        slope = (curved_rates(POINT + shift) - curved_rates(POINT - shift)) / (2 * step)
        np.testing.assert_allclose(jacobian[:, k], slope, rtol=1e-6)
        up, down = (weights @ rate_derivatives(curved_rates, POINT + sign * shift, weights)[0] for sign in (1, -1))
        np.testing.assert_allclose(hessian[k], (up - down) / (2 * step), rtol=1e-6, atol=1e-9)
