"""The loss is equations 4 to 6, its gain is the squared significance, and its gradient raises what it should."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhep.inference.spectra import shapes as spectra_shapes
from diffhep.inference.spectra.fits import chi_square
from diffhep.learning.split_n_fit import loss as split_n_fit_loss

EDGES = np.linspace(100, 180, 81)
SHAPES = split_n_fit_loss.Shapes(
    spectra_shapes.build_shape({"shape": "polynomial", "order": 2}, EDGES),
    spectra_shapes.build_shape({"shape": "gaussian", "mean": 125.0, "width": 1.5}, EDGES),
    80,
)
PLAIN = {"lambda_chi": 0.0, "delta": 1.0}


@pytest.fixture(scope="module")
def events():
    rng = np.random.default_rng(0)
    mass = np.concatenate([rng.normal(125, 1.5, 300), 100 + 80 * rng.uniform(size=8000)])
    return np.floor(mass - 100).astype(int), rng.uniform(0.1, 2, 8300), np.arange(8300) < 300


@jax.jit
def chi_squares(counts):
    """Without and with the signal."""
    return chi_square([SHAPES.background], counts), chi_square([SHAPES.background, SHAPES.signal], counts)


def test_histograms_split_the_weight_of_every_event(events):
    place, weights, signal = events
    scores = np.where(signal, 0.8, 0.3)
    found = split_n_fit_loss.split(scores, place, weights, 80)
    np.testing.assert_allclose(found.passed, np.bincount(place, weights * scores, 80), rtol=1e-12)
    np.testing.assert_allclose(np.asarray(found.passed) + found.failed, np.bincount(place, weights, 80), rtol=1e-12)
    assert float(found.mean_failed) == pytest.approx(np.average(1 - scores, weights=weights))


def test_loss_is_made_of_the_least_chi_squares(events):
    place, weights, signal = events
    found = split_n_fit_loss.split(np.where(signal, 0.8, 0.3), place, weights, 80)
    chi = {
        name: [float(fit.value) for fit in chi_squares(counts)]
        for name, counts in (("passed", found.passed), ("failed", found.failed))
    }
    (b, sb), (fail_b, fail_sb), mean = chi["passed"], chi["failed"], float(found.mean_failed)
    plain = (sb - b) + (fail_b - fail_sb + 1.0) / mean
    assert float(jax.jit(partial(split_n_fit_loss.loss, PLAIN, SHAPES))(found)) == pytest.approx(plain)

    def silu(x):
        return x / (1 + np.exp(-x))

    poor, fail_poor = silu(sb - 76) + silu(b - 77), silu(fail_sb - 76) + silu(fail_b - 77)
    penalised = float(jax.jit(partial(split_n_fit_loss.loss, PLAIN | {"lambda_chi": 2.0}, SHAPES))(found))
    assert penalised == pytest.approx(plain + 2 * poor + 2 * fail_poor / mean)


def test_gain_is_the_squared_significance_of_the_amplitude(events):
    """chi²_B - chi²_SB = s² / Var(s), for a linear fit."""
    place, weights, signal = events
    counts = split_n_fit_loss.split(np.where(signal, 0.8, 0.3), place, weights, 80).passed
    alone, both = chi_squares(counts)
    basis = np.concatenate([shape.templates(jnp.zeros(0)) for shape in (SHAPES.background, SHAPES.signal)])
    variance = np.linalg.inv((basis / np.asarray(counts)) @ basis.T)[-1, -1]
    assert float(alone.value - both.value) == pytest.approx(float(both.amplitudes[-1]) ** 2 / variance)


FALLING = SHAPES._replace(background=spectra_shapes.build_shape({"shape": "exponential", "scale": [60.0]}, EDGES))


@pytest.mark.parametrize("shapes", [SHAPES, FALLING], ids=["polynomial", "exponential"])
def test_slopes_are_finite_differences_and_let_the_signal_pass(events, shapes):
    place, weights, signal = events

    def loss(logits):
        scores = jax.nn.sigmoid(logits[signal.astype(int)])
        return split_n_fit_loss.loss(PLAIN, shapes, split_n_fit_loss.split(scores, place, weights, 80))

    program = jax.jit(jax.value_and_grad(loss))
    slope = np.asarray(program(np.zeros(2))[1])
    assert slope[1] < slope[0] and slope[1] < 0
    h = 1e-5
    for n in (0, 1):
        move = h * np.eye(2)[n]
        high, low = (float(program(each)[0]) for each in (move, -move))
        assert float(slope[n]) == pytest.approx((high - low) / (2 * h), rel=1e-5)


def test_spread_is_the_mean_variance_over_observables():
    rng = np.random.default_rng(1)
    scores, observables = rng.uniform(size=50), rng.normal(size=(50, 3))
    expected = np.mean([np.var(scores * observables[:, m]) for m in range(3)])
    assert float(split_n_fit_loss.score_spread(scores, observables)) == pytest.approx(expected)
