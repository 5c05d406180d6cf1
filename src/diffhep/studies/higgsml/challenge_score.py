"""How the HiggsML Uncertainty Challenge judges intervals of the signal strength (arXiv:2505.08709, eqs. 21 to 24).

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
"""Added to the width, so that intervals of no width have no infinite score."""


class ChallengeScore(NamedTuple):
    """Of a method.

    Attributes:
        width: mean of the intervals' (eq. 21).
        coverage: share of the intervals that hold the truth (eq. 22).
        penalty: 1 or more, see `coverage_penalty`.
        score: -ln[(width + ε) penalty] (eq. 24), the higher the better.
    """

    width: float
    coverage: float
    coverage_penalty: float
    score: float


def score(low: ArrayLike, high: ArrayLike, truth: ArrayLike, epsilon: float = EPSILON) -> ChallengeScore:
    """Judge intervals.

    Args:
        low: Lower end of each interval.
        high: Upper ends.
        truth: Signal strengths that the pseudo-experiments were made with.
        epsilon: Added to the width.

    Raises:
        ValueError: An end is not finite, or the numbers of intervals and truths differ.
    """
    low, high, truth = _of_one_length(low=low, high=high, truth=truth)
    width, coverage = float(np.abs(high - low).mean()), float(np.mean((low <= truth) & (truth <= high)))
    worse = coverage_penalty(coverage, len(truth))
    return ChallengeScore(width, coverage, worse, float(-np.log((width + epsilon) * worse)))


def coverage_window(number: int) -> tuple[float, float]:
    """Coverages of so many intervals that are not penalised: two standard deviations around the nominal one."""
    deviation = _deviation(number)
    return NOMINAL_COVERAGE - 2 * deviation, NOMINAL_COVERAGE + 2 * deviation


def coverage_penalty(coverage: float, number: int) -> float:
    """f(c) of eq. 23: 1 in the window, else 1 + d⁴ below and 1 + d³ above it, at a distance of d standard deviations.

    Args:
        coverage: Share of the intervals that hold the truth.
        number: Of intervals.
    """
    low, high = coverage_window(number)
    below, above = max(low - coverage, 0.0), max(coverage - high, 0.0)
    return 1 + (below / _deviation(number)) ** 4 + (above / _deviation(number)) ** 3


def rmse(estimates: ArrayLike, truth: ArrayLike) -> float:
    """Root of the mean squared distance of estimates from the truth; what the challenge calls so adds another term.

    Raises:
        ValueError: An estimate is not finite, or the numbers of estimates and truths differ.
    """
    estimates, truth = _of_one_length(estimates=estimates, truth=truth)
    return float(np.sqrt(np.mean((estimates - truth) ** 2)))


def _deviation(number: int) -> float:
    """Standard deviation of the share of so many intervals that hold the truth, if each does with `NOMINAL_COVERAGE`."""
    return float(np.sqrt(NOMINAL_COVERAGE * (1 - NOMINAL_COVERAGE) / number))


def _of_one_length(**columns: ArrayLike) -> list[Float[np.ndarray, " toy"]]:
    arrays = {name: np.ravel(np.asarray(values, float)) for name, values in columns.items()}
    lengths = {name: len(values) for name, values in arrays.items()}
    if len(set(lengths.values())) > 1 or not all(lengths.values()):
        told = ", ".join(f"{number} of {name}" for name, number in lengths.items())
        raise ValueError(f"there are {told}: give as many of each, and one at least")
    for name, values in arrays.items():
        for place in np.flatnonzero(~np.isfinite(values))[:1]:
            raise ValueError(f"{name}[{place}] is {values[place]}: leave such pseudo-experiments out, and say how many")
    return list(arrays.values())
