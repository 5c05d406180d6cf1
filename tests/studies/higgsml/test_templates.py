"""Expected histograms contain every selected event, at the shifts that the fits interpolate between."""

import numpy as np
import pytest
from support.higgsml import NODES, SETTINGS, TRAINING_EVENTS

from diffhep.studies.higgsml import templates, training
from diffhep.studies.higgsml.events import pool_samples, reconstruction

HISTOGRAMS = TRAINING_EVENTS | {"part": "test", "bins": 8, "networks": {"baseline": SETTINGS["network"]}}


@pytest.fixture(scope="module")
def baseline(pools):
    settings = TRAINING_EVENTS | SETTINGS["training"] | {"network": SETTINGS["network"], "iterations": 400}
    return {"baseline": training.train_classifier(settings, pools)}


@pytest.fixture(scope="module")
def design(pools, baseline):
    settings = HISTOGRAMS | {"points": "design", "number": 4, "chunk": 1, "chunks": 2}
    return templates.expected_histograms(settings, pools, baseline, {})


def selected_yields(pools, part, shift):
    """Yields of the events of each process that pass the selection at a shift."""
    reconstruct, yields = reconstruction(SETTINGS["columns"]["logarithms"]), []
    for sample in pool_samples(pools, part):
        _, category, selected = reconstruct(sample.primaries, tuple(shift), sample.noise)
        yields.append(sample.weights[np.asarray(selected) & (np.asarray(category) >= 0)].sum())
    return yields


def test_histograms_contain_every_selected_event(pools, baseline, design):
    np.testing.assert_array_equal(design["shift"], templates.design_shifts(4, 0)[1::2])
    direct = templates.time_scoring(HISTOGRAMS | {"number": 2, "luminosity": 0.01}, pools, baseline, {})
    for result in (design, direct):
        expected = [selected_yields(pools, "test", shift) for shift in result["shift"].values]
        np.testing.assert_allclose(result["counts"].sel(network="baseline").sum("bin"), expected, rtol=1e-6)
    assert (direct["seconds"] > 0).all()


def test_scores_of_the_signal_are_larger_than_those_of_the_background(design):
    mean_bin = (design["counts"] * np.arange(8)).sum("bin") / design["counts"].sum("bin")
    assert (mean_bin.sel(process="htautau") > mean_bin.sel(process="ztautau") + 0.2).all()


def test_stored_weight_is_the_largest_mean_weight_of_a_background(pools, design):
    assert float(design["weight"]) == max(sample.weights.mean() for sample in pool_samples(pools, "test")[1:])


def test_templates_are_at_the_nodes_and_at_one_standard_deviation():
    points = templates.template_shifts({"nodes": NODES})
    np.testing.assert_allclose(points[:2], [[0.97, 0.97, 0], [0.97, 0.985, 0]])
    np.testing.assert_allclose(points[25:], np.array(
        [[1, 1, 1], [0.99, 1, 1], [1, 0.99, 1], [1, 1, np.exp(-1)], [1.01, 1, 1], [1, 1.01, 1], [1, 1, np.e]]
    ))  # fmt: skip


def test_design_points_fill_the_priors_evenly():
    points = templates.design_shifts(256, 0)
    deviations = (points[:, :2] - 1) / 0.01
    counts, _ = np.histogram(deviations[:, 0], np.linspace(-3.5, 3.5, 9))
    np.testing.assert_array_equal(counts, 32)
    assert np.abs(deviations).max() <= 3.5 + 1e-9 and np.median(points[:, 2]) == pytest.approx(1.0, rel=0.05)
