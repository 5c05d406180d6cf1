"""Figures of TOMATOS's stand-ins for cuts and histograms show the numbers of their datasets."""

import numpy as np
import pytest
import xarray as xr

from diffhep.figures import vbf_hh4b_accuracy as figures

RNG = np.random.default_rng(0)


def labels(of):
    return [text.get_text() for text in of.get_texts()]


@pytest.fixture(scope="module")
def sigmoids():
    distance = np.linspace(-3e-4, 3e-4, 11)
    return xr.Dataset(
        {
            "weight": (("slope", "distance"), RNG.uniform(size=(2, 11))),
            "width": ("slope", [2.9e-4, 1.5e-4]),
            "last": (("sigmoid", "steep"), [[0.7, 0.07], [0.9, 0.8]]),
            "leaked": (("outer", "bandwidth"), [[0.01, 0.16], [0.0, 0.002]]),
        },
        coords={
            "slope": [20_000.0, 40_000.0],
            "distance": distance,
            "sigmoid": ["formula", "safe"],
            "steep": [1000.0, 10_000.0],
            "outer": ["open", "closed"],
            "bandwidth": [0.01, 0.2],
        },
    )


def test_guiding_lines_stand_where_each_sigmoid_turns_on(sigmoids):
    figure = figures.sigmoids(sigmoids)
    (axis,) = figure.axes
    for place, (slope, width) in enumerate(((20_000, 2.9e-4), (40_000, 1.5e-4))):
        curve, low, high = axis.lines[3 * place : 3 * place + 3]
        np.testing.assert_array_equal(curve.get_ydata(), sigmoids["weight"].sel(slope=slope))
        assert [low.get_xdata()[0], high.get_xdata()[0]] == pytest.approx([-width / 2, width / 2])
        assert labels(figure.legends[0])[place] == f"slope {slope}: {width:.6f} from 5 % to 95 %"
    assert [line.get_ydata()[0] for line in axis.lines[6:]] == [0.05, 0.95]


def test_pitfalls_are_the_last_cut_of_the_formula_and_what_leaks(sigmoids):
    left, right = figures.pitfalls(sigmoids).axes
    np.testing.assert_array_equal([line.get_ydata() for line in left.lines], sigmoids["last"])
    assert labels(left.get_legend()) == ["formula", "jax.nn.sigmoid"]
    np.testing.assert_allclose([line.get_ydata() for line in right.lines], 100 * sigmoids["leaked"])
    assert labels(right.get_legend()) == ["open outer edges", "closed outer edges"]


def test_accuracy_is_in_percent_for_cuts_bandwidth_and_both():
    slopes, widths = [20.0, 100.0, 20_000.0], [0.001, 0.01]
    data = xr.Dataset(
        {
            "cuts": (("sample", "slope"), RNG.uniform(0.01, 1, (2, 3))),
            "bandwidth": (("sample", "width"), RNG.uniform(0.01, 1, (2, 2))),
            "both": (("sample", "slope", "width"), RNG.uniform(0.01, 1, (2, 3, 2))),
        },
        coords={"sample": ["signal", "background"], "slope": slopes, "width": widths},
    )
    cuts, width, both = figures.accuracy(data).axes
    for place in (0, 1):
        np.testing.assert_allclose(cuts.lines[place].get_ydata(), 100 * data["cuts"][place])
        np.testing.assert_allclose(width.lines[place].get_ydata(), 100 * data["bandwidth"][place])
        np.testing.assert_allclose(both.lines[2 * place].get_ydata(), 100 * data["both"][place, 2])
        np.testing.assert_allclose(both.lines[2 * place + 1].get_ydata(), 100 * data["both"][place, 1])
    assert [axis.lines[-1].get_ydata()[0] for axis in (cuts, width, both)] == [1, 1, 1]
