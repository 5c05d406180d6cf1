"""The stages of the study: known events, densities by strength and variant, distorted tests, digits that stay apart."""

import numpy as np
import pytest
import xarray as xr
from support.study_settings import study_settings

from diffhep.merging import merge
from diffhep.studies.contrastive import digits
from diffhep.studies.contrastive import gaussians as study
from diffhep.studies.contrastive import robustness as robust

SETTINGS = study_settings("contrastive", "quick")
SEEDS = {"seed": 0, "seeds_at_once": "auto"}
FLOW = SETTINGS["flow"] | SEEDS
CLASSIFIER = SETTINGS["classifier"] | SEEDS
SAMPLE = {key: SETTINGS[key] for key in ("gaussians", "events", "validation")} | {"seed": 0}
STRENGTHS = [1.0, 20.0]
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def sample():
    return study.generate(SAMPLE)


@pytest.fixture(scope="module")
def flows(sample):
    return {f"hyperbolic_{c}": study.train_flow(FLOW | {"strength": c}, sample) for c in STRENGTHS}


@pytest.fixture(scope="module")
def surfaces(sample, flows):
    settings = SETTINGS | SETTINGS["surfaces"] | {"strengths": STRENGTHS, "points": 121}
    return study.surfaces(settings, sample, flows, study.train_classifier(CLASSIFIER, sample))


def test_a_share_of_the_events_validates(sample):
    assert sample["events"].shape == (2, 600, 2) and int(sample["valid"].sum()) == 120
    seen, valid = study.split_pairs(sample["events"].values, sample["valid"].values, 0)
    np.testing.assert_array_equal(valid.events, sample["events"].values[:, :120])
    np.testing.assert_array_equal(seen.events, sample["events"].values[:, 120:])
    assert seen.context.shape == (2, 480, 0)


def test_surfaces_are_densities_and_the_best_ones_known(surfaces):
    area = float(surfaces["x"].diff("x")[0] * surfaces["y"].diff("y")[0])
    np.testing.assert_allclose(surfaces["best"].sum(("x", "y")) * area, 1.0)
    np.testing.assert_allclose(surfaces["learned"].sum(("x", "y")) * area, 1.0, atol=0.05)
    np.testing.assert_allclose(surfaces["norm"], [0.645, 0.073], atol=0.003)
    np.testing.assert_allclose(surfaces["best_kept"], [[0.84, 0.193], [0.173, 0.005]], atol=0.09)  # of 120 events
    expected = np.abs(surfaces["learned"] - surfaces["best"]).sum(("x", "y")) * area / 2
    np.testing.assert_allclose(surfaces["distance"], expected)
    assert ((surfaces["distance"] > 0) & (surfaces["distance"] < 1)).all()


def test_shares_that_are_kept_fall_by_the_steps_that_are_told(surfaces):
    steps = surfaces["kept"].sel(strength=1.0) - surfaces["kept"].sel(strength=20.0)
    np.testing.assert_allclose(surfaces["sharper"], steps)
    assert 0 <= float(surfaces["agreement"]) <= 1 and ((surfaces["score"] > 0) & (surfaces["score"] < 1)).all()


def test_steps_are_between_neighbouring_strengths_in_any_order(sample, flows):
    settings = SETTINGS | SETTINGS["surfaces"] | {"strengths": STRENGTHS[::-1]}
    turned = dict(reversed(flows.items()))
    classifier = study.train_classifier(CLASSIFIER | {"iterations": 20}, sample)
    found = study.surfaces(settings, sample, turned, classifier)
    kept = found["kept"].sel(strength=1.0) - found["kept"].sel(strength=20.0)
    np.testing.assert_allclose(found["sharper"], kept)
    points = np.stack(np.meshgrid(found["x"], found["y"]), axis=-1)
    logits = study.logits(CLASSIFIER["network"], classifier, points)
    np.testing.assert_allclose(found["score"], 1 / (1 + np.exp(-logits)), rtol=1e-5)


def test_variants_are_compared_at_the_same_events(sample, flows):
    changes = {"hyperbolic": {}, "again": {}}
    trained = {f"{name}_1.0": flows["hyperbolic_1.0"] for name in changes}
    found = study.compare(SETTINGS | SETTINGS["surfaces"] | {"variants": changes}, sample, trained)
    assert found["mass"].shape == (2, 3) and found["valid"].sizes["iteration"] == 3
    np.testing.assert_allclose(found["mass"][:, 1:], 1.0, atol=0.02)
    xr.testing.assert_equal(found.isel(variant=0, drop=True), found.isel(variant=1, drop=True))
    assert ((found["accuracy"] >= 0.4) & (found["accuracy"] <= 1)).all()
    np.testing.assert_array_equal(found["iteration"], [0, 20, 40])


def test_variants_differ_from_the_flow_in_what_they_name():
    found = study.variants(SETTINGS)
    assert found["hyperbolic"] == SETTINGS["flow"] and found["literal"]["flow"]["layers"] == 4
    assert found["literal"]["flow"]["couplings"] == ["gated_affine", "quadratic_literal"]
    assert found["hyperbolic_batch"]["clamp"] == "batch"


TEN = SAMPLE | {"dimension": SETTINGS["ten"]["dimension"]}
TESTED = TEN | {key: SETTINGS["ten"][key] for key in ("angles", "per_angle", "tested", "test_events", "cut")}


