"""Figures of the counting experiment show the numbers of their stage."""

import numpy as np
import pytest
from support.study_settings import study_settings

from diffhep.figures import counting
from diffhep.studies import counting as study

CONFIG = study_settings("counting")
SETTINGS = CONFIG | {"scan": CONFIG["scan"] | {"points": 41}}


@pytest.fixture(scope="module")
def scan():
    return study.scan(SETTINGS)


def test_one_stack_an_example_on_common_axes(scan):
    figure = counting.counts(scan)
    assert [axis.get_title() for axis in figure.axes] == [rf"$\varphi = {x:g}$" for x in scan["example"].values]
    assert len({axis.get_ylim() for axis in figure.axes}) == 1
    for axis, s, b in zip(figure.axes, scan["example_signal"], scan["example_background"], strict=True):
        background, signal, _ = axis.patches
        assert (background.get_height(), signal.get_height(), signal.get_y()) == (float(b), float(s), float(b))


def test_both_p_values_are_drawn_with_their_lowest(scan):
    (axis,) = counting.p_values(scan).axes
    with_, best, without, best_without = axis.lines
    np.testing.assert_array_equal(with_.get_ydata(), scan["p0"])
    np.testing.assert_array_equal(without.get_ydata(), scan["p0_certain"])
    assert best.get_xdata()[0] == float(scan["best"]) and best_without.get_xdata()[0] == float(scan["best_certain"])
    assert axis.get_yscale() == "log" and axis.get_ylabel() == counting.P_VALUE


def test_descent_shows_every_start_and_the_model_it_finds(scan):
    descent = study.descend(SETTINGS | {"descent": CONFIG["descent"] | {"steps": 50}}, scan)
    left, right = counting.descent(scan, descent).axes
    labels = [text.get_text() for text in left.get_legend().get_texts()]
    assert labels == [counting.P_VALUE, *(rf"from $\varphi = {x:g}$" for x in descent["start"].values)]
    assert left.lines[-1].get_xdata() == [float(descent["found"])]
    assert right.patches[0].get_height() == float(descent["background"])
