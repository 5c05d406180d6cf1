"""HistFactory models from pyhf specifications: channels of samples, and modifiers that act on the samples.

Yields may be traced, so that a model can be built and differentiated inside `jax.jit`, `grad` and `vmap`. Shapes and
names are always checked, values only if they are not traced.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from diffhep.models import parameter_sets
from diffhep.models.constraints import Constraints
from diffhep.models.interpolation import HISTOSYS_CODES, NORMSYS_CODES, HistoSysCode, NormSysCode
from diffhep.models.likelihood import Model, Parameters
from diffhep.models.modifiers import BinFactors, HistoSys, Modifier, NormFactor, NormSys
from diffhep.models.specification import Effect, Layout, read_layout
from diffhep.models.traced_arrays import concatenate, set_entries


def build_model(
    channels: Sequence[Mapping[str, Any]],
    *,
    poi: str,
    parameters: Sequence[Mapping[str, Any]] = (),
    histosys: HistoSysCode = HISTOSYS_CODES[0],
    normsys: NormSysCode = NORMSYS_CODES[0],
) -> Model:
    """Build the statistical model of channels.

    The bins of the model are those of all channels, with the channels in alphabetical order.

    Args:
        channels: `channels` of a pyhf workspace; numbers may be arrays, also traced ones.
        poi: Name of the parameter of interest.
        parameters: `parameters` of a measurement: start values, bounds, auxiliary data and fixed parameters.
        histosys: Interpolation of histosys, "code4p" or "code0".
        normsys: Interpolation of normsys, "code4" or "code1".

    Returns:
        The model; `model.constraints.auxiliary` holds its auxiliary data.

    Raises:
        ValueError: The specification is invalid; the message names channel, sample, modifier and remedy.

    Example:
        >>> strength = {"name": "mu", "type": "normfactor", "data": None}
        >>> scale = {"name": "scale", "type": "normsys", "data": {"hi": 1.1, "lo": 0.9}}
        >>> signal = {"name": "signal", "data": [5.0, 10.0], "modifiers": [strength]}
        >>> background = {"name": "background", "data": [50.0, 60.0], "modifiers": [scale]}
        >>> model = dh.build_model([{"name": "region", "samples": [signal, background]}], poi="mu")
        >>> round(float(dh.expected_cls(model)), 4)
        0.3059
    """
    for code, codes in ((histosys, HISTOSYS_CODES), (normsys, NORMSYS_CODES)):
        if code not in codes:
            raise ValueError(f"interpolation is {code!r}: choose from {', '.join(codes)}")
    layout = read_layout(channels)
    sets = parameter_sets.collect(layout, parameters)
    first = parameter_sets.first_indices(sets)
    by_kind = {kind: [effect for effect in layout.effects if effect.kind in kinds] for kind, kinds in _KINDS.items()}
    modifiers = [
        *([_histosys(layout, by_kind["histosys"], first, histosys)] if by_kind["histosys"] else []),
        *([_normsys(layout, by_kind["normsys"], first, normsys)] if by_kind["normsys"] else []),
        *_normfactors(layout, by_kind["scales"], first),
        *([_bin_factors(layout, by_kind["bins"], first)] if by_kind["bins"] else []),
    ]
    model = Model(layout.nominal, tuple(modifiers), _constraints(sets, first), _parameters(sets, first, poi))
    return jax.device_put(model)


_KINDS = {
    "histosys": ("histosys",),
    "normsys": ("normsys",),
    "scales": ("normfactor", "lumi"),
    "bins": ("shapefactor", "shapesys", "staterror"),
}


def _by_name(effects: Sequence[Effect]) -> dict[str, list[Effect]]:
    by_name: dict[str, list[Effect]] = {}
    for effect in effects:
        by_name.setdefault(effect.name, []).append(effect)
    return by_name


def _histosys(layout: Layout, effects: Sequence[Effect], first: Mapping[str, int], code: HistoSysCode) -> Modifier:
    names = sorted(_by_name(effects), key=first.__getitem__)
    nominal = layout.nominal[None].repeat(len(names), axis=0)
    up, down = (
        set_entries(nominal, [((names.index(e.name), e.sample, e.bins), e.yields(side)) for e in effects])
        for side in ("hi_data", "lo_data")
    )
    return HistoSys(tuple(first[name] for name in names), code, up, down)


def _normsys(layout: Layout, effects: Sequence[Effect], first: Mapping[str, int], code: NormSysCode) -> Modifier:
    names = sorted(_by_name(effects), key=first.__getitem__)
    ones = np.ones((len(names), len(layout.samples), len(layout.channels)))
    up, down = (
        set_entries(ones, [((names.index(e.name), e.sample, e.channel), e.factor(side)) for e in effects])
        for side in ("hi", "lo")
    )
    return NormSys(tuple(first[name] for name in names), code, tuple(layout.channels.values()), up, down)


def _normfactors(layout: Layout, effects: Sequence[Effect], first: Mapping[str, int]) -> list[Modifier]:
    modifiers = []
    for name, targets in _by_name(effects).items():
        mask = np.zeros(layout.nominal.shape, bool)
        for effect in targets:
            mask[effect.sample, effect.bins] = True
        if (mask == mask[:, :1]).all():
            mask = mask[:, :1]
        modifiers.append(NormFactor(first[name], tuple(map(tuple, mask.tolist()))))
    return modifiers


def _bin_factors(layout: Layout, effects: Sequence[Effect], first: Mapping[str, int]) -> Modifier:
    """Put the parameters into as few layers as possible, with at most one per sample and bin of a layer."""
    layers: list[np.ndarray] = []
    for effect in effects:
        index = (effect.sample, effect.bins)
        free = [layer for layer in layers if (layer[index] == -1).all()]
        if not free:
            layers.append(np.full(layout.nominal.shape, -1))
        layer = free[0] if free else layers[-1]
        offset = parameter_sets.channel_offset(layout, effect)
        layer[index] = first[effect.name] + offset + np.arange(layer[index].size)
    return BinFactors(tuple(tuple(map(tuple, layer.tolist())) for layer in layers))


def _constraints(sets: Mapping[str, parameter_sets.ParameterSet], first: Mapping[str, int]) -> Constraints:
    by_constraint = {
        constraint: {name: each for name, each in sets.items() if each.constraint == constraint}
        for constraint in ("normal", "poisson")
    }
    indices = [
        tuple(index for name, each in members.items() for index in range(first[name], first[name] + each.size))
        for members in by_constraint.values()
    ]
    scales = [concatenate([each.scale for each in members.values()]) for members in by_constraint.values()]
    auxiliary = [each.auxiliary for members in by_constraint.values() for each in members.values()]
    return Constraints(*indices, *scales, concatenate(auxiliary))


def _parameters(sets: Mapping[str, parameter_sets.ParameterSet], first: Mapping[str, int], poi: str) -> Parameters:
    if poi not in sets:
        raise ValueError(f"no modifier has the parameter of interest {poi!r}: choose from {', '.join(sets)}")
    if not sets[poi].scalar:
        raise ValueError(
            f"the parameter of interest {poi!r} has one value in each of {sets[poi].size} bins: choose a scalar one"
        )
    return Parameters(
        names=tuple(name for label, each in sets.items() for name in each.names(label)),
        modifiers=tuple(label for label, each in sets.items() for _ in range(each.size)),
        initial=tuple(value for each in sets.values() for value in each.initial),
        bounds=tuple(pair for each in sets.values() for pair in each.bounds),
        fixed=tuple(value for each in sets.values() for value in each.fixed),
        poi=first[poi],
    )
