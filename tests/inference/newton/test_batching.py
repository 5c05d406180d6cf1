"""Batched maps and loops: results do not depend on the batches, and functions are traced once."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhep.inference.newton import batching


@pytest.mark.parametrize(("number", "size", "padded"), [(7, 3, 9), (6, 3, 6), (2, 3, 2), (3, 3, 3)])
def test_padding_gives_whole_batches_with_copies_of_the_last_entry(number, size, padded):
    (values, rows), results = batching.pad_to_batches((jnp.arange(number), jnp.ones((number, 4))), size)
    assert len(values) == padded == len(rows) and rows.shape[1:] == (4,)
    assert padded % results == 0 and results <= size
    np.testing.assert_array_equal(values, np.minimum(np.arange(padded), number - 1))


@pytest.mark.parametrize("number", [1, 4, 5, 9])
def test_results_are_those_of_the_function_of_every_entry(number):
    values = np.arange(float(number))
    results = batching.map_in_batches(
        lambda entry: {"square": entry[0] ** 2, "pair": jnp.stack(entry)}, (values, -values), 4
    )
    np.testing.assert_array_equal(results["square"], values**2)
    np.testing.assert_array_equal(results["pair"], np.stack([values, -values], axis=1))


def test_the_function_is_traced_once_with_an_incomplete_last_batch():
    traced = []

    def function(entry):
        traced.append(entry)
        return 2 * entry

    assert jax.jit(lambda values: batching.map_in_batches(function, values, 4))(jnp.arange(10.0)).shape == (10,)
    assert len({entry.shape for entry in traced}) == 1 and len(traced) == 1


def lax_loop(unfinished, step, initial, data):
    return jax.lax.while_loop(unfinished, step, initial)


@pytest.mark.parametrize(("while_loop", "times"), [(batching.while_loop, 1), (lax_loop, 2)])
def test_loops_end_separately_under_vmap_and_are_traced_once(while_loop, times):
    traced = []

    @jax.custom_batching.custom_vmap
    def half(x):
        return x / 2

    @half.def_vmap
    def _(size, batched, x):
        traced.append(size)
        return x / 2, True

    def halvings(data):
        initial = 0, data[0]
        return while_loop(lambda state: state[1] > 1, lambda state: (state[0] + 1, half(state[1])), initial, data)[0]

    counts = jax.jit(jax.vmap(halvings))(jnp.array([[1.0], [2.0], [16.5], [0.0], [jnp.nan]]))
    np.testing.assert_array_equal(counts, [0, 1, 5, 0, 0])
    assert len(traced) == times