@pytest.fixture(scope="module")
def scenario():
    """Accuracies, others like them, and the flows."""
    pair = {
        label: robust.train_flow(TEN | FLOW | {"strength": 1.0, "label": label}) for label in ("signal", "background")
    }
    plain = robust.train_classifier(TEN | CLASSIFIER)
    settings = TESTED | {"classifier": CLASSIFIER, "flow": SETTINGS["flow"]["flow"], "test_events": 2000}
    settings |= {"kind": "rotation", "low": -0.3, "high": 0.9, "tested": 5}
    found = robust.measure_accuracy(settings, **pair, plain=plain)
    return {"0": found, "1": found + RNG.normal(0, 0.01, found["accuracy"].shape), "flows": pair}


def test_flows_of_both_classes_are_scaled_by_their_own_densities(scenario):
    centres = [float(flow["centre"]) for flow in scenario["flows"].values()]
    assert centres[0] != centres[1] and all(float(flow["spread"]) > 0 for flow in scenario["flows"].values())


def test_the_class_that_a_flow_wants_comes_first(scenario, monkeypatch):
    seen = []

    def noted(settings, events, valid, checkpoint):
        seen.append(np.asarray(events.events))
        return scenario["flows"]["signal"]

    monkeypatch.setattr(robust.contrastive, "train", noted)
    monkeypatch.setattr(robust.classifiers, "train", noted)
    robust.train_classifier(TEN | CLASSIFIER)
    for label in ("signal", "background"):
        robust.train_flow(TEN | FLOW | {"label": label})
    np.testing.assert_array_equal(seen[1], seen[0])
    np.testing.assert_array_equal(seen[2], seen[0][::-1])


def test_predictions_are_what_the_true_densities_allow(scenario):
    found = scenario["0"]["accuracy"]
    assert list(found["classifier"].values) == [*robust.CLASSIFIERS, *robust.PREDICTIONS]
    assert ((found > 0.2) & (found < 0.9)).all()
    undistorted = found.isel(phi=1)
    np.testing.assert_allclose(found["phi"], [-0.3, 0.0, 0.3, 0.6, 0.9])
    assert float(undistorted.sel(classifier="likelihood_ratio")) == pytest.approx(0.825, abs=0.02)
    assert float(undistorted.sel(classifier="optimum")) == pytest.approx(0.825, abs=0.02)
    far = found.isel(phi=-1)
    assert far.sel(classifier="averaged") > far.sel(classifier="likelihood_ratio") + 0.1


def test_comparison_looks_near_and_far(scenario):
    joined = robust.join_seeds({}, {name: scenario[name] for name in ("0", "1")})
    assert list(joined["seed"].values) == [0, 1]
    found = robust.compare({}, {"a": joined, "b": joined})
    assert found["accuracy"].dims == ("point", "run", "seed", "epoch") and list(found["point"].values) == ["a", "b"]
    plain = joined["accuracy"].sel(classifier="plain")
    np.testing.assert_allclose(found["accuracy"].sel(point="a", run="plain").isel(epoch=0), plain.isel(phi=1))
    np.testing.assert_allclose(
        found["accuracy"].sel(point="b", run="plain").isel(epoch=1), plain.isel(phi=[3, 4]).mean("phi")
    )
    misses = np.abs(plain - joined["accuracy"].sel(classifier="likelihood_ratio")).max("phi")
    assert float(found["plain_misses"][0]) == pytest.approx(float(misses.mean()))
    assert float(found["flow_misses_error"][0]) >= 0


IMAGES = SETTINGS["digits"]["images"] | {"seed": 0, "digits": [0, 8]}
TRAINING = merge(SETTINGS["flow"], SETTINGS["digits"]["training"])


@pytest.fixture(scope="module")
def trained():
    return digits.train(TRAINING | SEEDS | IMAGES | {"strength": 2.0})


def test_images_for_tests_are_no_copies_of_others():
    still = IMAGES | {"turned": 0.0, "moved": 0.0, "noise": 1e-6, "copies": 3}
    seen, kept = digits.load_images(still, 0)
    assert len(seen) == 3 * round(0.75 * 178) and len(kept) == 178 - round(0.75 * 178)
    assert np.abs(seen[:, None] - kept).max(axis=-1).min() > 0.01
    np.testing.assert_allclose(seen[:134], seen[134:268], atol=1e-4)
    assert seen.min() > -0.01 and seen.max() < 1.01


def test_copies_are_changed_a_little():
    seen = digits.load_images(IMAGES | {"noise": 1e-6}, 8)[0]
    first, again = np.split(seen, 2)
    assert (np.abs(first - again).max(axis=-1) > 0.01).all()
    apart = np.abs(first - again).mean(axis=-1), np.abs(first - np.roll(again, 1, axis=0)).mean(axis=-1)
    assert np.median(apart[0]) < np.median(apart[1])


def test_images_that_flows_make_have_pixels(trained):
    flow = {"seed": 0, "flow": TRAINING["flow"], "shown": 5}
    found = digits.generate_images(flow, {"2.0": trained})
    assert found["image"].shape == (1, 5, 8, 8) and np.isfinite(found["image"]).all()


def test_judged_images_are_sorted_by_the_density_that_training_sees(trained):
    found = digits.evaluate_images(IMAGES | {"flow": TRAINING["flow"], "floor": -500.0}, trained)
    assert (np.diff(found["log_density"]) <= 0).all() and float(found["floor"]) == -500.0
    kept = [digits.load_images(IMAGES, digit)[1] for digit in (0, 8)]
    assert int(found["wanted"].sum()) == len(kept[0]) and found.sizes["image"] == sum(map(len, kept))
    wanted = found["image"].values[found["wanted"].values].reshape(-1, 64)
    np.testing.assert_allclose(np.sort(wanted.sum(axis=1)), np.sort(kept[0].sum(axis=1)))
    assert -300 < float(found["log_density"].median()) < -50  # of 64 pixels of unit width
