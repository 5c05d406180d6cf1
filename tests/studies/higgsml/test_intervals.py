"""Pseudo-experiments have the expected moments, and intervals have the expected coverage."""

import numpy as np
import pytest
from support.higgsml import FITS, contents

from diffhep.studies.higgsml import challenge_score, intervals
from diffhep.studies.higgsml import templates as higgsml_templates
from diffhep.studies.higgsml.statistical_models import spline_model


def test_response_surface_reproduces_quadratic_histograms(chunks):
    surface = intervals.fit_surface(chunks, "cnf", 2)
    shifts = higgsml_templates.design_shifts(16, 5)
    np.testing.assert_allclose(surface(intervals.surface_coordinates(shifts)), contents(shifts), rtol=0.02)


def test_soft_missing_momentum_enters_the_surface_squared():
    np.testing.assert_allclose(intervals.surface_coordinates(np.array([[1.01, 0.98, 3.0]])), [[1.01, 0.98, 9.0]])


def test_pseudo_experiments_have_poisson_contents_around_their_expectation(chunks):
    surface = intervals.fit_surface(chunks, "cnf", 2)
    toys = intervals.draw_experiments(FITS, surface, np.array([0.5, 2.0]), 400, 1)
    pulls = (toys.observed - toys.expected) / np.sqrt(toys.expected)
    assert abs(pulls.mean()) < 0.03 and pulls.std() == pytest.approx(1, abs=0.02)
    strong, weak = (toys.expected[toys.truth == strength].sum(axis=1).mean() for strength in (2.0, 0.5))
    signal = 0.1 * contents(np.array([[1.0, 1.0, 1.0]]))[0, 0].sum()
    assert strong - weak == pytest.approx(1.5 * signal, rel=0.4)
    assert toys.nuisances[:, 3].std() == pytest.approx(0.02, rel=0.1)


def test_belt_intervals_cover_at_three_strengths(templates, chunks):
    settings = FITS | {"strengths": [0.0, 0.7, 1.4, 2.1, 2.8, 3.5, 4.5], "toys": 2000, "belt_order": 2}
    belt = intervals.build_belt(settings, templates, chunks)
    result = intervals.compute_intervals(settings | {"sets": 3, "toys": 700}, templates, chunks, belt)
    assert float(result["converged"]) > 0.99
    coverage = ((result["low"] <= result["truth"]) & (result["truth"] <= result["high"])).mean("toy").values
    low, high = challenge_score.coverage_window(700)
    assert ((coverage > low) & (coverage < high)).all(), coverage
    assert (result["high"] >= result["low"]).all()


def test_a_fit_without_shifts_leaves_them_at_zero(templates, chunks):
    model = spline_model(FITS, templates, "cnf", shifts=False)
    toys = intervals.draw_experiments(FITS, intervals.fit_surface(chunks, "cnf", 2), np.array([1.0]), 8, 2)
    _, fits = intervals.fit_toys(model, toys.observed)
    np.testing.assert_array_equal(fits.parameters[:, 1:3], 0)


def test_profile_likelihood_intervals_contain_the_estimate(templates, chunks):
    result = intervals.compute_intervals(FITS | {"sets": 2, "toys": 16}, templates, chunks)
    low, high, best = (result[name].values for name in ("low", "high", "estimate"))
    assert ((low <= np.maximum(best, 0)) & (best <= high)).all() and (low >= 0).all()


def test_true_strengths_are_sorted_and_in_their_range():
    strengths = intervals.draw_true_strengths(FITS | {"sets": 50})
    assert (np.diff(strengths) > 0).all() and strengths.min() >= 0.1 and strengths.max() <= 3.0
    assert strengths.mean() == pytest.approx(1.55, abs=5 * 2.9 / np.sqrt(12 * 50))
