"""Scores of the challenge: published numbers, penalties on the coverage, and refused intervals."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffhep.studies.higgsml import challenge_score as cs

ORACLE = json.loads((Path(__file__).parents[2] / "data" / "htautau" / "higgsml_oracle.json").read_text())


def intervals(width, coverage, number):
    """Intervals of equal width with a given coverage of the true strength, 1."""
    covers = np.arange(number) < round(coverage * number)
    low = np.where(covers, 1 - width / 2, 5.0)
    return low, low + width, np.ones(number)


@pytest.mark.parametrize(
    ("width", "coverage", "printed"), [(0.438, 0.672, 0.823), (0.998, 0.701, 0.001), (1.34, 0.431, -11.152)]
)
def test_scores_are_those_of_table_2(width, coverage, printed):
    result = cs.score(*intervals(width, coverage, 1000))
    assert result.width == pytest.approx(width)
    assert result.coverage == coverage
    assert result.score == pytest.approx(printed, abs=1.5e-3)


@pytest.mark.parametrize(("ends", "expected"), list(zip(ORACLE["intervals"], ORACLE["scores"], strict=True)))
def test_scores_are_those_of_the_package(ends, expected):
    result = cs.score(**ends)
    assert (result.width, result.coverage, result.score) == pytest.approx(tuple(expected), rel=1e-6)


def test_the_printed_epsilon_does_not_give_the_printed_score():
    assert cs.score(*intervals(0.438, 0.672, 1000), epsilon=0.01).score == pytest.approx(0.803, abs=1e-3)


def test_window_of_a_thousand_intervals():
    assert cs.coverage_window(1000) == pytest.approx((0.6533, 0.7121), abs=1e-4)


def test_penalty_is_one_in_the_window_and_grows_faster_below_than_above():
    low, high = cs.coverage_window(1000)
    deviation = (high - low) / 4
    assert (
        cs.coverage_penalty(low + 1e-9, 1000)
        == cs.coverage_penalty(high - 1e-9, 1000)
        == cs.coverage_penalty(cs.NOMINAL_COVERAGE, 1000)
        == 1
    )
    assert cs.coverage_penalty(low - 3 * deviation, 1000) == pytest.approx(1 + 3**4)
    assert cs.coverage_penalty(high + 3 * deviation, 1000) == pytest.approx(1 + 3**3)


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 10_000))
def test_penalty_grows_with_the_distance_from_the_nominal_coverage(one, other, number):
    near, far = sorted((one, other), key=lambda coverage: abs(coverage - cs.NOMINAL_COVERAGE))
    if (near < cs.NOMINAL_COVERAGE) == (far < cs.NOMINAL_COVERAGE):
        assert 1 <= cs.coverage_penalty(near, number) <= cs.coverage_penalty(far, number)


@given(st.floats(0.01, 10), st.floats(0.01, 10))
def test_narrower_intervals_have_a_better_score(one, other):
    wide, narrow = (cs.score(*intervals(width, 0.68, 100)).score for width in (max(one, other), min(one, other)))
    assert narrow >= wide


def test_intervals_without_width_have_a_finite_score():
    assert np.isfinite(cs.score(np.ones(10), np.ones(10), np.ones(10)).score)


def test_pseudo_experiments_of_all_sets_are_pooled():
    low, high, truth = intervals(0.5, 0.7, 100)
    assert cs.score(low.reshape(10, 10), high.reshape(10, 10), truth.reshape(10, 10)) == cs.score(low, high, truth)


def test_rmse_is_the_root_of_the_mean_squared_error():
    assert cs.rmse([2.0, 4.0], [1.0, 1.0]) == pytest.approx(np.sqrt(5))


def test_invalid_intervals_are_refused():
    with pytest.raises(ValueError, match=r"high\[1\] is nan: exclude"):
        cs.score([0.0, 0.0], [1.0, np.nan], [0.5, 0.5])
    with pytest.raises(ValueError, match="2 of low, 2 of high, 1 of truth: give equally many"):
        cs.score([0.0, 0.0], [1.0, 1.0], [0.5])
    with pytest.raises(ValueError, match="0 of estimates"):
        cs.rmse([], [])
