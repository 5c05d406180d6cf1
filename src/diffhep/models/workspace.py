"""Statistical models and observed data from pyhf workspaces, such as published likelihoods."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import jsonschema
import numpy as np
import pyhf.schema

from diffhep.errors import InputError
from diffhep.models.histfactory import build_model
from diffhep.models.interpolation import HISTOSYS_CODES, NORMSYS_CODES, HistoSysCode, NormSysCode
from diffhep.models.likelihood import Data, Model
from diffhep.models.specification import check_modifier
from diffhep.schema_messages import describe_violation

STANDARD_INPUT = "-"


def read_workspace(path: str | Path, measurement: str | None = None) -> tuple[Model, Data]:
    """Read the statistical model and the observed data of a pyhf workspace, with the interpolation codes of pyhf.

    Args:
        path: JSON file of the workspace, or "-" for standard input.
        measurement: Name of the measurement, by default the first.

    Returns:
        The model, and the observed data with the auxiliary data.

    Raises:
        InputError: The file cannot be read or is no valid workspace; the message names file, place and remedy.

    Example:
        >>> import json, tempfile
        >>> from diffhep.models.simple import signal_background_workspace
        >>> content = signal_background_workspace(*np.array([[5.0], [50.0], [55.0], [45.0]]))
        >>> with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        ...     json.dump(content, file)
        ...     file.flush()
        ...     model, data = dh.read_workspace(file.name)
        >>> model.parameters.names[model.parameters.poi], data.main.tolist()
        ('mu', [50.0])
    """
    content = load(path)
    try:
        return model_and_data(content, measurement)
    except ValueError as error:
        raise InputError(f"{source_name(path)}: {error}") from None


def load(source: str | Path) -> dict[str, Any]:
    """Load a workspace from a file, or from standard input if the source is "-".

    Raises:
        InputError: The file cannot be read, or is no JSON or no pyhf workspace; the message names file, place and
            remedy.
    """
    name = source_name(source)
    try:
        text = sys.stdin.read() if source == STANDARD_INPUT else Path(source).read_text(encoding="utf-8")
        content = json.loads(text, object_pairs_hook=_unique)
        if not isinstance(content, dict):
            raise InputError(f"a workspace is a JSON object, not a {type(content).__name__}")
        validate(content)
    except OSError as error:
        raise InputError(f"{name}: {error.strerror}: name a workspace that you may read") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: byte {error.start} is not UTF-8: save the file as UTF-8") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InputError(f"{name}: {where}: {error.msg}: give a complete JSON file") from None
    except RecursionError:
        raise InputError(f"{name}: brackets are nested too deeply: give a workspace") from None
    except ValueError as error:
        raise InputError(f"{name}: {error}") from None
    return content


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build a JSON object; refuse duplicated keys, of which Python would silently use the last."""
    content: dict[str, Any] = {}
    for key, value in pairs:
        if key in content:
            raise InputError(f"key {key!r} is given twice in one object: remove one")
        content[key] = value
    return content


def source_name(source: str | Path) -> str:
    """Return the name of a source in messages."""
    return "standard input" if source == STANDARD_INPUT else str(source)


def validate(workspace: Mapping[str, Any]) -> None:
    """Check a workspace against the JSON schema of pyhf.

    Raises:
        ValueError: The workspace violates the schema; the message names channel, sample and modifier.
    """
    try:
        pyhf.schema.validate(workspace, "workspace.json")
    except pyhf.exceptions.InvalidSpecification as error:
        deepest = jsonschema.exceptions.best_match([error.__context__])
        raise ValueError(_explain(workspace, list(error.__context__.absolute_path), deepest)) from None


def _explain(workspace, path, error):
    """Describe a violation of the schema, with its place by names instead of indices."""
    names, entry, parent, kind = [], workspace, "", None
    for key in path:
        parent, entry = key if isinstance(key, str) else parent, entry[key]
        if isinstance(key, int) and isinstance(entry, Mapping):
            names.append(f"{parent.removesuffix('s')} {entry.get('name', f'number {key}')}")
            kind = entry.get("type") if parent == "modifiers" else kind
    place = ", ".join(names) or "top level"
    if kind is not None:  # the schema's own message lists every type of modifier
        try:
            check_modifier(place.rpartition(", modifier")[0], entry)
        except ValueError as clearer:
            return str(clearer)
    last_key = [str(key) for key in error.absolute_path if isinstance(key, str)][-1:]
    return f"{place}: {''.join(f'{key}: ' for key in last_key)}{describe_violation(error)}"


def model_and_data(
    workspace: Mapping[str, Any],
    measurement: str | None = None,
    *,
    histosys: HistoSysCode = HISTOSYS_CODES[0],
    normsys: NormSysCode = NORMSYS_CODES[0],
) -> tuple[Model, Data]:
    """Return the statistical model and the observed data of a workspace.

    Args:
        workspace: Workspace in the schema of pyhf; yields may be arrays.
        measurement: Name of the measurement, by default the first.
        histosys: Interpolation of histosys, "code4p" or "code0".
        normsys: Interpolation of normsys, "code4" or "code1".

    Raises:
        ValueError: The workspace lacks the measurement or an observation, or its model is invalid.
    """
    config = _measurement(workspace, measurement)
    parameters = config.get("parameters", [])
    model = build_model(
        workspace["channels"], poi=config["poi"], parameters=parameters, histosys=histosys, normsys=normsys
    )
    return model, Data(jnp.asarray(_observed(workspace)), model.constraints.auxiliary)


def _measurement(workspace, name):
    configs = {measurement["name"]: measurement["config"] for measurement in workspace.get("measurements", [])}
    if not configs:
        raise ValueError("the workspace has no measurements: add one")
    if name is not None and name not in configs:
        raise ValueError(f"the workspace has no measurement {name!r}: choose from {', '.join(configs)}")
    name = next(iter(configs)) if name is None else name
    if not configs[name].get("poi"):
        raise ValueError(f"measurement {name} has no parameter of interest: set its poi")
    return configs[name]


def _observed(workspace):
    """Return the counts of all channels, in alphabetical order of the channels."""
    observations = {observation["name"]: observation["data"] for observation in workspace["observations"]}
    by_channel = []
    for channel in sorted(workspace["channels"], key=lambda channel: channel["name"]):
        name, bins = channel["name"], len(channel["samples"][0]["data"])
        if name not in observations:
            raise ValueError(f"channel {name}: the workspace has no observation of that name: add one")
        counts = np.asarray(observations[name], float)
        if counts.shape != (bins,):
            raise ValueError(
                f"observation {name} has {len(counts)} bins but the channel has {bins}: give one count per bin"
            )
        for number in np.flatnonzero(~(np.isfinite(counts) & (counts >= 0)))[:1]:
            raise ValueError(
                f"observation {name}: {counts[number]} in bin {number}: give finite counts that are not negative"
            )
        by_channel.append(counts)
    return np.concatenate(by_channel)
