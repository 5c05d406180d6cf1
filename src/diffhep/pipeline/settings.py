"""Reads and checks the files under `config/`: whatever is wrong is said before any job starts."""

import json
import math
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from functools import cache, reduce
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from diffhep import typed_settings
from diffhep.errors import InputError
from diffhep.merging import merge
from diffhep.schema_messages import describe_violation
from diffhep.typed_settings import Settings

SCALES = ("full", "quick", "paper")
"""Sizes of everything that is computed; all but the first are overlays in the files of the studies."""


class _UniqueKeys(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # every job reads all files: in C, in no time
    """YAML in which a key that stands twice is an error and not a silent choice of the last."""


def _mapping(loader: _UniqueKeys, node: yaml.MappingNode) -> dict:
    keys = [key.value for key, _ in node.value]
    for key, _ in node.value:
        twice, text = keys.count(key.value) > 1, key.tag in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")
        if twice or not text:
            problem = "stands twice: remove one" if twice else "is no text: put it in quotes"
            raise yaml.constructor.ConstructorError(None, None, f"key '{key.value}' {problem}", key.start_mark)
    loader.flatten_mapping(node)
    return loader.construct_mapping(node, deep=True)


_UniqueKeys.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read(path: Path | str) -> Any:
    """Content of a YAML file.

    Raises:
        InputError: It is missing, cannot be read, is not YAML, or has a key twice.
    """
    try:
        return yaml.load(Path(path).read_text(encoding="utf-8"), _UniqueKeys)  # a safe loader, see above
    except OSError as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror
        raise InputError(f"{path}: {reason}: put a readable file there") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is not UTF-8: save the file as UTF-8") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        remedy = (
            "" if isinstance(error, yaml.constructor.ConstructorError) else ": mend it or the line above, without tabs"
        )
        raise InputError(f"{path}, line {line}: {error.problem}{remedy}") from None
    except (yaml.YAMLError, ValueError) as error:  # characters that YAML has not, dates that no calendar has
        raise InputError(f"{path}: {' '.join(str(error).split())}: mend it or put it in quotes") from None


@cache
def _schema(path: Path) -> Any:
    return read(path)


def check(content: Any, schema: Path, source: Path | str) -> Any:
    """Check content against a JSON schema, and return it.

    Three keywords are ours: `ascending`, numbers that grow from each to the next; `sameLength`, lists as long as each
    other; and `keyOf`, text that is a key of the mapping at this place in the content.

    Raises:
        InputError: It does not; the message names the first offending key.
    """
    checked = _CHECKED.set(content)
    try:
        errors = list(_Validator(_schema(schema)).iter_errors(content))
    finally:
        _CHECKED.reset(checked)
    if errors:
        first = min(errors, key=lambda error: list(map(str, error.absolute_path)))
        where = ".".join(map(str, first.absolute_path)) or "top level"
        raise InputError(f"{source}: {where}: {describe_violation(first)}")
    return content


_CHECKED: ContextVar[Any] = ContextVar("checked")
"""The whole content that is being checked: a keyword sees its own place only."""


def _finite(_checker: Any, value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _ascending(_validator: Any, _wanted: Any, values: Any, _schema: Any) -> Iterator[ValidationError]:
    numbers = values if isinstance(values, list) and all(_finite(None, value) for value in values) else []
    if any(low >= high for low, high in pairwise(numbers)):
        yield ValidationError("")


def _same_length(_validator: Any, _wanted: Any, values: Any, _schema: Any) -> Iterator[ValidationError]:
    lists = values.values() if isinstance(values, Mapping) else values if isinstance(values, list) else ()
    if len({len(each) for each in lists if isinstance(each, list)}) > 1:
        yield ValidationError("")


def _key_of(_validator: Any, place: str, name: Any, _schema: Any) -> Iterator[ValidationError]:
    keys = place.split(".")
    known = reduce(lambda at, key: at.get(key) if isinstance(at, Mapping) else None, keys, _CHECKED.get())
    if isinstance(known, Mapping) and isinstance(name, str) and name not in known:
        yield ValidationError(f"is not in {place}; choose from {', '.join(known)}")


_Validator = extend(
    Draft202012Validator,
    {"ascending": _ascending, "sameLength": _same_length, "keyOf": _key_of},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("number", _finite),
)


def _overlaid(full: Mapping, changes: Any) -> Any:
    return merge(full, changes) if isinstance(changes, Mapping) else changes


def load_study(path: Path, kind: Path | type[Settings], scale: str) -> Any:
    """Settings of a study at a scale.

    Args:
        path: The file; `quick:` and `paper:` in it, where given, hold what differs at those scales.
        kind: Class of the settings, or path of a JSON schema, which must fit at every scale.
        scale: One of `SCALES`.

    Raises:
        InputError: The settings do not fit at some scale.
    """

    def fit(content: Any, source: str) -> Any:
        return check(content, kind, source) if isinstance(kind, Path) else typed_settings.check(kind, content, source)

    content = read(path)
    overlays = {scale: content.pop(scale, {}) for scale in SCALES[1:]} if isinstance(content, dict) else {}
    full = fit(content, str(path))
    overlaid = {scale: fit(_overlaid(content, changes), f"{path}, {scale}") for scale, changes in overlays.items()}
    return {"full": full, **overlaid}[scale]


def study_kind(study: str) -> type[Settings] | None:
    """Class of the settings of a study, `Study` in its module `settings`; None where it has none."""
    module, package = f"diffhep.studies.{study}.settings", find_spec(f"diffhep.studies.{study}")
    if package is None or package.submodule_search_locations is None or find_spec(module) is None:
        return None
    return import_module(module).Study


def plot_call(entry: Mapping[str, Any]) -> str:
    """The function that draws a figure of the manifest, as `module:function`.

    It is the `plot` in the module of the figure's study, unless that names a module itself.
    """
    module, _, function = entry["plot"].rpartition(":")
    return f"diffhep.figures.{module or entry['study']}:{function}"


def as_plain_json(settings: Any) -> Any:
    """A copy of nothing but dicts, lists and scalars, whose text is the same for equal settings."""
    plain = settings.plain() if isinstance(settings, Settings) else settings
    return json.loads(json.dumps(plain, sort_keys=True))
