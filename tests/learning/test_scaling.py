"""Scaling to mean 0 and standard deviation 1, against numpy."""

import numpy as np
import pytest

from diffhep.learning import scaling
from diffhep.samples import ConditionalEvents, conditional_events

RNG = np.random.default_rng(0)
VALUES = RNG.normal([1000.0, -3.0], [2.0, 50.0], (500, 2))
SAMPLE = conditional_events(VALUES, RNG.uniform(0, 10, (500, 1)), RNG.uniform(0, 2, 500))


def test_scaled_values_have_mean_0_and_standard_deviation_1():
    fitted = scaling.fit_scaling(VALUES)
    np.testing.assert_allclose(fitted(VALUES).mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(fitted(VALUES).std(axis=0), 1, rtol=1e-5)
    assert fitted.mean.dtype == fitted.width.dtype == np.float32


def test_a_feature_with_one_value_is_an_error_that_names_it():
    with pytest.raises(ValueError, match="feature 1 is 2 in all events: leave it out"):
        scaling.fit_scaling(np.column_stack([VALUES[:, 0], np.full(500, 2.0)]))


def test_scalings_are_those_of_all_samples_together():
    both = ConditionalEvents(*(np.concatenate([array, 2 * array]) for array in map(np.asarray, SAMPLE)))
    events, context = scaling.fit_scalings(both)
    for fitted, values in ((events, both.events), (context, both.context)):
        flat = values.reshape(-1, values.shape[-1])
        np.testing.assert_allclose(fitted.mean, flat.mean(axis=0, dtype=float), rtol=1e-6)
        np.testing.assert_allclose(fitted.width, flat.std(axis=0, dtype=float), rtol=1e-6)


def test_a_scaled_sample_keeps_its_weights():
    scaled = scaling.scale(SAMPLE, scaling.fit_scalings(SAMPLE))
    for values in scaled[:2]:
        np.testing.assert_allclose(np.mean(values, axis=(0, 1)), 0, atol=1e-4)
        np.testing.assert_allclose(np.std(values, axis=(0, 1)), 1, rtol=1e-4)
    np.testing.assert_array_equal(scaled.weights, SAMPLE.weights)


def test_variables_have_the_stored_names_and_an_axis_for_events_and_context():
    scalings = scaling.fit_scalings(SAMPLE)
    variables = scaling.to_variables(scalings)
    assert tuple(variables) == scaling.SCALING_VARIABLES
    assert [axis for axis, _ in variables.values()] == ["event_axis"] * 2 + ["context_axis"] * 2
    for (_, stored), value in zip(variables.values(), (*scalings[0], *scalings[1]), strict=True):
        np.testing.assert_array_equal(stored, value)
