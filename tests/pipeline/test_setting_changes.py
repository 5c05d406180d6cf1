"""Reasons of reruns name the settings that changed; a change that a scale's overlay hides is reported."""

import logging

import pytest

from diffhep.pipeline import setting_changes
from diffhep.pipeline.setting_changes import ABSENT, UNION, name_changes

OLD = {"call": "diffhep.a:b", "settings": {"epochs": 30, "network": {"widths": [8, 8]}}, "code": "0123456789ab"}


def reason(before, now, rest=""):
    """Text of Snakemake for parameters that differ."""
    old, new = (",".join(map(repr, values)) for values in (before, now))
    return f"Params have changed since last execution: {UNION}{old} now: {new} {rest}"


def with_settings(**changes):
    return OLD | {"settings": OLD["settings"] | changes}


def test_differences_are_named_by_their_dotted_keys():
    before, now = {"a": {"b": 1, "c": [1, 2]}, "d": 3}, {"a": {"b": 1, "c": [1, 3]}, "e": 4}
    assert list(setting_changes.differences(before, now)) == [
        ("a.c", [1, 2], [1, 3]),
        ("d", 3, ABSENT),
        ("e", ABSENT, 4),
    ]


def test_an_entry_of_a_list_of_mappings_is_named_by_its_number():
    before, now = ({"points": [{"bins": 5}, {"bins": bins}]} for bins in (3, 4))
    assert list(setting_changes.differences(before, now)) == [("points.1.bins", 3, 4)]


CASES = {
    "a setting": ([OLD], [with_settings(epochs=40)], "settings.epochs: 30 -> 40"),
    "a new setting": ([OLD], [with_settings(seeds=2)], "settings.seeds: absent -> 2"),
    "a setting inside": (
        [OLD],
        [with_settings(network={"widths": [16]})],
        "settings.network.widths: [8, 8] -> [16]",
    ),
    "the code": ([OLD], [OLD | {"code": "ba9876543210"}], "code"),
    "the code and a number beside settings": (["0123456789ab", 100], ["ba9876543210", 200], "100 -> 200, code"),
    "a text with the word between": (
        [OLD | {"caption": "before: a now: b"}],
        [OLD | {"caption": "before: a now: c"}],
        "caption: before: a now: b -> before: a now: c",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_reason_names_what_changed_with_old_and_new_value(case):
    before, now, changes = CASES[case]
    assert name_changes(reason(before, now)) == f"Params have changed since last execution: {changes}"


def test_what_follows_a_change_of_parameters_is_kept():
    text = name_changes(reason([OLD], [with_settings(epochs=40)], "; Code has changed"))
    assert text == "Params have changed since last execution: settings.epochs: 30 -> 40; Code has changed"


def test_many_changes_are_counted():
    old, new = ({"settings": {f"key_{i}": value for i in range(8)}} for value in (1, 2))
    assert name_changes(reason([old], [new])).endswith("settings.key_4: 1 -> 2, and 3 more")


@pytest.mark.parametrize("text", [
    "Missing output files: results/a.nc",
    reason([], [OLD]),  # the new parameter has no counterpart
    f"{UNION}Path('a') now: Path('b') ",
])  # fmt: skip
def test_any_other_reason_is_unchanged(text):
    assert name_changes(text) == text


def test_the_filter_changes_reasons_and_drops_no_record():
    record = logging.LogRecord("snakemake", logging.INFO, "", 0, None, None, None)
    assert setting_changes.ReasonFilter().filter(record)
    record.reason = reason([1], [2])
    assert setting_changes.ReasonFilter().filter(record)
    assert record.reason == "Params have changed since last execution: 1 -> 2"


@pytest.fixture
def study(tmp_path):
    def write(epochs, bins=5):
        path = tmp_path / "study.yaml"
        path.write_text(f"run: {{epochs: {epochs}, bins: {bins}}}\nquick:\n  run: {{epochs: 2, new: 1}}\n")
        return {"study.yaml": setting_changes.overlaid_settings(path, "quick")}

    return write


def test_overlaid_settings_are_those_of_full_scale_that_the_overlay_replaces(study):
    assert study(30) == {"study.yaml": {"run.epochs": 30}}


def test_a_change_that_the_overlay_replaces_is_reported_and_others_are_not(study):
    assert setting_changes.changes_without_effect(study(30), study(30, bins=8), "quick") == []
    assert setting_changes.changes_without_effect({}, study(30), "quick") == []
    assert setting_changes.changes_without_effect(study(30), study(40), "quick") == [
        "study.yaml: run.epochs was changed (30 -> 40), but `quick:` replaces it: "
        "change it there, or build at full scale"
    ]
