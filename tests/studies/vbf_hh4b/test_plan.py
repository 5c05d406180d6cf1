"""Runs of the study: folds, and groups of runs."""

import pytest

from diffhep.studies.vbf_hh4b.plan import folded, members, training_files

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
    assert training_files(STUDY, "one") == ["<results>/vbf_hh4b/train/plain.nc"]


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
