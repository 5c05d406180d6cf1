"""Modifiers change yields as their closed forms in numpy do."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhep.models import modifiers
from diffhep.models.modifiers import BinFactors, HistoSys, Modifier, NormFactor, NormSys

NOMINAL = jnp.array([[10.0, 20.0, 30.0], [1.0, 2.0, 3.0]])
PARS = jnp.array([1.5, 0.5, -2.0, 0.9, 1.1, 1.3])


@pytest.mark.parametrize("indices", [(), (2,), (1, 2, 3), (3, 1), (0, 2), (1, 1)])
def test_gather_equals_numpy_indexing(indices):
    expected = np.asarray(PARS)[np.array(indices, int)]
    np.testing.assert_array_equal(modifiers.gather(PARS, indices), expected)


def test_consecutive_indices_compile_without_a_gather():
    for indices, has_gather in (((1, 2, 3), False), ((0, 2), True)):
        text = jax.jit(lambda pars, indices=indices: modifiers.gather(pars, indices)).lower(PARS).as_text()
        assert ("gather" in text) == has_gather


def test_a_modifier_without_override_leaves_yields_unchanged():
    assert Modifier().addition(NOMINAL, PARS) == 0 and Modifier().factor(NOMINAL, PARS) == 1
    assert Modifier().shifts == () == Modifier().kinked


def test_a_normfactor_scales_the_masked_yields():
    by_sample = NormFactor(0, ((True,), (False,))).factor(NOMINAL, PARS)
    np.testing.assert_array_equal(np.broadcast_to(by_sample, NOMINAL.shape), [[1.5] * 3, [1] * 3])
    by_bin = NormFactor(3, ((True, False, True), (False, False, True))).factor(NOMINAL, PARS)
    np.testing.assert_array_equal(by_bin, [[0.9, 1, 0.9], [1, 1, 0.9]])


@pytest.mark.parametrize("code", ["code0", "code4p"])
def test_histosys_adds_linear_shifts_outside_one_standard_deviation(code):
    up, down = NOMINAL * 1.2 + 1, NOMINAL * 0.7
    histosys = HistoSys((2, 0), code, jnp.stack([up, up + 3]), jnp.stack([down, down - 0.2]))
    expected = 2.0 * (down - NOMINAL) + 1.5 * (up + 3 - NOMINAL)  # alpha = -2 and 1.5
    np.testing.assert_allclose(histosys.addition(NOMINAL, PARS), expected, atol=1e-12)
    assert histosys.shifts == (2, 0) and histosys.kinked == ((2, 0) if code == "code0" else ())


@pytest.mark.parametrize("code", ["code1", "code4"])
def test_normsys_multiplies_exponential_factors_by_channel(code):
    up = np.array([[[1.1, 1.3], [1.0, 1.2]], [[1.4, 1.0], [1.05, 1.0]]])
    down = np.array([[[0.9, 0.8], [1.0, 0.7]], [[0.6, 1.0], [0.9, 1.0]]])
    normsys = NormSys((2, 0), code, (1, 2), jnp.asarray(up), jnp.asarray(down))
    by_channel = down[0] ** 2.0 * up[1] ** 1.5
    expected = by_channel[:, [0, 1, 1]]  # the second channel has two bins
    np.testing.assert_allclose(normsys.factor(NOMINAL, PARS), expected, rtol=1e-12)
    assert normsys.shifts == (2, 0) and normsys.kinked == ((2, 0) if code == "code1" else ())


def test_bin_factors_multiply_the_parameters_of_all_layers():
    layers = (((3, 4, -1), (-1, -1, -1)), ((5, -1, -1), (3, 4, 5)))
    expected = [[0.9 * 1.3, 1.1, 1.0], [0.9, 1.1, 1.3]]
    np.testing.assert_allclose(BinFactors(layers).factor(NOMINAL, PARS), expected, rtol=1e-12)
