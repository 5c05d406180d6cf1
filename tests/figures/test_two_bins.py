"""Figures of the landscape show every metric."""

import io

import numpy as np
import pytest
from support.study_settings import study_settings

from diffhep.figures import two_bins
from diffhep.figures.painters import style
from diffhep.studies import two_bins as study

SETTINGS = study_settings("two_bins")


@pytest.fixture(scope="module")
def landscape():
    return study.landscape(SETTINGS | {"landscape": {"range": [-10.0, 10.0], "points": 5}})


def test_one_panel_a_metric_with_its_bar_and_the_cross(landscape):
    figure = two_bins.landscape(landscape)
    panels = [axis for axis in figure.axes if axis.get_title()]
    assert [axis.get_title() for axis in panels] == [style.METRICS[name] for name in study.METRICS]
    assert all(axis.lines[0].get_xydata().tolist() == [[0, 0]] for axis in panels)
    assert len(figure.axes) == 2 * len(panels)
    figure.savefig(io.BytesIO(), format="png", dpi=40)


def test_panel_has_d_upwards(landscape):
    shown = two_bins.landscape(landscape).axes[0].collections[0].get_array().reshape(5, 5)
    np.testing.assert_array_equal(shown, landscape["landscape"].sel(metric="cls").values.T)


def test_diagonal_is_relative_to_its_largest_value_and_set_apart(landscape):
    (axis,) = two_bins.diagonal(landscape, offset=0.1).axes
    for place, line in enumerate(axis.lines):
        assert np.max(line.get_ydata()) == pytest.approx(1 - 0.1 * place)
