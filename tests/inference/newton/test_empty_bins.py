"""Newton directions with empty bins against closed forms and a bounded quadratic programme of scipy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from diffhep.inference.newton.empty_bins import newton_direction
from diffhep.inference.newton.problem import Expansion


def linear(rates, jacobian, gradient, slope=None):
    """Return the expansion of a likelihood with linear rates and unit information."""
    rates, jacobian, gradient = (jnp.asarray(values, float) for values in (rates, jacobian, gradient))
    bins, size = jacobian.shape
    slope, none = jnp.zeros(bins) if slope is None else jnp.asarray(slope), jnp.zeros(bins)
    return Expansion(rates, slope, none, none, jacobian, jnp.zeros((size, size)), gradient, jnp.eye(size))


def direction(local, empty):
    empty = jnp.asarray(empty)
    move, forces, gain, correct = newton_direction(local, empty.astype(float), lambda right: right, empty)
    return np.asarray(move), np.asarray(forces), float(gain), correct


def test_without_empty_bins_it_is_the_plain_newton_direction():
    local = linear([3.0, 5.0], [[1.0, 2.0], [0.5, -1.0]], [0.3, -0.7], slope=[0.2, -0.4])
    gradient = np.array([0.3, -0.7]) + np.array([0.2, -0.4]) @ np.array([[1.0, 2.0], [0.5, -1.0]])
    move, _, gain, correct = direction(local, [False, False])
    np.testing.assert_allclose(move, -gradient, rtol=1e-12)
    np.testing.assert_allclose(gain, gradient @ gradient / 2, rtol=1e-12)
    np.testing.assert_array_equal(correct(jnp.ones((3, 2))), np.zeros((3, 2)))


@pytest.mark.parametrize(("slope", "rate"), [(1.0, 3.0), (2.0, 1.0), (3.0, 0.5)])
def test_one_empty_bin_has_the_closed_form(slope, rate):
    """Minimum of max(rate + slope x, 0) + x²/2: force min(rate / slope², 1), direction -force slope."""
    force = min(rate / slope**2, 1.0)
    move, forces, gain, _ = direction(linear([rate], [[slope]], [0.0]), [True])
    np.testing.assert_allclose(forces, [force], atol=1e-4)
    np.testing.assert_allclose(move, [-force * slope], atol=1e-4)
    end = max(rate - force * slope**2, 0.0)
    np.testing.assert_allclose(gain, rate - end - (force * slope) ** 2 / 2, atol=1e-4)


def test_a_bin_with_a_rate_far_below_zero_has_no_force():
    move, forces, _, _ = direction(linear([-4.0], [[1.0]], [0.5]), [True])
    np.testing.assert_allclose([*move, *forces], [-0.5, 0.0], atol=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_forces_maximise_the_dual_between_their_bounds(seed):
    rng = np.random.default_rng(seed)
    jacobian, rates, gradient = rng.normal(size=(3, 4)), rng.uniform(0.2, 2, 3), rng.normal(size=4)
    empty = np.array([True, True, seed % 2 == 0])
    _, forces, _, _ = direction(linear(rates, jacobian, gradient), empty)
    dual = scipy.optimize.minimize(
        lambda f: 0.5 * f @ jacobian @ jacobian.T @ f - f @ (rates - jacobian @ gradient),
        np.full(3, 0.5),
        bounds=[(0, 1) if bin_is_empty else (0, 0) for bin_is_empty in empty],
        method="L-BFGS-B",
        options={"ftol": 1e-15, "gtol": 1e-10},
    )
    np.testing.assert_allclose(forces, dual.x, atol=1e-3)


def test_the_correction_returns_to_the_kink_if_rates_are_linear_in_it():
    local = linear([1.0, 5.0], [[2.0, 0.5], [1.0, 0.0]], [0.0, 0.0])
    move, _, _, correct = direction(local, [True, False])
    ends = local.rates + local.jacobian @ move + jnp.array([[0.3, 0.0], [-0.2, 0.0]])  # rates that are not linear
    corrected = ends + jax.vmap(lambda change: local.jacobian @ change)(correct(ends))
    np.testing.assert_allclose(corrected[:, 0], 0, atol=2e-5)
