"""A loop side by side for many data sets ends where each alone does, and is traced once."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhep.inference.newton import batching


def lax_loop(unfinished, step, begin, data):
    return jax.lax.while_loop(unfinished, step, begin)


@pytest.mark.parametrize(("while_loop", "times"), [(batching.while_loop, 1), (lax_loop, 2)])
def test_how_often_a_loop_is_traced_side_by_side(while_loop, times):
    traced = []

    @jax.custom_batching.custom_vmap
    def half(x):
        return x / 2

    @half.def_vmap
    def _(size, batched, x):
        traced.append(size)
        return x / 2, True

    def halvings(data):
        begin = 0, data[0]
        return while_loop(lambda state: state[1] > 1, lambda state: (state[0] + 1, half(state[1])), begin, data)[0]

    found = jax.jit(jax.vmap(halvings))(jnp.array([[1.0], [2.0], [16.5], [0.0], [jnp.nan]]))
    np.testing.assert_array_equal(found, [0, 1, 5, 0, 0])
    assert len(traced) == times
