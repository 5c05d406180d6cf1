"""The analysis that TOMATOS optimises: its rates by hand, its limits as pyhf's, and a cut whose best place is known."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pyhf
import pytest
from scipy import stats
from support import oracles, workspaces

from diffhep.histogramming.cuts import hard_cut, sigmoid_cut
from diffhep.histogramming.transfer_factors import TagCounts
from diffhep.inference import hypotests
from diffhep.models.likelihood import expected_rates, nominal_parameters
from diffhep.models.simple import signal_background
from diffhep.studies.vbf_hh4b import statistical_model as analysis
from diffhep.studies.vbf_hh4b.statistical_model import FLOOR, Counts

COUNTS = Counts(
    np.array([[1.0, 4.0, 3.0], [1.2, 4.3, 3.6], [0.9, 3.6, 2.5]]),
    np.array([9000.0, 3000.0, 400.0]),
    TagCounts(np.array(20_000.0), np.array(80.0)),
    TagCounts(np.array([6000.0, 2500.0, 500.0]), np.array([30.0, 9.0, 1.0])),
)
FACTOR = (80 + FLOOR) / (20_000 + FLOOR)
ONE_TAG = np.array([9000.0, 3000.0, 400.0]) + FLOOR
BACKGROUND = FACTOR * ONE_TAG
NORMALISATION = np.sqrt(1 / (80 + FLOOR) + 1 / (20_000 + FLOOR))
SHAPE = np.abs(1 - (np.array([30.0, 9, 1]) + FLOOR) / (FACTOR * (np.array([6000.0, 2500, 500]) + FLOOR)))


with_shape = jax.jit(partial(analysis.model, shape=True))
rates_of = jax.jit(expected_rates)


def rates(counts=COUNTS, **values):
    model = with_shape(counts)
    pars = np.array(nominal_parameters(model, values.pop("mu", 0.0)))
    for name, value in values.items():
        pars[model.parameters.names.index(name)] = value
    return np.asarray(rates_of(model, pars))


def test_the_background_is_estimated_from_control_region_and_one_tag():
    found = jax.jit(analysis.background)(COUNTS)
    np.testing.assert_allclose(found.events, BACKGROUND, rtol=1e-12)
    np.testing.assert_allclose(found.statistical, FACTOR * np.sqrt(ONE_TAG), rtol=1e-12)
    np.testing.assert_allclose(found.shape, SHAPE, rtol=1e-12)


def test_rates_are_those_of_the_estimate_and_of_every_uncertainty():
    nominal, up, down = np.asarray(COUNTS.signal) + FLOOR
    np.testing.assert_allclose(rates(), BACKGROUND, rtol=1e-9)
    np.testing.assert_allclose(rates(mu=2.0), BACKGROUND + 2 * nominal, rtol=1e-9)
    np.testing.assert_allclose(rates(mu=2.0, jet_pt=1.0), BACKGROUND + 2 * up, rtol=1e-9)
    np.testing.assert_allclose(rates(mu=2.0, jet_pt=-1.0), BACKGROUND + 2 * down, rtol=1e-9)
    for sign in (1, -1):
        expected = BACKGROUND * (1 + sign * NORMALISATION)
        np.testing.assert_allclose(rates(transfer_factor=float(sign)), expected, rtol=1e-9)
        np.testing.assert_allclose(rates(shape=float(sign)), BACKGROUND * (1 + sign * SHAPE), rtol=1e-9)
    np.testing.assert_allclose(rates(**{"statistics[1]": 1.3}), BACKGROUND * [1, 1.3, 1], rtol=1e-9)


def test_the_shape_is_uncertain_only_where_it_is_asked_for():
    models = with_shape(COUNTS), jax.jit(partial(analysis.model, shape=False))(COUNTS)
    names = [model.parameters.names for model in models]
    assert set(names[0]) - set(names[1]) == {"shape"}
    assert set(names[1]) == {"mu", "jet_pt", "transfer_factor", *(f"statistics[{n}]" for n in range(3))}


def test_an_uncertainty_of_more_than_all_events_leaves_none():
    beside = COUNTS.validation._replace(two=np.array([1000.0, 9.0, 1.0]))
    low = rates(COUNTS._replace(validation=beside), shape=-1.0)
    assert 0 <= float(low[0]) < 1e-6 and float(low[1]) > 1


def as_pyhf(shape):
    """The same workspace from numbers of this file."""
    nominal, up, down = (np.asarray(each) + FLOOR for each in COUNTS.signal)

    def relative(name, by):
        return workspaces.histosys(name, BACKGROUND * (1 + by), BACKGROUND * np.maximum(1 - by, 0))

    modifiers = [
        relative("transfer_factor", NORMALISATION),
        workspaces.modifier("staterror", "statistics", list(FACTOR * np.sqrt(ONE_TAG))),
        *([relative("shape", SHAPE)] if shape else []),
    ]
    samples = [
        workspaces.sample("signal", nominal, workspaces.SIGNAL, workspaces.histosys("jet_pt", up, down)),
        workspaces.sample("background", BACKGROUND, *modifiers),
    ]
    return workspaces.workspace({"signal_region": samples}, {"signal_region": list(BACKGROUND)})


@pytest.mark.parametrize("shape", [False, True])
def test_expected_cls_is_pyhfs(shape):
    ours = jax.jit(lambda counts: hypotests.expected_cls(analysis.model(counts, shape=shape)))(COUNTS)
    oracle = oracles.PyhfAnalysis(as_pyhf(shape))
    with oracles.tight_pyhf():
        _, (*_, theirs, _, _) = pyhf.infer.hypotest(1.0, oracle.data, oracle.model, return_expected_set=True)
    assert 0.001 < theirs < 0.2
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.fixture(scope="module")
def counting():
    """CLs of cuts on 20 N(0.6, 0.15) over 200 Exp(0.2), all in [0, 1], with an uncertainty of the background."""
    shares = (np.arange(100_000) + 0.5) / 100_000
    signal, background = (
        stats.truncnorm.ppf(shares, -4, 0.4 / 0.15, 0.6, 0.15),
        stats.truncexpon.ppf(shares, 5, scale=0.2),
    )

    @jax.jit
    def one(kept_signal, kept_background, uncertainty):
        s, b = (scale * jnp.mean(kept)[None] for scale, kept in ((20.0, kept_signal), (200.0, kept_background)))
        return hypotests.expected_cls(signal_background(s, b, b * (1 + uncertainty), b * (1 - uncertainty)))

    def scan(weigh, cuts, uncertainty):
        return np.array([one(weigh(signal, cut), weigh(background, cut), uncertainty) for cut in cuts])

    return scan


@pytest.mark.parametrize(
    ("uncertainty", "best", "cls"), [(0.0, 0.4615, 0.00231), (0.2, 0.508, 0.00752), (0.5, 0.571, 0.0653)]
)
def test_the_best_cut_of_a_counting_experiment_is_where_arithmetic_says(counting, uncertainty, best, cls):
    """Facts on the toy: from the yields of the densities above a cut, without events."""
    cuts = np.linspace(best - 0.08, best + 0.08, 33)
    for weigh in (hard_cut, lambda values, cut: sigmoid_cut(values, cut, 500.0)):
        found = counting(weigh, cuts, uncertainty)
        assert cuts[np.argmin(found)] == pytest.approx(best, abs=0.006)
        assert found.min() == pytest.approx(cls, rel=0.02)
