"""HistFactory models from the description that pyhf uses: channels of samples, and modifiers that act on them.

Yields in it may be traced, so that a model can be built, and differentiated, inside `jax.jit`, `grad` and `vmap`. What
is known when building is checked; shapes and names always are.
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
from diffhep.models.specification import Effect, Layout, placed, read_layout


def build_model(
    channels: Sequence[Mapping[str, Any]],
    *,
    poi: str,
    parameters: Sequence[Mapping[str, Any]] = (),
    histosys: HistoSysCode = HISTOSYS_CODES[0],
    normsys: NormSysCode = NORMSYS_CODES[0],
) -> Model:
    """The model of some channels.

    Bins are those of all channels, channels in alphabetical order.

    Args:
        channels: `channels` of a pyhf workspace; its numbers may be arrays, traced ones too.
        poi: name of the parameter of interest.
        parameters: `parameters` of a measurement: start values, bounds, auxiliary data and what is fixed.
        histosys: interpolation of histosys, "code4p" or "code0".
        normsys: interpolation of normsys, "code4" or "code1".

    Raises:
        ValueError: The description is none of a model; channel, sample, modifier and remedy are named.
    """
    for code, known in ((histosys, HISTOSYS_CODES), (normsys, NORMSYS_CODES)):
        if code not in known:
            raise ValueError(f"interpolation is {code!r}: choose from {', '.join(known)}")
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
    names: dict[str, list[Effect]] = {}
    for effect in effects:
        names.setdefault(effect.name, []).append(effect)
    return names


def _histosys(layout: Layout, effects: Sequence[Effect], first: Mapping[str, int], code: HistoSysCode) -> Modifier:
    names = sorted(_by_name(effects), key=first.__getitem__)
    nominal = layout.nominal[None].repeat(len(names), axis=0)
    up, down = (
        placed(nominal, [((names.index(e.name), e.sample, e.bins), e.yields(side)) for e in effects])
        for side in ("hi_data", "lo_data")
    )
    return HistoSys(tuple(first[name] for name in names), code, up, down)


def _normsys(layout: Layout, effects: Sequence[Effect], first: Mapping[str, int], code: NormSysCode) -> Modifier:
    names = sorted(_by_name(effects), key=first.__getitem__)
    ones = np.ones((len(names), len(layout.samples), len(layout.channels)))
    up, down = (
        placed(ones, [((names.index(e.name), e.sample, e.channel), e.factor(side)) for e in effects])
        for side in ("hi", "lo")
    )
    return NormSys(tuple(first[name] for name in names), code, tuple(layout.channels.values()), up, down)


def _normfactors(layout: Layout, effects: Sequence[Effect], first: Mapping[str, int]) -> list[Modifier]:
    found = []
    for name, places in _by_name(effects).items():
        scaled = np.zeros(layout.nominal.shape, bool)
        for effect in places:
            scaled[effect.sample, effect.bins] = True
        if (scaled == scaled[:, :1]).all():
            scaled = scaled[:, :1]
        found.append(NormFactor(first[name], tuple(map(tuple, scaled.tolist()))))
    return found


def _bin_factors(layout: Layout, effects: Sequence[Effect], first: Mapping[str, int]) -> Modifier:
    """As few layers as hold all of them, one parameter a place."""
    layers: list[np.ndarray] = []
    for effect in effects:
        here = (effect.sample, effect.bins)
        free = [layer for layer in layers if (layer[here] == -1).all()]
        if not free:
            layers.append(np.full(layout.nominal.shape, -1))
        layer = free[0] if free else layers[-1]
        layer[here] = first[effect.name] + parameter_sets.channel_offset(layout, effect) + np.arange(layer[here].size)
    return BinFactors(tuple(tuple(map(tuple, layer.tolist())) for layer in layers))


def _constraints(sets: Mapping[str, parameter_sets.ParameterSet], first: Mapping[str, int]) -> Constraints:
    places = {kind: [] for kind in ("normal", "poisson")}
    values = {kind: [] for kind in ("normal", "poisson", "measured normal", "measured poisson")}
    for name, of_name in sets.items():
        if of_name.constraint:
            places[of_name.constraint] += range(first[name], first[name] + of_name.size)
            values[of_name.constraint].append(of_name.scale)
            values[f"measured {of_name.constraint}"].append(of_name.measured)
    joined = {kind: parameter_sets.joined(arrays) for kind, arrays in values.items()}
    measured = parameter_sets.joined([joined["measured normal"], joined["measured poisson"]])
    return Constraints(*map(tuple, places.values()), joined["normal"], joined["poisson"], measured)


def _parameters(sets: Mapping[str, parameter_sets.ParameterSet], first: Mapping[str, int], poi: str) -> Parameters:
    if poi not in sets:
        raise ValueError(f"no modifier has the parameter of interest {poi!r}; there are {', '.join(sets)}")
    if not sets[poi].scalar:
        raise ValueError(f"the parameter of interest {poi!r} stands for {sets[poi].size} bins: choose a single one")
    every = sets.values()
    return Parameters(
        names=tuple(name for label, of_name in sets.items() for name in of_name.names(label)),
        modifiers=tuple(label for label, of_name in sets.items() for _ in range(of_name.size)),
        initial=tuple(value for of_name in every for value in of_name.initial),
        bounds=tuple(pair for of_name in every for pair in of_name.bounds),
        fixed=tuple(value for of_name in every for value in of_name.fixed),
        poi=first[poi],
    )
