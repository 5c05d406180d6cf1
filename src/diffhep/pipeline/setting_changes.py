"""Changes of settings, by dotted key: in the reasons of reruns, and where a scale's overlay hides them."""

import ast
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from diffhep.pipeline.settings import read

ABSENT = object()
MAX_CHANGES = 5  # in one reason
MAX_LENGTH = 60  # characters of a value
UNION = "Union of exclusive params before and now across all output: before: "
FINGERPRINT = re.compile(r"\[?('?[0-9a-f]{12}'?(, )?)+\]?")


def differences(before: Any, now: Any, key: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield the dotted key, old value and new value of everything that differs; `ABSENT` where there is none.

    Args:
        before: Old settings: nested mappings and lists.
        now: New settings.
        key: Key of both, which begins the keys inside.
    """
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        items = {name: (before.get(name, ABSENT), now.get(name, ABSENT)) for name in {**before, **now}}
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now) and _are_nested(before + now):
        items = dict(enumerate(zip(before, now, strict=True)))
    else:
        if before != now:
            yield key, before, now
        return
    for name, values in items.items():
        yield from differences(*values, f"{key}.{name}".lstrip("."))


def _are_nested(values: Sequence[Any]) -> bool:
    return all(isinstance(value, Mapping | list) for value in values)


def name_changes(reason: str) -> str:
    """Return Snakemake's reason of a rerun with the settings that changed in place of all parameters.

    Args:
        reason: Text as of Snakemake 9.27; any other is returned as it is.
    """
    head, mark, tail = reason.partition(UNION)
    params, semicolon, rest = tail.partition(" ; ")
    for split in re.finditer(" now: ", params):
        try:
            before, now = (_values(text) for text in (params[: split.start()], params[split.end() :]))
        except (ValueError, SyntaxError):  # the split is inside a text, or values are no literals
            continue
        if len(before) == len(now):
            pairs = zip(before, now, strict=True)
            changes = dict.fromkeys(_in_words(*change) for pair in pairs for change in differences(*pair))
            more = [f"and {len(changes) - MAX_CHANGES} more"] if len(changes) > MAX_CHANGES else []
            return head + ", ".join([*list(changes)[:MAX_CHANGES], *more]) + ("; " if semicolon else "") + rest
    return head + mark + tail


def _values(text: str) -> list[Any]:
    """Parameters of which Snakemake prints the representations, in an order that pairs old and new ones."""
    values = ast.literal_eval(f"[{text.strip()}]")
    return sorted(values, key=lambda value: (type(value).__name__, repr(value)))


def _in_words(key: str, before: Any, now: Any) -> str:
    if FINGERPRINT.fullmatch(str(before)) and FINGERPRINT.fullmatch(str(now)):
        return "code"
    return f"{key}{': ' if key else ''}{_short(before)} -> {_short(now)}"


def _short(value: Any) -> str:
    text = "absent" if value is ABSENT else str(value)
    return text if len(text) <= MAX_LENGTH else f"{text[: MAX_LENGTH - 4]} ..."


class ReasonFilter(logging.Filter):
    """A filter of Snakemake's log in which reasons of reruns name the settings that changed."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the reason of a record that has one; no record is dropped."""
        if isinstance(reason := getattr(record, "reason", None), str):
            record.reason = name_changes(reason)
        return True


def overlaid_settings(path: Path, scale: str) -> dict[str, Any]:
    """Settings of a study that are replaced at a scale, by dotted key, with their values at full scale.

    Args:
        path: File of the study.
        scale: Name of the overlay in the file.
    """
    content = read(path)
    return dict(_replaced(content, content.get(scale, {})))


def _replaced(full: Mapping[str, Any], overlay: Mapping[str, Any], key: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in overlay.items():
        if name not in full:
            continue
        if isinstance(value, Mapping) and isinstance(full[name], Mapping):
            yield from _replaced(full[name], value, f"{key}{name}.")
        else:
            yield f"{key}{name}", full[name]


def changes_without_effect(
    before: Mapping[str, Mapping[str, Any]], now: Mapping[str, Mapping[str, Any]], scale: str
) -> list[str]:
    """Return a line for each setting that was changed although the overlay of a scale replaces it.

    Args:
        before: Result of `overlaid_settings` by file, at the last build of the scale.
        now: The present result.
        scale: Name of the overlay.
    """
    return [
        f"{file}: {key} was changed ({_short(before[file][key])} -> {_short(value)}), but `{scale}:` replaces it: "
        f"change it there, or build at full scale"
        for file, values in now.items()
        for key, value in values.items()
        if key in before.get(file, {}) and before[file][key] != value
    ]
