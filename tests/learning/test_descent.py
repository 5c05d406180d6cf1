"""Gradient descent keeps its way and ends at the minimum."""

import jax.numpy as jnp
import numpy as np
import optax

from diffhep.learning.optimisers import adam_trajectory


def bowl(x):
    return jnp.sum((x - jnp.array([1.0, -2.0])) ** 2)


def test_the_way_begins_at_the_start_and_ends_at_the_minimum():
    way = adam_trajectory(bowl, jnp.array([3.0, 3.0]), learning_rate=0.05, steps=1000)
    assert way.shape == (1001, 2)
    np.testing.assert_array_equal(way[0], [3.0, 3.0])
    np.testing.assert_allclose(way[-1], [1.0, -2.0], atol=1e-3)


def test_the_first_step_of_adam_is_the_learning_rate():
    way = adam_trajectory(bowl, jnp.array([3.0, 3.0]), learning_rate=0.05, steps=1)
    np.testing.assert_allclose(way[1], [2.95, 2.95], rtol=1e-5)


def test_steps_are_optax_s():
    way = adam_trajectory(bowl, jnp.array([3.0, 3.0]), learning_rate=0.05, steps=5)
    optimiser, point = optax.adam(0.05), jnp.array([3.0, 3.0])
    memory = optimiser.init(point)
    for _ in range(5):
        updates, memory = optimiser.update(2 * (point - jnp.array([1.0, -2.0])), memory)
        point = optax.apply_updates(point, updates)
    np.testing.assert_allclose(way[-1], point, rtol=1e-6)
