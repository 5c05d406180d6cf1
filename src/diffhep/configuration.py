"""Reads and checks the files under `config/`: whatever is wrong is said before any job starts."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

SCALES = ("full", "quick", "paper")
"""Sizes of everything that is computed; all but the first are overlays in the files of the studies."""


class ConfigurationError(ValueError):
    """A file of the configuration cannot be used; the message names file, key and remedy."""


class _UniqueKeys(yaml.SafeLoader):
    """YAML in which a key that stands twice is an error and not a silent choice of the last."""


def _mapping(loader: _UniqueKeys, node: yaml.MappingNode) -> dict:
    keys = [key.value for key, _ in node.value]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice:
        raise yaml.constructor.ConstructorError(None, None, f"key '{twice}' stands twice", node.start_mark)
    loader.flatten_mapping(node)
    return loader.construct_mapping(node, deep=True)


_UniqueKeys.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read(path: Path) -> Any:
    """Content of a YAML file.

    Raises:
        ConfigurationError: It is missing, is not YAML, or has a key twice.
    """
    try:
        return yaml.load(Path(path).read_text(), _UniqueKeys)  # a safe loader, see above
    except FileNotFoundError:
        raise ConfigurationError(f"{path}: there is no such file; every study needs one") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise ConfigurationError(f"{path}, line {line}: {error.problem}") from None


def check(content: Any, schema: Path, source: Path | str) -> Any:
    """The same content, if it fits the JSON schema.

    Raises:
        ConfigurationError: It does not; the first offence is told.
    """
    validator = Draft202012Validator(read(schema))
    errors = sorted(validator.iter_errors(content), key=lambda error: list(map(str, error.absolute_path)))
    if errors:
        raise ConfigurationError(f"{source}: {_explain(errors[0])}")
    return content


def _explain(error: ValidationError) -> str:
    where = ".".join(map(str, error.absolute_path)) or "top level"
    known = ", ".join(error.schema.get("properties", {}))
    if error.validator == "additionalProperties":
        unknown = sorted(set(map(str, error.instance)) - set(error.schema["properties"]))
        return f"{where}: unknown key {', '.join(unknown)}; known are {known}"
    if error.validator == "required":
        missing = sorted(set(error.validator_value) - set(error.instance))
        return f"{where}: missing key {', '.join(missing)}"
    return f"{where}: {error.message}"


def merge(base: Mapping, changes: Mapping) -> dict:
    """`base` with the entries of `changes` in place of its own, mapping by mapping."""
    both = {
        key: merge(base[key], value) if isinstance(value, Mapping) and isinstance(base.get(key), Mapping) else value
        for key, value in changes.items()
    }
    return {**base, **both}


def load_study(path: Path, schema: Path, scale: str) -> dict:
    """Settings of a study at a scale.

    Args:
        path: The file; `quick:` and `paper:` in it, where they are, say what differs at those scales.
        schema: What it has to fit at every scale.
        scale: One of `SCALES`.

    Raises:
        ConfigurationError: The file, or what is made of it at any scale, does not fit the schema.
    """
    content = read(path)
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path}: top level: holds no settings")
    overlays = {each: content.pop(each, {}) for each in SCALES[1:]}
    full = check(content, schema, path)
    overlaid = {each: check(merge(full, changes), schema, f"{path}, {each}") for each, changes in overlays.items()}
    return {"full": full, **overlaid}[scale]


def plot_call(entry: Mapping[str, Any]) -> str:
    """The function that draws a figure of the manifest, as `module:function`.

    It is the `plot` in the module of the figure's study, unless that names a module itself.
    """
    module, _, function = entry["plot"].rpartition(":")
    return f"diffhep.figures.{module or entry['study']}:{function}"


def plain(settings: Any) -> Any:
    """A copy of nothing but dicts, lists and scalars, whose text is the same for equal settings."""
    return json.loads(json.dumps(settings, sort_keys=True))
