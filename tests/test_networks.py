"""Taking events in blocks changes how fast a network is, not what it says; branches see events of their category."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhep.networks import BLOCK, Branched, Observable, built, logits


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


def test_branches_are_those_of_the_category():
    network = Branched(entry=6, widths=(5,), heads=(4,))
    features = jax.random.normal(jax.random.key(0), (7, 3))
    first, second = (jnp.column_stack([features, jnp.full(7, told)]) for told in (-1.0, 1.0))
    parameters = network.init(jax.random.key(1), first)
    names = parameters["params"]

    def by_hand(entry, head, last):
        def dense(name, x):
            return x @ names[name]["kernel"] + names[name]["bias"]

        shared = jax.nn.relu(dense("Dense_2", jax.nn.relu(dense(entry, features))))
        return dense(last, jax.nn.relu(dense(head, shared)))[:, 0]

    np.testing.assert_allclose(network.apply(parameters, first), by_hand("Dense_1", "Dense_3", "Dense_4"), rtol=1e-5)
    np.testing.assert_allclose(network.apply(parameters, second), by_hand("Dense_0", "Dense_5", "Dense_6"), rtol=1e-5)


def test_settings_with_heads_make_branches():
    settings = {"entry": 6, "widths": [5], "heads": [4], "activation": "gelu"}
    assert built(settings) == Branched(6, (5,), (4,), "gelu")
    assert built({"widths": [5, 3], "activation": "tanh"}) == Observable((5, 3), "tanh")
