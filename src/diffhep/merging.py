"""Recursive merging of nested mappings."""

from collections.abc import Mapping


def merge(base: Mapping, changes: Mapping) -> dict:
    """Return `base` with the entries of `changes` replaced or added; nested mappings are merged key by key.

    Args:
        base: Mapping to start from, not changed.
        changes: Entries that take precedence.
    """
    merged = {
        key: merge(base[key], value) if isinstance(value, Mapping) and isinstance(base.get(key), Mapping) else value
        for key, value in changes.items()
    }
    return {**base, **merged}
