"""Pseudo-experiments are drawn as densities with Poisson errors."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from diffhep.figures.painters import toy_panels


def drawn(axis, number=0):
    line, _, (bars,) = axis.containers[number].lines
    return line.get_xdata(), line.get_ydata(), np.array([np.ptp(bar[:, 1]) / 2 for bar in bars.get_segments()])


def test_points_are_densities_with_poisson_errors_and_empty_bins_have_none():
    axis = Figure().subplots()
    toy_panels.density_points(axis, "cls", np.array([0.5, 0.6, 2.5]), np.array([0.0, 1.0, 2.0, 3.0]), 4)
    x, y, error = drawn(axis)
    np.testing.assert_allclose(x, [0.5, 2.5])
    np.testing.assert_allclose(y, [2 / 4, 1 / 4])
    np.testing.assert_allclose(error, [np.sqrt(2) / 4, 1 / 4])


def test_cls_without_an_extreme_toy_has_no_point():
    axis = Figure().subplots()
    toys = toy_panels.ClsToys(np.array([0.5, 1.0]), np.array([0.3, 0.0]), np.array([0.01, 0.0]), np.array([0.3, 1e-5]))
    toy_panels.cls(axis, {"cls": toys})
    assert drawn(axis)[0].tolist() == [0.5] and axis.get_ylim()[0] == pytest.approx(1e-6)


def test_coverage_has_a_row_for_each_objective():
    axis = Figure().subplots()
    toys = toy_panels.CoverageToys(np.array([0.68, 0.7]), np.array([0.01, 0.01]), 0.002)
    toy_panels.coverage(axis, {"cls": toys, "bce": toys})
    assert [label.get_text() for label in axis.get_yticklabels()] == ["20.0", "20.0"] and len(axis.containers) == 4
