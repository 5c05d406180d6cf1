"""Networks: evaluation in blocks is exact, and branches belong to categories."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhep.learning.networks import BLOCK_SIZE, BranchedNetwork, DenseNetwork, build_network, logits

NETWORK = DenseNetwork((8, 8))
relu = partial(np.maximum, 0)


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape)


@pytest.fixture(scope="module")
def parameters():
    return jax.jit(NETWORK.init)(jax.random.key(1), normal(2))


@pytest.mark.parametrize("events", [3, BLOCK_SIZE, BLOCK_SIZE + 7])
def test_evaluation_in_blocks_gives_the_output_of_the_network(parameters, events):
    both = jax.jit(lambda p, x: (logits(NETWORK, p, x), NETWORK.apply(p, x)))
    blocked, direct = both(parameters, normal(4, events, 2))
    np.testing.assert_allclose(blocked, direct, atol=1e-6)


def test_gradients_through_blocks_are_those_of_the_network(parameters):
    def squares(apply):
        return jax.jit(jax.grad(lambda p, x: jnp.mean(apply(p, x) ** 2)))(parameters, normal(4, 700, 2))

    blocked, direct = squares(partial(logits, NETWORK)), squares(NETWORK.apply)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6), blocked, direct)


def test_an_event_passes_the_branch_of_its_category():
    network = BranchedNetwork(entry=6, widths=(5,), heads=(4,))
    features = normal(7, 3)
    first, second = (np.column_stack([features, np.full(7, category)]) for category in (-1.0, 1.0))
    parameters = jax.tree.map(np.asarray, jax.jit(network.init)(jax.random.key(1), first))
    apply = jax.jit(network.apply)
    names = parameters["params"]

    def by_hand(entry, head, last):
        def dense(name, x):
            return x @ names[name]["kernel"] + names[name]["bias"]

        shared = relu(dense("Dense_2", relu(dense(entry, features))))
        return dense(last, relu(dense(head, shared)))[:, 0]

    np.testing.assert_allclose(apply(parameters, first), by_hand("Dense_1", "Dense_3", "Dense_4"), rtol=1e-5)
    np.testing.assert_allclose(apply(parameters, second), by_hand("Dense_0", "Dense_5", "Dense_6"), rtol=1e-5)


def test_settings_with_heads_build_a_branched_network():
    settings = {"entry": 6, "widths": [5], "heads": [4], "activation": "gelu"}
    assert build_network(settings) == BranchedNetwork(6, (5,), (4,), "gelu")
    assert build_network({"widths": [5, 3], "activation": "tanh"}) == DenseNetwork((5, 3), "tanh")
