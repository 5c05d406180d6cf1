"""Response surfaces: exact for polynomials, not negative, and an error if points are missing."""

import numpy as np
import pytest

from diffhep.histogramming.response_surface import fit

RNG = np.random.default_rng(1)
POINTS = RNG.uniform([0.9, -3.0, 100.0], [1.1, 3.0, 200.0], (30, 3))


def quadratic(points):
    a, b, c = points.T
    return np.stack([50 + 30 * a - 2 * b + a * c, 900 + 0.1 * c**2 - 3 * a * b + b**2], axis=-1)


def test_the_fit_to_a_quadratic_is_exact():
    surface = fit(POINTS, quadratic(POINTS))
    elsewhere = RNG.uniform(POINTS.min(axis=0), POINTS.max(axis=0), (20, 3))
    np.testing.assert_allclose(surface(elsewhere), quadratic(elsewhere), rtol=1e-10)
    np.testing.assert_allclose(surface.residuals, 0, atol=1e-8)


def test_a_line_has_the_residuals_of_numpys_least_squares():
    points, contents = np.linspace(0, 1, 7)[:, None], RNG.poisson(30, 7).astype(float)
    slope, offset = np.polyfit(points[:, 0], contents, 1)
    surface = fit(points, contents, order=1)
    np.testing.assert_allclose(surface.residuals, contents - offset - slope * points[:, 0], atol=1e-10)
    np.testing.assert_allclose(surface(points) + surface.residuals, contents)


@pytest.mark.parametrize("shape", [(), (4,), (2, 4)])
def test_contents_keep_their_shape(shape):
    contents = RNG.uniform(1, 2, (30, *shape))
    surface = fit(POINTS, contents)
    assert surface(POINTS[:5]).shape == (5, *shape) and surface.residuals.shape == contents.shape


def test_contents_are_not_negative():
    points = np.linspace(0, 1, 5)[:, None]
    np.testing.assert_allclose(fit(points, points[:, 0], order=1)(np.array([[-3.0], [0.5]])), [0, 0.5])


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (POINTS[:9], "9 points determine 9 of the 10 coefficients of a polynomial of order 2 in 3 parameters"),
        (POINTS * [1, 1, 0], "30 points determine 6 of the 10 coefficients"),
    ],
)
def test_points_that_do_not_determine_the_coefficients_are_an_error(points, message):
    with pytest.raises(ValueError, match=message):
        fit(points, np.ones(len(points)))
