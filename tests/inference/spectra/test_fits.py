"""Fits of spectra agree with scipy's, and their derivatives with finite differences."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import optimize

from diffhep.inference.spectra import fits
from diffhep.inference.spectra import shapes as spectra_shapes

EDGES = np.linspace(100, 180, 81)
SIGNAL = spectra_shapes.build_shape({"shape": "gaussian", "mean": 125.0, "width": 1.5}, EDGES)
QUADRATIC = spectra_shapes.build_shape({"shape": "polynomial", "order": 2}, EDGES)
FALLING = spectra_shapes.build_shape({"shape": "exponential", "scale": [30.0]}, EDGES)
PEAKS = {
    "breit_wigner": {"mean": [124.0], "width": [3.0]},
    "crystal_ball": {"mean": [124.5], "width": [2.0], "alpha": 1.5, "power": 3.0},
}


falling = jax.jit(FALLING.templates)
PEAK = np.asarray(jax.jit(SIGNAL.templates)(np.zeros(0)))[0]


def spectrum(seed, signal=100.0):
    background = 3000 * np.asarray(falling(np.array([35.0])))[0]
    return np.random.default_rng(seed).poisson(background + signal * PEAK).astype(float)


def scipys(shapes, counts, start):
    """Amplitudes and parameters of least chi²."""
    amplitudes = len(start) - sum(len(shape.start) for shape in shapes)
    templates = jax.jit(partial(fits.templates, shapes))

    def left(x):
        contents = x[:amplitudes] @ np.asarray(templates(x[amplitudes:]))
        return (contents - counts) / np.sqrt(np.maximum(counts, 1e-3))

    return optimize.least_squares(left, start, xtol=1e-15, ftol=1e-15, gtol=1e-12, x_scale=np.abs(start) + 1.0)


CASES = {
    "linear": ([QUADRATIC, SIGNAL], [40.0, -30.0, 10.0, 100.0]),
    "exponential": ([FALLING, SIGNAL], [3000.0, 100.0, 35.0]),
    **{
        name: ([QUADRATIC, spectra_shapes.build_shape({"shape": name, **given}, EDGES)], [40.0, -30, 10, 100, 125, 2.0])
        for name, given in PEAKS.items()
    },
}


@pytest.mark.parametrize("case", CASES)
def test_least_squares_are_scipys(case):
    shapes, start = CASES[case]
    counts = spectrum(1, 400.0)
    found = jax.jit(partial(fits.chi_square, shapes))(counts)
    expected = scipys(shapes, counts, start)
    assert float(found.value) == pytest.approx(2 * expected.cost, rel=1e-7)
    np.testing.assert_allclose(np.concatenate([found.amplitudes, found.parameters]), expected.x, rtol=2e-3, atol=0.05)


@pytest.mark.parametrize("case", CASES)
def test_derivatives_are_finite_differences(case):
    """Of the least chi² and of fitted numbers, by bin contents along a random direction."""
    shapes, _ = CASES[case]
    counts = spectrum(2, 400.0) + 0.5
    direction = np.random.default_rng(3).normal(size=80) * np.sqrt(counts)

    @jax.jit
    def numbers(step):
        found = fits.chi_square(shapes, counts + step * direction)
        return jnp.concatenate([found.value[None], found.amplitudes, found.parameters])

    slopes, h = jax.jit(jax.jacrev(numbers))(0.0), 1e-3
    differences = (np.asarray(numbers(h)) - np.asarray(numbers(-h))) / (2 * h)
    np.testing.assert_allclose(slopes, differences, rtol=2e-3, atol=2e-4 * np.abs(differences).max())


@pytest.mark.parametrize(("shapes", "start"), [CASES["linear"], CASES["exponential"]], ids=["linear", "exponential"])
def test_likelihood_is_scipys(shapes, start):
    counts, templates = spectrum(4), jax.jit(partial(fits.templates, shapes))
    amplitudes = len(start) - 1 if shapes[0] is FALLING else 4

    def deviance(x):
        f = np.maximum(x[:amplitudes] @ np.asarray(templates(x[amplitudes:])), 1e-3)
        return 2 * np.sum(f - counts + np.where(counts > 0, counts * np.log(np.maximum(counts, 1) / f), 0))

    expected = optimize.minimize(
        deviance, start, method="Nelder-Mead", options={"maxiter": 20_000, "fatol": 1e-9, "xatol": 1e-7}
    )
    found = jax.jit(partial(fits.poisson, shapes))(counts)
    assert float(found.value) == pytest.approx(expected.fun, abs=2e-4)


significance = jax.jit(partial(fits.significance, SIGNAL, QUADRATIC))


def test_significance_has_the_sign_of_the_fluctuation_and_vectorises():
    background = np.array([40.0, -30.0, 10.0]) @ np.asarray(QUADRATIC.templates(np.zeros(0)))
    rates = np.stack([background + signal * PEAK for signal in (0.0, 60.0)])
    many = np.random.default_rng(5).poisson(rates, (200, 2, 80)).astype(float).reshape(-1, 80)
    found = jax.jit(jax.vmap(partial(fits.significance, SIGNAL, QUADRATIC)))(many)
    empty, full = np.asarray(found).reshape(200, 2).T
    assert abs(empty.mean()) < 0.2 and empty.std() == pytest.approx(1.0, abs=0.12)
    asimov = float(significance(rates[1]))
    assert full.mean() == pytest.approx(asimov, abs=0.2) and 2.5 < asimov < 60 / np.sqrt(5.32 * background[25])


def test_empty_bins_have_a_fit():
    counts = np.zeros(80)
    counts[::7] = 1.0
    least = jax.jit(partial(fits.chi_square, [QUADRATIC, SIGNAL]))(counts)
    assert np.isfinite(significance(counts)) and np.isfinite(least.value)
