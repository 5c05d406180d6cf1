"""Events of the study of VBF HH -> 4b, and their split into arrays for training, validation and test.

Events are split before any is repeated, so that no copy of a training event is in the test part. Weights make up for
the number of events: every part predicts the yields of the full luminosity.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Float

from diffhep import prng
from diffhep.data import vbf_hh4b
from diffhep.data.vbf_hh4b import VARIABLES

SAMPLES = ("signal", "signal_jet_pt_up", "signal_jet_pt_down", "background")
"""Samples and their systematic variations, in the order of the first axis of arrays."""
PARTS = ("train", "valid", "test")


class Region(NamedTuple):
    """Events of one region of the mass plane.

    Attributes:
        variables: Variables scaled to [0, 1] over all samples, in the order of `VARIABLES`.
        weights: Expected events for each event: with two tags for the signal, with one tag for the background.
        two_tag: Expected events with two tags.
    """

    variables: Float[np.ndarray, "sample event variable"]
    weights: Float[np.ndarray, "sample event"]
    two_tag: Float[np.ndarray, "sample event"]


class Part(NamedTuple):
    """Signal and background in the signal region, and background in the validation and control regions."""

    signal_region: Region
    validation: Region
    control: Region


def generate(settings: Mapping[str, Any]) -> xr.Dataset:
    """Generate events of both samples, those of the signal with all variations.

    Args:
        settings: `seed`; `data`: settings of `data.vbf_hh4b`, numbers of `events`, and `yields`: of the signal with
            two tags in the signal region, of the background with any number of tags.

    Returns:
        `signal` (variation, signal_event, variable) and `background` (background_event, variable); for each of them
        `<sample>_weight`, of any number of tags, `<sample>_two_tag` and `<sample>_distance`; `low` and `high`
        (variable), between which all values lie.
    """
    return _to_dataset(settings["data"], _samples(settings, prng.VBF_HH4B_EVENTS, settings["data"]["events"]))


def reference(settings: Mapping[str, Any]) -> xr.Dataset:
    """Generate the reference: many more events than are trained on, to evaluate results with; see `generate`."""
    return _to_dataset(settings["data"], _samples(settings, prng.VBF_HH4B_REFERENCE, settings["data"]["reference"]))


def _samples(settings, purpose, numbers) -> dict[str, vbf_hh4b.VbfEvents]:
    data = settings["data"]
    measured = {**data, "variations": data["variations"][:1]}  # the background is, the signal is simulated
    draw = {
        name: partial(vbf_hh4b.generate, np.random.default_rng([settings["seed"], purpose, place]))
        for place, name in enumerate(("signal", "background"))
    }
    return {
        "signal": draw["signal"](data, "signal", numbers["signal"]),
        "background": draw["background"](measured, "background", numbers["background"]),
    }


def _to_dataset(data, samples: Mapping[str, vbf_hh4b.VbfEvents]) -> xr.Dataset:
    variables, bounds = {}, []
    for name, events in samples.items():
        event = f"{name}_event"
        wanted = events.selected[0] * (
            events.two_tag * (events.distance < data["regions"]["signal"]) if name == "signal" else 1
        )
        weight = events.selected * data["yields"][name] / wanted.sum()
        rows = {"signal": slice(None), "background": 0}[name]
        dims = (["variation"] if name == "signal" else []) + [event]
        variables |= {
            name: ([*dims, "variable"], events.variables[rows].astype(np.float32)),
            f"{name}_weight": (dims, weight[rows]),
            f"{name}_two_tag": (event, events.two_tag),
            f"{name}_distance": (event, events.distance.astype(np.float32)),
        }
        bounds.append(events.variables[rows].reshape(-1, len(VARIABLES)))
    low, high = (
        np.min([each.min(axis=0) for each in bounds], axis=0),
        np.max([each.max(axis=0) for each in bounds], axis=0),
    )
    return xr.Dataset(
        variables | {"low": ("variable", low), "high": ("variable", high)}, coords={"variable": list(VARIABLES)}
    )


def to_shares(events: xr.Dataset, values: np.ndarray | list[float] | float, name: str | None = None) -> np.ndarray:
    """Convert physical values to shares of the range of the events, of all variables or of one."""
    low, high = (
        events[bound].values if name is None else events[bound].sel(variable=name).item() for bound in ("low", "high")
    )
    return np.asarray((np.asarray(values) - low) / (high - low))


def from_shares(events: xr.Dataset, shares: np.ndarray | float, name: str) -> np.ndarray:
    """Convert shares of the range of a variable to physical values; inverse of `to_shares`."""
    low, high = (events[bound].sel(variable=name).item() for bound in ("low", "high"))
    return np.asarray(low + np.asarray(shares) * (high - low))


def parts(events: xr.Dataset, settings: Mapping[str, Any], regions: Mapping[str, float]) -> dict[str, Part]:
    """Split events into training, validation and test parts.

    Args:
        events: Result of `generate`.
        settings: `seed`; `shares` of the events in `valid` and `test`; `fold`: number of test shares by which the parts
            are moved, so that several folds test on every event once; `validation`: "expected", or "drawn" for data
            with two tags in the validation region that fluctuate.
        regions: Largest distances of `signal` and `validation` region.
    """
    shares = {"test": settings["shares"]["test"], "valid": settings["shares"]["valid"]}
    ends = np.cumsum([0, *shares.values(), 1 - sum(shares.values())])
    found = {}
    for place, name in enumerate((*shares, "train")):
        rows, share = {}, ends[place + 1] - ends[place]
        for sample in ("signal", "background"):
            number = events.sizes[f"{sample}_event"]
            # each in the middle of its share, so that rounding moves none across a boundary
            at = ((np.arange(number) + 0.5) / number - settings["fold"] * shares["test"]) % 1
            rows[sample] = np.flatnonzero((at >= ends[place]) & (at < ends[place + 1]))
        drawn = (
            [settings["seed"], prng.VBF_HH4B_VALIDATION, settings["fold"], place]
            if settings["validation"] == "drawn"
            else None
        )
        found[name] = part(events, regions, rows, share, drawn)
    return {name: found[name] for name in PARTS}


def part(
    events: xr.Dataset,
    regions: Mapping[str, float],
    rows: Mapping[str, np.ndarray] | None = None,
    share: float = 1.0,
    drawn: list[int] | None = None,
) -> Part:
    """Select events, by region; in the signal region the smaller sample is repeated.

    Args:
        events: Result of `generate`.
        regions: Largest distances of `signal` and `validation` region.
        rows: Numbers of the events of each sample; all by default.
        share: Share of all events that these are.
        drawn: Seed of drawn data with two tags in the validation region; expectations by default.
    """
    rows = rows or {sample: np.arange(events.sizes[f"{sample}_event"]) for sample in ("signal", "background")}
    background = _rows(events, "background", rows["background"], share)
    distance = events["background_distance"].values[rows["background"]]
    inside, outside = distance < regions["signal"], distance >= regions["validation"]
    signal = _rows(events, "signal", rows["signal"], share)
    near = events["signal_distance"].values[rows["signal"]] < regions["signal"]
    signal = _select(signal, near)
    signal = signal._replace(weights=signal.two_tag)
    validation = _select(background, ~inside & ~outside)
    if drawn is not None:
        counted = np.random.default_rng(drawn).poisson(validation.two_tag)
        validation = validation._replace(two_tag=counted.astype(float))
    both = [signal, _select(background, inside)]
    number = max(region.weights.shape[1] for region in both)
    together = Region(*map(np.concatenate, zip(*(_repeat(region, number) for region in both), strict=True)))
    return Part(together, validation, _select(background, outside))


def _rows(events: xr.Dataset, sample: str, rows: np.ndarray, share: float) -> Region:
    """Select events of a sample with all variations; `weights` are those of one tag."""
    weight = np.atleast_2d(events[f"{sample}_weight"].values)[:, rows] / share
    two_tag = events[f"{sample}_two_tag"].values[rows]
    values = to_shares(events, events[sample].values.reshape(len(weight), -1, len(VARIABLES))[:, rows])
    return Region(np.clip(values, 0, 1).astype(np.float32), weight * (1 - two_tag), weight * two_tag)


def _select(region: Region, chosen: np.ndarray) -> Region:
    return Region(*(array[:, chosen] for array in region))


def _repeat(region: Region, number: int) -> Region:
    """Repeat events up to a number; the copies of an event share its weight."""
    rows = np.arange(number) % region.weights.shape[1]
    copies = np.bincount(rows)[rows]
    taken = _select(region, rows)
    return taken._replace(weights=taken.weights / copies, two_tag=taken.two_tag / copies)
