"""Figures of what TOMATOS teaches show the numbers of their datasets."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import same_color

from diffhep.figures import vbf_hh4b_lessons as figures
from diffhep.figures.painters.style import CURVE, SIGNAL

RNG = np.random.default_rng(0)
NAMED = {"a": "first", "b": "second"}


def labels(of):
    return [text.get_text() for text in of.get_texts()]


@pytest.fixture(scope="module")
def landscape():
    cls = np.array([np.outer([3, 2, 4, 5], [3, 1, 2]), np.outer([1, 2, 3, 4], [1, 2, 3])]) / 100
    return xr.Dataset(
        {
            "cls": (("binning", "m_jj", "deta_jj"), cls),
            "best": (("binning", "cut"), [[300.0, 2.0], [0.0, 0.0]]),
            "best_cls": ("binning", [0.02, 0.01]),
        },
        coords={
            "binning": ["three", "five"],
            "m_jj": [0.0, 300, 600, 900],
            "deta_jj": [0.0, 2, 4],
            "cut": ["m_jj", "deta_jj"],
        },
    )


def run(seed=0, seeds=3):
    rng = np.random.default_rng(seed)
    cuts = rng.uniform(0, 3, (seeds, 4, 2))
    values = {name: (("seed", "step"), rng.uniform(0.1, 1, (seeds, 4))) for name in ("bandwidth", "cls_valid", "slope")}
    return xr.Dataset(
        values
        | {"cuts": (("seed", "step", "cut"), cuts)}
        | {"background_train": (("seed", "step", "bin"), rng.uniform(1, 9, (seeds, 4, 5)))},
        coords={"seed": range(seeds), "step": [0, 20, 40, 60], "cut": ["deta_jj", "m_jj"]},
    )


def test_slopes_end_at_what_they_miss_in_percent():
    names = ["slope_20", "slope_100000"]
    judged = xr.Dataset(coords={"run": names})
    comparison = xr.Dataset({"missed": ("slope_run", [0.5, 0.02])}, {"slope_run": names[::-1]})
    runs = {name: run(n) for n, name in enumerate(names)}
    figure = figures.cuts_by_slope(judged, comparison, runs)
    *panels, missed = figure.axes
    for axis, cut in zip(panels, ("m_jj", "deta_jj"), strict=True):
        for line, name in zip(axis.lines, names, strict=True):
            np.testing.assert_array_equal(line.get_ydata(), runs[name]["cuts"].sel(cut=cut)[0])
    points = [(line.get_xdata()[0], line.get_ydata()[0]) for line in missed.lines[:2]]
    np.testing.assert_allclose(points, [(20, 2), (100_000, 50)])
    assert labels(figure.legends[0]) == ["slope 20", "slope 100000"]


def test_the_landscape_is_that_of_three_bins_with_both_ways_and_the_best_pair(landscape):
    both = run(), run(1)
    figure = figures.cls_landscape(landscape, *both)
    axis, colourbar = figure.axes
    for place, trained in enumerate(both):
        white, way, start, end = axis.lines[4 * place : 4 * place + 4]
        for line in (white, way):
            np.testing.assert_array_equal(line.get_xdata(), trained["cuts"].sel(cut="m_jj")[0])
            np.testing.assert_array_equal(line.get_ydata(), trained["cuts"].sel(cut="deta_jj")[0])
        for point, step in ((start, 0), (end, -1)):
            cuts = trained["cuts"].sel(cut=["m_jj", "deta_jj"])[0, step]
            assert point.get_xydata()[0].tolist() == cuts.values.tolist()
        assert labels(figure.legends[0])[place].startswith(f"slope {float(trained['slope'][0, -1]):g}")
    assert axis.lines[-1].get_xydata().tolist() == [[300.0, 2.0]]
    low, high = np.log10(landscape["cls"].sel(binning="three").values).min(), np.log10(0.15)
    assert colourbar.get_ylim()[0] <= low and colourbar.get_ylim()[1] >= high
    assert axis.get_xlim() == (0, 900) and axis.get_ylim() == (0, 4)


def test_ways_of_all_starts_are_drawn_and_those_that_arrive_are_counted(landscape):
    comparison = xr.Dataset(
        {"reached": ("start_run", [7, 1]), "starts": 3}, {"start_run": ["starts_annealed", "starts_steep"]}
    )
    steep, annealed = run(1), run(2)
    left, right, _ = figures.paths_from_starts(landscape, steep, annealed, comparison, 0.5).axes
    assert left.get_title() == "slope 20 000: 1 of 3 reach the plateau"
    assert right.get_title() == "slope 20 to 20 000 (ours): 7 of 3 reach the plateau"
    for axis, trained in ((left, steep), (right, annealed)):
        ways = [line for line in axis.lines if same_color(line.get_color(), CURVE) and len(line.get_xdata()) == 4]
        np.testing.assert_array_equal(
            [way.get_xdata() for way in ways], trained["cuts"].sel(cut="m_jj").transpose("seed", "step")
        )
        (plateau,) = [each for each in axis.collections if len(each.levels) == 1]
        assert plateau.levels[0] == pytest.approx(1.5 * 0.02)


@pytest.fixture(scope="module")
def exploited():
    fresh = 10.0 ** RNG.uniform(-2, -1, (2, 2, 50))
    return xr.Dataset(
        {
            "found": (("run", "fold", "bin"), [[[4.0, 9.0]] * 2, [[6.0, 3.0]] * 2]),
            "estimated": (("run", "fold", "bin"), [[[4.0, 4.0]] * 2, [[4.0, 1.0]] * 2]),
            "true_ratio": (("run", "fold", "bin"), np.full((2, 2, 2), 1.1)),
            "edges": (("run", "fold", "edge"), np.tile([600.0, 1000.0, 3000.0], (2, 2, 1))),
            "claimed": (("run", "fold"), [[0.02, 0.03], [0.04, 0.05]]),
            "fresh": (("run", "fold", "draw"), fresh),
        },
        coords={"run": ["inside", "outside"], "fold": [0, 1]},
    )


def test_exploited_data_stand_beside_what_is_expected_and_what_others_show(exploited):
    axes = np.array(figures.exploited_uncertainty(exploited).axes).reshape(2, 2)
    for (above, below), name in zip(axes.T, ("outside", "inside"), strict=True):
        here = exploited.sel(run=name)
        assert name in above.get_title()
        band, expected = (patch.get_data() for patch in above.patches)
        spread = 1 / np.sqrt(here["estimated"][0].values)
        np.testing.assert_allclose(band.values, 1 + spread)
        np.testing.assert_allclose(band.baseline, np.maximum(1 - spread, 0))
        np.testing.assert_allclose(expected.values, [1.1, 1.1])
        x, y = above.lines[0].get_data()
        np.testing.assert_allclose(x, [800, 2000])
        np.testing.assert_allclose(y, here["found"][0] / here["estimated"][0])
        assert [line.get_xdata()[0] for line in below.lines] == here["claimed"].values.tolist()
        for patch, values in zip(below.patches, here["fresh"].values, strict=True):
            drawn = patch.get_data()
            np.testing.assert_array_equal(drawn.values, np.histogram(values, drawn.edges)[0])
            assert drawn.values.sum() >= 49  # the outermost may be rounded out


def judged(names, offset):
    """Two starts and one more bin than the run has."""
    number = len(names)
    values = offset + np.arange(number * 2 * 3, dtype=float).reshape(number, 2, 3)
    values[..., 2] = np.nan
    edges = np.tile([600.0, 1000.0 + offset, 3000.0, np.nan], (number, 2, 1))
    dims = ("run", "seed")
    return xr.Dataset(
        {
            "signal": ((*dims, "bin"), values + 1),
            "background": ((*dims, "bin"), 10 * values + 1),
            "edges": ((*dims, "edge"), edges),
        },
        coords={"run": names},
    )


def test_the_comparison_shows_the_first_fold_and_the_limits_of_all():
    names = ["m_hh", "m_hh_annealed", "network", "network_annealed", "cross_entropy"]
    automated = judged([f"{name}_fold_{fold}" for name in names for fold in (1, 0)], 5)
    traditional = judged(["traditional_fold_0", "traditional_fold_1"], 1)
    strategies = ["cross_entropy", "traditional", *names[:4]]
    limit = np.arange(1, 13.0).reshape(6, 2) / 10
    comparison = xr.Dataset({"limit": (("strategy", "fold"), limit)}, {"strategy": strategies})
    axes = figures.comparison(automated, traditional, comparison).axes
    shown = ["traditional", "m_hh", "m_hh_annealed", "cross_entropy", "network", "network_annealed"]
    for axis, name in zip(axes, shown, strict=True):
        source = (traditional if name == "traditional" else automated).sel(run=f"{name}_fold_0").isel(seed=0)
        background, signal = (patch.get_data() for patch in axis.patches)
        np.testing.assert_array_equal(signal.values, source["signal"][:2])
        np.testing.assert_array_equal(background.values, source["background"][:2])
        np.testing.assert_array_equal(signal.edges, source["edges"][:3])
        values = limit[strategies.index(name)]
        assert f"{figures.STRATEGIES[name]}\n" in axis.get_title()
        assert f"{values.mean():.3f} ± {np.ptp(values) / np.sqrt(2):.3f}" in axis.get_title()
    assert same_color(axes[0].patches[1].get_edgecolor(), SIGNAL)


def test_held_bandwidths_are_points_with_their_mean_at_both_slopes():
    values = RNG.uniform(0.01, 0.1, (2, 4, 3, 1))
    names = ["dynamic", "held_0.01", "held_0.05", "held_0.2"]
    comparison = xr.Dataset(
        {
            "held": (("point", "run", "seed", "epoch"), values),
            "emptiest": (("point", "run"), [[1.0, 0.9, 0.8, 0.14]] * 2),
        },
        coords={"point": ["slope 20000", "annealed"], "run": names},
    )
    figure = figures.fixed_bandwidths(comparison)
    assert [axis.get_title() for axis in figure.axes] == ["slope 20000", "annealed"]
    for axis, of_point in zip(figure.axes, values[..., 0], strict=True):
        for place in range(4):
            points, mean = axis.lines[2 * place : 2 * place + 2]
            np.testing.assert_array_equal(points.get_ydata(), of_point[place])
            assert mean.get_ydata()[0] == pytest.approx(of_point[place].mean())
        told = [text.get_text() for text in axis.get_xticklabels()]
        assert told[1] == "held at 0.01\n(0.90)" and told[3] == "held at 0.2\n(0.14)"


def test_least_events_are_those_of_the_emptiest_bin():
    runs = {"a": run(1), "b": run(2), "other": run(3)}
    figure = figures.minimum_events(runs, NAMED)
    for place, name in enumerate(NAMED):
        here = runs[name].isel(seed=0)
        expected = [here["background_train"].min("bin"), here["bandwidth"], here["cls_valid"]]
        np.testing.assert_array_equal([axis.lines[place].get_ydata() for axis in figure.axes], expected)
    assert labels(figure.legends[0]) == ["first", "second"]
