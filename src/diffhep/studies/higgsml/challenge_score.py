"""Score of the HiggsML Uncertainty Challenge for intervals of the signal strength (arXiv:2505.08709, eqs. 21 to 24).

The paper prints a nominal coverage of 0.68 and ε = 10⁻²; only 0.6827 and 10⁻³, as in the challenge's code, give the
scores of its Table 2. Pseudo-experiments of all sets are pooled.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

NOMINAL_COVERAGE = 0.6827
"""Coverage of an interval of one standard deviation."""

EPSILON = 1e-3
"""Added to the width, so that intervals of width 0 have a finite score."""


class ChallengeScore(NamedTuple):
    """Score of a method.

    Attributes:
        width: Mean width of the intervals (eq. 21).
        coverage: Fraction of the intervals that contain the true signal strength (eq. 22).
        penalty: Penalty on the coverage, 1 or more; see `coverage_penalty`.
        score: -ln[(width + ε) penalty] (eq. 24); higher is better.
    """

    width: float
    coverage: float
    penalty: float
    score: float


def score(low: ArrayLike, high: ArrayLike, truth: ArrayLike, epsilon: float = EPSILON) -> ChallengeScore:
    """Score intervals.

    Args:
        low: Lower end of each interval.
        high: Upper end of each interval.
        truth: True signal strength of each pseudo-experiment.
        epsilon: Constant added to the width.

    Raises:
        ValueError: An end is not finite, or the numbers of intervals and truths differ.
    """
    low, high, truth = _equally_long(low=low, high=high, truth=truth)
    width, coverage = float(np.abs(high - low).mean()), float(np.mean((low <= truth) & (truth <= high)))
    penalty = coverage_penalty(coverage, len(truth))
    return ChallengeScore(width, coverage, penalty, float(-np.log((width + epsilon) * penalty)))


def coverage_window(number: int) -> tuple[float, float]:
    """Return the range of coverages without penalty: two standard deviations around the nominal coverage.

    Args:
        number: Number of intervals.
    """
    deviation = _deviation(number)
    return NOMINAL_COVERAGE - 2 * deviation, NOMINAL_COVERAGE + 2 * deviation


def coverage_penalty(coverage: float, number: int) -> float:
    """Return f(c) of eq. 23: 1 in the window, else 1 + d⁴ below and 1 + d³ above it, d standard deviations away.

    Args:
        coverage: Fraction of the intervals that contain the true signal strength.
        number: Number of intervals.
    """
    low, high = coverage_window(number)
    below, above = max(low - coverage, 0.0), max(coverage - high, 0.0)
    return 1 + (below / _deviation(number)) ** 4 + (above / _deviation(number)) ** 3


def rmse(estimates: ArrayLike, truth: ArrayLike) -> float:
    """Return the root mean squared error of estimates; the challenge's quantity of this name has a further term.

    Args:
        estimates: Estimate of each pseudo-experiment.
        truth: True signal strength of each pseudo-experiment.

    Raises:
        ValueError: An estimate is not finite, or the numbers of estimates and truths differ.
    """
    estimates, truth = _equally_long(estimates=estimates, truth=truth)
    return float(np.sqrt(np.mean((estimates - truth) ** 2)))


def _deviation(number: int) -> float:
    """Binomial standard deviation of the coverage of `number` intervals at the nominal coverage."""
    return float(np.sqrt(NOMINAL_COVERAGE * (1 - NOMINAL_COVERAGE) / number))


def _equally_long(**columns: ArrayLike) -> list[Float[np.ndarray, " toy"]]:
    arrays = {name: np.ravel(np.asarray(values, float)) for name, values in columns.items()}
    lengths = {name: len(values) for name, values in arrays.items()}
    if len(set(lengths.values())) > 1 or not all(lengths.values()):
        numbers = ", ".join(f"{number} of {name}" for name, number in lengths.items())
        raise ValueError(f"there are {numbers}: give equally many, and at least one")
    for name, values in arrays.items():
        for index in np.flatnonzero(~np.isfinite(values))[:1]:
            raise ValueError(
                f"{name}[{index}] is {values[index]}: exclude such pseudo-experiments, and report how many"
            )
    return list(arrays.values())
