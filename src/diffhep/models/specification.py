"""What a pyhf description says, laid out in arrays: nominal yields, and every modifier where it acts."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

Values = np.ndarray | Array

DATA_KEYS = {
    "normfactor": (),
    "lumi": (),
    "shapefactor": (),
    "normsys": ("hi", "lo"),
    "histosys": ("hi_data", "lo_data"),
    "shapesys": None,
    "staterror": None,
}
"""Kinds of modifiers, and the entries of their `data`; None where `data` is one number a bin."""


class Effect(NamedTuple):
    """A modifier on one sample of one channel.

    Attributes:
        kind: such as "histosys".
        name: of its parameters.
        channel: index of the channel.
        sample: index of the sample.
        bins: those of the channel.
        data: what the description says.
        nominal: yields of the sample in these bins.
        where: how messages call it.
    """

    kind: str
    name: str
    channel: int
    sample: int
    bins: slice
    data: Any
    nominal: Values
    where: str

    def yields(self, side: str) -> Values:
        """The template of one side of a histosys."""
        return _one_a_bin(f"{self.where}: {side}", self.data[side], self.nominal.shape[0])

    def factor(self, side: str) -> Values:
        """The factor of one side of a normsys."""
        value = array(self.data[side])
        if not traced(value) and not (value.shape == () and np.isfinite(value) and value > 0):
            raise ValueError(f"{self.where}: {side} is {self.data[side]}: give a positive number")
        return value

    def errors(self) -> Values:
        """Absolute uncertainty of each bin of a shapesys or staterror."""
        values = _one_a_bin(self.where, self.data, self.nominal.shape[0])
        _refuse(self.where, values, lambda known: known < 0, "an uncertainty cannot be negative")
        return values


class Layout(NamedTuple):
    """A description in arrays.

    Attributes:
        channels: number of bins by name.
        samples: names.
        nominal: yields (sample, bin), channels one after the other; zero where a channel has no such sample.
        effects: all modifiers.
    """

    channels: dict[str, int]
    samples: tuple[str, ...]
    nominal: Values
    effects: list[Effect]


def read_layout(channels: Sequence[Mapping[str, Any]]) -> Layout:
    """Lay out the channels of a description.

    Raises:
        ValueError: Something is missing, stands twice, is not finite, or has no or negative events.
    """
    by_name = _unique("channel", "", channels)
    if not by_name:
        raise ValueError("the model has no channels")
    order = sorted(by_name)
    members = {c: _unique("sample", f"channel {c}: ", by_name[c]["samples"]) for c in order}
    for name in order:
        if not members[name]:
            raise ValueError(f"channel {name} has no samples")
    sizes = {c: np.shape(next(iter(members[c].values()))["data"])[0] for c in order}
    ends = dict(zip(order, np.cumsum([0, *sizes.values()]).tolist(), strict=False))
    samples = tuple(sorted({name for of_channel in members.values() for name in of_channel}))
    yields, effects = [], []
    for number, channel in enumerate(order):
        bins = slice(ends[channel], ends[channel] + sizes[channel])
        for name, sample in members[channel].items():
            place = (samples.index(name), bins)
            values = _nominal(f"channel {channel}, sample {name}", sample["data"], sizes[channel])
            yields.append((place, values))
            effects += _effects(f"channel {channel}, sample {name}", sample["modifiers"], number, place, values)
    nominal = placed(np.zeros((len(samples), sum(sizes.values()))), yields)
    _refuse_empty_bins(sizes, ends, nominal)
    return Layout(sizes, samples, nominal, effects)


def _effects(where, modifiers, channel, place, nominal):
    seen = set()
    for modifier in modifiers:
        kind, name = modifier["type"], modifier["name"]
        here = check_modifier(where, modifier)
        if (kind, name) in seen:
            raise ValueError(f"{here} stands twice")
        seen.add((kind, name))
        yield Effect(kind, name, channel, *place, modifier.get("data"), nominal, here)


def check_modifier(where: str, modifier: Mapping[str, Any]) -> str:
    """How messages call a modifier.

    Raises:
        ValueError: It is of no known type, or its data lack something.
    """
    kind, name, data = modifier["type"], modifier["name"], modifier.get("data")
    if kind not in DATA_KEYS:
        raise ValueError(f"{where}, modifier {name}: unknown type {kind!r}; known are {', '.join(DATA_KEYS)}")
    here = f"{where}, modifier {name} ({kind})"
    missing = [key for key in DATA_KEYS[kind] or () if not isinstance(data, Mapping) or key not in data]
    if missing:
        raise ValueError(f"{here}: data lacks {', '.join(missing)}")
    return here


def _unique(kind, where, entries):
    by_name = {}
    for entry in entries:
        if entry["name"] in by_name:
            raise ValueError(f"{where}{kind} {entry['name']} stands twice: rename or merge them")
        by_name[entry["name"]] = entry
    return by_name


def _nominal(where, data, bins):
    values = _one_a_bin(where, data, bins)
    _refuse(where, values, lambda known: known < 0, "yields cannot be negative; merge the bin with its neighbour")
    return values


def _one_a_bin(where, data, bins):
    """Finite numbers, one for each bin."""
    values = array(data)
    if values.shape != (bins,):
        raise ValueError(f"{where} has shape {values.shape} where the channel has {bins} bins: give one number a bin")
    _refuse(where, values, lambda known: ~np.isfinite(known), "give finite numbers")
    return values


def _refuse(where, values, bad, remedy):
    if traced(values):
        return
    for place in np.flatnonzero(bad(np.asarray(values)))[:1]:
        raise ValueError(f"{where}: {values[place]} in bin {place}: {remedy}")


def _refuse_empty_bins(sizes, ends, nominal):
    if traced(nominal):
        return
    total = np.asarray(nominal).sum(axis=0)
    for place in np.flatnonzero(total == 0)[:1]:
        channel = [name for name in sizes if ends[name] <= place][-1]
        raise ValueError(
            f"channel {channel}: no sample has events in bin {place - ends[channel]}: merge it with its neighbour"
        )


def array(values: Any) -> Values:
    """Float64 numbers, in numpy if they are known."""
    if isinstance(values, jax.core.Tracer) or (
        isinstance(values, (list, tuple)) and any(isinstance(value, jax.core.Tracer) for value in values)
    ):
        return jnp.asarray(values, jnp.float64)
    return np.asarray(values, np.float64)


def traced(*values: Values) -> bool:
    """Whether any of them is known only when the program runs."""
    return any(isinstance(value, jax.core.Tracer) for value in values)


def placed(base: Values, entries: Sequence[tuple[Any, Values]]) -> Values:
    """`base` with values put at indices."""
    if traced(base, *(value for _, value in entries)):
        filled = jnp.asarray(base)
        for index, value in entries:
            filled = filled.at[index].set(value)
        return filled
    filled = np.array(base)
    for index, value in entries:
        filled[index] = value
    return filled
