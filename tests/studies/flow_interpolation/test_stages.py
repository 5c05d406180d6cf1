"""Held-out conditioning points are never trained on, and predictions are compared with data and truth at all points."""

import numpy as np
import pytest
from support.study_settings import study_settings

from diffhep.studies.flow_interpolation import stages

pytestmark = pytest.mark.xdist_group("flow_interpolation")  # one process computes the shared fixtures

SETTINGS = study_settings("flow_interpolation", "quick")
SEEDS = {"seed": 0, "seeds_at_once": "auto"}
FLOW = {"flow": {"transform": "affine", "layers": 3, "hidden": 4}}


def test_crossings_of_held_out_rows_and_columns_are_held_out(sample, trained):
    held_out = sample["held_out"].values.reshape(4, 4)
    assert held_out[1, 1] and held_out.sum() == 1
    np.testing.assert_array_equal(trained["trained"], ~sample["held_out"])


def test_at_full_scale_nine_of_49_points_are_held_out():
    data = study_settings("flow_interpolation")["data"] | {"events": 2}
    held_out = stages.generate(SEEDS | data | SETTINGS["examples"]["mean"])["held_out"].values.reshape(7, 7)
    assert held_out.sum() == 9 and not held_out[[0, -1]].any() and not held_out[:, [0, -1]].any()


def test_held_out_points_affect_validation_but_not_training(sample):
    settings = SEEDS | SETTINGS["training"] | FLOW | {"iterations": 20}
    moved = sample.copy(deep=True)
    moved["events"][np.flatnonzero(sample["held_out"])] += 1.0
    original, other = (stages.train(settings, events) for events in (sample, moved))
    np.testing.assert_array_equal(original["train"], other["train"])
    assert (original["valid"] != other["valid"]).all()


def test_a_fold_leaves_out_one_conditioning_point(sample):
    fold = stages.train(SEEDS | SETTINGS["training"] | FLOW | {"iterations": 20, "without": 5}, sample)
    assert not fold["trained"][5] and fold["trained"].sum() == 15


def test_the_validation_loss_approaches_the_entropy_of_the_distributions(trained):
    unit = 1 + np.log(2 * np.pi)
    np.testing.assert_allclose([trained["train_entropy"], trained["valid_entropy"]], unit)
    assert (np.abs(trained["valid"].min("iteration") - unit) < 0.3).all()


def test_predicted_counts_are_scaled_to_the_number_of_events_in_the_data(sample, predicted):
    inside = np.abs(sample["events"] - sample["mean"]).max("axis") < 2.5
    np.testing.assert_array_equal(predicted["data"].sum(("y", "x")), inside.sum("event"))
    np.testing.assert_allclose(predicted["expected"].sum(("y", "x")), 500 * 0.97532, rtol=1e-3)
    assert np.abs(predicted["counts"].sum(("y", "x")) - 488).max() < 60
    middle = predicted["density"].isel(u=10, v=10)
    np.testing.assert_allclose(middle, 1 / (2 * np.pi), rtol=0.6)


def test_the_divergence_of_the_ensemble_is_at_most_the_mean_of_its_members(predicted):
    """KL is convex in the density; divergences are positive up to the error of the sample."""
    assert (predicted["kl"] > -0.05).all() and (predicted["kl"] < 1).all()
    assert (predicted["kl_ensemble"] <= predicted["kl"].mean("member") + 1e-6).all()


def test_cross_validation_evaluates_the_points_that_were_left_out(sample, trained):
    folds = {"5": trained, "10": trained}
    found = stages.cross_validate(SEEDS | FLOW | {"divergence_events": 500}, sample, folds)
    assert list(found["context"].values) == [5, 10]
    np.testing.assert_array_equal(found["mean"], sample["mean"].values[[5, 10]])
    assert found["kl"].shape == (2, 2) and np.isfinite(found["kl"]).all()


def test_the_firework_histogram_contains_all_events():
    found = stages.simulate_firework({"seed": 0} | SETTINGS["firework"])
    assert float(found["counts"].sum()) == SETTINGS["firework"]["points"] ** 2 * SETTINGS["firework"]["events"]
    assert found.sizes["context"] == SETTINGS["firework"]["ellipses"] ** 2
