"""The training through the fit has each shift up and down, in the model and in the events."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support.higgsml import INFERNO

from diffhep.data.htautau.features import PRIMARY
from diffhep.models import likelihood
from diffhep.studies.higgsml import inferno
from diffhep.studies.higgsml.events import pool_samples


@pytest.fixture(scope="module")
def shifted_events(pools):
    return inferno.draw_shifted_events(INFERNO, pools)


def test_model_reproduces_every_shift_at_one_standard_deviation(shifted_events):
    seen, _ = shifted_events
    build = partial(inferno.build_model, INFERNO, histogram=lambda _, weights: jnp.sum(weights)[None], scale=2.0)
    model = jax.jit(build)(jnp.zeros(seen.weights.shape), seen)
    weights, scaled = np.asarray(seen.weights), np.asarray(seen.scaled)
    sums, scaled_sums = weights.sum(axis=1), (weights[1, :, None] * scaled[0]).sum(axis=0)
    nominal = np.asarray(likelihood.nominal_parameters(model, 1.0))
    for n, background in enumerate([sums[1], *sums[2::2], *scaled_sums[::2]]):
        parameters = nominal.copy()
        parameters[n] = 1.0  # the first is the signal strength, which is 1 anyway
        expected = 0.2 * (sums[0] + background) + 2 * inferno.FLOOR
        np.testing.assert_allclose(likelihood.expected_rates(model, parameters), expected[None], rtol=1e-5)


def test_loss_does_not_depend_on_the_size_of_the_batch(shifted_events):
    seen, _ = shifted_events
    task = inferno.build_task(INFERNO, seen)
    first, loss = jax.jit(task.initialise)(jax.random.key(0)), jax.jit(task.loss)
    repeated = inferno.ShiftedEvents(*(np.concatenate([array, array], axis=1) for array in seen))
    np.testing.assert_allclose(loss(first, repeated), loss(first, seen), rtol=1e-4)


def test_shifted_events_come_in_pairs_up_and_down(pools, shifted_events):
    seen, valid = jax.tree.map(np.asarray, shifted_events)
    assert seen.features.shape == (8, 1000, 29) and seen.scaled.shape == (1, 1000, 6)
    log_pt = seen.features[:, :, PRIMARY.index("PRI_had_pt")]
    np.testing.assert_allclose(log_pt[2] - log_pt[3], np.log(1.01 / 0.99), rtol=1e-3)
    background = sum(sample.weights.sum() for sample in pool_samples(pools, "train")[1:])
    assert float(valid.weights[1].max()) == pytest.approx(background / 1000, rel=1e-5)
    for column, factor in ((0, 1.02), (1, 0.98)):  # top quarks, up and down
        np.testing.assert_allclose(np.unique(seen.scaled[0, :, column]), sorted([1.0, factor]), rtol=1e-6)
