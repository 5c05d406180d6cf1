"""Workspaces in pyhf's JSON: statistical models and data that others have published."""

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


def load(source: str | Path) -> dict[str, Any]:
    """The workspace in a file, or from standard input if the source is "-".

    Raises:
        InputError: It cannot be read, is no JSON, or no pyhf workspace; file, place and reason are named.
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
        raise InputError(f"{name}: {where}: {error.msg}: this is no complete JSON") from None
    except RecursionError:
        raise InputError(f"{name}: brackets within brackets without end: this is no workspace") from None
    except ValueError as error:
        raise InputError(f"{name}: {error}") from None
    return content


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, if no key stands twice, of which Python would take the last in silence."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise InputError(f"key {key!r} stands twice in one object: remove one")
        found[key] = value
    return found


def source_name(source: str | Path) -> str:
    """How messages call a source."""
    return "standard input" if source == STANDARD_INPUT else str(source)


def validate(workspace: Mapping[str, Any]) -> None:
    """Stop at what pyhf's schema does not allow.

    Raises:
        ValueError: Channel, sample and modifier are named.
    """
    try:
        pyhf.schema.validate(workspace, "workspace.json")
    except pyhf.exceptions.InvalidSpecification as error:
        deepest = jsonschema.exceptions.best_match([error.__context__])
        raise ValueError(_explain(workspace, list(error.__context__.absolute_path), deepest)) from None


def _explain(workspace, path, error):
    """Where in the workspace the schema is broken, by names instead of numbers."""
    names, place, parent, kind = [], workspace, "", None
    for key in path:
        parent, place = key if isinstance(key, str) else parent, place[key]
        if isinstance(key, int) and isinstance(place, Mapping):
            names.append(f"{parent.removesuffix('s')} {place.get('name', f'number {key}')}")
            kind = place.get("type") if parent == "modifiers" else kind
    where = ", ".join(names) or "top level"
    if kind is not None:
        try:
            check_modifier(where.rpartition(", modifier")[0], place)
        except ValueError as plainer:
            return str(plainer)
    inside = [str(key) for key in error.absolute_path if isinstance(key, str)][-1:]
    return f"{where}: {''.join(f'{key}: ' for key in inside)}{describe_violation(error)}"


def model_and_data(
    workspace: Mapping[str, Any],
    measurement: str | None = None,
    *,
    histosys: HistoSysCode = HISTOSYS_CODES[0],
    normsys: NormSysCode = NORMSYS_CODES[0],
) -> tuple[Model, Data]:
    """Statistical model and observed data of a workspace.

    Args:
        workspace: as pyhf's schema has it; yields may be arrays.
        measurement: name of the one to use, by default the first.
        histosys: interpolation of histosys, see `histfactory.build_model`.
        normsys: interpolation of normsys.

    Raises:
        ValueError: The workspace has no such measurement, or is none of a model; see `histfactory.build_model`.
    """
    config = _measurement(workspace, measurement)
    parameters = config.get("parameters", [])
    model = build_model(
        workspace["channels"], poi=config["poi"], parameters=parameters, histosys=histosys, normsys=normsys
    )
    return model, Data(jnp.asarray(_observed(workspace)), model.constraints.auxiliary)


def _measurement(workspace, name):
    known = {measurement["name"]: measurement["config"] for measurement in workspace.get("measurements", [])}
    if not known:
        raise ValueError("the workspace has no measurements: add one")
    if name is not None and name not in known:
        raise ValueError(f"there is no measurement {name!r}; choose from {', '.join(known)}")
    chosen = next(iter(known)) if name is None else name
    if not known[chosen].get("poi"):
        raise ValueError(f"measurement {chosen} names no parameter of interest: set its poi")
    return known[chosen]


def _observed(workspace):
    """Counts of all channels in alphabetical order."""
    found = {observation["name"]: observation["data"] for observation in workspace["observations"]}
    parts = []
    for channel in sorted(workspace["channels"], key=lambda channel: channel["name"]):
        name, bins = channel["name"], len(channel["samples"][0]["data"])
        if name not in found:
            raise ValueError(f"channel {name}: the workspace has no observation of that name: add one")
        counts = np.asarray(found[name], float)
        if counts.shape != (bins,):
            raise ValueError(
                f"observation {name} has {len(counts)} bins where the channel has {bins}: give one count a bin"
            )
        for place in np.flatnonzero(~(np.isfinite(counts) & (counts >= 0)))[:1]:
            raise ValueError(
                f"observation {name}: {counts[place]} in bin {place}: give finite counts that are not negative"
            )
        parts.append(counts)
    return np.concatenate(parts)
