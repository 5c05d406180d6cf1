"""Neyman's construction: confidence intervals of a true value from the distribution of its estimates."""

from typing import NamedTuple

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float, Real
from sklearn.isotonic import isotonic_regression

CONFIDENCE_LEVEL = 0.6827
"""Confidence level: of one standard deviation to each side."""

BELT_POINTS = 1001
"""True values at which a belt is told; between them it is linear."""


class ConfidenceBelt(NamedTuple):
    """Central acceptance intervals of an estimate.

    Attributes:
        truth: true values, ascending.
        low: lower ends for each, not decreasing.
        high: upper ends for each, not decreasing.
    """

    truth: Float[np.ndarray, " point"]
    low: Float[np.ndarray, " point"]
    high: Float[np.ndarray, " point"]


def confidence_belt(
    truth: Real[ArrayLike, " value"],
    estimates: Real[ArrayLike, "value toy"],
    level: float = CONFIDENCE_LEVEL,
    order: int = 3,
) -> ConfidenceBelt:
    """The central confidence belt of simulated estimates, smooth and not decreasing.

    At each true value an estimate falls below the acceptance interval with probability (1 - level) / 2, and above it
    with the same (PDG review "Statistics", section "Frequentist confidence intervals"). Quantiles fluctuate with the
    simulation, so each end is replaced by its least-squares polynomial in the true value, and this, where it falls, by
    the closest sequence that does not: every estimate then has an interval, not several.

    Args:
        truth: True values that were simulated.
        estimates: Of each, from data sets that are independent.
        level: Confidence level.
        order: Of the polynomial; smaller than the number of true values.

    Raises:
        ValueError: There are estimates that are not finite, no such level, or too few true values for the order.
    """
    truth, estimates = np.asarray(truth, float), np.asarray(estimates, float)
    if not 0 < level < 1:
        raise ValueError(f"the confidence level is {level}: choose one between 0 and 1")
    if not 1 <= order < len(np.unique(truth)):
        raise ValueError(
            f"{len(np.unique(truth))} true values for a polynomial of order {order}: simulate more, or choose an order "
            "of at least 1 and below their number"
        )
    _check_finite(truth, estimates)
    fine = np.linspace(truth.min(), truth.max(), BELT_POINTS)
    quantiles = np.quantile(estimates, [(1 - level) / 2, (1 + level) / 2], axis=1)
    low, high = (isotonic_regression(np.polynomial.Polynomial.fit(truth, end, order)(fine)) for end in quantiles)
    return ConfidenceBelt(fine, low, high)


def confidence_interval(belt: ConfidenceBelt, estimate: Real[ArrayLike, "*shape"]) -> Float[np.ndarray, "*shape side"]:
    """All true values whose acceptance interval holds the estimate: the confidence interval, lower and upper end.

    It ends where the belt does. An estimate below or above the whole belt is one that no true value in its range
    accepts: its interval shrinks to the lowest or highest of them, and its width is 0. Simulate a range of true values
    that is wider than what is asked about.

    Args:
        belt: The confidence belt.
        estimate: Of one data set, or of many.

    Raises:
        ValueError: An estimate is not a number.
    """
    estimate = np.asarray(estimate, float)
    if np.isnan(estimate).any():
        raise ValueError(f"{np.isnan(estimate).sum()} estimates are NaN: leave out fits that did not converge")
    # of equal ends np.interp takes the last, which for the lower end of the interval must be the first
    lower = -np.interp(-estimate, -belt.high[::-1], -belt.truth[::-1])
    return np.stack([lower, np.interp(estimate, belt.low, belt.truth)], axis=-1)


def _check_finite(truth, estimates):
    for number in np.flatnonzero(~np.isfinite(estimates).all(axis=1))[:1]:
        bad = np.count_nonzero(~np.isfinite(estimates[number]))
        raise ValueError(
            f"{bad} of {estimates.shape[1]} estimates of true value {truth[number]} are not finite: leave out fits "
            "that did not converge"
        )
