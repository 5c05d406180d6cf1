"""Merging of nested mappings."""

from diffhep.merging import merge


def test_entries_are_replaced_key_by_key():
    base, changes = {"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"b": 3}, "d": [2]}
    assert merge(base, changes) == {"a": {"b": 3, "c": 2}, "d": [2]}
    assert base == {"a": {"b": 1, "c": 2}, "d": [1]}


def test_new_entries_are_added_behind_the_others():
    assert list(merge({"a": 1, "b": {"c": 1}}, {"d": {"e": 2}, "b": {"f": 3}}).items()) == [
        ("a", 1),
        ("b", {"c": 1, "f": 3}),
        ("d", {"e": 2}),
    ]


def test_a_mapping_replaces_a_value_and_a_value_a_mapping():
    assert merge({"a": 1, "b": {"c": 1}}, {"a": {"c": 2}, "b": 3}) == {"a": {"c": 2}, "b": 3}


def test_merging_nothing_changes_nothing():
    assert merge({"a": {"b": 1}}, {}) == merge({}, {"a": {"b": 1}}) == {"a": {"b": 1}}
