"""Events of single pseudo-experiments have the expected numbers, and padding does not count."""

import numpy as np
import pytest
from support.higgsml import SETTINGS

from diffhep.studies.higgsml import toy_events
from diffhep.studies.higgsml.events import pool_samples, reconstruction

NOMINAL = np.array([1.0, 1.0, 0.0, 1.0, 1.0, 1.0])
MEANS = np.array([1000.0, 0.0, 500.0, 0.0])


def test_events_are_drawn_by_process_and_padded(pools):
    reconstruct, samples = reconstruction(SETTINGS["columns"]["logarithms"]), pool_samples(pools, "test")
    efficiencies = []
    for sample in samples:
        _, category, selected = reconstruct(sample.primaries, tuple(NOMINAL[:3]), sample.noise)
        mask = np.asarray(selected) & (np.asarray(category) >= 0)
        efficiencies.append(sample.weights[mask].sum() / sample.weights.sum())
    toy = toy_events.draw_toy(samples, MEANS, 2000, np.random.default_rng(0))
    events = toy_events.reconstruct_toy(reconstruct, toy, NOMINAL)
    assert events.inputs.shape == (2000, 29) and set(np.unique(events.counts)) == {0.0, 1.0}
    assert float(events.counts.sum()) == pytest.approx(MEANS @ efficiencies, abs=5 * np.sqrt(1500))
    assert set(np.unique(events.inputs[events.counts > 0, -1])) == {0.0, 1.0}


def test_number_of_events_is_poisson_distributed(pools):
    samples, rng = pool_samples(pools, "test"), np.random.default_rng(1)
    numbers = [toy_events.draw_toy(samples, MEANS, 2000, rng).number for _ in range(100)]
    assert np.mean(numbers) == pytest.approx(1500, abs=5 * np.sqrt(1500 / 100))
    assert np.std(numbers) == pytest.approx(np.sqrt(1500), rel=0.3)


def test_more_events_than_room_are_refused(pools):
    with pytest.raises(ValueError, match=r"\d+ events were drawn where there is room for 1000: ask for more room"):
        toy_events.draw_toy(pool_samples(pools, "test"), MEANS, 1000, np.random.default_rng(0))
