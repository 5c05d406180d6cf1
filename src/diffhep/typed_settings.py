"""Typed, frozen settings: read from YAML or JSON, checked with plain messages, hashable for `jit`."""

import json
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model

from diffhep.errors import InputError

TYPES = {
    "float_type": "a finite number",
    "finite_number": "a finite number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "string_type": "text",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "keys with values",
    "model_type": "keys with values",
}
"""Messages for values of the wrong type, by pydantic's name of the error."""

LIMITS = {
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "less than {lt:g}",
    "less_than_equal": "at most {le:g}",
    "multiple_of": "a multiple of {multiple_of:g}",
    "too_short": "{min_length} or more entries",
    "too_long": "at most {max_length} entries",
    "string_pattern_mismatch": "text that matches {pattern}",
}
"""Messages for values beyond a limit, by pydantic's name of the error."""

Kind = TypeVar("Kind", bound="Settings")


class Settings(BaseModel):
    """Base of all settings: frozen, hashable, without unknown keys, and with finite numbers only."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    def plain(self) -> dict[str, Any]:
        """Settings as dicts, lists and scalars, which JSON can hold."""
        return self.model_dump(mode="json", exclude_unset=True)


class FrozenDict(dict):
    """A dictionary that is not changed after its creation, and is therefore hashable.

    Its order counts, unlike that of a dict: sums over it are rounded differently.
    """

    def __hash__(self) -> int:
        """Hash of the items, in their order."""
        return hash(tuple(self.items()))

    def __eq__(self, other: object) -> bool:
        """Compare the items, in their order."""
        return isinstance(other, FrozenDict) and tuple(self.items()) == tuple(other.items())

    def __ne__(self, other: object) -> bool:
        """Negate the comparison, which dict would do without the order."""
        return not self == other


class PlaceError(ValueError):
    """An error of several settings together, found at the place of one of them."""

    def __init__(self, place: str, message: str):
        """Name the place, relative to the settings that are checked, and the problem with its remedy."""
        super().__init__(message)
        self.place = place


def _check_ascending(numbers: tuple[float, ...]) -> tuple[float, ...]:
    if any(low >= high for low, high in pairwise(numbers)):
        raise ValueError(f"{list(numbers)}: give every number larger than the one before")
    return numbers


Weights = Annotated[dict[str, float], AfterValidator(FrozenDict)]
Range = Annotated[tuple[float, float], AfterValidator(_check_ascending)]
"""Lower and upper end."""


def partial(kind: type[Kind], name: str) -> type[Settings]:
    """A class of settings with the keys of another one, all of which may be left out.

    Args:
        kind: The complete settings.
        name: Name of the new class.
    """
    fields = {
        key: (
            Annotated[field.annotation, *field.metadata, ""] | None,
            Field(None, description=field.description, json_schema_extra={"replaces": True}),
        )
        for key, field in kind.model_fields.items()
    }
    return create_model(name, __base__=Settings, **fields)


def replace(settings: Kind, changes: Settings) -> Kind:
    """Settings with the keys that are given in `changes` replaced."""
    return settings.model_copy(update={key: getattr(changes, key) for key in changes.model_fields_set})


def select(kind: type[Kind], settings: Settings, **more: Any) -> Kind:
    """Settings of a kind with the values of others.

    Args:
        kind: Class of the settings.
        settings: Settings with at least the keys that are not in `more`.
        more: Further values.
    """
    return kind(**{key: getattr(settings, key) for key in kind.model_fields if key not in more}, **more)


def check(kind: type[Kind], content: Any, source: str) -> Kind:
    """Settings of a kind from the content of a file.

    Args:
        kind: Class of the settings.
        content: Dicts, lists and scalars.
        source: The file, for messages.

    Raises:
        InputError: The content does not fit; the message names the file, the first offending key and the remedy.
    """
    try:
        return kind.model_validate_json(json.dumps(content))
    except ValidationError as error:
        # a misspelt key is both unknown and missing: name what is there
        first = min(_causes(error), key=lambda detail: (_place(detail), detail["type"] != "extra_forbidden"))
        place = ".".join(_place(first)) or "top level"
        raise InputError(f"{source}: {place}: {_message(first, kind)}") from None


def from_plain(kind: Any, content: Any) -> Any:
    """Settings from their plain form; the content itself where the kind is no class of settings.

    Args:
        kind: Annotation of an argument: a class of settings, several with `|` between them, or anything else.
        content: Dicts, lists and scalars.
    """
    kinds = get_args(kind) or (kind,)
    if not all(isinstance(each, type) and issubclass(each, Settings) for each in kinds):
        return content
    return TypeAdapter(kind).validate_json(json.dumps(content))


def _causes(error: ValidationError) -> list[dict[str, Any]]:
    """Errors without those that follow from others: a list counts as too short if its entries are wrong."""
    details = error.errors()
    wrong = {detail["loc"][: len(outer["loc"])] for detail in details for outer in details if detail is not outer}
    return [detail for detail in details if detail["type"] != "too_short" or detail["loc"] not in wrong]


def _place(detail: Mapping[str, Any]) -> tuple[str, ...]:
    """Keys that lead to an error; a missing or unknown key is an error of the settings around it."""
    place = tuple(map(str, detail["loc"]))
    if detail["type"] in ("missing", "extra_forbidden"):
        return place[:-1]
    error = detail.get("ctx", {}).get("error")
    return (*place, *error.place.split(".")) if isinstance(error, PlaceError) else place


def _message(detail: Mapping[str, Any], root: type[Settings]) -> str:
    """The offending value, and the remedy."""
    kind, context, value = detail["type"], detail.get("ctx", {}), detail["input"]
    if kind == "missing":
        return f"missing key {detail['loc'][-1]}: add it"
    if kind == "extra_forbidden":
        return (
            f"unknown key {detail['loc'][-1]}; known are {', '.join(_kind_at(root, detail['loc'][:-1]).model_fields)}"
        )
    if kind == "value_error":
        return str(context["error"])
    shown = "nothing" if value is None else repr(value)
    shown = shown if len(shown) < 80 else f"{shown[:76]} ..."
    if kind in TYPES:
        number = "number" in TYPES[kind] and isinstance(value, str) and _is_number(value)
        return f"{shown}: give {TYPES[kind]}" + (", 1.0e-3 for 1e-3" if number else "")
    if kind in LIMITS:
        return f"{shown}: give {LIMITS[kind].format(**context)}"
    if kind == "literal_error":
        return f"{shown}: give one of {context['expected'].replace(' or ', ', ').replace(chr(39), '')}"
    return f"{shown}: {detail['msg']}"


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _kind_at(annotation: Any, place: Sequence[str | int]) -> Any:
    """Type of the settings at a place."""
    for key in (*place, None):
        while get_origin(annotation) in (Annotated, Union, UnionType):
            annotation = get_args(annotation)[0]
        if key is None:
            return annotation
        if get_origin(annotation) in (dict, tuple):
            annotation = get_args(annotation)[1 if get_origin(annotation) is dict else 0]
        else:
            annotation = annotation.model_fields[key].annotation
