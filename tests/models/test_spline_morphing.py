"""Spline morphing equals the splines of scipy, and its fits are unbiased and equal fits of the shape alone."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.interpolate import CubicSpline, RectBivariateSpline
from scipy.optimize import minimize

from diffhep.inference import toys
from diffhep.inference.batched_mle import fit_all
from diffhep.inference.fisher import covariance
from diffhep.models.likelihood import unguarded_rates
from diffhep.models.spline_morphing import spline_morphing_model

NODES = np.array([-3.0, -1.5, -0.5, 0.0, 1.0, 2.0, 3.0])
X = np.linspace(0.025, 0.975, 20)


def expected(tes, jes):
    """Return a peak that both shifts move and one widens, over an exponential that they tilt and scale."""
    signal = 400 * np.exp(-0.5 * ((X - 0.7 - 0.02 * tes - 0.01 * jes) / (0.12 + 0.01 * tes)) ** 2) / 5
    background = 900 * np.exp(-(3 + 0.1 * tes - 0.15 * jes) * X) * (1 + 0.02 * tes * jes)
    return np.stack([signal, background])


TEMPLATES = np.array([[expected(tes, jes) for jes in NODES] for tes in NODES])
MODEL = spline_morphing_model(NODES, TEMPLATES)
TRUTH = np.array([1.5, 0.5, -0.3, 1.0])
N_TOYS = 400
RANDOM = np.random.default_rng(2).uniform(-3, 3, (20, 2))


@jax.jit
def interpolated(tes, jes):
    pars = jnp.stack([1.0, tes, jes, 1.0])
    return MODEL.nominal + MODEL.modifiers[0].addition(MODEL.nominal, pars)


slopes = jax.jit(jax.jacfwd(interpolated, (0, 1)))
rates = jax.jit(partial(unguarded_rates, MODEL))


def test_yields_equal_the_templates_at_the_nodes():
    for i, j in ((0, 0), (2, 5), (3, 3), (6, 6), (6, 1)):
        np.testing.assert_allclose(interpolated(NODES[i], NODES[j]), TEMPLATES[i, j], rtol=1e-10)
    np.testing.assert_allclose(MODEL.nominal, expected(0, 0), rtol=1e-10)


def test_yields_between_nodes_equal_bivariate_splines_of_scipy():
    for sample, number in ((0, 3), (0, 14), (1, 8)):
        spline = RectBivariateSpline(NODES, NODES, TEMPLATES[:, :, sample, number], s=0)
        yields = [np.asarray(interpolated(*point))[sample, number] for point in RANDOM]
        np.testing.assert_allclose(yields, spline.ev(*RANDOM.T), rtol=1e-10)


def test_yields_are_linear_outside_the_grid():
    spline = CubicSpline(NODES, TEMPLATES[:, 3])
    for shift, edge in ((-5.0, -3.0), (3.0, 3.0), (4.0, 3.0)):
        yields = interpolated(shift, NODES[3])
        np.testing.assert_allclose(yields, spline(edge) + (shift - edge) * spline(edge, 1), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("point", [(0.3, -2.2), (-0.5, 1.0), (3.7, -4.1)])
def test_gradients_equal_finite_differences(point):
    step, point = 1e-6, np.array(point)
    gradients = np.stack(slopes(*point))
    differences = [
        (np.asarray(interpolated(*(point + move))) - np.asarray(interpolated(*(point - move)))) / (2 * step)
        for move in step * np.eye(2)
    ]
    np.testing.assert_allclose(gradients, differences, rtol=1e-5, atol=1e-4)


def test_rates_are_scaled_sums_of_signal_and_background():
    pars = np.array([-2.0, 1.0, -1.5, 1.1])
    signal, background = expected(1.0, -1.5)
    np.testing.assert_allclose(rates(pars), 1.1 * (background - 2 * signal), rtol=1e-9)


def test_pulls_of_fits_have_mean_zero_and_width_one():
    fits = fit_all(MODEL, toys.throw(MODEL, jnp.asarray(TRUTH), N_TOYS, key=jax.random.key(3)))
    assert np.all(fits.converged)
    pulls = (np.asarray(fits.parameters) - TRUTH) / np.sqrt(np.diag(covariance(MODEL, jnp.asarray(TRUTH))))
    np.testing.assert_allclose(pulls.mean(axis=0), 0, atol=4 / np.sqrt(N_TOYS))
    np.testing.assert_allclose(pulls.std(axis=0), 1, atol=0.15)


def test_a_free_scale_gives_the_fit_of_the_shape_alone():
    data = toys.throw(
        MODEL, jnp.asarray(TRUTH), N_TOYS, key=jax.random.key(4)
    )  # n_toys as above, so that one program is compiled
    counts, measured = np.asarray(data.main)[0], np.asarray(data.auxiliary)[0]
    splines = [
        [RectBivariateSpline(NODES, NODES, each) for each in np.moveaxis(TEMPLATES[:, :, s], -1, 0)] for s in (0, 1)
    ]

    def shape_only(pars):
        mu, tes, jes = pars
        signal, background = (np.array([spline.ev(tes, jes) for spline in sample]) for sample in splines)
        rates = mu * signal + background
        return -counts @ np.log(rates / rates.sum()) + 0.5 * np.sum((pars[1:] - measured) ** 2)

    best = minimize(shape_only, [1.0, 0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-9}).x
    fitted = np.asarray(fit_all(MODEL, data).parameters)[0]
    np.testing.assert_allclose(fitted[:3], best, atol=1e-4)
    np.testing.assert_allclose(np.sum(rates(fitted)), counts.sum(), rtol=1e-8)


def bad_yield():
    templates = TEMPLATES.copy()
    templates[1, 2, 0, 4] = -1
    return templates


@pytest.mark.parametrize(
    ("nodes", "templates", "message"),
    [
        (NODES[::-1], TEMPLATES, "ascending order"),
        (NODES[:3], TEMPLATES[:3, :3], "at least 4"),
        (NODES[:5], TEMPLATES, r"have shape \(7, 7, 2, 20\): with 5 nodes give \(5, 5, 2, bin\)"),
        (NODES, bad_yield(), r"template of signal at nodes 1 and 2 is -1\.0 in bin 4"),
    ],
)
def test_an_invalid_grid_is_refused(nodes, templates, message):
    with pytest.raises(ValueError, match=message):
        spline_morphing_model(nodes, templates)
