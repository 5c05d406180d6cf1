"""Flows that interpolate: what is held out is never trained on, and predictions are counted, judged and compared."""

import numpy as np
import pytest
from support.study_settings import study_settings

from diffhep.studies import flow_interpolation as study

SETTINGS = study_settings("flow_interpolation", "quick")
SEEDS = {"seed": 0, "seeds_at_once": "auto"}
FLOW = {"flow": {"transform": "affine", "layers": 3, "hidden": 4}}


@pytest.fixture(scope="module")
def sample():
    return study.generate(SEEDS | SETTINGS["data"] | {"held_out": [1]} | SETTINGS["examples"]["mean"])


@pytest.fixture(scope="module")
def trained(sample):
    quickly = {"iterations": 400, "learning_rate": 0.01, "evaluate_every": 50}
    return study.train(SEEDS | SETTINGS["training"] | FLOW | quickly, sample)


@pytest.fixture(scope="module")
def predicted(sample, trained):
    return study.predict(
        SEEDS
        | SETTINGS["prediction"]
        | FLOW
        | {"samples": 20_000, "pulls": {"bins": 25, "min_events": 10}, "judges": 2000},
        sample,
        trained,
    )


def test_crossings_of_held_out_rows_and_columns_are_unseen(sample, trained):
    held_out = sample["held_out"].values.reshape(4, 4)
    assert held_out[1, 1] and held_out.sum() == 1
    np.testing.assert_array_equal(trained["trained"], ~sample["held_out"])


def test_at_full_scale_nine_of_49_inner_points_are_unseen():
    data = study_settings("flow_interpolation")["data"] | {"events": 2}
    held_out = study.generate(SEEDS | data | SETTINGS["examples"]["mean"])["held_out"].values.reshape(7, 7)
    assert held_out.sum() == 9 and not held_out[[0, -1]].any() and not held_out[:, [0, -1]].any()


def test_unseen_contexts_have_no_part_in_training_and_all_have_in_validation(sample):
    """Whatever the unseen events are, the first training losses are the same; validation knows them."""
    settings = SEEDS | SETTINGS["training"] | FLOW | {"iterations": 20}
    moved = sample.copy(deep=True)
    moved["events"][np.flatnonzero(sample["held_out"])] += 1.0
    here, there = (study.train(settings, each) for each in (sample, moved))
    np.testing.assert_array_equal(here["train"], there["train"])
    assert (here["valid"] != there["valid"]).all()


def test_a_fold_leaves_out_its_context_alone(sample):
    fold = study.train(SEEDS | SETTINGS["training"] | FLOW | {"iterations": 20, "without": 5}, sample)
    assert not fold["trained"][5] and fold["trained"].sum() == 15


def test_entropies_are_those_of_the_distributions(trained):
    unit = 1 + np.log(2 * np.pi)
    np.testing.assert_allclose([trained["train_entropy"], trained["valid_entropy"]], unit)
    assert (np.abs(trained["valid"].min("iteration") - unit) < 0.3).all()


def test_predictions_are_counted_in_the_units_of_the_data(sample, predicted):
    inside = np.abs(sample["events"] - sample["mean"]).max("axis") < 2.5
    np.testing.assert_array_equal(predicted["data"].sum(("y", "x")), inside.sum("event"))
    np.testing.assert_allclose(predicted["expected"].sum(("y", "x")), 500 * 0.97532, rtol=1e-3)
    assert np.abs(predicted["counts"].sum(("y", "x")) - 488).max() < 60
    middle = predicted["density"].isel(u=10, v=10)
    np.testing.assert_allclose(middle, 1 / (2 * np.pi), rtol=0.6)


def test_divergences_are_positive_and_the_mixture_is_no_worse_than_its_members(predicted):
    """Up to the error of the sample: KL is convex, so that the mean of densities has at most their mean divergence."""
    assert (predicted["kl"] > -0.05).all() and (predicted["kl"] < 1).all()
    assert (predicted["kl_ensemble"] <= predicted["kl"].mean("member") + 1e-6).all()


def test_comparison_has_the_documents_place_first(trained, predicted):
    names = {example: example for example in ("mean", "firework", "mean_close", "firework_close")}
    of = {"trained": dict.fromkeys(names, trained), "predicted": dict.fromkeys(names, predicted)}
    found = study.compare(SETTINGS["comparison"], **of)
    assert list(found["point"].values[:3]) == ["25 bins", "10 bins", "50 bins"] and found.sizes["point"] == 5
    home = found.isel(point=0)
    losses = trained.sel(iteration=trained["selected"])
    np.testing.assert_allclose(home["gap"].sel(run="mean"), (losses["valid"] - losses["train"]).mean())
    np.testing.assert_array_equal(home["selected"].sel(run="mean").dropna("seed")[:, 0], trained["selected"])
    far, kl = (home[name].sel(run=["mean_trained", "mean_unseen"]).isel(epoch=0) for name in ("far", "kl"))
    assert list(far.notnull().sum("seed")) == [15, 1] and ((far >= 0) | far.isnull()).all()
    np.testing.assert_allclose(np.sort(kl.values[np.isfinite(kl)]), np.sort(predicted["kl_ensemble"]))
    assert home["width"].sel(run="mean_trained").item() > 0


def test_cross_validation_judges_only_what_was_left_out(sample, trained):
    folds = {"5": trained, "10": trained}
    found = study.cross_validate(SEEDS | FLOW | {"judges": 500}, sample, folds)
    assert list(found["context"].values) == [5, 10]
    np.testing.assert_array_equal(found["mean"], sample["mean"].values[[5, 10]])
    assert found["kl"].shape == (2, 2) and np.isfinite(found["kl"]).all()


def test_firework_about_the_origin_counts_all_events():
    found = study.show_firework({"seed": 0} | SETTINGS["firework"])
    assert float(found["counts"].sum()) == SETTINGS["firework"]["points"] ** 2 * SETTINGS["firework"]["events"]
    assert found.sizes["context"] == SETTINGS["firework"]["few"] ** 2
