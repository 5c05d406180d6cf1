"""Noise of gradients falls with the batch; costs are told of every size and peer until patience ends."""

import time

import numpy as np
import pytest
from support.study_settings import study_settings

from diffhep.peers import timing
from diffhep.studies.blobs import stages as blobs_stages
from diffhep.studies.blobs.settings import Generation
from diffhep.studies.scaling import plan, stages
from diffhep.typed_settings import from_plain

BLOBS, SCALING = (study_settings(study, "quick") for study in ("blobs", "scaling"))
EVENTS = 300
DATA = from_plain(Generation, {"seed": 0, "events": 400, "test_fraction": 0.25, "means": BLOBS.data.means.plain()})


@pytest.fixture(scope="module")
def noise():
    settings = plan.noise_measurement(SCALING, BLOBS, 0).model_copy(
        update={"objectives": ("bce_augmented", "cls"), "batch_sizes": (10, EVENTS), "batches": 1000}
    )
    return stages.gradient_noise(settings, blobs_stages.generate(DATA))


def test_a_batch_of_all_events_has_their_gradient(noise):
    last = noise.sel(batch_size=EVENTS)
    np.testing.assert_allclose(last["bias"], 0, atol=1e-4)  # networks are in single precision
    np.testing.assert_allclose(last["spread"], 0, atol=1e-4)
    np.testing.assert_allclose(last["cosine"], 1, atol=1e-6)


def test_spread_falls_with_the_size_of_the_batch(noise):
    assert (np.diff(noise["spread"]) < 0).all() and (np.diff(noise["cosine"]) > 0).all()


def test_a_mean_over_events_has_no_bias_and_cls_has(noise):
    small = noise.sel(batch_size=10)
    assert small["bias"].sel(objective="bce_augmented") < 2 * small["bias_error"].sel(objective="bce_augmented")
    assert small["bias"].sel(objective="cls") > 4 * small["bias_error"].sel(objective="cls")


def test_measures_of_known_gradients():
    gradients = np.array([[1.0, 1.0], [1.0, -1.0]])
    found = dict(zip(stages.MEASURES, stages._compare(gradients, np.array([2.0, 0.0])), strict=True))
    expected = {"bias": 0.5, "bias_error": 0.5 / np.sqrt(2), "spread": 0.5, "cosine": 1 / np.sqrt(2)}
    for name, value in expected.items():
        assert found[name] == pytest.approx(value), name


def cost(work, **changes):
    settings = plan.cost_measurement(SCALING, BLOBS, work, 0)
    settings = settings.model_copy(update={"repeats": 1, "patience": 100.0, **changes})
    return stages.cost(settings, blobs_stages.generate(DATA))


def test_a_peer_that_takes_too_long_is_asked_no_more(monkeypatch):
    def slow(work, peer, size, seed):
        result = float(size["bins"])
        return timing.Workload(lambda: time.sleep(0.2) or result if peer == "slow" else result, lambda: 8, 0.0)

    monkeypatch.setattr(stages.costs, "statistics", slow)
    found = cost(
        "fit", peers=("quick", "slow"), patience=0.1, home={"bins": 3}, axes={"bins": (5, 9), "channels": (1, 2)}
    )
    assert list(found["size"].values) == [5, 9, 1, 2] and list(found["axis"].values) == ["bins"] * 2 + ["channels"] * 2
    np.testing.assert_allclose(found["result"].sel(peer="quick"), [5, 9, 3, 3])
    np.testing.assert_allclose(found["result"].sel(peer="slow"), [5, np.nan, 3, np.nan])
    assert (found["seconds"].sel(peer="slow").dropna("point") > 0.2).all()
    assert found["bytes"].sel(peer="slow").isnull().all() and (found["bytes"].sel(peer="quick") == 8).all()


def test_a_step_costs_time_and_memory_and_cross_entropy_less():
    found = cost(
        "step", axes={"nuisance_parameters": [1, 3]}, home={"nuisance_parameters": 1, "bins": 5, "batch_size": 50}
    )
    assert (found["seconds"] > 0).all() and (found["preparation"] > 0).all()
    ours, bare = (found["bytes"].sel(peer=peer) for peer in ("diffhep", "cross_entropy"))
    assert (ours > bare).all()
    assert found["result"].sel(peer="cross_entropy").std() == 0  # no parameter enters
