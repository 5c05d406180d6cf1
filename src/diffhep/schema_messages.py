"""Plain messages for violations of a JSON schema."""

import math
from typing import Any

from jsonschema.exceptions import ValidationError

TYPE_NAMES = {
    "object": "keys with values",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a finite number",
    "boolean": "true or false",
    "null": "null",
}
"""How messages call what JSON schemas call types."""


KEYWORD_REMEDIES = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "const": "{!r}",
    "pattern": "text that matches {}",
    "minItems": "{} or more entries",
    "maxItems": "at most {} entries",
    "minProperties": "{} or more entries",
    "uniqueItems": "every entry once",
    "ascending": "every number larger than the one before",
    "sameLength": "lists of the same length",
}
"""What is asked for by a keyword of a schema."""


def describe_violation(error: ValidationError) -> str:
    """Describe the problem at the place of an error, and the remedy."""
    if error.validator == "additionalProperties":
        unknown = sorted(set(map(str, error.instance)) - set(error.schema["properties"]))
        return f"unknown key {', '.join(unknown)}; known are {', '.join(error.schema['properties'])}"
    if error.validator == "required":
        missing = sorted(set(error.validator_value) - set(error.instance))
        return f"missing key {', '.join(missing)}: add it"
    value = "nothing" if error.instance is None else repr(error.instance)
    value = value if len(value) < 80 else f"{value[:76]} ..."
    if error.validator == "keyOf":
        return f"{value} {error.message}"
    return f"{value}: give {_remedy(error)}"


def _remedy(error: ValidationError) -> str:
    keyword, wanted = error.validator, error.validator_value
    if keyword in KEYWORD_REMEDIES:
        return KEYWORD_REMEDIES[keyword].format(wanted)
    if keyword == "type":
        kinds = " or ".join(TYPE_NAMES[kind] for kind in ([wanted] if isinstance(wanted, str) else wanted))
        return kinds + (", 1.0e-3 for 1e-3" if "number" in kinds and _is_number(error.instance) else "")
    if keyword == "not":
        (kind, limit), *_ = wanted.items()
        return f"anything but {KEYWORD_REMEDIES[kind].format(limit)}"
    if keyword == "dependentRequired":
        return ", ".join(key for keys in wanted.values() for key in keys) + " together"
    if keyword == "oneOf" and not error.context:
        return "only one of " + " and ".join(", ".join(each.get("required", ["..."])) for each in wanted)
    if keyword == "enum":
        return f"one of {', '.join(map(str, wanted))}"
    if keyword == "contains":
        return f"{wanted.get('const')} among them"
    if keyword == "required":
        return f"{', '.join(wanted)} as well"
    if keyword in ("anyOf", "oneOf") and error.context:
        return " or ".join(dict.fromkeys(map(_remedy, error.context)))
    return f"something else ({error.message})"


def _is_number(value: Any) -> bool:
    try:
        return isinstance(value, str) and math.isfinite(float(value))
    except ValueError:
        return False
