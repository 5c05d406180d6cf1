"""Figures of Split-N-Fit show what they are given: spectra, fits, medians and fakes."""

import numpy as np
import pytest
import xarray as xr

from diffhep.figures import split_n_fit as figures

EDGES = np.linspace(100, 180, 5)
NETWORKS = ["wrong", "tuned", "correct"]


@pytest.fixture(scope="module")
def experiments():
    rng = np.random.default_rng(0)
    counts = np.array([[40.0, 30, 20, 10]] * 3)
    return xr.Dataset(
        {
            "significance": (("network", "toy"), rng.normal([[2.0], [3.0], [3.1]], 1, (3, 200))),
            "counts": (("network", "bin"), counts),
            "alone": (("network", "bin"), counts - 1),
            "both": (("network", "bin"), counts + 1),
            "edges": ("edge", EDGES),
        },
        coords={"network": NETWORKS},
    )


@pytest.fixture(scope="module")
def spectra():
    plane = np.arange(1, 97.0).reshape(3, 2, 4, 4)
    return xr.Dataset(
        {
            "plane": (("network", "sample", "score", "bin"), plane),
            "passed": (("network", "sample", "bin"), plane[:, :, 2:].sum(axis=2)),
            "spurious": ("network", [0.1, 3.0, -0.2]),
            "by_cut": (("network", "score"), [[1.0, 1.2, 1.5, 1.9], [1.0, 2.0, 3.0, 1.0], [1.0, 2.0, 2.5, 3.5]]),
            "edges": ("edge", EDGES),
            "cut": 0.5,
        },
        coords={"network": NETWORKS, "sample": ["signal", "background"]},
    )


@pytest.fixture(scope="module")
def sets():
    rng = np.random.default_rng(1)
    kinds = ["before", "folded", "unfolded"]
    return {
        strength: xr.Dataset(
            {
                "observed": (("data_set", "kind"), rng.normal(float(strength), [1.0, 1.0, 3.0], (50, 3))),
                "true": (("data_set", "kind"), np.full((50, 3), 2.0)),
            },
            coords={"kind": kinds},
        )
        for strength in ("0.0", "10.0", "2.0")
    }


def test_three_fits_are_those_of_the_first_pseudo_experiment(experiments):
    figure = figures.fits(experiments)
    assert len(figure.axes) == 3
    axis = figure.axes[1]
    assert axis.get_title().endswith(f"\n{float(experiments['significance'][1, 0]):.1f} σ")
    alone, both = (patch.get_data().values for patch in axis.patches)
    np.testing.assert_array_equal(alone, [39, 29, 19, 9])
    np.testing.assert_array_equal(both, [41, 31, 21, 11])


def test_plane_and_projections_are_of_the_network_that_is_named(spectra):
    figure = figures.score_and_mass(spectra)
    top, _, axis, right = figure.axes[:4]
    np.testing.assert_allclose(axis.collections[0].get_array(), spectra["plane"].sel(network="tuned").sum("sample"))
    background = next(patch for patch in top.patches if patch.get_label() == "background")
    np.testing.assert_allclose(
        background.get_data().values, spectra["passed"].sel(network="tuned", sample="background")
    )
    signal = spectra["plane"].sel(network="tuned", sample="signal").sum("bin")
    np.testing.assert_allclose(right.patches[1].get_data().values, 10 * signal)


def test_medians_are_told_and_drawn(experiments):
    axis = figures.significances(experiments).axes[0]
    medians = experiments["significance"].median("toy").values
    np.testing.assert_allclose([line.get_xdata()[0] for line in axis.lines], medians)
    labels = axis.get_legend_handles_labels()[1]
    assert labels[1] == f"the same, fine-tuned by Split-N-Fit: {medians[1]:.2f}"


def test_data_sets_are_ordered_by_their_signal(sets):
    observed, true = figures.fine_tuned_data_sets(sets).axes
    line = observed.lines[0]
    np.testing.assert_array_equal(line.get_xdata(), [0.0, 2.0, 10.0])
    expected = [sets[name]["observed"].sel(kind="before").mean() for name in ("0.0", "2.0", "10.0")]
    np.testing.assert_allclose(line.get_ydata(), expected)
    np.testing.assert_allclose(true.lines[2].get_ydata(), 2.0)


def test_fakes_are_densities_beside_the_normal_one(sets):
    axis = figures.spurious_significances(sets["0.0"]).axes[0]
    for patch in axis.patches:
        xy = patch.get_xy()
        assert np.sum(np.diff(xy[::2, 0]) * xy[1:-1:2, 1]) == pytest.approx(1.0)
    size = np.abs(sets["0.0"]["observed"].sel(kind="unfolded")).mean()
    assert any(f"fine-tuned on all the data: {float(size):.2f}" == text for text in axis.get_legend_handles_labels()[1])


def test_sculpting_has_a_row_for_each_kind_of_inputs(spectra):
    figure = figures.background_sculpting(decorrelated=spectra, correlated=spectra)
    titles = [axis.get_title() for axis in figure.axes]
    assert len(titles) == 6 and titles[1].endswith("decorrelated inputs: +3.0 σ")
    background = figure.axes[4].patches[0].get_data().values
    np.testing.assert_allclose(background, spectra["passed"].sel(network="tuned", sample="background"))


def test_best_cuts_are_marked(spectra):
    axis = figures.cuts(spectra).axes[0]
    best = [np.squeeze(line.get_data()).tolist() for line in axis.lines if line.get_marker() == "o"]
    assert best == [[0.75, 1.9], [0.5, 3.0], [0.75, 3.5]]
