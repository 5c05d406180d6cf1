"""Figures of the search show each point once, shares as they are given, and ratios of the right limits."""

import numpy as np
import pytest
import xarray as xr

from diffhep.figures import resonance as figures
from diffhep.figures import resonance_limits, resonance_pulls
from diffhep.figures.painters import mass_plane
from diffhep.studies.resonance.pull_summaries import summarise_pulls

MASSES = np.array([[200.0, 50.0], [300.0, 50.0], [300.0, 100.0], [400.0, 200.0]])
HELD_OUT = np.array([False, True, False, False])


@pytest.fixture(scope="module")
def predicted():
    rng = np.random.default_rng(0)
    expected = np.full((4, 6, 8), 40.0)
    bins = ("context", "y", "x")
    return xr.Dataset(
        {
            "mean": (("context", "axis"), MASSES),
            "trained": ("context", ~HELD_OUT),
            "in_figure": ("context", [True, False, True, False]),
            "counts": (("context", "member", "y", "x"), rng.poisson(expected[:, None], (4, 5, 6, 8)).astype(float)),
            "data": (bins, rng.poisson(expected).astype(float)),
            "variance": (bins, expected),
        },
        coords={"x": np.arange(105.0, 185, 10), "y": np.arange(5.0, 65, 10)},
    )


@pytest.fixture(scope="module")
def background(predicted):
    shares = predicted["data"].isel(context=0) / predicted["data"].isel(context=0).sum()
    return xr.Dataset({"weighted": shares, "learned": shares, "unweighted": shares})


@pytest.fixture(scope="module")
def observables():
    share = np.array([[[0.1, 0.9], [0.9, 0.1]], [[0.2, 0.8], [0.7, 0.3]]])
    return xr.Dataset(
        {
            "share": (("context", "observable", "sample", "bin"), np.stack([share] * 2)),
            "error": (("context", "sample", "bin"), np.full((2, 2, 2), 0.05)),
            "edges": ("edge", [0.0, 0.5, 1.0]),
            "auc": (("context", "observable"), [[0.9, 0.8], [0.95, 0.85]]),
            "masses": (("context", "mass"), MASSES[:2]),
            "in_figure": (("context", "observable"), [[True, False], [False, True]]),
        },
        coords={"observable": ["pNN", "s_flow"], "sample": ["signal", "background"]},
    )


@pytest.fixture(scope="module")
def limits():
    mesh = np.array([[250.0, 50.0], [250.0, 100.0], [350.0, 50.0]])
    values = np.full((7, 3, 3), 0.2)
    values[:, 1, :], values[:, :, 1] = 0.1, 0.3
    values[4:, :, 0] = np.inf
    return xr.Dataset(
        {
            "limit": (("context", "strategy", "source"), values),
            "masses": (("context", "mass"), np.concatenate([MASSES, mesh])),
            "simulated": ("context", np.arange(7) < 4),
            "held_out": ("context", np.append(HELD_OUT, [False] * 3)),
        },
        coords={
            "strategy": ["2-D fit", "pNN", "s_flow"],
            "source": ["simulated", "interpolated", "interpolated, uncertainty ignored"],
        },
    )


def drawn(axis):
    """Points of a map and their values."""
    return {
        tuple(place): value
        for points in axis.collections
        if points.get_array() is not None and len(points.get_offsets()) == len(points.get_array())
        for place, value in zip(points.get_offsets().tolist(), points.get_array(), strict=True)
    }


def test_grid_shows_every_point_and_the_split():
    signal = xr.Dataset({"masses": (("point", "mass"), MASSES), "held_out": ("point", HELD_OUT)})
    axis = figures.mass_points(signal, split=False).axes[0]
    np.testing.assert_array_equal(np.transpose(axis.lines[0].get_data()), MASSES)
    seen, unseen = figures.mass_points(signal, split=True).axes[0].lines
    assert len(seen.get_xdata()) == 3 and list(unseen.get_xdata()) == [300.0]


@pytest.mark.parametrize(("panels", "number"), [(["background"], 1), (["signals"], 2), (["background", "signals"], 3)])
def test_shapes_are_shares_of_what_shall_be_shown(predicted, background, panels, number):
    figure = figures.mass_histograms(predicted, background, panels=panels)
    panels = [axis for axis in figure.axes if axis.get_title()]
    assert len(panels) == number
    for axis in panels:
        assert axis.collections[0].get_array().sum() == pytest.approx(1.0)


