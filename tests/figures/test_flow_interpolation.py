"""Figures of flows show what they are given: each context once, pulls as densities, truth beside."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

from diffhep.figures import flow_interpolation as figures


@pytest.fixture(scope="module")
def predicted():
    """Four contexts, one of them unseen, and members that scatter about the truth as Poisson counts do."""
    rng = np.random.default_rng(0)
    axis, offsets = np.linspace(-2.45, 2.45, 50), np.linspace(-3, 3, 31)
    density = np.exp(-0.5 * (offsets[:, None] ** 2 + offsets**2)) / (2 * np.pi)
    share = np.exp(-0.5 * (axis[:, None] ** 2 + axis**2)) / (2 * np.pi) * 0.1**2
    expected = np.broadcast_to(10_000 * share, (4, 50, 50))
    bins = ("context", "y", "x")
    return xr.Dataset(
        {
            "mean": (("context", "axis"), [[0.0, 0.0], [6.0, 0.0], [0.0, 6.0], [6.0, 6.0]]),
            "covariance": (("context", "axis", "other"), np.broadcast_to(np.eye(2), (4, 2, 2))),
            "trained": ("context", [True, True, True, False]),
            "counts": (("member", *bins), rng.poisson(expected, (3, 4, 50, 50)).astype(float)),
            "data": (bins, rng.poisson(expected).astype(float)),
            "expected": (bins, expected),
            "density": (("context", "v", "u"), np.broadcast_to(density, (4, 31, 31))),
            "kl": (("member", "context"), np.array([[0.1, 0.2, 0.3, 0.4]] * 3)),
            "kl_ensemble": ("context", [0.05, 0.1, 0.2, 0.3]),
        },
        coords={"x": axis, "y": axis, "u": offsets, "v": offsets},
    )


def titles(figure):
    return [axis.get_title() for axis in figure.axes if axis.get_title()]


def test_grid_has_three_ellipses_a_context(predicted):
    axis = figures.conditioning_grid(predicted).axes[0]
    ellipses = [patch for patch in axis.patches if isinstance(patch, Ellipse)]
    assert len(ellipses) == 12 and {patch.width for patch in ellipses} == {2.0, 4.0, 6.0}
    seen, unseen = axis.lines
    assert len(seen.get_xdata()) == 3 and list(unseen.get_xdata()) == [6.0]


def test_learned_contours_of_a_perfect_flow_are_the_ellipses(predicted):
    figure = figures.densities(predicted)
    contours = figure.axes[1].collections
    assert len(contours) == 4
    for path, sigma in zip(contours[3].get_paths(), (3, 2, 1), strict=True):
        np.testing.assert_allclose(np.linalg.norm(path.vertices - [6, 6], axis=1), sigma, rtol=0.02)


def test_maps_colour_every_context(predicted):
    figure = figures.divergences(mean_affine=predicted, firework_spline=predicted)
    assert titles(figure) == ["following the mean, affine", "Gaussian firework, spline"]
    seen, unseen = figure.axes[0].collections
    np.testing.assert_allclose([*seen.get_array(), *unseen.get_array()], predicted["kl_ensemble"])
    folds = predicted[["kl", "mean"]].isel(context=[1, 3]).assign_coords(context=[1, 3])
    figure = figures.cross_validation(folds, predicted)
    assert sum(len(each.get_array()) for each in figure.axes[1].collections) == 2


def test_losses_mark_the_selected_iteration():
    iterations = np.arange(0, 700, 100)
    falling = 3 + np.exp(-iterations / 200.0)
    trained = xr.Dataset(
        {
            "train": (("member", "iteration"), [np.where(iterations == 0, np.nan, falling)]),
            "valid": (("member", "iteration"), [falling + 0.1]),
            "selected": ("member", [600]),
            "train_entropy": 2.9,
            "valid_entropy": 2.95,
        },
        coords={"iteration": iterations},
    )
    axis = figures.losses(trained).axes[0]
    kept = next(line for line in axis.lines if line.get_label() == "selected iteration")
    np.testing.assert_allclose([*kept.get_xdata(), *kept.get_ydata()], [600, falling[-1] + 0.1])
    assert axis.get_ylim()[0] < 2.9


@pytest.mark.parametrize(("panels", "number"), [(["few"], 1), (["few", "many"], 2)])
def test_firework_has_the_panels_asked_for(panels, number):
    shown = xr.Dataset(
        {
            "mean": (("context", "axis"), [[1.0, 1.0], [-1.0, 1.0]]),
            "covariance": (("context", "axis", "other"), np.broadcast_to(np.diag([0.5, 1.0]), (2, 2, 2))),
            "counts": (("y", "x"), np.array([[0.0, 3.0], [5.0, 100.0]])),
            "edges": ("edge", [-2.0, 0.0, 2.0]),
        }
    )
    figure = figures.firework(shown, panels=panels)
    assert isinstance(figure, Figure) and len([axis for axis in figure.axes if axis.get_xlabel()]) == number
    figure.draw_without_rendering()
