"""Chunks: each entry once, in one program, however many there are and whatever the size of a chunk."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhep.inference.newton import batching


@pytest.mark.parametrize(("number", "size", "whole"), [(7, 3, 9), (6, 3, 6), (2, 3, 2), (3, 3, 3)])
def test_chunks_are_whole_and_no_larger_than_there_is_need(number, size, whole):
    (values, rows), found = batching.pad_to_batches((jnp.arange(number), jnp.ones((number, 4))), size)
    assert len(values) == whole == len(rows) and rows.shape[1:] == (4,)
    assert whole % found == 0 and found <= size
    np.testing.assert_array_equal(values, np.minimum(np.arange(whole), number - 1))


@pytest.mark.parametrize("number", [1, 4, 5, 9])
def test_each_is_given_to_the_function_once(number):
    values = np.arange(float(number))
    found = batching.map_in_batches(
        lambda each: {"square": each[0] ** 2, "pair": jnp.stack(each)}, (values, -values), 4
    )
    np.testing.assert_array_equal(found["square"], values**2)
    np.testing.assert_array_equal(found["pair"], np.stack([values, -values], axis=1))


def test_the_function_is_traced_once_with_a_chunk_that_would_be_left_over():
    traced = []

    def function(each):
        traced.append(each)
        return 2 * each

    assert jax.jit(lambda values: batching.map_in_batches(function, values, 4))(jnp.arange(10.0)).shape == (10,)
    assert len({each.shape for each in traced}) == 1 and len(traced) == 1
