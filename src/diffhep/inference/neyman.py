"""Confidence intervals by Neyman's construction, from the distribution of estimates of a parameter."""

from typing import NamedTuple

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float, Real
from sklearn.isotonic import isotonic_regression

from diffhep.inference.profile_intervals import CONFIDENCE_LEVEL

BELT_POINTS = 1001
"""Number of true values at which a belt is computed; it is linear between them."""


class ConfidenceBelt(NamedTuple):
    """Confidence belt: central acceptance intervals of an estimate at true values of the parameter.

    Attributes:
        truth: True values, ascending.
        low: Lower ends of the acceptance intervals, not decreasing.
        high: Upper ends of the acceptance intervals, not decreasing.
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
    """Compute the central confidence belt from simulated estimates.

    At a true value, an estimate falls below the acceptance interval with probability (1 - level) / 2, and above it with
    probability (1 - level) / 2 (PDG review "Statistics", section "Frequentist confidence intervals"). Quantiles of
    simulated estimates fluctuate. Each end is therefore replaced by a least-squares polynomial in the true value, and
    this by the closest sequence that does not decrease: every estimate then has one interval, not several.

    Args:
        truth: True values that were simulated.
        estimates: Estimates from independent data sets at each true value.
        level: Confidence level.
        order: Order of the polynomial, smaller than the number of true values.

    Returns:
        Confidence belt, smooth and not decreasing.

    Raises:
        ValueError: If an estimate is not finite, the level is not between 0 and 1, or the order does not suit the
            number of true values.
    """
    truth, estimates = np.asarray(truth, float), np.asarray(estimates, float)
    if not 0 < level < 1:
        raise ValueError(f"the confidence level is {level}: choose one between 0 and 1")
    if not 1 <= order < len(np.unique(truth)):
        raise ValueError(
            f"{len(np.unique(truth))} true values for a polynomial of order {order}: simulate more true values, or "
            "choose an order of at least 1 and below their number"
        )
    _check_finite(truth, estimates)
    points = np.linspace(truth.min(), truth.max(), BELT_POINTS)
    quantiles = np.quantile(estimates, [(1 - level) / 2, (1 + level) / 2], axis=1)
    low, high = (isotonic_regression(np.polynomial.Polynomial.fit(truth, end, order)(points)) for end in quantiles)
    return ConfidenceBelt(points, low, high)


def confidence_interval(belt: ConfidenceBelt, estimate: Real[ArrayLike, "*shape"]) -> Float[np.ndarray, "*shape side"]:
    """Invert a confidence belt: return the true values whose acceptance intervals contain an estimate.

    Intervals end where the belt does. No true value of the belt accepts an estimate below or above the whole belt: its
    interval has a width of 0 at the lowest or the highest true value. Simulate a wider range of true values than the
    intervals should cover.

    Args:
        belt: Confidence belt.
        estimate: Estimates, an array of any shape.

    Returns:
        Lower and upper end of each interval, along a new last axis.

    Raises:
        ValueError: If an estimate is NaN.
    """
    estimate = np.asarray(estimate, float)
    if np.isnan(estimate).any():
        raise ValueError(f"{np.isnan(estimate).sum()} estimates are NaN: leave out fits that did not converge")
    # of equal ends np.interp takes the last, but the lower end of the interval must be the first
    lower = -np.interp(-estimate, -belt.high[::-1], -belt.truth[::-1])
    return np.stack([lower, np.interp(estimate, belt.low, belt.truth)], axis=-1)


def _check_finite(truth, estimates):
    for index in np.flatnonzero(~np.isfinite(estimates).all(axis=1))[:1]:
        n_bad = np.count_nonzero(~np.isfinite(estimates[index]))
        raise ValueError(
            f"{n_bad} of {estimates.shape[1]} estimates of true value {truth[index]} are not finite: leave out fits "
            "that did not converge"
        )
