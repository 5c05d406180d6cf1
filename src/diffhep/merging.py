"""Nested mappings, merged key by key."""

from collections.abc import Mapping


def merge(base: Mapping, changes: Mapping) -> dict:
    """`base` with the entries of `changes` in place of its own, mapping by mapping."""
    both = {
        key: merge(base[key], value) if isinstance(value, Mapping) and isinstance(base.get(key), Mapping) else value
        for key, value in changes.items()
    }
    return {**base, **both}
