"""Taking events in blocks changes how fast a network is, not what it says."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhep.networks import BLOCK, Observable, logits


@pytest.mark.parametrize("events", [3, BLOCK, BLOCK + 7])
def test_blocks_say_what_the_network_says(events):
    network = Observable((8, 8))
    features = jax.random.normal(jax.random.key(0), (4, events, 2))
    parameters = network.init(jax.random.key(1), features[0, 0])
    np.testing.assert_allclose(logits(network, parameters, features), network.apply(parameters, features), atol=1e-6)


def test_gradients_through_blocks_are_those_of_the_network():
    network = Observable((8, 8))
    features = jax.random.normal(jax.random.key(0), (4, 700, 2))
    parameters = network.init(jax.random.key(1), features[0, 0])
    blocked = jax.grad(lambda p: jnp.mean(logits(network, p, features) ** 2))(parameters)
    whole = jax.grad(lambda p: jnp.mean(network.apply(p, features) ** 2))(parameters)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6), blocked, whole)
