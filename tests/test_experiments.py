"""Trainings of an experiment: its variants, and some of them again at the points of a sweep."""

import pytest

from diffhep.experiments import binnings, evaluated_for_comparison, point_name, runs, trained_for_comparison

EXPERIMENT = {
    "defaults": {"bins": 5, "bandwidth": 0.1, "seeds": 7},
    "variants": {"bce": {"objective": {"bce": 1}}, "wide": {"objective": {"cls": 1}, "bandwidth": 0.5}},
    "compare": ["bce", "wide"],
    "sweep": {"variants": ["wide"], "points": [{"bins": 3, "bandwidth": 0.2, "seeds": 2}]},
}


def test_a_variant_is_the_defaults_with_its_own_entries():
    found = runs(EXPERIMENT)
    assert found["bce"] == {"bins": 5, "bandwidth": 0.1, "seeds": 7, "objective": {"bce": 1}}
    assert found["wide"]["bandwidth"] == 0.5


def test_a_sweep_repeats_its_variants_at_its_points():
    found = runs(EXPERIMENT)
    assert set(found) == {"bce", "wide", "wide_bins_3_bandwidth_0.2"}
    assert found["wide_bins_3_bandwidth_0.2"] == {"bins": 3, "bandwidth": 0.2, "seeds": 2, "objective": {"cls": 1}}


def test_a_sweep_of_an_unknown_variant_is_refused():
    with pytest.raises(ValueError, match=r"sweep\.variants: p0 is no variant; choose from bce, wide"):
        runs({**EXPERIMENT, "sweep": {"variants": ["p0"], "points": []}})


def test_a_comparison_of_an_unknown_variant_is_refused():
    with pytest.raises(ValueError, match=r"compare: p0 is no variant"):
        runs({**EXPERIMENT, "compare": ["p0"]})


def test_comparison_needs_what_is_swept_as_trained_and_the_rest_as_evaluated():
    assert trained_for_comparison(EXPERIMENT) == ["bce", "wide", "wide_bins_3_bandwidth_0.2"]
    assert evaluated_for_comparison(EXPERIMENT) == ["bce"]
    assert binnings(EXPERIMENT) == [3, 5]


def test_the_name_of_a_point_does_not_depend_on_the_order_of_its_keys():
    assert point_name({"bandwidth": 0.2, "seeds": 3, "bins": 3}) == point_name({"bins": 3, "bandwidth": 0.2})


def test_an_experiment_may_have_no_sweep():
    plain = {key: value for key, value in EXPERIMENT.items() if key != "sweep"}
    assert set(runs(plain)) == {"bce", "wide"}
    assert trained_for_comparison(plain) == ["bce", "wide"] and evaluated_for_comparison(plain) == []
    assert binnings(plain) == [5]
