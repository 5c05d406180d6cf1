"""The observable is trained with smooth histograms and evaluated with hard ones."""

import jax
import numpy as np
from support.blobs_runs import RUN, YIELDS, with_changes

from diffhep.studies.blobs.observable import build_task, plane_axis


def test_hard_yields_are_counts_of_scores(events):
    task, data = build_task(RUN, events)
    parameters = task.initialise(jax.random.key(0))
    metrics = task.evaluate(parameters, data.held_out)
    total = (np.asarray(metrics["yields"]) - YIELDS["floor"]).sum(axis=1)
    np.testing.assert_allclose(total, [20, 100, 100, 100], rtol=1e-9)
    assert np.asarray(metrics["counts"]).sum() == data.held_out.weights.size


def test_runs_of_equal_settings_share_their_functions(events):
    first, second = (build_task(RUN, events)[0] for _ in range(2))
    other, _ = build_task(with_changes(RUN, bandwidth=0.2), events)
    assert first.loss == second.loss and hash(first.loss) == hash(second.loss) and first.loss != other.loss
    assert first.evaluate == other.evaluate  # hard histograms have no bandwidth


def test_cross_entropy_trains_on_two_samples(events):
    _, data = build_task(with_changes(RUN, objective={"bce": 1.0}), events)
    assert len(data.events.weights) == 2 and len(data.held_out.weights) == 4


def test_the_plane_has_its_ends_and_points():
    axis = plane_axis(RUN.plane)
    assert (axis[0], axis[-1], len(axis)) == (-3.0, 3.0, 7)
