"""Parameters of a HistFactory model: how many each name stands for, where they start, and what was measured of them."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from diffhep.models.specification import Effect, Layout, Values, array, traced

MIN_FACTOR = 1e-10
"""Lowest value of a factor with a constraint, as in pyhf."""


@dataclass(frozen=True)
class ParameterSet:
    """The parameters of one name.

    Attributes:
        kind: what can share the name.
        initial: start values.
        bounds: lowest and highest value of each.
        fixed: which are not fitted.
        scalar: whether the name stands for a single parameter, not for one a bin.
        constraint: "normal", "poisson" or "" for none.
        measured: auxiliary data.
        scale: standard deviations of normal measurements, expected counts at one of Poisson ones.
    """

    kind: str
    initial: tuple[float, ...]
    bounds: tuple[tuple[float, float], ...]
    fixed: tuple[bool, ...]
    scalar: bool = True
    constraint: str = ""
    measured: Values | None = None
    scale: Values | None = None

    @property
    def size(self) -> int:
        """How many parameters there are."""
        return len(self.initial)

    def names(self, label: str) -> list[str]:
        """The name of each parameter."""
        return [label] if self.scalar else [f"{label}[{number}]" for number in range(self.size)]


def collect(layout: Layout, configs: Sequence[Mapping[str, Any]]) -> dict[str, ParameterSet]:
    """All parameters of a model by name, as their modifiers and the measurement want them.

    Raises:
        ValueError: Modifiers of one name want different things, or the measurement's `parameters` do not fit.
    """
    by_name: dict[str, list[Effect]] = {}
    for effect in sorted(layout.effects, key=lambda effect: _ORDER.index(effect.kind)):
        by_name.setdefault(effect.name, []).append(effect)
    if not by_name:
        raise ValueError("the model has no parameters: no sample has a modifier")
    configured: dict[str, Mapping[str, Any]] = {}
    for config in configs:
        if config["name"] in configured:
            raise ValueError(f"parameter {config['name']} is configured twice")
        configured[config["name"]] = config
    return {
        name: _configured(name, _wanted(layout, effects), configured.get(name, {})) for name, effects in by_name.items()
    }


def first_indices(sets: Mapping[str, ParameterSet]) -> dict[str, int]:
    """Index of the first parameter of each name."""
    ends = np.cumsum([0, *(of_name.size for of_name in sets.values())]).tolist()
    return dict(zip(sets, ends, strict=False))


def channel_offset(layout: Layout, effect: Effect) -> int:
    """How many parameters of the effect's name come before those of its channel."""
    return sum(_bins(layout, channel) for channel in _channels(layout, effect) if channel < effect.channel)


def joined(arrays: Sequence[Values]) -> Values:
    """One array of several, in numpy if all are known."""
    if traced(*arrays):
        return jnp.concatenate(arrays)
    return np.concatenate([np.zeros(0), *arrays])


_ORDER = ("normfactor", "lumi", "histosys", "normsys", "shapefactor", "shapesys", "staterror")  # neighbours fit faster


def _wanted(layout, effects):
    """What the modifiers of one name want; all of them must want the same."""
    sets = [_OF_KIND[effect.kind](layout, effect) for effect in effects]
    for effect, other in zip(effects[1:], sets[1:], strict=True):
        if (other.kind, other.size) != (sets[0].kind, sets[0].size):
            raise ValueError(f"{effect.where} cannot share its parameter with {effects[0].where}: rename one of them")
    if len(sets) > 1 and effects[0].kind == "shapesys":
        raise ValueError(f"{effects[1].where} has the name of {effects[0].where}: a shapesys cannot be shared")
    if effects[0].kind == "staterror":
        return _staterror(layout, effects)
    return sets[0]


def _free(layout, effect):
    return ParameterSet("free", (1.0,), ((0.0, 10.0),), (False,))


def _shift(layout, effect):
    return ParameterSet(
        "shift", (0.0,), ((-5.0, 5.0),), (False,), constraint="normal", measured=np.zeros(1), scale=np.ones(1)
    )


def _lumi(layout, effect):
    unknown = np.full(1, np.nan)  # the measurement must say
    return ParameterSet(
        "lumi", (np.nan,), ((np.nan, np.nan),), (False,), constraint="normal", measured=unknown, scale=unknown
    )


def _shapefactor(layout, effect):
    bins = _bins(layout, effect.channel)
    return ParameterSet("bins", (1.0,) * bins, ((0.0, 10.0),) * bins, (False,) * bins, scalar=False)


def _shapesys(layout, effect):
    """Gamma with Poisson(tau; tau gamma), tau = (yield / uncertainty)²; no effect where either is zero."""
    errors, nominal, bins = effect.errors(), effect.nominal, effect.nominal.shape[0]
    valid, xp = (errors > 0) & (nominal > 0), _numpy_of(errors, nominal)
    tau = xp.where(valid, nominal**2 / xp.where(valid, errors, 1.0) ** 2, 1.0)
    return _of_bins("shapesys", bins, _known_false(valid), "poisson", tau, tau)


