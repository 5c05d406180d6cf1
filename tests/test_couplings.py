"""Every transform of a variable is the identity at first, has the slope that it tells, and can be undone."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import paramax
import pytest
from jax.flatten_util import ravel_pytree

from diffhep import couplings

FAR = np.array([1e2, 1e4])
POINTS = jnp.array(np.concatenate([-FAR[::-1], np.linspace(-6, 6, 121), FAR]))
MONOTONE = [name for name in couplings.TRANSFORMS if name != "quadratic_literal"]
SEEDS = range(5)


def transform(name, seed=None):
    """As a network with random outputs would have it, or at the start."""
    made = couplings.transform(name)
    parameters, fixed = eqx.partition(made, eqx.is_inexact_array, is_leaf=lambda x: isinstance(x, paramax.NonTrainable))
    flat, unravel = ravel_pytree(parameters)
    said = 0.0 if seed is None else 2 * jax.random.normal(jax.random.key(seed), flat.shape)
    return paramax.unwrap(eqx.combine(unravel(flat + said), fixed))


@pytest.mark.parametrize("name", couplings.TRANSFORMS)
def test_a_silent_network_changes_nothing(name):
    image, log_slope = jax.vmap(transform(name).transform_and_log_det)(POINTS)
    np.testing.assert_allclose(image, POINTS, rtol=1e-6)
    np.testing.assert_allclose(log_slope, 0.0, atol=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", MONOTONE)
def test_monotone_transforms_rise_everywhere_and_are_undone(name, seed):
    made = transform(name, seed)
    image, log_slope = jax.vmap(made.transform_and_log_det)(POINTS)
    assert (jnp.diff(image) > 0).all()
    back, log_back = jax.vmap(made.inverse_and_log_det)(image)
    np.testing.assert_allclose(back, POINTS, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(log_back, -log_slope, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", couplings.TRANSFORMS)
def test_the_slope_is_that_of_automatic_differentiation(name, seed):
    made = transform(name, seed)
    points = POINTS + 1e-3  # beside the joints
    slope = jax.vmap(jax.grad(lambda x: made.transform_and_log_det(x)[0]))(points)
    log_slope = jax.vmap(made.transform_and_log_det)(points)[1]
    np.testing.assert_allclose(log_slope, jnp.log(jnp.abs(slope)), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_printed_quadratic_is_undone_on_one_side_of_its_fold_alone(seed):
    made = transform("quadratic_literal", seed)
    a, b = made.raw[0], 1 + made.raw[1]
    image, log_slope = jax.vmap(made.transform_and_log_det)(POINTS)
    back, log_back = jax.vmap(made.inverse_and_log_det)(image)
    side = a * POINTS + b > 1e-6
    assert side.any() and not side.all()
    np.testing.assert_allclose(back[side], POINTS[side], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(log_back[side], -log_slope[side], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(back[~side], -2 * b / a - POINTS[~side], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("bend", "mass"), [(0.1, 2.0), (0.5, 1.6827), (1.0, 1.3829)])
def test_the_printed_quadratic_makes_too_much_of_a_normal_density(bend, mass):
    made = eqx.tree_at(lambda each: each.raw, couplings.transform("quadratic_literal"), jnp.array([bend, 0.0, 0.0]))
    x = jnp.linspace(-60, 60, 240_001)
    normal, log_slope = jax.vmap(made.transform_and_log_det)(x)
    density = jax.scipy.stats.norm.pdf(normal) * jnp.exp(log_slope)
    assert float(density.sum() * (x[1] - x[0])) == pytest.approx(mass, abs=1e-3)


@pytest.mark.parametrize("name", ["hyperbolic", "quadratic_clipped"])
def test_monotone_transforms_bend_like_the_quadratic_near_zero(name):
    raw = jnp.array([0.3, 0.4, -0.2])
    made = eqx.tree_at(lambda each: each.raw, couplings.transform(name), raw)
    scale, bend = np.exp(couplings.REACH * np.tanh(0.3)), couplings.BEND * np.tanh(0.4)
    x = 0.01
    expected = -0.2 + scale * (x + bend * x**2 / 2)
    assert float(made.transform(jnp.array(x))) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("raw", [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [-1.0, 1.0, 0.5]])
def test_gradients_of_the_printed_quadratic_are_finite_even_at_its_fold(raw):
    def both(raw, x):
        made = eqx.tree_at(lambda each: each.raw, couplings.transform("quadratic_literal"), raw)
        return sum(made.transform_and_log_det(x))

    for x in (-3.0, -1.0, 0.0, 2.0):
        for gradient in jax.grad(both, argnums=(0, 1))(jnp.array(raw), jnp.array(x)):
            assert jnp.isfinite(gradient).all()


def test_an_unknown_transform_is_refused():
    with pytest.raises(ValueError, match="coupling 'cubic' is unknown; choose from gated_affine"):
        couplings.transform("cubic")
