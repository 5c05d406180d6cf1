"""Classifiers are tested on distorted events, beside the best decisions that the true densities allow."""

import numpy as np
import pytest
from support.study_settings import study_settings

from diffhep.studies.contrastive import robustness as robust

SETTINGS = study_settings("contrastive", "quick")
SEEDS = {"seed": 0, "seeds_at_once": "auto"}
FLOW = SETTINGS["flow"] | SEEDS
CLASSIFIER = SETTINGS["classifier"] | SEEDS
SAMPLE = {key: SETTINGS[key] for key in ("gaussians", "events", "validation")} | {"seed": 0}
RNG = np.random.default_rng(0)
TEN = SAMPLE | {"dimension": SETTINGS["ten"]["dimension"]}
ROBUSTNESS = TEN | {key: SETTINGS["ten"][key] for key in ("angles", "per_angle", "test_angles", "test_events", "cut")}


@pytest.fixture(scope="module")
def scenario():
    """Accuracies of two seeds, and the flows."""
    pair = {
        label: robust.train_flow(TEN | FLOW | {"strength": 1.0, "label": label}) for label in ("signal", "background")
    }
    plain = robust.train_classifier(TEN | CLASSIFIER)
    settings = ROBUSTNESS | {"classifier": CLASSIFIER, "flow": SETTINGS["flow"]["flow"], "test_events": 2000}
    settings |= {"kind": "rotation", "low": -0.3, "high": 0.9, "test_angles": 5}
    found = robust.measure_accuracy(settings, **pair, plain=plain)
    return {"0": found, "1": found + RNG.normal(0, 0.01, found["accuracy"].shape), "flows": pair}


def test_the_flow_of_each_class_has_its_own_scale(scenario):
    centres = [float(flow["centre"]) for flow in scenario["flows"].values()]
    assert centres[0] != centres[1] and all(float(flow["spread"]) > 0 for flow in scenario["flows"].values())


def test_the_class_that_a_flow_learns_comes_first(scenario, monkeypatch):
    seen = []

    def record(settings, events, valid, checkpoint):
        seen.append(np.asarray(events.events))
        return scenario["flows"]["signal"]

    monkeypatch.setattr(robust.contrastive, "train", record)
    monkeypatch.setattr(robust.classifiers, "train", record)
    robust.train_classifier(TEN | CLASSIFIER)
    for label in ("signal", "background"):
        robust.train_flow(TEN | FLOW | {"label": label})
    np.testing.assert_array_equal(seen[1], seen[0])
    np.testing.assert_array_equal(seen[2], seen[0][::-1])


def test_optimal_decisions_have_the_accuracy_of_the_true_densities(scenario):
    found = scenario["0"]["accuracy"]
    assert list(found["classifier"].values) == [*robust.CLASSIFIERS, *robust.PREDICTIONS]
    assert ((found > 0.2) & (found < 0.9)).all()
    undistorted = found.isel(phi=1)
    np.testing.assert_allclose(found["phi"], [-0.3, 0.0, 0.3, 0.6, 0.9])
    assert float(undistorted.sel(classifier="likelihood_ratio")) == pytest.approx(0.825, abs=0.02)
    assert float(undistorted.sel(classifier="optimum")) == pytest.approx(0.825, abs=0.02)
    distorted = found.isel(phi=-1)
    assert distorted.sel(classifier="averaged") > distorted.sel(classifier="likelihood_ratio") + 0.1


def test_accuracies_are_compared_without_and_with_large_distortion(scenario):
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
