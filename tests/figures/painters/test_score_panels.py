"""Histograms of scores are drawn as given, and panels come in pairs."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from diffhep.figures.painters import score_panels

EDGES = np.array([0.0, 0.5, 1.0])
SHARES = {"signal": np.array([0.1, 0.9]), "background": np.array([0.8, 0.2])}


def test_shares_are_drawn_by_sample():
    axis = Figure().subplots()
    score_panels.score_histogram(axis, EDGES, SHARES)
    drawn = {patch.get_label(): patch.get_data().values.tolist() for patch in axis.patches}
    assert drawn == {name: values.tolist() for name, values in SHARES.items()} and axis.get_yscale() == "log"


def test_the_limit_of_uncertainties_only_grows():
    axis = Figure().subplots()
    score_panels.score_uncertainty(axis, EDGES, SHARES)
    score_panels.score_uncertainty(axis, EDGES, {name: 2 * values for name, values in SHARES.items()})
    score_panels.score_uncertainty(axis, EDGES, SHARES)
    assert axis.get_ylim() == (0, pytest.approx(1.8))


@pytest.mark.parametrize("number", [1, 2, 5])
def test_every_pair_has_a_low_panel_below_a_high_one(number):
    figure, pairs = score_panels.paired_panels(number)
    figure.draw_without_rendering()
    assert len(pairs) == number and sum(axis.get_visible() for axis in figure.axes) == 2 * number
    for upper, lower in pairs:
        assert upper.get_position().y0 > lower.get_position().y1
        assert upper.get_position().height > 2 * lower.get_position().height
