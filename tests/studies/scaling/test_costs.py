"""Fits and steps of the peers give the same result as ours."""

import jax
import numpy as np
import pytest
from support.study_settings import study_settings

from diffhep.samples import WeightedEvents
from diffhep.studies.scaling import costs, plan

BLOBS, SCALING = (study_settings(study, "quick") for study in ("blobs", "scaling"))
SIZE = {"nuisance_parameters": 2, "bins": 3, "channels": 1, "batch_size": 20}


@pytest.mark.parametrize("work", ["fit", "limit"])
def test_pyhf_and_we_agree(work):
    ours, theirs = (costs.statistics(work, peer, SIZE, 0).run() for peer in ("diffhep", "pyhf"))
    assert ours == pytest.approx(theirs, rel=1e-3)


def test_a_step_returns_the_loss_of_the_batch():
    rng = np.random.default_rng(0)
    events = WeightedEvents(
        jax.numpy.asarray(rng.normal(size=(4, 30, 2)), jax.numpy.float32), jax.numpy.ones((4, 30), jax.numpy.float32)
    )
    settings = plan.cost_measurement(SCALING, BLOBS, "step", 0)
    assert 0 < costs.step("diffhep", SIZE, settings, events).run() < 1  # CLs
    assert costs.step(costs.CROSS_ENTROPY, SIZE, settings, events).run() == pytest.approx(np.log(2), abs=0.4)


def test_the_shift_of_the_blobs_is_shared_by_all_nuisance_parameters():
    np.testing.assert_allclose(costs._patterns(1, 5, seed=0), 1)
    np.testing.assert_allclose((costs._patterns(4, 5, seed=0) ** 2).sum(axis=0), 1)
