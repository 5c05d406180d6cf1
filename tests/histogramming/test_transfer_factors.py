"""Background estimates from control regions: closed forms, Poisson toys, and the penalties of TOMATOS."""

import jax
import numpy as np
import pytest

from diffhep.histogramming import transfer_factors
from diffhep.histogramming.transfer_factors import TagCounts

CONTROL = TagCounts(np.array(1e5), np.array(400.0))
ONE_TAG = np.array([3e4, 1e4, 500.0])
VALIDATION = TagCounts(np.array([2e4, 8e3, 1e3]), np.array([90.0, 32.0, 1.0]))


def test_the_transfer_factor_is_the_ratio_of_tags_with_the_uncertainty_of_both_counts():
    factor, error = transfer_factors.transfer_factor(CONTROL)
    assert float(factor) == pytest.approx(0.004)
    assert float(error) == pytest.approx(np.sqrt(1 / 400 + 1 / 1e5))


def test_the_uncertainties_of_an_estimate_are_the_spread_of_poisson_toys():
    rng, number = np.random.default_rng(0), 200_000
    two, one, region = (rng.poisson(mean, number) for mean in (400, 2000, 300))
    validation = TagCounts(np.array([100.0]), np.array([20.0]))
    estimate = transfer_factors.estimate_background(
        np.array([300.0]), TagCounts(np.array(2000.0), np.array(400.0)), validation
    )
    factor = two / one
    assert float(estimate.normalisation) == pytest.approx((factor / factor.mean()).std(), rel=0.01)
    assert float(estimate.statistical[0]) == pytest.approx((0.2 * region).std(), rel=0.01)
    both = np.hypot(float(estimate.normalisation), float(estimate.statistical[0] / estimate.events[0]))
    assert both == pytest.approx((factor * region).std() / 60, rel=0.02)


def test_an_estimate_is_one_tag_times_the_transfer_factor_in_every_bin():
    estimate = transfer_factors.estimate_background(ONE_TAG, CONTROL, VALIDATION)
    np.testing.assert_allclose(estimate.events, [120.0, 40.0, 2.0])
    np.testing.assert_allclose(estimate.statistical, 0.004 * np.sqrt([3e4, 1e4, 500.0]))
    assert float(estimate.normalisation) == pytest.approx(np.sqrt(1 / 400 + 1e-5))


def test_the_shape_uncertainty_is_the_deviation_in_the_validation_region():
    """Observed over estimated events in the validation region: 90 / 80, 32 / 32 and 1 / 4."""
    estimate = transfer_factors.estimate_background(ONE_TAG, CONTROL, VALIDATION)
    np.testing.assert_allclose(estimate.shape, [0.125, 0.0, 0.75], atol=1e-12)


def test_the_shape_uncertainty_is_at_most_a_factor_of_a_hundred():
    validation = TagCounts(np.array([1e-3, 10.0]), np.array([20.0, 10.0]))
    estimate = transfer_factors.estimate_background(np.ones(2), CONTROL, validation)
    np.testing.assert_allclose(
        estimate.shape, [transfer_factors.MAX_SHAPE_UNCERTAINTY, transfer_factors.MAX_SHAPE_UNCERTAINTY]
    )
    assert transfer_factors.MAX_SHAPE_UNCERTAINTY == 100
    closer = transfer_factors.estimate_background(np.ones(1), CONTROL, TagCounts(np.array([10.0]), np.array([4.0])))
    np.testing.assert_allclose(closer.shape, [99.0])


@pytest.mark.parametrize(
    ("events", "threshold", "expected"),
    [(5, 10, 1), (1, 10, 9), (0.5, 10, 19), (0.1, 10, 99), (5, 1, 0), (1, 1, 0), (0.5, 1, 1), (0.1, 1, 9)],
)
def test_the_penalty_of_a_bin_is_that_of_tomatos(events, threshold, expected):
    """Values of TOMATOS, divided by its factor I."""
    assert float(transfer_factors.low_count_penalty(np.array([float(events)]), float(threshold))) == pytest.approx(
        expected
    )


def test_penalties_of_bins_add_up():
    assert float(transfer_factors.low_count_penalty(np.array([5.0, 20.0, 1.0]), 10.0)) == pytest.approx(10)
    assert float(transfer_factors.low_count_penalty(np.array([5.0, 20.0, 1.0]), 0.0)) == 0


@pytest.mark.parametrize("events", [1e-3, 0.1, 5.0])
def test_the_slope_of_the_penalty_grows_towards_empty_bins(events):
    """d penalty / d events = -threshold / events²."""
    slope = jax.jit(jax.grad(transfer_factors.low_count_penalty))(np.array([events, 50.0]), 10.0)
    np.testing.assert_allclose(slope, [-10 / events**2, 0.0], rtol=1e-9)
