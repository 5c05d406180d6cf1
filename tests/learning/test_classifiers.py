"""Parametrised networks: masses of the background events, and likelihood ratios at given masses."""

import numpy as np
import pytest

from diffhep.learning import classifiers
from diffhep.learning.model_selection import trained_parameters
from diffhep.samples import ConditionalEvents, conditional_events

SETTINGS = {
    "network": {"widths": [16, 16], "activation": "relu"},
    "members": 1, "iterations": 600, "evaluate_every": 100, "batch_size": 200,
    "learning_rate": 0.01, "seed": 0, "seeds_at_once": "auto",
}  # fmt: skip


def samples(number, seed):
    """Signal at its mass, 1 or 3, with width 0.3; background uniform between 0 and 4."""
    rng = np.random.default_rng(seed)
    mass = rng.choice([1.0, 3.0], (number, 1))
    background = rng.uniform(0, 4, (number, 1))
    return classifiers.combine_classes(
        conditional_events(rng.normal(mass, 0.3), mass),
        conditional_events(background, np.zeros((number, 1)), np.full(number, 7.0)),
        rng,
    )


@pytest.fixture(scope="module")
def trained():
    return classifiers.train(SETTINGS, samples(4000, 0), samples(1000, 1))


def test_masses_of_the_background_are_drawn_in_proportion_to_the_weights_of_the_signal():
    context, rng = np.repeat([[1.0], [3.0]], 500, axis=0), np.random.default_rng(2)
    weights = np.repeat([1.0, 3.0], 500)
    background = conditional_events(np.zeros((3000, 1)), np.zeros((3000, 1)))
    sample = ConditionalEvents(
        *map(np.asarray, classifiers.combine_classes(conditional_events(context, context, weights), background, rng))
    )
    assert sample.events.shape == (2, 3000, 1)
    assert np.mean(sample.context[1] == 3.0) == pytest.approx(0.75, abs=0.03)
    np.testing.assert_allclose(sample.weights.mean(axis=1), 1.0, rtol=1e-6)
    np.testing.assert_array_equal(sample.context[0, :1000], context)
    assert np.average(sample.context[0, :, 0], weights=sample.weights[0]) == pytest.approx(2.5, abs=1e-3)


def test_the_logit_is_the_log_likelihood_ratio_at_the_given_mass(trained):
    events = np.linspace(0.2, 3.8, 19)[:, None]
    for mass in (1.0, 3.0):
        logit = np.asarray(
            classifiers.logit(SETTINGS["network"], trained_parameters(trained), events, np.array([mass]))
        )
        truth = -(((events[:, 0] - mass) / 0.3) ** 2) / 2 - np.log(0.3 * np.sqrt(2 * np.pi)) + np.log(4)
        near = np.abs(events[:, 0] - mass) < 0.7
        assert np.abs(logit - truth)[near].max() < 0.6
        assert (logit[np.abs(events[:, 0] - mass) > 1.2] < -2).all()


def test_the_loss_falls_and_its_lowest_value_is_selected(trained):
    valid = trained["valid"].isel(member=0)
    assert float(valid.min()) < 0.65 * float(valid[0])
    assert float(valid.sel(iteration=int(trained["selected"][0]))) == float(valid.min())
