"""Figures of the cut show the numbers of their stage."""

import numpy as np
import pytest
from support.study_settings import study_settings

from diffhep.figures import cuts
from diffhep.studies import cuts as study

SETTINGS = study_settings("cuts", "quick") | {"seed": 0}


@pytest.fixture(scope="module")
def scan():
    return study.scan(SETTINGS)


def test_spectrum_shows_both_samples_on_a_logarithmic_axis(scan):
    (axis,) = cuts.spectrum(scan).axes
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["background", "signal"]
    assert axis.get_yscale() == "log" and axis.get_ylabel().startswith("events / 0.")


def test_a_cut_keeps_what_is_above_it(scan):
    _, right = cuts.guessed_cut(scan).axes
    kept = right.patches[1].get_data().values
    edges = scan["edges"].values
    np.testing.assert_array_equal(kept, np.where(edges[:-1] >= 1 - 1e-9, scan["background"], 0))
    assert f"{float(scan['significance_guess']):.2f}" in right.get_title()


def test_sigmoids_are_drawn_beside_the_hard_cut(scan):
    (axis,) = cuts.sigmoids(scan).axes
    *smooth, hard = axis.lines
    assert len(smooth) == scan.sizes["slope"]
    np.testing.assert_array_equal(hard.get_ydata(), scan["distance"] > 0)


def test_best_cut_of_the_scan_stands_in_the_title(scan):
    (axis,) = cuts.significances(scan).axes
    assert axis.get_title() == f"best hard cut at $x = {float(scan['best']):.2f}$"
    np.testing.assert_array_equal(axis.lines[-2].get_ydata(), scan["hard"])


def test_learned_and_best_cut_are_named_with_their_significance(scan):
    figure = cuts.learned_cut(scan, study.descend(SETTINGS, scan))
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels[2].startswith("learned") and labels[3].startswith("best")
    assert f"{float(scan['significance_best']):.3f}" in labels[3]


def test_comparison_has_a_panel_for_each_number_of_cuts():
    comparison = study.compare(SETTINGS)
    figure = cuts.evaluations(comparison)
    assert [axis.get_title() for axis in figure.axes] == ["1 cut"]
    np.testing.assert_allclose(
        figure.axes[0].lines[0].get_ydata(), comparison["bayesian"][0].mean("seed") / float(comparison["best"][0])
    )
