"""Profile-likelihood intervals against brentq and the definition of their ends."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import chi2

from diffhep.inference import toys
from diffhep.inference.batched_mle import fit_all
from diffhep.inference.mle import conditional_fit
from diffhep.inference.profile_intervals import CONFIDENCE_LEVEL, profile_intervals
from diffhep.models import histfactory
from diffhep.models.likelihood import Data, with_poi_bounds

SIGNAL, BACKGROUND = 8.0, 30.0
MU = {"name": "mu", "type": "normfactor", "data": None}


def counting(low=-3.7):
    samples = [
        {"name": "signal", "data": [SIGNAL], "modifiers": [MU]},
        {"name": "background", "data": [BACKGROUND], "modifiers": []},
    ]
    return with_poi_bounds(histfactory.build_model([{"name": "one", "samples": samples}], poi="mu"), low, 20.0)


def shifted(shifts=2, bins=6):
    """Return a peak over a falling background, with shape and normalisation uncertainties."""
    x = np.linspace(0, 1, bins)
    signal, background = 30 * np.exp(-0.5 * ((x - 0.6) / 0.15) ** 2), 200 * np.exp(-2 * x)
    tilts = [background * 0.1 * np.cos((k + 1) * 2 * x) for k in range(shifts)]
    shapes = [
        {"name": f"shape_{k}", "type": "histosys", "data": {"hi_data": background + tilt, "lo_data": background - tilt}}
        for k, tilt in enumerate(tilts)
    ]
    norms = [{"name": "yield", "type": "normsys", "data": {"hi": 1.1, "lo": 0.9}}]
    samples = [
        {"name": "signal", "data": signal, "modifiers": [MU, *norms]},
        {"name": "background", "data": background, "modifiers": shapes},
    ]
    return with_poi_bounds(histfactory.build_model([{"name": "peak", "samples": samples}], poi="mu"), -10.0, 20.0)


@pytest.mark.parametrize("level", [CONFIDENCE_LEVEL, 0.95])
def test_intervals_of_a_counting_experiment_are_those_of_the_poisson_likelihood(level):
    model, counts = counting(), np.array([3.0, 24.0, 30.0, 55.0, 90.0])

    def excess(rate, count):
        return 2 * (rate - count - count * np.log(rate / count)) - chi2.ppf(level, 1)

    rates = [[brentq(excess, *ends, args=(n,)) for ends in ((1e-9, n), (n, 10 * n))] for n in counts]
    exact = np.maximum((np.array(rates) - BACKGROUND) / SIGNAL, -3.7)
    data = Data(counts[:, None], np.zeros((5, 0)))
    np.testing.assert_allclose(profile_intervals(model, data, fit_all(model, data), level), exact, rtol=1e-6)


def test_likelihood_ratio_at_the_ends_is_the_quantile():
    model = shifted()
    data = toys.throw(model, jnp.array([1.2, 0.0, 0.0, 0.0]), 70, key=jax.random.key(1))
    best = fit_all(model, data)
    found = profile_intervals(model, data, best)
    assert found.shape == (70, 2)
    held, found = jax.jit(jax.vmap(lambda toy, mu: conditional_fit(model, toy, mu).nll)), np.asarray(found)
    for end in found.T:
        rise = np.asarray(held(data, end)) - np.asarray(best.nll)
        np.testing.assert_allclose(2 * rise, chi2.ppf(CONFIDENCE_LEVEL, 1), rtol=1e-5)
    mu_hat = np.asarray(best.parameters)[:, model.parameters.poi]
    assert (found[:, 0] < mu_hat).all() and (mu_hat < found[:, 1]).all()


def test_intervals_end_at_the_bounds():
    data = Data(np.array([[20.0], [32.0], [60.0], [40.0], [50.0]]), np.zeros((5, 0)))
    of = (counting(low=0.0), counting())
    found, free = (np.asarray(profile_intervals(model, data, fit_all(model, data))) for model in of)
    np.testing.assert_allclose(found[:2, 0], 0, atol=1e-12)
    np.testing.assert_allclose(found[1:, 1], free[1:, 1], rtol=1e-6)
    assert free[1, 0] < 0 < found[2, 0]


def test_intervals_without_signal_are_infinite():
    model = with_poi_bounds(counting(), -np.inf, np.inf)
    silent = dataclasses.replace(model, nominal=np.array([[BACKGROUND], [0.0]]))
    data = Data(np.array([[31.0]]), np.zeros((1, 0)))
    np.testing.assert_array_equal(profile_intervals(silent, data, fit_all(silent, data)), [[-np.inf, np.inf]])


def test_intervals_of_fits_that_did_not_converge_are_nan():
    model, data = counting(), Data(np.array([[31.0], [40.0], [20.0], [60.0], [50.0]]), np.zeros((5, 0)))
    best = fit_all(model, data)
    found = np.asarray(profile_intervals(model, data, best._replace(edm=np.array([np.inf, 0.0, 0.0, 0.0, 0.0]))))
    assert np.isnan(found[0]).all() and np.isfinite(found[1:]).all()
