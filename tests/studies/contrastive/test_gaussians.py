"""Learned densities are compared with the optimal ones, by strength and by variant of the flow."""

import numpy as np
import pytest
import xarray as xr
from support.study_settings import study_settings

from diffhep.studies.contrastive import gaussians as study

SETTINGS = study_settings("contrastive", "quick")
SEEDS = {"seed": 0, "seeds_at_once": "auto"}
FLOW = SETTINGS["flow"] | SEEDS
CLASSIFIER = SETTINGS["classifier"] | SEEDS
SAMPLE = {key: SETTINGS[key] for key in ("gaussians", "events", "validation")} | {"seed": 0}
STRENGTHS = [1.0, 20.0]


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
    seen, valid = study.split_samples(sample["events"].values, sample["valid"].values, 0)
    np.testing.assert_array_equal(valid.events, sample["events"].values[:, :120])
    np.testing.assert_array_equal(seen.events, sample["events"].values[:, 120:])
    assert seen.context.shape == (2, 480, 0)


def test_surfaces_are_normalised_and_the_optimal_ones_have_known_norms(surfaces):
    area = float(surfaces["x"].diff("x")[0] * surfaces["y"].diff("y")[0])
    np.testing.assert_allclose(surfaces["best"].sum(("x", "y")) * area, 1.0)
    np.testing.assert_allclose(surfaces["learned"].sum(("x", "y")) * area, 1.0, atol=0.05)
    np.testing.assert_allclose(surfaces["norm"], [0.645, 0.073], atol=0.003)
    np.testing.assert_allclose(surfaces["best_accepted"], [[0.84, 0.193], [0.173, 0.005]], atol=0.09)  # of 120 events
    expected = np.abs(surfaces["learned"] - surfaces["best"]).sum(("x", "y")) * area / 2
    np.testing.assert_allclose(surfaces["distance"], expected)
    assert ((surfaces["distance"] > 0) & (surfaces["distance"] < 1)).all()


def test_the_smallest_decrease_of_accepted_shares_is_that_between_strengths(surfaces):
    steps = surfaces["accepted"].sel(strength=1.0) - surfaces["accepted"].sel(strength=20.0)
    np.testing.assert_allclose(surfaces["min_accepted_decrease"], steps)
    assert 0 <= float(surfaces["agreement"]) <= 1 and ((surfaces["score"] > 0) & (surfaces["score"] < 1)).all()


def test_decreases_are_between_neighbouring_strengths_in_any_order(sample, flows):
    settings = SETTINGS | SETTINGS["surfaces"] | {"strengths": STRENGTHS[::-1]}
    reverse = dict(reversed(flows.items()))
    classifier = study.train_classifier(CLASSIFIER | {"iterations": 20}, sample)
    found = study.surfaces(settings, sample, reverse, classifier)
    decrease = found["accepted"].sel(strength=1.0) - found["accepted"].sel(strength=20.0)
    np.testing.assert_allclose(found["min_accepted_decrease"], decrease)
    points = np.stack(np.meshgrid(found["x"], found["y"]), axis=-1)
    logits = study.logits(CLASSIFIER["network"], classifier, points)
    np.testing.assert_allclose(found["score"], 1 / (1 + np.exp(-logits)), rtol=1e-5)


def test_equal_variants_have_equal_results(sample, flows):
    changes = {"hyperbolic": {}, "again": {}}
    trained = {f"{name}_1.0": flows["hyperbolic_1.0"] for name in changes}
    found = study.compare(SETTINGS | SETTINGS["surfaces"] | {"variants": changes}, sample, trained)
    assert found["mass"].shape == (2, 3) and found["valid"].sizes["iteration"] == 3
    np.testing.assert_allclose(found["mass"][:, 1:], 1.0, atol=0.02)
    xr.testing.assert_equal(found.isel(variant=0, drop=True), found.isel(variant=1, drop=True))
    assert ((found["accuracy"] >= 0.4) & (found["accuracy"] <= 1)).all()
    np.testing.assert_array_equal(found["iteration"], [0, 20, 40])


def test_variants_change_only_the_settings_that_they_name():
    found = study.variants(SETTINGS)
    assert found["hyperbolic"] == SETTINGS["flow"] and found["literal"]["flow"]["layers"] == 4
    assert found["literal"]["flow"]["couplings"] == ["gated_affine", "quadratic_literal"]
    assert found["hyperbolic_batch"]["clamp"] == "batch"
