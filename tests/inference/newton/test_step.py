"""Newton steps end at closed-form minima: quadratic, at a bound, at the kink of an empty bin or of a parameter."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from diffhep.inference.newton.problem import NewtonProblem
from diffhep.inference.newton.step import BELOW_ZERO, NewtonState, newton_step


def problem(rates, counts, *, information=None, low=-np.inf, high=np.inf, constraint=None, shift=False, kink=False):
    """Return a problem of as many parameters as `information` has entries, constrained to 0 with this information."""
    information = jnp.ones(1) if information is None else jnp.asarray(information)
    size = len(information)
    return NewtonProblem(
        rates=rates,
        constraint_nll=constraint or (lambda free: 0.5 * jnp.sum(information * free**2)),
        information=information,
        counts=jnp.asarray(counts),
        bounds=(np.full(size, low), np.full(size, high)),
        is_shift=np.full(size, shift),
        has_kink=np.full(size, kink),
    )


def initial(problem, start):
    empty = (problem.counts == 0).astype(float)
    return NewtonState(jnp.asarray(start, float), empty, jnp.array(0.0), jnp.array(jnp.inf))


def minimise(problem, start, steps=60):
    states = [initial(problem, start)]
    step = jax.jit(lambda state: newton_step(problem, state))
    while len(states) <= steps and abs(states[-1].gain) > 1e-12:
        states.append(step(states[-1]))
    return states


def scipy_nll(problem):
    return jax.jit(lambda free: problem.negative_log_likelihood(jnp.asarray(free)))


MATRIX, CENTRE = np.array([[2.0, 0.8], [0.8, 1.0]]), np.array([1.0, -2.0])


def quadratic(**bounds):
    def constraint(free):
        return 0.5 * (free - CENTRE) @ MATRIX @ (free - CENTRE)

    # the constraint's curvature is a diagonal in this library: the rest comes with the rates, whose slope is 1
    diagonal = np.diagonal(MATRIX)
    return problem(
        lambda free: jnp.array([100.0]) + jnp.reshape(constraint(free) - 0.5 * diagonal @ free**2, 1),
        [1e-3],
        information=diagonal,
        **bounds,
    )


def test_one_step_reaches_the_minimum_of_a_quadratic_function():
    states = minimise(quadratic(), [0.0, 0.0])
    np.testing.assert_allclose(states[1].free, CENTRE, rtol=1e-3)
    np.testing.assert_allclose(states[-1].free, CENTRE, rtol=1e-4)


def test_predicted_gain_is_the_decrease_of_a_quadratic_function():
    posed = quadratic()
    start, after = minimise(posed, [0.0, 0.0])[:2]
    decrease = posed.negative_log_likelihood(start.free) - posed.negative_log_likelihood(after.free)
    np.testing.assert_allclose(after.gain, decrease, rtol=1e-3)


def test_a_bound_gives_the_minimum_of_l_bfgs_b():
    bounded = quadratic(low=-1.0, high=3.0)
    fitted = minimise(bounded, [2.0, 2.0])[-1].free
    expected = scipy.optimize.minimize(
        scipy_nll(bounded), [2.0, 2.0], method="L-BFGS-B", bounds=[(-1, 3)] * 2, options={"ftol": 1e-14}
    ).x
    assert fitted[1] == -1
    np.testing.assert_allclose(fitted, expected, atol=1e-5)


@pytest.mark.parametrize("count", [0.5, 3.0, 40.0])
def test_a_counting_experiment_is_fitted_in_closed_form(count):
    single = problem(lambda free: 4.0 * free + 2.0, [count], information=[0.0])
    np.testing.assert_allclose(minimise(single, [1.0])[-1].free, [(count - 2) / 4], rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize(("slope", "offset"), [(1.0, 3.0), (2.0, 1.0), (3.0, 0.5)])
def test_an_empty_bin_is_fitted_in_closed_form(slope, offset):
    """Minimum of max(slope x + offset, 0) + x²/2: x = -slope, or the kink x = -offset / slope if that comes first."""
    single = problem(lambda free: slope * free + offset, [0.0])
    last = minimise(single, [0.0])[-1]
    at_kink = offset < slope**2
    np.testing.assert_allclose(last.free, [-offset / slope if at_kink else -slope], atol=1e-5)
    np.testing.assert_allclose(last.forces, [offset / slope**2 if at_kink else 1.0], atol=1e-4)


def test_a_minimum_at_the_kink_of_a_parameter_stays_there():
    """Rates rise on both sides of 0, fewer events are observed."""
    kinked = problem(lambda free: 10.0 + jnp.where(free >= 0, 3.0, -2.0) * free, [8.0], kink=True)
    for start in (-1.5, 0.0, 1.5):
        assert abs(minimise(kinked, [start])[-1].free[0]) <= BELOW_ZERO


def test_a_step_leaves_a_kink_on_the_side_where_the_likelihood_rises():
    kinked = problem(lambda free: 10.0 + jnp.where(free >= 0, 1.0, -4.0) * free, [14.0], kink=True)
    fitted = minimise(kinked, [0.0])[-1].free
    expected = scipy.optimize.minimize_scalar(
        lambda x: float(kinked.negative_log_likelihood(jnp.array([x]))), bounds=(-5, 0), options={"xatol": 1e-9}
    ).x
    np.testing.assert_allclose(fitted, [expected], rtol=1e-6)


def test_probes_leave_a_stationary_point_that_is_no_minimum():
    """Up and down templates coincide: nu = 10 + x², so the gradient vanishes at 0; the minima are ±sqrt(10 / 3)."""
    symmetric = problem(lambda free: 10.0 + free**2, [20.0], shift=True)
    probed = newton_step(symmetric, initial(symmetric, [0.0])).free
    np.testing.assert_allclose(np.abs(probed), [1.0])
    np.testing.assert_allclose(np.abs(minimise(symmetric, probed)[-1].free), [np.sqrt(10 / 3)], rtol=1e-7)


def test_no_step_raises_the_negative_log_likelihood():
    rng = np.random.default_rng(1)
    slopes, offsets = rng.normal(size=(6, 3)) * 2, rng.uniform(0.1, 4, 6)
    hard = problem(lambda free: slopes @ free + offsets, rng.poisson(offsets) + 0.0, information=np.ones(3))
    states = minimise(hard, [2.0, -2.0, 2.0])
    values = np.array([hard.negative_log_likelihood(state.free) for state in states])
    assert (np.diff(values) <= 1e-11).all()
    expected = scipy.optimize.minimize(
        scipy_nll(hard), states[-1].free, method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-12}
    ).fun
    np.testing.assert_allclose(values[-1], expected, atol=1e-7)
