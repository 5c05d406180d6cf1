"""HistFactory specifications as arrays: nominal yields, and each modifier with the sample and bins it acts on."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from diffhep.models.traced_arrays import Values, as_float64, is_traced, set_entries

DATA_KEYS = {
    "normfactor": (),
    "lumi": (),
    "shapefactor": (),
    "normsys": ("hi", "lo"),
    "histosys": ("hi_data", "lo_data"),
    "shapesys": None,
    "staterror": None,
}
"""Types of modifiers, and the keys of their `data`; None where `data` is a list of one number per bin."""


class Effect(NamedTuple):
    """Modifier acting on one sample in one channel.

    Attributes:
        kind: Type of the modifier, such as "histosys".
        name: Name of its parameters.
        channel: Index of the channel.
        sample: Index of the sample.
        bins: Bins of the channel.
        data: `data` of the modifier in the specification.
        nominal: Yields of the sample in these bins, shape (bin,).
        label: Channel, sample and modifier, as error messages name them.
    """

    kind: str
    name: str
    channel: int
    sample: int
    bins: slice
    data: Any
    nominal: Values
    label: str

    def yields(self, side: str) -> Values:
        """Return the template of one side ("hi_data" or "lo_data") of a histosys, shape (bin,)."""
        return _finite_numbers(f"{self.label}: {side}", self.data[side], self.nominal.shape[0])

    def factor(self, side: str) -> Values:
        """Return the factor of one side ("hi" or "lo") of a normsys.

        Raises:
            ValueError: The factor is known and not positive.
        """
        value = as_float64(self.data[side])
        if not is_traced(value) and not (value.shape == () and np.isfinite(value) and value > 0):
            raise ValueError(f"{self.label}: {side} is {self.data[side]}: give a positive number")
        return value

    def uncertainties(self) -> Values:
        """Return the absolute uncertainties of a shapesys or staterror, shape (bin,).

        Raises:
            ValueError: An uncertainty is negative.
        """
        values = _finite_numbers(self.label, self.data, self.nominal.shape[0])
        _refuse(self.label, values, lambda known: known < 0, "an uncertainty cannot be negative")
        return values


class Layout(NamedTuple):
    """Specification of all channels as arrays.

    Attributes:
        channels: Number of bins of each channel, by name, in alphabetical order.
        samples: Names of the samples.
        nominal: Nominal yields, shape (sample, bin), with the channels one after the other; zero where a channel
            lacks the sample.
        effects: All modifiers.
    """

    channels: dict[str, int]
    samples: tuple[str, ...]
    nominal: Values
    effects: list[Effect]


def read_layout(channels: Sequence[Mapping[str, Any]]) -> Layout:
    """Convert the channels of a specification to arrays.

    Args:
        channels: `channels` of a pyhf workspace; their numbers may be traced arrays.

    Raises:
        ValueError: A channel or sample is missing or duplicated, a number is not finite, a yield is negative, or a bin
            has no events.
    """
    by_name = _by_unique_name("channel", "", channels)
    if not by_name:
        raise ValueError("the model has no channels: add one")
    order = sorted(by_name)
    members = {c: _by_unique_name("sample", f"channel {c}: ", by_name[c]["samples"]) for c in order}
    for name in order:
        if not members[name]:
            raise ValueError(f"channel {name} has no samples: add one")
    sizes = {c: np.shape(next(iter(members[c].values()))["data"])[0] for c in order}
    first_bins = dict(zip(order, np.cumsum([0, *sizes.values()]).tolist(), strict=False))
    samples = tuple(sorted({name for of_channel in members.values() for name in of_channel}))
    yields, effects = [], []
    for number, channel in enumerate(order):
        bins = slice(first_bins[channel], first_bins[channel] + sizes[channel])
        for name, sample in members[channel].items():
            label, index = f"channel {channel}, sample {name}", (samples.index(name), bins)
            values = _nominal(label, sample["data"], sizes[channel])
            yields.append((index, values))
            effects += _effects(label, sample["modifiers"], number, index, values)
    nominal = set_entries(np.zeros((len(samples), sum(sizes.values()))), yields)
    _refuse_empty_bins(sizes, first_bins, nominal)
    return Layout(sizes, samples, nominal, effects)


def _effects(label, modifiers, channel, index, nominal):
    seen = set()
    for modifier in modifiers:
        kind, name = modifier["type"], modifier["name"]
        modifier_label = check_modifier(label, modifier)
        if (kind, name) in seen:
            raise ValueError(f"{modifier_label} is defined twice: remove one")
        seen.add((kind, name))
        yield Effect(kind, name, channel, *index, modifier.get("data"), nominal, modifier_label)


def check_modifier(sample_label: str, modifier: Mapping[str, Any]) -> str:
    """Check the type of a modifier and the keys of its data, and return the label of the modifier in messages.

    Args:
        sample_label: Channel and sample, as error messages name them.
        modifier: Modifier of a pyhf specification.

    Raises:
        ValueError: The type is unknown, or the data lack a key.
    """
    kind, name, data = modifier["type"], modifier["name"], modifier.get("data")
    if kind not in DATA_KEYS:
        raise ValueError(f"{sample_label}, modifier {name}: unknown type {kind!r}: choose from {', '.join(DATA_KEYS)}")
    label = f"{sample_label}, modifier {name} ({kind})"
    missing = [key for key in DATA_KEYS[kind] or () if not isinstance(data, Mapping) or key not in data]
    if missing:
        raise ValueError(f"{label}: missing {', '.join(missing)} in data: add it")
    return label


def _by_unique_name(kind, prefix, entries):
    by_name = {}
    for entry in entries:
        if entry["name"] in by_name:
            raise ValueError(f"{prefix}{kind} {entry['name']} is defined twice: rename or merge them")
        by_name[entry["name"]] = entry
    return by_name


def _nominal(label, data, bins):
    values = _finite_numbers(label, data, bins)
    _refuse(label, values, lambda known: known < 0, "yields cannot be negative: merge the bin with a neighbouring one")
    return values


def _finite_numbers(label, data, bins):
    values = as_float64(data)
    if values.shape != (bins,):
        raise ValueError(f"{label} has shape {values.shape} but the channel has {bins} bins: give one number per bin")
    _refuse(label, values, lambda known: ~np.isfinite(known), "give finite numbers")
    return values


def _refuse(label, values, is_bad, remedy):
    if is_traced(values):
        return
    for number in np.flatnonzero(is_bad(np.asarray(values)))[:1]:
        raise ValueError(f"{label}: {values[number]} in bin {number}: {remedy}")


def _refuse_empty_bins(sizes, first_bins, nominal):
    if is_traced(nominal):
        return
    total = np.asarray(nominal).sum(axis=0)
    for number in np.flatnonzero(total == 0)[:1]:
        channel = [name for name in sizes if first_bins[name] <= number][-1]
        raise ValueError(
            f"channel {channel}: no sample has events in bin {number - first_bins[channel]}: "
            "merge it with a neighbouring one"
        )