def _any_staterror(layout, effect):
    bins = sum(_bins(layout, channel) for channel in _channels(layout, effect))
    return _of_bins("staterror", bins, (False,) * bins, "normal", np.ones(bins), np.ones(bins))


def _staterror(layout, effects):
    """Gamma with Normal(1; gamma, delta): errors of all samples in quadrature over the sum of their yields."""
    for effect in effects:
        if _channels(layout, effect) != _channels(layout, effects[0]):
            raise ValueError(f"{effect.where} is in other channels than {effects[0].where}: rename one of them")
    widths = []
    for channel in _channels(layout, effects[0]):
        here = [effect for effect in effects if effect.channel == channel]
        total = sum(effect.nominal for effect in here)
        square = sum(effect.errors() ** 2 for effect in here)
        xp, valid = _numpy_of(total, square), (total > 0) & (square > 0)
        widths.append(xp.where(valid, xp.sqrt(xp.where(valid, square, 1.0)) / xp.where(valid, total, 1.0), 0.0))
    width = joined(widths)
    known = _known_false(width > 0)
    bins = width.shape[0]
    width = _numpy_of(width).where(width > 0, width, 1.0)
    return _of_bins("staterror", bins, known, "normal", np.ones(bins), width)


def _of_bins(kind, bins, fixed, constraint, measured, scale):
    return ParameterSet(
        kind, (1.0,) * bins, ((MIN_FACTOR, 10.0),) * bins, fixed, False, constraint, measured=measured, scale=scale
    )


_OF_KIND = {
    "normfactor": _free,
    "lumi": _lumi,
    "histosys": _shift,
    "normsys": _shift,
    "shapefactor": _shapefactor,
    "shapesys": _shapesys,
    "staterror": _any_staterror,
}


def _configured(name, wanted, config):
    """What the measurement says in place of what the modifiers want."""
    for key, field in {"auxdata": "measured", "sigmas": "scale", "factors": "scale"}.items():
        usable = wanted.constraint and (key == "auxdata" or (key, wanted.constraint) in _SCALES)
        if key in config and (not usable or (key == "sigmas" and wanted.kind == "shift")):
            raise ValueError(f"parameter {name} of the measurement: a {wanted.kind} parameter has no {key}: drop it")
        if key in config:
            wanted = dataclasses.replace(wanted, **{field: array(_as_many(name, key, config[key], wanted.size))})
    if "inits" in config:
        initial = tuple(float(value) for value in _as_many(name, "inits", config["inits"], wanted.size))
        wanted = dataclasses.replace(wanted, initial=initial)
    if "bounds" in config:
        bounds = tuple(
            (float(low), float(high)) for low, high in _as_many(name, "bounds", config["bounds"], wanted.size)
        )
        wanted = dataclasses.replace(wanted, bounds=bounds)
    if "fixed" in config:
        wanted = dataclasses.replace(wanted, fixed=(bool(config["fixed"]),) * wanted.size)
    return _checked(name, wanted, config)


_SCALES = {("sigmas", "normal"), ("factors", "poisson")}


def _checked(name, wanted, config):
    if wanted.kind == "lumi":
        missing = [key for key in ("auxdata", "sigmas", "inits", "bounds") if key not in config]
        if missing:
            raise ValueError(f"parameter {name} (lumi) of the measurement lacks {', '.join(missing)}")
    for value, (low, high) in zip(wanted.initial, wanted.bounds, strict=True):
        if not low <= value <= high:
            raise ValueError(f"parameter {name} starts at {value}, outside its bounds {low} to {high}")
    if wanted.scale is not None and not traced(wanted.scale) and not (np.asarray(wanted.scale) > 0).all():
        raise ValueError(f"parameter {name}: sigmas or factors {list(wanted.scale)} must be positive")
    return wanted


def _as_many(name, key, values, size):
    if len(values) != size:
        raise ValueError(f"parameter {name} of the measurement: {key} has {len(values)} values where {size} are needed")
    return values


def _channels(layout, effect):
    """Channels over which the parameters of an effect go on; only those of a staterror leave their channel."""
    if effect.kind != "staterror":
        return [effect.channel]
    like = (effect.kind, effect.name, effect.sample)
    return [other.channel for other in layout.effects if (other.kind, other.name, other.sample) == like]


def _bins(layout, channel):
    return list(layout.channels.values())[channel]


def _numpy_of(*values):
    return jnp if traced(*values) else np


def _known_false(valid):
    """Which are known to be invalid; none, as long as they are traced."""
    if traced(valid):
        return (False,) * valid.shape[0]
    return tuple((~np.asarray(valid)).tolist())
