"""Gaussian processes have the textbook's posterior, and are cross-validated on points that they do not know."""

from functools import partial

import numpy as np
import pytest
from sklearn.model_selection import KFold

from diffhep.studies.resonance import gaussian_processes as gp

RNG = np.random.default_rng(0)
POINTS = RNG.uniform(0, 1000, (40, 2))
FIT = partial(gp.fit, ["rbf", "white"], restarts=0, seed=0)
VALUES = np.sin(POINTS[:, 0] / 200) + POINTS[:, 1] / 500


def test_the_posterior_equals_the_conditional_normal_distribution():
    values, new = VALUES + RNG.normal(0, 0.1, 40), RNG.uniform(0, 1000, (5, 2))
    process = FIT(POINTS, values)
    found = gp.predict(process, new)
    kernel = process.kernel_
    mean, width = values.mean(), values.std()
    inverse = np.linalg.inv(kernel(POINTS) + 1e-8 * np.eye(40))
    across = kernel(new, POINTS)
    np.testing.assert_allclose(found.mean, mean + width * across @ inverse @ ((values - mean) / width), rtol=1e-6)
    variance = kernel.diag(new) - np.einsum("ij,jk,ik->i", across, inverse, across)
    np.testing.assert_allclose(found.error, width * np.sqrt(variance), rtol=1e-4)


def test_a_smooth_function_is_interpolated():
    found = gp.cross_validate(FIT, POINTS, VALUES, KFold(10))
    assert np.abs(found.mean - VALUES).max() < 0.2 and (found.error > 0).all()


def test_cross_validation_cannot_predict_random_values():
    """The residuals and the predicted errors are as large as the scatter of the values."""
    values = RNG.normal(size=40)
    found = gp.cross_validate(FIT, POINTS, values, KFold(5))
    assert np.std(found.mean - values) > 0.8 and found.error.mean() > 0.7


def test_kernels_are_sums_of_their_terms():
    kernel = gp.kernel(["rbf", "matern", "rational_quadratic", "white"])
    assert kernel(POINTS).shape == (40, 40)
    assert [term in str(kernel) for term in ("RBF", "Matern", "RationalQuadratic", "WhiteKernel")] == [True] * 4
    with pytest.raises(ValueError, match="kernel term 'linear' is unknown; choose from rbf"):
        gp.kernel(["linear"])
