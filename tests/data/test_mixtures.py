"""Mixtures of normal distributions: density and moments of events."""

import jax
import numpy as np
import pytest
from scipy import stats

from diffhep.data import mixtures

MIXTURE = {"weights": [0.3, 0.7], "means": [-2.0, 1.0], "widths": [0.5, 1.5]}


def test_density_is_the_weighted_sum_of_its_components():
    x = np.linspace(-5, 5, 11)
    components = [
        weight * stats.norm.pdf(x, mean, width) for weight, mean, width in zip(*MIXTURE.values(), strict=True)
    ]
    np.testing.assert_allclose(mixtures.mixture_density(x, *MIXTURE.values()), sum(components), rtol=1e-9)


def test_events_have_the_distribution_of_the_mixture():
    events = np.asarray(mixtures.draw_mixture(jax.random.key(0), MIXTURE, 20_000))

    def cumulative(x):
        return sum(w * stats.norm.cdf(x, mean, width) for w, mean, width in zip(*MIXTURE.values(), strict=True))

    assert stats.kstest(events, cumulative).pvalue > 0.01


def test_events_have_the_mean_of_the_mixture():
    events = np.asarray(mixtures.draw_mixture(jax.random.key(1), MIXTURE, 20_000))
    assert events.mean() == pytest.approx(0.3 * -2.0 + 0.7 * 1.0, abs=0.05)
