"""Figures of contrastive flows show what they are given: contours, accuracies, and images in their places."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_hex

from diffhep.figures import contrastive as figures

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def surfaces():
    x, y = np.linspace(-4, 4, 41), np.linspace(-5, 5, 51)
    bump = np.exp(-(x[None, :] ** 2) / 2 - y[:, None] ** 2 / 2)
    planes = np.stack([bump, 2 * bump])
    return xr.Dataset(
        {
            "best": (("strength", "y", "x"), np.maximum(planes - 0.1, 0)),
            "learned": (("strength", "y", "x"), planes),
            "score": (("y", "x"), np.broadcast_to(1 / (1 + np.exp(x)), (51, 41))),
            "norm": ("strength", [0.65, 0.25]),
            "accepted": (("strength", "label"), [[0.841, 0.193], [0.7, 0.1]]),
            "events": (("label", "event", "axis"), RNG.normal(size=(2, 30, 2))),
            "cut": 1e-4,
        },
        coords={"strength": [1.0, 2.0], "label": ["signal", "background"], "x": x, "y": y},
    )


def scenario(seeds=3):
    kinds = [*figures.CLASSIFIERS, *figures.PREDICTIONS]
    phi = np.linspace(0, np.pi / 2, 5)
    accuracy = 0.8 - 0.2 * phi + 0.01 * np.arange(len(kinds))[:, None] + RNG.normal(0, 0.001, (seeds, len(kinds), 5))
    coords = {"seed": range(seeds), "classifier": kinds, "phi": phi}
    return xr.Dataset({"accuracy": (("seed", "classifier", "phi"), accuracy)}, coords=coords)


def judged(log_density, wanted):
    images = np.arange(len(wanted))[:, None, None] / len(wanted) * np.ones((1, 8, 8))
    return xr.Dataset(
        {
            "image": (("image", "y", "x"), images),
            "is_signal": ("image", wanted),
            "log_density": ("image", np.array(log_density, float)),
            "floor": -500.0,
        }
    )


def test_the_plane_shows_events_and_the_boundary_in_three_panels(surfaces):
    figure = figures.densities_in_plane(surfaces)
    assert [axis.get_title() for axis in figure.axes] == [
        "best density (eq. 10)",
        "learned density",
        "score $r$ of the classifier",
    ]
    for axis in figure.axes:
        for line, label in zip(axis.lines, ("signal", "background"), strict=True):
            np.testing.assert_array_equal(np.array(line.get_data()).T, surfaces["events"].sel(label=label))
    boundaries = [axis.collections[-1] for axis in figure.axes]
    assert [list(each.levels) for each in boundaries] == [[1e-4], [1e-4], [0.5]]
    crossing = boundaries[2].get_paths()[0].vertices[:, 0]
    np.testing.assert_allclose(crossing, 0.0, atol=1e-9)
    levels = [list(axis.collections[-2].levels) for axis in figure.axes]
    assert levels[0] == levels[1] == [share * float(surfaces["best"][0].max()) for share in figures.LEVELS]
    assert tuple(levels[2]) == figures.SCORES


def test_each_strength_has_a_panel_with_its_norm_and_what_is_kept(surfaces):
    axes = figures.contrast_strengths(surfaces).axes
    assert [axis.get_title() for axis in axes] == [
        "$c = 1$:  $\\lambda_c = 0.65$\nkept: signal 84.1%, background 19.3%",
        "$c = 2$:  $\\lambda_c = 0.25$\nkept: signal 70.0%, background 10.0%",
    ]
    best, learned = axes[1].collections[:2]
    highest = float(surfaces["best"][1].max())
    np.testing.assert_allclose(learned.levels, [1e-4, *(share * highest for share in figures.LEVELS)])
    np.testing.assert_allclose(best.levels[:-1], learned.levels)


def test_accuracies_are_means_over_seeds_in_units_of_the_distortion():
    found = {name: scenario() for name in figures.SCENARIOS}
    figure = figures.robustness(**found)
    for axis, (name, (title, unit, label)) in zip(figure.axes, figures.SCENARIOS.items(), strict=True):
        assert axis.get_title() == title and axis.get_xlabel() == label
        lines = {line.get_label(): line for line in axis.lines}
        plain = lines[figures.CLASSIFIERS["plain"]["label"]]
        np.testing.assert_allclose(plain.get_xdata(), found[name]["phi"] / unit)
        np.testing.assert_allclose(plain.get_ydata(), found[name]["accuracy"].sel(classifier="plain").mean("seed"))
        best = lines[figures.PREDICTIONS["likelihood_ratio"][0]]
        assert best.get_linestyle() == "--" and best.get_color() == plain.get_color()
    assert len(figure.legends[0].get_texts()) == len(figures.CLASSIFIERS) + len(figures.PREDICTIONS)


def test_images_stand_row_by_row_in_a_square():
    images = xr.Dataset({"image": (("flow", "image", "y", "x"), RNG.uniform(size=(2, 16, 8, 8)))})
    axes = figures.generated_images(images, titles=["one", "other"]).axes
    assert [axis.get_title() for axis in axes] == ["one", "other"]
    drawn = axes[1].images[0].get_array()
    assert drawn.shape == (35, 35)
    np.testing.assert_array_equal(drawn[9:17, 18:26], images["image"][1, 6])


def test_images_are_those_of_the_highest_and_the_lowest_density():
    found = judged([-100, -200, -300, -600, -700, -800], [True, False, True, True, True, False])
    figure = figures.classified_images(found, wanted="eights", shunned="zeros", shown=4)
    sure, unsure = figure.axes
    assert figure.get_supxlabel() == "eights called eights: 2 of 4, zeros called zeros: 1 of 2"
    corners = [[axis.images[0].get_array()[0, 9 * n] for n in range(2)] for axis in (sure, unsure)]
    np.testing.assert_allclose(corners, [[0, 2 / 6], [4 / 6, 3 / 6]])
    assert not sure.patches and [frame.get_xy() for frame in unsure.patches] == [(-0.5, -0.5), (8.5, -0.5)]


def test_no_image_is_told_and_not_more_than_asked_for_are_drawn():
    found = judged(np.linspace(-600, -900, 20), [True] * 20)
    sure, unsure = figures.classified_images(found, wanted="nines", shunned="fours").axes
    assert [text.get_text() for text in sure.texts] == ["none"] and not unsure.texts
    assert np.ma.masked_invalid(unsure.images[0].get_array()).count() == 16 * 64


def test_couplings_are_compared_in_four_panels():
    names = list(figures.VARIANTS)
    variants = xr.Dataset(
        {
            "mass": (("variant", "box"), RNG.uniform(1, 20, (len(names), 3))),
            "distance": ("variant", RNG.uniform(size=len(names))),
            "accuracy": ("variant", RNG.uniform(size=len(names))),
            "valid": (("variant", "iteration"), RNG.normal(-20, 5, (len(names), 4))),
        },
        coords={"variant": names, "box": [10.0, 40.0, 200.0], "iteration": [0, 100, 200, 300]},
    )
    mass, loss, distance, accuracy = figures.coupling_variants(variants).axes
    for axis, variable in ((mass, "mass"), (loss, "valid")):
        for line, name in zip(axis.lines, names, strict=False):
            np.testing.assert_array_equal(line.get_ydata(), variants[variable].sel(variant=name))
            assert to_hex(line.get_color()) == figures.VARIANTS[name][1].lower()
    for axis, variable in ((distance, "distance"), (accuracy, "accuracy")):
        np.testing.assert_array_equal([line.get_xdata()[0] for line in axis.lines], variants[variable])
    labels = [text.get_text() for text in distance.get_yticklabels()]
    assert labels == [label for label, *_ in figures.VARIANTS.values()]
