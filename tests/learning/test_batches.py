"""Batches: every event once, masked padding, and draws with repetition."""

import jax
import jax.numpy as jnp
import numpy as np

from diffhep.learning import batches
from diffhep.samples import WeightedEvents

draw_batches = jax.jit(batches.draw_batches, static_argnums=(1, 2), static_argnames="steps")


def test_the_batches_of_an_epoch_have_every_event_once_and_a_mask_for_the_padding():
    order, mask = jax.device_get(draw_batches(jax.random.key(3), 25, 10))
    assert order.shape == mask.shape == (3, 10)
    np.testing.assert_array_equal(np.sort(order[mask > 0]), np.arange(25))
    assert mask.sum() == 25


def test_other_keys_give_other_orders():
    first, second = (np.asarray(draw_batches(jax.random.key(seed), 25, 10)[0]) for seed in (0, 1))
    assert (first != second).any()


def test_with_a_number_of_steps_whole_batches_are_drawn_with_repetition():
    order, mask = jax.device_get(draw_batches(jax.random.key(3), 25, 10, steps=40))
    assert order.shape == mask.shape == (40, 10) and (mask == 1).all()
    counts = np.bincount(np.ravel(order), minlength=25)
    assert len(counts) == 25 and counts.min() > 4  # 16 are expected


def test_a_batch_has_the_selected_events_and_no_weight_on_padding():
    features = np.arange(12.0, dtype=np.float32).reshape(2, 3, 2)
    weights = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], np.float32)
    events = WeightedEvents(*jax.device_put((features, weights)))
    batch = batches.select_batch(events, jnp.array([2, 0, 0]), jnp.array([1.0, 1.0, 0.0]))
    np.testing.assert_array_equal(batch.features, features[:, [2, 0, 0]])
    np.testing.assert_array_equal(batch.weights, [[3.0, 1.0, 0.0], [6.0, 4.0, 0.0]])