@pytest.mark.parametrize("sigma", ["ensemble", "statistical", "larger"])
def test_pulls_are_drawn_by_part_and_by_point(predicted, sigma):
    with_pulls = predicted.merge(summarise_pulls(predicted, 10))
    figure = resonance_pulls.pull_distributions(with_pulls, sigma=sigma)
    titles = [axis.get_title() for axis in figure.axes]
    assert titles[0].startswith("training points: ") and titles[1].startswith("unseen points: ")
    width = float(titles[0].split("±")[1])
    assert width == pytest.approx({"ensemble": 1.15, "statistical": 1.1, "larger": 0.9}[sigma], abs=0.25)
    means, widths = resonance_pulls.pull_maps(with_pulls, sigma=sigma).axes[:2]
    assert set(drawn(means)) == set(map(tuple, MASSES.tolist())) == set(drawn(widths))
    assert all(abs(value) < 1 for value in drawn(means).values()) and all(
        value > 0.5 for value in drawn(widths).values()
    )


def test_observables_have_one_panel_a_point_that_shall_be_shown(observables):
    axis = figures.pnn_score(observables).axes[0]
    assert axis.get_title() == "$m_X$ = 200, $m_S$ = 50 GeV: AUC = 0.900"
    np.testing.assert_allclose(axis.patches[0].get_data().values, [0.1, 0.9])
    upper, lower = figures.s_flow(observables).axes
    assert upper.get_title() == "$m_X$ = 300, $m_S$ = 50 GeV\nAUC = 0.850"
    np.testing.assert_allclose(upper.patches[1].get_data().values, [0.7, 0.3])
    np.testing.assert_allclose(lower.patches[0].get_data().values, 0.05)


def test_yields_that_are_not_positive_are_white():
    mesh = np.array([[200.0, 50.0], [300.0, 50.0], [300.0, 150.0]])
    found = xr.Dataset(
        {
            "mesh_masses": (("mesh", "mass"), mesh),
            "mesh_yield": ("mesh", [-1.0, 4.0, 8.0]),
            "mesh_error": ("mesh", [1.0, 1.0, 4.0]),
            "point_masses": (("point", "mass"), MASSES),
            "pull": ("kernel", [0.9, 0.7]),
            "log_density": ("kernel", [-2.0, -1.0]),
        },
        coords={"kernel": ["rbf", "rbf + white"]},
        attrs={"fitted": "RBF"},
    )
    figure = figures.yields(found)
    yields, relative = (figure.axes[n].collections[0].get_array().reshape(2, 2) for n in (0, 1))
    np.testing.assert_allclose(np.ma.filled(yields, np.nan), [[np.nan, 4.0], [np.nan, 8.0]])
    np.testing.assert_allclose(np.ma.filled(relative, np.nan), [[np.nan, 0.25], [np.nan, 0.5]])
    axis = figures.kernels(found).axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["rbf", "rbf + white"]
    np.testing.assert_allclose(axis.lines[0].get_xdata(), [0.9, 0.7])


def test_background_has_three_panels_on_one_scale(background):
    panels = [axis for axis in figures.background_histograms(background).axes if axis.get_title()]
    assert len(panels) == 3 and len({axis.collections[0].norm.vmax for axis in panels}) == 1


def test_limits_are_mapped_with_the_simulated_ones_on_them(limits):
    axis = resonance_limits.limit_maps(limits).axes[0]
    assert drawn(axis) == {tuple(mass): 0.2 for mass in MASSES.tolist()}
    table = axis.collections[0].get_array()
    assert np.ma.count(table) == 3 and table.max() == 0.3


def test_ratios_are_those_of_the_limits_that_are_named(limits):
    interpolated = resonance_limits.limit_ratios(limits, over="simulated", reach=1.25)
    assert [axis.get_title() for axis in interpolated.axes[:3]] == ["2-D fit", "pNN", "s_flow"]
    assert list(drawn(interpolated.axes[1]).values()) == pytest.approx([3.0] * 4)
    strategies = resonance_limits.limit_ratios(limits, over="s_flow", reach=1.5)
    assert [axis.get_title() for axis in strategies.axes[:2]] == ["2-D fit / s_flow", "pNN / s_flow"]
    assert list(drawn(strategies.axes[1]).values()) == pytest.approx([0.5] * 4)


def test_losses_mark_what_was_kept_of_every_member():
    iterations = np.arange(0, 500, 100)
    runs = xr.Dataset(
        {"valid": (("member", "iteration"), [[9, 4, 3, 2, 5], [9, 4, 3, 2.5, 2]]), "selected": ("member", [300, 400])},
        coords={"iteration": iterations, "member": [0, 1]},
    )
    axis = figures.losses(pnn=runs).axes[0]
    kept = [line.get_data() for line in axis.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(np.squeeze(kept), [[300, 2], [400, 2]])
    assert axis.get_title() == "pNN"


def test_points_without_a_value_are_hollow():
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

    axis = Figure().subplots()
    mass_plane.scatter_values(axis, MASSES, np.array([1.0, 2.0, np.nan, 3.0]), HELD_OUT, Normalize(0, 3), "viridis")
    assert len(drawn(axis)) == 3 and sum(len(points.get_offsets()) for points in axis.collections) == 4
