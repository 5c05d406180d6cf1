"""Known values stay numpy arrays; traced values give the arrays of numpy under `jax.jit`."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhep.models import traced_arrays


def test_known_values_become_numpy_arrays_of_float64():
    for values in (3, [1, 2.5], (1, 2), np.arange(3, dtype=np.float32), jnp.arange(2)):
        converted = traced_arrays.as_float64(values)
        assert type(converted) is np.ndarray and converted.dtype == np.float64
        np.testing.assert_array_equal(converted, np.asarray(values))


@pytest.mark.parametrize("convert", [lambda x: x, lambda x: [x[0], 2.0, x[1]], lambda x: (x[0] * 2,)])
def test_traced_values_become_jax_arrays_of_float64(convert):
    def traced(x):
        converted = traced_arrays.as_float64(convert(x))
        assert traced_arrays.is_traced(converted) and traced_arrays.numpy_for(converted) is jnp
        return converted

    x = np.array([1.0, 3.0], np.float32)
    converted = jax.jit(traced)(x)
    assert converted.dtype == np.float64
    np.testing.assert_array_equal(converted, np.array(convert(x)))


def test_entries_are_set_in_a_copy():
    base = np.zeros((2, 3))
    entries = [((0, slice(0, 2)), np.array([1.0, 2.0])), ((1, 2), np.array(5.0))]
    expected = [[1, 2, 0], [0, 0, 5]]
    np.testing.assert_array_equal(traced_arrays.set_entries(base, entries), expected)
    traced = jax.jit(lambda x: traced_arrays.set_entries(base, [((0, slice(0, 2)), x[:2]), ((1, 2), x[2])]))
    np.testing.assert_array_equal(traced(np.array([1.0, 2.0, 5.0])), expected)
    assert not base.any()


def test_arrays_are_concatenated_with_and_without_tracing():
    parts = [np.array([1.0]), np.array([2.0, 3.0])]
    np.testing.assert_array_equal(traced_arrays.concatenate(parts), [1, 2, 3])
    np.testing.assert_array_equal(jax.jit(lambda x: traced_arrays.concatenate([x, parts[1]]))(parts[0]), [1, 2, 3])
    assert traced_arrays.concatenate([]).shape == (0,)
    assert not traced_arrays.is_traced(*parts) and traced_arrays.numpy_for(*parts) is np
