"""Scalar transforms start as the identity, return their true slope, and invert."""

from functools import partial

import equinox as eqx
import jax
import numpy as np
import paramax
import pytest
from jax.flatten_util import ravel_pytree
from scipy import stats

from diffhep.flows import bijections

FAR = np.array([1e2, 1e4])
POINTS = np.concatenate([-FAR[::-1], np.linspace(-6, 6, 121), FAR])
MONOTONE = [name for name in bijections.TRANSFORMS if name != "quadratic_literal"]
SEEDS = range(5)
ZERO_OUTPUTS = np.zeros(50)


def random_outputs(seed):
    """Random outputs of a network, more than any transform has parameters."""
    return 2 * np.random.default_rng(seed).normal(size=50)


def transform(name, outputs):
    initial = bijections.make_transform(name)
    parameters, fixed = eqx.partition(
        initial, eqx.is_inexact_array, is_leaf=lambda x: isinstance(x, paramax.NonTrainable)
    )
    flat, unravel = ravel_pytree(parameters)
    return paramax.unwrap(eqx.combine(unravel(flat + outputs[: flat.size]), fixed))


@partial(jax.jit, static_argnums=0)
def images(name, outputs, points):
    """Images of points, and the logarithms of the slopes."""
    return jax.vmap(transform(name, outputs).transform_and_log_det)(points)


@partial(jax.jit, static_argnums=0)
def inverse_images(name, outputs, points):
    return jax.vmap(transform(name, outputs).inverse_and_log_det)(points)


@partial(jax.jit, static_argnums=0)
def slopes(name, outputs, points):
    return jax.vmap(jax.grad(transform(name, outputs).transform))(points)


@pytest.mark.parametrize("name", bijections.TRANSFORMS)
def test_transforms_are_the_identity_for_zero_outputs(name):
    image, log_slope = images(name, ZERO_OUTPUTS, POINTS)
    np.testing.assert_allclose(image, POINTS, rtol=1e-6)
    np.testing.assert_allclose(log_slope, 0.0, atol=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", MONOTONE)
def test_monotone_transforms_increase_everywhere_and_invert(name, seed):
    image, log_slope = map(np.asarray, images(name, random_outputs(seed), POINTS))
    assert (np.diff(image) > 0).all()
    back, log_back = inverse_images(name, random_outputs(seed), image)
    np.testing.assert_allclose(back, POINTS, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(log_back, -log_slope, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", bijections.TRANSFORMS)
def test_the_slope_equals_that_of_automatic_differentiation(name, seed):
    points = POINTS + 1e-3  # not at the points where the pieces join
    _, log_slope = images(name, random_outputs(seed), points)
    np.testing.assert_allclose(
        log_slope, np.log(np.abs(slopes(name, random_outputs(seed), points))), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_the_printed_quadratic_inverts_only_on_one_side_of_its_vertex(seed):
    a, b = random_outputs(seed)[0], 1 + random_outputs(seed)[1]
    image, log_slope = map(np.asarray, images("quadratic_literal", random_outputs(seed), POINTS))
    back, log_back = map(np.asarray, inverse_images("quadratic_literal", random_outputs(seed), image))
    side = a * POINTS + b > 1e-6
    assert side.any() and not side.all()
    np.testing.assert_allclose(back[side], POINTS[side], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(log_back[side], -log_slope[side], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(back[~side], -2 * b / a - POINTS[~side], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("bend", "mass"), [(0.1, 2.0), (0.5, 1.6827), (1.0, 1.3829)])
def test_the_printed_quadratic_turns_a_normal_density_into_one_with_a_larger_integral(bend, mass):
    x = np.linspace(-60, 60, 240_001)
    normal, log_slope = images("quadratic_literal", np.array([bend, 0.0, 0.0]), x)
    density = stats.norm.pdf(normal) * np.exp(log_slope)
    assert density.sum() * (x[1] - x[0]) == pytest.approx(mass, abs=1e-3)


@pytest.mark.parametrize("name", ["hyperbolic", "quadratic_clipped"])
def test_monotone_transforms_approximate_the_quadratic_near_zero(name):
    scale, bend = np.exp(bijections.MAX_LOG_SCALE * np.tanh(0.3)), bijections.MAX_BEND * np.tanh(0.4)
    x = 0.01
    expected = -0.2 + scale * (x + bend * x**2 / 2)
    image, _ = images(name, np.array([0.3, 0.4, -0.2]), np.array([x]))
    assert float(image[0]) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("raw", [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [-1.0, 1.0, 0.5]])
def test_gradients_of_the_printed_quadratic_are_finite_even_at_its_vertex(raw):
    def both(raw, x):
        return sum(transform("quadratic_literal", raw).transform_and_log_det(x))

    gradients = jax.jit(jax.vmap(jax.grad(both, argnums=(0, 1)), (None, 0)))
    for gradient in gradients(np.array(raw), np.array([-3.0, -1.0, 0.0, 2.0])):
        assert np.isfinite(gradient).all()


def test_an_unknown_transform_raises():
    with pytest.raises(ValueError, match="coupling 'cubic' is unknown; choose from gated_affine"):
        bijections.make_transform("cubic")
