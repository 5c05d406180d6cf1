"""Confidence belts of normal estimates against closed forms, their coverage, and their ends."""

import numpy as np
import pytest
from scipy.stats import binom, norm

from diffhep.inference.neyman import ConfidenceBelt, confidence_belt, confidence_interval

LEVEL = 0.6827
Z = norm.ppf((1 + LEVEL) / 2)
TRUTH = np.linspace(0.0, 4.0, 9)
SLOPE, BIAS, WIDTH = 0.8, 0.3, 0.25


def estimates(truth, number, seed=0):
    noise = np.random.default_rng(seed).normal(size=(len(truth), number))
    return (SLOPE * truth + BIAS)[:, None] + (WIDTH * (1 + truth))[:, None] * noise


def by_quantiles(truth, number):
    """Return estimates at equidistant quantiles, which do not fluctuate."""
    exact = norm.ppf((np.arange(number) + 0.5) / number)
    return (SLOPE * truth + BIAS)[:, None] + (WIDTH * (1 + truth))[:, None] * exact


def test_intervals_have_the_closed_form():
    """At the ends, t solves estimate = SLOPE t + BIAS ± Z WIDTH (1 + t)."""
    estimate = np.array([[0.9, 1.4], [1.8, 2.0]])
    intervals = confidence_interval(confidence_belt(TRUTH, by_quantiles(TRUTH, 20_001), LEVEL, order=1), estimate)
    sides = Z * WIDTH * np.array([1, -1])
    np.testing.assert_allclose(intervals, (estimate[..., None] - BIAS - sides) / (SLOPE + sides), atol=2e-3)


@pytest.mark.parametrize("truth", [1.0, 1.6, 2.3])
def test_intervals_cover(truth):
    number = 4000
    intervals = confidence_interval(
        confidence_belt(TRUTH, estimates(TRUTH, 20_000), LEVEL), estimates(np.array([truth]), number, seed=1)[0]
    )
    covered = np.sum((intervals[:, 0] <= truth) & (truth <= intervals[:, 1]))
    low, high = binom.interval(0.998, number, LEVEL)
    assert low - 0.005 * number <= covered <= high + 0.005 * number  # the belt is simulated too


def test_ends_of_belts_and_intervals_do_not_decrease():
    """With few estimates and a high order, the polynomial alone does."""
    rough = confidence_belt(TRUTH, estimates(np.full(9, 2.0), 30), order=7)
    intervals = confidence_interval(rough, np.linspace(-1, 5, 200))
    for values in (rough.low, rough.high, *intervals.T):
        assert (np.diff(values) >= 0).all()
    assert (intervals[:, 0] <= intervals[:, 1]).all()


def test_higher_levels_have_wider_intervals():
    narrow, wide = (
        confidence_interval(confidence_belt(TRUTH, estimates(TRUTH, 5000), level), 1.5) for level in (0.5, 0.9)
    )
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_intervals_contain_all_true_values_where_the_belt_is_level():
    flat = ConfidenceBelt(np.arange(4.0), np.array([0.0, 1, 1, 2]), np.array([1.0, 2, 2, 3]))
    np.testing.assert_allclose(confidence_interval(flat, np.array([1.0, 2.0])), [[0, 2], [1, 3]])


def test_estimates_beyond_the_belt_have_intervals_at_its_edge():
    intervals = confidence_interval(
        confidence_belt(TRUTH, estimates(TRUTH, 1000)), np.array([-9.0, BIAS, 99.0, np.inf])
    )
    np.testing.assert_allclose(intervals[[0, 2, 3]], [[0, 0], [4, 4], [4, 4]])
    assert intervals[1, 0] == 0 and 0 < intervals[1, 1] < 4


def test_estimates_that_are_not_finite_raise_an_error():
    bad = estimates(TRUTH, 50)
    bad[3, :2] = np.nan, np.inf
    with pytest.raises(ValueError, match=r"2 of 50 estimates of true value 1\.5 are not finite: leave out"):
        confidence_belt(TRUTH, bad)
    with pytest.raises(ValueError, match="1 estimates are NaN"):
        confidence_interval(confidence_belt(TRUTH, estimates(TRUTH, 50)), np.array([1.0, np.nan]))


@pytest.mark.parametrize(
    ("level", "order", "message"), [(1.0, 3, "level is 1.0"), (0.9, 9, "9 true values .* order 9"), (0.9, 0, "order 0")]
)
def test_impossible_levels_and_orders_raise_an_error(level, order, message):
    with pytest.raises(ValueError, match=message):
        confidence_belt(TRUTH, estimates(TRUTH, 50), level, order)
