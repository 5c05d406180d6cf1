"""Figures of TOMATOS show what they are given, step by step; an animation has a picture a step."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import same_color

from diffhep.figures import vbf_hh4b as figures
from diffhep.figures.painters.style import CURVE, SMOOTH, TRUTH
from diffhep.histogramming.smoothing_bias import largest_smoothing_bias

STEPS, BINS, SEEDS, FINE = 5, 3, 2, 60
NAMED = {"a": "first", "b": "second"}


def run(seed=0):
    """Numbers of the right shapes, all different, as `studies.vbf_hh4b.train` returns them."""
    rng = np.random.default_rng(seed)
    shapes = {f"cls_{part}": () for part in ("train", "valid", "test", "smooth")}
    shapes |= {f"signal_{part}": ("variation", "bin") for part in ("train", "smooth")}
    shapes |= {f"background_{part}": ("bin",) for part in ("train", "smooth")}
    shapes |= {"bandwidth": (), "slope": (), "normalisation": (), "statistical": ("bin",), "cuts": ("cut",)}
    shapes |= {"fine": ("sample", "fine_bin")}
    sizes = {"variation": 3, "bin": BINS, "cut": 2, "sample": 2, "fine_bin": FINE}
    variables = {
        name: (("seed", "step", *dims), rng.uniform(0.01, 1, (SEEDS, STEPS, *(sizes[dim] for dim in dims))))
        for name, dims in shapes.items()
    }
    inner = np.sort(rng.uniform(700, 2800, (SEEDS, STEPS, BINS - 1)))
    edges = np.concatenate([np.full((SEEDS, STEPS, 1), 600.0), inner, np.full((SEEDS, STEPS, 1), 3000.0)], axis=-1)
    return xr.Dataset(
        variables | {"edges": (("seed", "step", "edge"), edges), "rate": ("step", rng.uniform(0.001, 0.01, STEPS))},
        coords={"seed": range(SEEDS), "step": 20 * np.arange(STEPS), "cut": ["deta_jj", "m_jj"]},
    )


@pytest.fixture(scope="module")
def one():
    return run()


@pytest.fixture(scope="module")
def two():
    return {"a": run(1), "b": run(2), "other": run(3)}


def labels(of):
    return [text.get_text() for text in of.get_texts()]


def ydata(axis):
    return [np.asarray(line.get_ydata(), float) for line in axis.lines]


def test_inputs_are_densities_of_every_variable_with_all_weights():
    rng = np.random.default_rng(0)
    names = ["m_hh", "m_jj", "deta_jj"]
    events = xr.Dataset(
        {
            "signal": (("variation", "signal_event", "variable"), rng.uniform(1, 3, (3, 200, 3))),
            "background": (("background_event", "variable"), rng.uniform(0, 4, (300, 3))),
            "signal_weight": (("variation", "signal_event"), rng.uniform(0, 1, (3, 200))),
            "background_weight": ("background_event", rng.uniform(0, 1, 300)),
        },
        coords={"variable": names},
    )
    figure = figures.inputs(events)
    assert [axis.get_xlabel() for axis in figure.axes] == [figures.LABELS[name] for name in names]
    assert labels(figure.legends[0]) == ["signal", "signal, jet $p_T$ up", "signal, jet $p_T$ down", "background"]
    for place, axis in enumerate(figure.axes):
        for row in range(3):
            drawn = axis.patches[row].get_data()
            values, weights = events["signal"].values[row, :, place], events["signal_weight"].values[row]
            expected = np.histogram(values, drawn.edges, weights=weights, density=True)[0]
            np.testing.assert_allclose(drawn.values, expected)
        background = axis.patches[3].get_data()
        assert (background.values * np.diff(background.edges)).sum() == pytest.approx(1)


def test_losses_are_means_over_starts_of_every_part_and_the_smooth_one(one, two):
    figure = figures.losses(one, two["a"])
    for axis, data in zip(figure.axes, (one, two["a"]), strict=True):
        expected = [data[f"cls_{part}"].mean("seed") for part in ("train", "valid", "test", "smooth")]
        np.testing.assert_allclose(ydata(axis), expected)
        assert [line.get_linestyle() for line in axis.lines] == ["-", "-", "-", "--"]
        np.testing.assert_array_equal(axis.lines[0].get_xdata(), data["step"])
    assert labels(figure.legends[0])[-1] == "training, smooth" and labels(figure.legends[0])[1] == "validation, hard"


def test_bandwidths_stand_beside_training_and_validation(two):
    named = {"a": "at least 0.05", "b": "at least 0.001"}
    figure = figures.bandwidths(two, named)
    left, right = figure.axes
    assert labels(figure.legends[0]) == ["at least 0.001", "at least 0.05"]
    np.testing.assert_array_equal(ydata(left), [two[name]["bandwidth"][0] for name in "ba"])
    for place, name in enumerate("ba"):
        for line, part in zip(right.lines[2 * place : 2 * place + 2], ("train", "valid"), strict=True):
            np.testing.assert_array_equal(line.get_ydata(), two[name][f"cls_{part}"][0])
            assert line.get_linestyle() == {"train": "-", "valid": "--"}[part]


def test_edges_go_up_with_the_step_between_the_outermost(one):
    (axis,) = figures.bins(one).axes
    for place, line in enumerate(axis.lines[: BINS - 1]):
        np.testing.assert_array_equal(line.get_xdata(), one["edges"][0, :, place + 1])
        np.testing.assert_array_equal(line.get_ydata(), one["step"])
    assert [line.get_xdata()[0] for line in axis.lines[BINS - 1 :]] == [600, 3000]


def test_cuts_are_taken_by_name_and_stand_beside_the_best_pair(one, two):
    landscape = xr.Dataset(
        {"best": (("binning", "cut"), [[1.0, 2.0], [475.0, 4.4]])},
        coords={"binning": ["three", "five"], "cut": ["m_jj", "deta_jj"]},
    )
    figure = figures.cuts(one, two["a"], landscape)
    for axis, name, best in zip(figure.axes, ("m_jj", "deta_jj"), (475.0, 4.4), strict=True):
        steep, annealed, dashed = axis.lines
        np.testing.assert_array_equal(steep.get_ydata(), one["cuts"].sel(cut=name)[0])
        np.testing.assert_array_equal(annealed.get_ydata(), two["a"]["cuts"].sel(cut=name)[0])
        assert dashed.get_ydata()[0] == best and figures.LABELS[name] in axis.get_ylabel()
    assert same_color(steep.get_color(), CURVE) and same_color(annealed.get_color(), SMOOTH)


def assert_histograms(axes, here):
    """Hard and smooth histograms of nominal signal above background."""
    for axis, name in zip(axes, ("signal", "background"), strict=True):
        for patch, kind in zip(axis.patches, ("train", "smooth"), strict=True):
            values, widths = here[f"{name}_{kind}"], np.diff(here["edges"])
            density = (values[0] if name == "signal" else values) * widths.mean() / widths
            np.testing.assert_allclose(patch.get_data().values, density)
            np.testing.assert_array_equal(patch.get_data().edges, here["edges"])


def test_evolution_shows_the_histograms_of_its_steps(one):
    figure = figures.evolution(one, [0.0, 0.4, 1.0], "m_hh")
    axes = np.array(figure.axes).reshape(2, 3)
    assert [axis.get_title() for axis in axes[0]] == ["step 0", "step 40", "step 80"]
    for column, step in zip(axes.T, (0, 2, 4), strict=True):
        assert_histograms(column, one.isel(seed=0, step=step))
        assert column[0].get_yscale() == "linear" and column[1].get_yscale() == "log"
    network = figures.evolution(one, [1.0], "network")
    assert network.axes[0].get_yscale() == "log" and network.axes[1].get_xlabel() == "score of the network"


def test_the_curve_holds_as_many_events_as_the_bins(one):
    """Events amid the range, hardly smeared, whatever their number: those of the background are not yet estimated."""
    fine = np.zeros((SEEDS, STEPS, 2, FINE))
    fine[..., 30] = 1000.0
    changed = one.assign(fine=(one["fine"].dims, fine), bandwidth=one["bandwidth"] * 0 + 0.03)
    here = one.isel(seed=0, step=3)
    axes = figures.evolution(changed, [0.75], "m_hh").axes
    for axis, bins in zip(axes, (here["signal_train"][0], here["background_train"]), strict=True):
        x, y = axis.lines[0].get_data()
        np.testing.assert_allclose(np.diff(x), (3000 - 600) / FINE)
        assert y.sum() * (x[1] - x[0]) / (2400 / BINS) == pytest.approx(float(bins.sum()), rel=1e-3)


def test_the_curve_is_all_events_smeared_with_the_bandwidth(one):
    """All events in one place make a Gaussian, whose width is a share of the range."""
    fine = np.zeros((SEEDS, STEPS, 2, FINE))
    fine[..., 30] = 5.0
    changed = one.assign(fine=(one["fine"].dims, fine), bandwidth=(("seed", "step"), np.full((SEEDS, STEPS), 0.06)))
    x, y = figures.evolution(changed, [0.0], "m_hh").axes[0].lines[0].get_data()
    assert x[np.argmax(y)] == pytest.approx(600 + 30.5 / FINE * 2400)
    assert np.sqrt(np.average((x - x[30]) ** 2, weights=y)) == pytest.approx(0.06 * 2400, rel=0.01)


def test_an_animation_has_a_picture_of_equal_size_for_every_step(one):
    frames = list(figures.animation(one, "m_hh"))
    assert len(frames) == STEPS and len({tuple(frame.get_size_inches()) for frame in frames}) == 1
    for step, frame in enumerate(frames):
        # axes of the grid row by row: signal, CLs, background, bandwidth
        by_label = {axis.get_ylabel(): axis for axis in frame.axes}
        assert_histograms([by_label["signal / 800 GeV"], by_label["background / 800 GeV"]], one.isel(seed=0, step=step))
        assert by_label["signal / 800 GeV"].get_title(loc="left") == f"step {20 * step}"
        for label, name in ((f"{figures.CLS}, validation", "cls_valid"), ("bandwidth", "bandwidth")):
            whole, so_far = by_label[label].lines
            np.testing.assert_array_equal(whole.get_ydata(), one[name][0])
            np.testing.assert_array_equal(so_far.get_ydata(), one[name][0, : step + 1])


def test_deviations_are_the_largest_of_all_bins_in_percent(two):
    samples = ("signal", "background")
    runs = {
        name: run.assign({f"{sample}_smoothing_bias": largest_smoothing_bias(run, sample) for sample in samples})
        for name, run in two.items()
    }
    figure = figures.deviations(runs, NAMED)
    for axis, name in zip(figure.axes, ("signal", "background"), strict=True):
        assert axis.get_title() == name
        for line, of in zip(axis.lines, NAMED, strict=False):
            smooth, hard = (two[of][f"{name}_{kind}"].values[0] for kind in ("smooth", "train"))
            if name == "signal":
                smooth, hard = smooth[:, 0], hard[:, 0]
            np.testing.assert_allclose(line.get_ydata(), 100 * np.abs(smooth / hard - 1).max(axis=1))
        assert axis.lines[-1].get_ydata()[0] == 1 and same_color(axis.lines[-1].get_color(), TRUTH)


def test_systematics_are_relative_to_the_nominal_yields(one):
    figure = figures.systematics(one)
    left, right = figure.axes
    signal = one["signal_train"].values[0]
    for number in range(BINS):
        for line, variation in zip(left.lines[2 * number : 2 * number + 2], (1, 2), strict=True):
            np.testing.assert_allclose(line.get_ydata(), signal[:, variation, number] / signal[:, 0, number])
            assert line.get_linestyle() == {1: "-", 2: "--"}[variation]
    np.testing.assert_allclose(ydata(right), [*one["statistical"][0].T, one["normalisation"][0]])
    assert labels(figure.legends[0]) == ["bin 1", "bin 2", "bin 3", "transfer factor"]


def test_schedules_are_those_of_both_runs(one, two):
    left, right = figures.schedules(one, two["a"]).axes
    np.testing.assert_array_equal(ydata(left), [one["rate"]])
    np.testing.assert_array_equal(ydata(right), [one["slope"][0], two["a"]["slope"][0]])
    assert labels(right.get_legend()) == ["document's", "ours"]
