"""One objective looks the same everywhere, and a band shows the spread of the seeds without leaving it."""

import os
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from diffhep.figures.painters import style


def test_every_objective_has_a_colour_a_marker_and_a_label_of_its_own():
    for key in ("color", "marker", "label"):
        looks = {name: look[key] for name, look in style.OBJECTIVES.items()}
        if key == "color":
            assert looks.pop("inferno") == looks["poi_uncertainty"]  # sigma_mu, squared or not: one objective
        assert len(set(looks.values())) == len(looks)


def test_colours_of_the_papers_four_objectives_differ_in_grey_or_by_marker():
    looks = [style.objective_style(name) for name in ("bce", "bce_augmented", "inferno", "cls")]
    grey = [np.dot(to_rgb(look["color"]), (0.299, 0.587, 0.114)) for look in looks]
    assert max(grey) < 0.7  # seen on white paper
    assert len({look["marker"] for look in looks}) == 4


def test_code0_variant_keeps_the_colour_and_is_dashed():
    kinked, smooth = style.objective_style("cls_code0"), style.objective_style("cls")
    assert kinked["color"] == smooth["color"] and kinked["label"] != smooth["label"]
    assert (kinked["linestyle"], smooth["linestyle"]) == ("--", "-")


def test_unknown_objective_is_refused():
    with pytest.raises(ValueError, match=r"'clss' has no look.*bce_augmented"):
        style.objective_style("clss")


def test_style_holds_only_while_drawing():
    before = mpl.rcParams["axes.spines.top"]
    (axis,) = style.with_style(lambda: style.panels(1, 1)[0])().axes
    assert before and not axis.spines["top"].get_visible()
    assert mpl.rcParams["axes.spines.top"] == before


def drawn_band(values):
    axis = Figure().subplots()
    style.band(axis, np.arange(values.shape[1]), values, color="black")
    (line,), (area,) = axis.lines, axis.collections
    heights = area.get_paths()[0].vertices
    return line.get_ydata(), [heights[heights[:, 0] == x, 1] for x in np.arange(values.shape[1])]


def test_band_is_mean_and_standard_deviation():
    values = np.random.default_rng(0).normal(5, 1, (50, 4))
    mean, heights = drawn_band(values)
    np.testing.assert_allclose(mean, values.mean(axis=0))
    for x, height in enumerate(heights):
        np.testing.assert_allclose(height.min(), values[:, x].mean() - values[:, x].std())
        np.testing.assert_allclose(height.max(), values[:, x].mean() + values[:, x].std())


def test_band_stays_within_the_seeds_so_that_it_is_positive_for_a_logarithmic_axis():
    _, heights = drawn_band(np.array([[1e-6], [1e-6], [1e-2]]))
    assert heights[0].min() == 1e-6


def test_band_leaves_out_what_is_not_finite():
    mean, _ = drawn_band(np.array([[1.0, np.nan, 1.0], [3.0, 5.0, np.inf]]))
    np.testing.assert_allclose(mean, [2, 5, 1])


def test_point_without_any_finite_value_is_a_gap():
    axis = Figure().subplots()
    style.band(axis, np.arange(2), np.array([[1.0, np.nan]]), color="black")
    np.testing.assert_array_equal(axis.lines[0].get_ydata(), [1, np.nan])


def test_no_figure_module_imports_jax():
    modules = [f"diffhep.figures.{path.stem}" for path in Path(style.__file__).parents[1].glob("[!_]*.py")]
    program = f"import sys, {', '.join(modules)}; assert 'jax' not in sys.modules"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    assert len(modules) >= 2
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
