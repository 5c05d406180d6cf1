"""Parameter sets of a HistFactory model: number, start values, bounds and auxiliary data of each name's parameters."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffhep.models.specification import Effect, Layout
from diffhep.models.traced_arrays import Values, as_float64, concatenate, is_traced, numpy_for

MIN_FACTOR = 1e-10
"""Lower bound of the parameters of shapesys and staterror, as in pyhf."""

_FIELDS = {"auxdata": "auxiliary", "sigmas": "scale", "factors": "scale"}
"""Fields of a parameter set that the keys of a measurement's `parameters` replace."""

_SCALES = {"normal": "sigmas", "poisson": "factors"}
"""Key of the scale, by constraint."""

_ORDER = ("normfactor", "lumi", "histosys", "normsys", "shapefactor", "shapesys", "staterror")
"""Types of modifiers in the order of their parameters: fits are faster if those of one type are adjacent."""


@dataclass(frozen=True)
class ParameterSet:
    """Parameters of one name.

    Attributes:
        kind: Kind of the parameters; only modifiers of one kind can share a name.
        initial: Start values.
        bounds: Lower and upper bound of each parameter.
        fixed: Which parameters a fit leaves at their start values.
        scalar: Whether the name has a single parameter instead of one per bin.
        constraint: "normal", "poisson", or "" without constraint.
        auxiliary: Auxiliary data, shape (par,).
        scale: Standard deviations of a normal constraint, or expected counts at parameter 1 of a Poisson constraint,
            shape (par,).
    """

    kind: str
    initial: tuple[float, ...]
    bounds: tuple[tuple[float, float], ...]
    fixed: tuple[bool, ...]
    scalar: bool = True
    constraint: str = ""
    auxiliary: Values | None = None
    scale: Values | None = None

    @property
    def size(self) -> int:
        """Number of parameters."""
        return len(self.initial)

    def names(self, label: str) -> list[str]:
        """Return the names of the parameters: `label` itself, or "label[0]", "label[1]" and so on."""
        return [label] if self.scalar else [f"{label}[{number}]" for number in range(self.size)]


def collect(layout: Layout, configs: Sequence[Mapping[str, Any]]) -> dict[str, ParameterSet]:
    """Collect the parameter sets of a model by name.

    Args:
        layout: Channels of the model.
        configs: `parameters` of a measurement, which override the defaults.

    Raises:
        ValueError: Modifiers of one name need different parameters, or the measurement does not fit the parameters.
    """
    by_name: dict[str, list[Effect]] = {}
    for effect in sorted(layout.effects, key=lambda effect: _ORDER.index(effect.kind)):
        by_name.setdefault(effect.name, []).append(effect)
    if not by_name:
        raise ValueError("the model has no parameters: add a modifier to a sample")
    by_config: dict[str, Mapping[str, Any]] = {}
    for config in configs:
        if config["name"] in by_config:
            raise ValueError(f"parameter {config['name']} of the measurement is configured twice: remove one")
        by_config[config["name"]] = config
    return {
        name: _configure(name, _default_set(layout, effects), by_config.get(name, {}))
        for name, effects in by_name.items()
    }


def first_indices(sets: Mapping[str, ParameterSet]) -> dict[str, int]:
    """Return the index of the first parameter of each name."""
    ends = np.cumsum([0, *(parameter_set.size for parameter_set in sets.values())]).tolist()
    return dict(zip(sets, ends, strict=False))


def channel_offset(layout: Layout, effect: Effect) -> int:
    """Return the number of parameters of the effect's name that precede those of its channel."""
    return sum(_n_bins(layout, channel) for channel in _channels(layout, effect) if channel < effect.channel)


def _default_set(layout, effects):
    """Parameter set that all modifiers of one name need."""
    sets = [_DEFAULTS[effect.kind](layout, effect) for effect in effects]
    first = effects[0]
    for effect, other in zip(effects[1:], sets[1:], strict=True):
        if (other.kind, other.size) != (sets[0].kind, sets[0].size):
            raise ValueError(f"{effect.label} cannot share its parameter with {first.label}: rename one of them")
    if len(sets) > 1 and first.kind == "shapesys":
        raise ValueError(
            f"{effects[1].label} has the name of {first.label}, but a shapesys cannot be shared: rename one of them"
        )
    if first.kind == "staterror":
        return _staterror(layout, effects)
    return sets[0]


def _free(layout, effect):
    return ParameterSet("free", (1.0,), ((0.0, 10.0),), (False,))


def _shift(layout, effect):
    return ParameterSet(
        "shift", (0.0,), ((-5.0, 5.0),), (False,), constraint="normal", auxiliary=np.zeros(1), scale=np.ones(1)
    )


def _lumi(layout, effect):
    unknown = np.full(1, np.nan)  # without default: the measurement has to give the values
    return ParameterSet(
        "lumi", (np.nan,), ((np.nan, np.nan),), (False,), constraint="normal", auxiliary=unknown, scale=unknown
    )


def _shapefactor(layout, effect):
    bins = _n_bins(layout, effect.channel)
    return ParameterSet("bins", (1.0,) * bins, ((0.0, 10.0),) * bins, (False,) * bins, scalar=False)


