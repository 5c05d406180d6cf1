"""Trainings of an experiment: its variants, and some of them again at the points of a sweep."""

import pytest

from diffhep.pipeline.shards import seed_range, shard_of_run, split_range
from diffhep.studies.blobs.plan import binnings, evaluated_for_comparison, point_name, runs, trained_for_comparison
from diffhep.studies.vbf_hh4b.plan import folded, members

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


STUDY = {
    "defaults": {"fold": 0, "slope": 20.0, "bins": 5},
    "runs": {"plain": {}, "steep": {"slope": 1e4}, "few": {"bins": 2}},
    "folds": {"number": 3, "runs": ["steep"]},
    "groups": {"both": ["few", "steep"], "one": ["plain"]},
}


def test_runs_that_there_are_folds_of_are_there_once_for_each():
    found = folded(STUDY)
    assert list(found) == ["plain", "steep_fold_0", "steep_fold_1", "steep_fold_2", "few"]
    for fold in range(3):
        assert found[f"steep_fold_{fold}"] == {"fold": fold, "slope": 1e4, "bins": 5}
    assert found["plain"] == STUDY["defaults"] and found["few"] == {"fold": 0, "slope": 20.0, "bins": 2}


def test_a_group_has_all_folds_of_its_runs():
    assert members(STUDY, "both") == ["few", "steep_fold_0", "steep_fold_1", "steep_fold_2"]
    assert members(STUDY, "one") == ["plain"]


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("folds.runs", {"folds": {"number": 2, "runs": ["steep", "stepe"]}}),
        ("groups.one", {"groups": {"both": ["few"], "one": ["stepe"]}}),
    ],
)
def test_folds_and_groups_of_unknown_runs_are_refused(key, changes):
    with pytest.raises(ValueError, match=rf"^{key}: stepe is no run; choose from plain, steep, few$"):
        folded(STUDY | changes)


@pytest.mark.parametrize(
    ("seeds", "per_job", "sizes"),
    [
        (7, "all", []),
        (7, 7, []),
        (7, 8, []),
        (1, 2, []),
        (3, 2, []),
        (4, 2, [2, 2]),
        (7, 2, [2, 2, 3]),
        (10, 4, [3, 3, 4]),
    ],
)
def test_seeds_are_spread_evenly_and_none_is_alone(seeds, per_job, sizes):
    run = {"seed": 5, "seeds": seeds, "bins": 3}
    found = split_range(seed_range(run), per_job)
    assert [last - first + 1 for first, last in found] == sizes
    of_parts = [shard_of_run(run, *part) for part in found]
    assert all(part["bins"] == 3 for part in of_parts)
    covered = [seed for part in of_parts for seed in seed_range(part)]
    assert covered == (list(range(5, 5 + seeds)) if found else [])
