"""Interpolation codes equal those of pyhf, and are smooth where they should be."""

import jax
import jax.numpy as jnp
import numpy as np
import pyhf.interpolators
import pytest
from support import oracles

from diffhep.models.interpolation import KINKED_CODES, asymmetry_weight, normsys_factor

ALPHAS = np.array([-3.0, -1.0, -0.7, -0.2, 0.0, 0.4, 1.0, 1.8])
PYHF_CODES = {"code0": 0, "code1": 1, "code4": 4, "code4p": "4p"}
DOWN, NOMINAL, UP = np.array([8.0, 12.0, 9.0]), np.array([10.0, 10.0, 10.0]), np.array([13.0, 9.5, 12.0])


def pyhf_values(code, down, nominal, up):
    """Return what pyhf interpolates, shape (alpha, bin): summands of code0 and code4p, factors of code1 and code4."""
    with oracles.tight_pyhf():
        interpolate = pyhf.interpolators.get(PYHF_CODES[code])(
            [[[down.tolist(), nominal.tolist(), up.tolist()]]], subscribe=False
        )
        return np.asarray(interpolate(ALPHAS[None]))[0, 0]


@pytest.mark.parametrize("code", ["code0", "code4p"])
def test_additive_interpolation_equals_that_of_pyhf(code):
    symmetric, asymmetric = (UP - DOWN) / 2, (UP + DOWN - 2 * NOMINAL) / 16
    weights = np.asarray(asymmetry_weight(jnp.asarray(ALPHAS), code))
    shifts = ALPHAS[:, None] * symmetric + weights[:, None] * asymmetric
    np.testing.assert_allclose(shifts, pyhf_values(code, DOWN, NOMINAL, UP), rtol=1e-12, atol=1e-12)


def factors(alphas, code):
    """Return factors of shape (alpha, bin)."""
    up, down = (np.tile(side / NOMINAL, (len(alphas), 1))[:, None] for side in (UP, DOWN))
    return normsys_factor(jnp.asarray(alphas)[:, None, None], jnp.asarray(up), jnp.asarray(down), code)[:, 0]


@pytest.mark.parametrize("code", ["code1", "code4"])
def test_multiplicative_interpolation_equals_that_of_pyhf(code):
    theirs = pyhf_values(code, DOWN / NOMINAL, NOMINAL / NOMINAL, UP / NOMINAL)
    np.testing.assert_allclose(factors(ALPHAS, code), theirs, rtol=1e-12)


def one_sided_slopes(function, point):
    step = 1e-6
    values = [np.asarray(function(point + offset)) for offset in (-2 * step, -step, step, 2 * step)]
    return (values[1] - values[0]) / step, (values[3] - values[2]) / step


@pytest.mark.parametrize("code", ["code0", "code4p", "code1", "code4"])
def test_only_kinked_codes_have_a_kink_at_zero(code):
    if code in ("code0", "code4p"):
        below, above = one_sided_slopes(lambda x: asymmetry_weight(jnp.array([x]), code)[0], 0.0)
    else:
        below, above = one_sided_slopes(lambda x: factors(np.array([x]), code)[0, 0], 0.0)
    assert np.isclose(below, above, atol=1e-3) == (code not in KINKED_CODES)


@pytest.mark.parametrize("edge", [-1.0, 1.0])
def test_polynomials_join_the_outer_code_with_equal_slope_and_curvature(edge):
    weight = lambda x: asymmetry_weight(jnp.array([x]), "code4p")[0]  # noqa: E731
    factor = lambda x: factors(jnp.array([x]), "code4")[0, 0]  # noqa: E731
    for function in (weight, factor):
        for order in (jax.grad(function), jax.grad(jax.grad(function))):
            np.testing.assert_allclose(order(edge - 1e-9), order(edge + 1e-9), atol=1e-6)