def _shapesys(layout, effect):
    """Gamma with Poisson(tau; tau gamma), tau = (yield / uncertainty)²; fixed where either of the two is zero."""
    errors, nominal, bins = effect.uncertainties(), effect.nominal, effect.nominal.shape[0]
    valid, xp = (errors > 0) & (nominal > 0), numpy_for(errors, nominal)
    tau = xp.where(valid, nominal**2 / xp.where(valid, errors, 1.0) ** 2, 1.0)
    return _bin_set("shapesys", bins, _known_invalid(valid), "poisson", tau, tau)


def _unmerged_staterror(layout, effect):
    bins = sum(_n_bins(layout, channel) for channel in _channels(layout, effect))
    return _bin_set("staterror", bins, (False,) * bins, "normal", np.ones(bins), np.ones(bins))


def _staterror(layout, effects):
    """Gamma with Normal(1; gamma, delta): uncertainties of all samples in quadrature over the sum of their yields."""
    for effect in effects:
        if _channels(layout, effect) != _channels(layout, effects[0]):
            raise ValueError(f"{effect.label} acts on other channels than {effects[0].label}: rename one of them")
    widths = []
    for channel in _channels(layout, effects[0]):
        in_channel = [effect for effect in effects if effect.channel == channel]
        total = sum(effect.nominal for effect in in_channel)
        variance = sum(effect.uncertainties() ** 2 for effect in in_channel)
        xp, valid = numpy_for(total, variance), (total > 0) & (variance > 0)
        widths.append(xp.where(valid, xp.sqrt(xp.where(valid, variance, 1.0)) / xp.where(valid, total, 1.0), 0.0))
    width = concatenate(widths)
    fixed, bins = _known_invalid(width > 0), width.shape[0]
    width = numpy_for(width).where(width > 0, width, 1.0)
    return _bin_set("staterror", bins, fixed, "normal", np.ones(bins), width)


def _bin_set(kind, bins, fixed, constraint, auxiliary, scale):
    return ParameterSet(
        kind, (1.0,) * bins, ((MIN_FACTOR, 10.0),) * bins, fixed, False, constraint, auxiliary=auxiliary, scale=scale
    )


_DEFAULTS = {
    "normfactor": _free,
    "lumi": _lumi,
    "histosys": _shift,
    "normsys": _shift,
    "shapefactor": _shapefactor,
    "shapesys": _shapesys,
    "staterror": _unmerged_staterror,
}


def _configure(name, default, config):
    """Replace defaults by what the measurement configures."""
    changes = {}
    for key in filter(config.__contains__, _FIELDS):
        _check_key(name, default, key)
        changes[_FIELDS[key]] = as_float64(_check_size(name, key, config[key], default.size))
    if "inits" in config:
        changes["initial"] = tuple(float(value) for value in _check_size(name, "inits", config["inits"], default.size))
    if "bounds" in config:
        pairs = _check_size(name, "bounds", config["bounds"], default.size)
        changes["bounds"] = tuple((float(low), float(high)) for low, high in pairs)
    if "fixed" in config:
        changes["fixed"] = (bool(config["fixed"]),) * default.size
    return _check(name, dataclasses.replace(default, **changes), config)


def _check_key(name, default, key):
    usable = default.constraint and key in ("auxdata", _SCALES[default.constraint])
    if not usable or (key == "sigmas" and default.kind == "shift"):
        raise ValueError(f"parameter {name} of the measurement: a {default.kind} parameter has no {key}: remove it")


def _check_size(name, key, values, size):
    if len(values) != size:
        raise ValueError(f"parameter {name} of the measurement: {key} has {len(values)} values: give {size}")
    return values


def _check(name, parameter_set, config):
    if parameter_set.kind == "lumi":
        missing = [key for key in ("auxdata", "sigmas", "inits", "bounds") if key not in config]
        if missing:
            raise ValueError(f"parameter {name} (lumi) of the measurement: missing {', '.join(missing)}: add it")
    for value, (low, high) in zip(parameter_set.initial, parameter_set.bounds, strict=True):
        if not low <= value <= high:
            raise ValueError(f"parameter {name} starts at {value}: start within its bounds, {low} to {high}")
    scale = parameter_set.scale
    if scale is not None and not is_traced(scale) and not (np.asarray(scale) > 0).all():
        raise ValueError(f"parameter {name}: sigmas or factors are {list(scale)}: give positive numbers")
    return parameter_set


def _channels(layout, effect):
    """Channels that the parameters of an effect span: only those of a staterror span more than its own."""
    if effect.kind != "staterror":
        return [effect.channel]
    target = (effect.kind, effect.name, effect.sample)
    return [other.channel for other in layout.effects if (other.kind, other.name, other.sample) == target]


def _n_bins(layout, channel):
    return list(layout.channels.values())[channel]


def _known_invalid(valid):
    """Select bins known to be invalid; none if the values are traced."""
    if is_traced(valid):
        return (False,) * valid.shape[0]
    return tuple((~np.asarray(valid)).tolist())
