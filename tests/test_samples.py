"""Samples: one sample of conditional events on the device, with weights of one by default."""

import jax
import numpy as np
import pytest

from diffhep.samples import conditional_events

EVENTS, CONTEXT = np.arange(6.0).reshape(3, 2), np.array([[1.0], [2.0], [3.0]])


def test_conditional_events_are_one_sample_in_float32():
    sample = conditional_events(EVENTS, CONTEXT, np.array([1.0, 0.0, 2.0]))
    assert [array.shape for array in sample] == [(1, 3, 2), (1, 3, 1), (1, 3)]
    assert all(isinstance(array, jax.Array) and array.dtype == np.float32 for array in sample)
    np.testing.assert_array_equal(sample.events[0], EVENTS)
    np.testing.assert_array_equal(sample.context[0], CONTEXT)
    np.testing.assert_array_equal(sample.weights[0], [1.0, 0.0, 2.0])


@pytest.mark.parametrize("features", [0, 1])
def test_weights_are_one_by_default_and_there_may_be_no_conditioning_variables(features):
    sample = conditional_events(EVENTS, CONTEXT[:, :features])
    assert sample.context.shape == (1, 3, features)
    np.testing.assert_array_equal(sample.weights, np.ones((1, 3)))
