"""The one-parameter analysis: its numbers are the thesis's, its p-values pyhf's or closed forms."""

from functools import partial

import jax
import numpy as np
import pyhf
import pytest
from scipy import stats
from support import oracles
from support.study_settings import study_settings

from diffhep.studies import counting

SETTINGS = study_settings("counting")


p_value = jax.jit(partial(counting.p_value, SETTINGS))


@pytest.fixture(scope="module")
def scan():
    return counting.scan(SETTINGS | {"scan": SETTINGS["scan"] | {"examples": [0.0, 10.0]}})


def test_counts_are_those_of_the_thesis(scan):
    at = scan.sel(phi=10.0)
    assert [float(at[name]) for name in counting.COUNTS] == [25.0, 25.0, 10.5]
    assert [float(value) for value in scan["example_signal"]] == [15.0, 25.0]


def test_p_value_without_uncertainty_is_the_closed_form(scan):
    s, b = scan["signal"], scan["background"]
    z = np.sqrt(2 * ((s + b) * np.log1p(s / b) - s))
    np.testing.assert_allclose(scan["p0_certain"], stats.norm.sf(z), rtol=1e-6)


@pytest.mark.parametrize("phi", [0.0, 4.3, 9.0])
def test_p_value_with_uncertainty_is_pyhfs(scan, phi):
    s, b, sigma = (np.array([float(scan[name].interp(phi=phi))]) for name in counting.COUNTS)
    sigma = 0.5 + 0.1 * np.array([phi]) ** 2
    oracle = oracles.pyhf_model(s, b, b + sigma, b - sigma, "code4p")
    with oracles.tight_pyhf():
        data = oracle.expected_data(oracles.in_pyhf_order(oracle, [1.0, 0.0]))
        args = oracle.config.suggested_init(), oracle.config.suggested_bounds(), oracle.config.suggested_fixed()
        q = pyhf.infer.test_statistics.q0(0.0, data, oracle, *args)
    np.testing.assert_allclose(p_value(phi), stats.norm.sf(np.sqrt(q)), rtol=1e-5)


def test_best_without_uncertainty_is_at_the_end_and_with_it_inside(scan):
    assert float(scan["best_certain"]) == 10.0
    assert 3.0 < float(scan["best"]) < 6.0
    assert float(scan["rank_of_certain"]) == np.mean(scan["p0"] < scan["p0"][-1])


@pytest.mark.parametrize(("kind", "best"), [("shapesys", 4.6), ("normsys", 4.7), ("staterror", 4.8)])
def test_no_other_modifier_of_pyhf_has_its_optimum_at_the_thesis_s_4_3(kind, best):
    """What the caption of Figure 7.2 says."""
    phi = np.arange(4.0, 5.2, 0.1)
    with oracles.tight_pyhf():
        q = [_q0(15 + x, 45 - 2 * x, 0.5 + 0.1 * x**2, kind) for x in phi]
    assert phi[np.argmax(q)] == pytest.approx(best)


def _q0(s, b, sigma, kind):
    data = {"shapesys": [sigma], "staterror": [sigma], "normsys": {"hi": 1 + sigma / b, "lo": 1 - sigma / b}}[kind]
    strength = {"name": "mu", "type": "normfactor", "data": None}
    samples = [
        {"name": "s", "data": [s], "modifiers": [strength]},
        {"name": "b", "data": [b], "modifiers": [{"name": "gamma", "type": kind, "data": data}]},
    ]
    model = pyhf.Model({"channels": [{"name": "c", "samples": samples}]}, validate=False, poi_name="mu")
    args = model.config.suggested_init(), model.config.suggested_bounds(), model.config.suggested_fixed()
    return pyhf.infer.test_statistics.q0(0.0, model.expected_data(args[0]), model, *args)


def test_descent_finds_the_lowest_p_value_from_every_start(scan):
    found = counting.descend(SETTINGS, scan)
    np.testing.assert_array_equal(found["phi"][:, 0], SETTINGS["descent"]["starts"])
    np.testing.assert_allclose(found["phi"][:, -1], float(found["found"]), atol=1e-2)
    assert abs(float(found["miss"])) < 0.02
