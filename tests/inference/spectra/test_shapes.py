"""Shapes are the integrals of their densities, and say what they are given."""

import itertools

import jax
import numpy as np
import pytest
from scipy import integrate, stats

from diffhep.inference.spectra import shapes

EDGES = np.linspace(100, 180, 41)


def templates(settings, *parameters):
    return np.asarray(jax.jit(shapes.build_shape(settings, EDGES).templates)(np.array(parameters)))


def crystal_ball(m, mean=125.0, width=1.5, alpha=1.2, power=3.0):
    return stats.crystalball.pdf(m, alpha, power, mean, width) / stats.crystalball.pdf(mean, alpha, power, mean, width)


DENSITIES = {
    "gaussian": ({"mean": 125.0, "width": 1.5}, lambda m: stats.norm.pdf(m, 125, 1.5)),
    "breit_wigner": ({"mean": 125.0, "width": 3.0}, lambda m: stats.cauchy.pdf(m, 125, 1.5)),
    "exponential": ({"scale": 35.0}, lambda m: stats.truncexpon.pdf(m, 80 / 35, 100, 35)),
    "crystal_ball": ({"mean": 125.0, "width": 1.5, "alpha": 1.2, "power": 3.0}, crystal_ball),
}


@pytest.mark.parametrize("name", DENSITIES)
def test_contents_are_integrals_of_the_density(name):
    given, density = DENSITIES[name]
    found = templates({"shape": name, **given})
    expected = [integrate.quad(density, low, high, epsabs=1e-12)[0] for low, high in itertools.pairwise(EDGES)]
    np.testing.assert_allclose(found[0], expected, rtol=2e-3 if name == "crystal_ball" else 1e-6, atol=1e-9)


def test_a_polynomial_is_means_of_powers():
    found = templates({"shape": "polynomial", "order": 2})
    u = (EDGES - 140) / 40
    for power, contents in enumerate(found):
        expected = [integrate.quad(lambda x, n=power: x**n, a, b)[0] / (b - a) for a, b in itertools.pairwise(u)]
        np.testing.assert_allclose(contents, expected, atol=1e-12)


def test_a_parameter_in_brackets_is_fitted_and_has_derivatives():
    shape = shapes.build_shape({"shape": "gaussian", "mean": [124.0], "width": 2.0}, EDGES)
    assert shape.start == (124.0,)
    fixed = {"shape": "gaussian", "mean": 126.0, "width": 2.0}
    np.testing.assert_allclose(templates(fixed | {"mean": [124.0]}, 126.0), templates(fixed))
    slope = np.asarray(jax.jit(jax.jacfwd(shape.templates))(np.array([126.0])))[0, :, 0]
    np.testing.assert_allclose(slope, -np.diff(stats.norm.pdf(EDGES, 126, 2)), atol=1e-12)


def test_unknown_shapes_and_parameters_are_named():
    with pytest.raises(ValueError, match="shape 'landau' is unknown: choose from polynomial, gaussian"):
        shapes.build_shape({"shape": "landau"}, EDGES)
    with pytest.raises(ValueError, match="shape gaussian takes mean, width, not mean, sigma"):
        shapes.build_shape({"shape": "gaussian", "mean": 1.0, "sigma": 2.0}, EDGES)
