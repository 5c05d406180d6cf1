"""Toy HH -> bb gamma gamma events and diphoton backgrounds, in ten observables and the mass of the photons.

The observables are those of arXiv:2506.06438, which the Split-N-Fit paper names. Two objects, one of b quarks and one
of photons, come from a heavy system and decay in two; the background's decays lean towards the beam. All numbers are
the settings'. So that a network cannot know the photons' mass, the background's photons are made at 125 GeV and their
mass is drawn apart from everything else, and two observables are told relative to it ("decorrelated").
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Key

from diffhep.data import kinematics as fv
from diffhep.data.mass_grid import HIGGS_MASS

BOTTOM_MASS = 4.7
"""Mass of a b quark in GeV."""

OBSERVABLES = ("m_bbgg", "m_bb", "pt_bb", "pt_gg", "dr_b1g1", "dr_b1g2", "dr_b2g1", "dr_b2g2", "dr_bb", "dr_gg")

BLOCK = 50_000
"""Events generated at a time."""


class DihiggsEvents(NamedTuple):
    """Events that pass the selection, or may.

    Attributes:
        observables: in the order of `OBSERVABLES`; masses and momenta in GeV. If decorrelated, `m_bbgg` is m_bbgg -
            m_gg + 125 GeV and `pt_gg` is pt_gg / m_gg.
        mass: of the two photons, GeV.
        selected: whether an event passes.
    """

    observables: Float[Array, "event observable"]
    mass: Float[Array, " event"]
    generate_selected: Bool[Array, " event"]


def generate_signal(key: Key[Array, ""], settings: Mapping[str, Any], events: int) -> DihiggsEvents:
    """Pairs of Higgs bosons.

    Args:
        key: Source of randomness.
        settings: `generate_signal`: `start`, `scale` and `shape` of the pair's mass, `pt_scale` and `pt_shape` of its transverse
            momentum (Gamma distributions), width of its `rapidity`; `detector`; `selection`; `decorrelated`.
        events: How many to generate.
    """
    of, keys = settings["signal"], jax.random.split(key, 6)
    mass = _falling(keys[0], of["start"], of["scale"], of["shape"], events)
    system = _system(keys[1], of["pt_scale"], of["pt_shape"], of["rapidity"], mass)
    pair, photons = fv.decay(keys[2], system, HIGGS_MASS, HIGGS_MASS)
    bottoms = fv.decay(keys[3], pair, BOTTOM_MASS, BOTTOM_MASS)
    gammas = fv.decay(keys[4], photons, 0.0, 0.0)
    measured = _measured(keys[5], settings["detector"], bottoms, gammas, 1.0, 0.0)
    return _event(settings, *measured)


def generate_background(key: Key[Array, ""], settings: Mapping[str, Any], sample: str, events: int) -> DihiggsEvents:
    """Two photons and two jets of other origin.

    Args:
        key: Source of randomness.
        settings: `backgrounds.<sample>`: as of the signal, for the `extra` mass beyond those of jets and photons; the
            Gamma distribution of the mass of the `jets`; `forward` (production, photons, jets; `along_beam`);
            `jet_scale` and `jet_smearing`, of which the simulation differs from the detector; `falling`: the scale on
            which the photons' mass falls; `range` of it; `detector`; `selection`; `decorrelated`.
        sample: Which of the backgrounds.
        events: How many to generate.
    """
    of, (*keys, seen) = settings["backgrounds"][sample], jax.random.split(key, 8)
    mass = _cut_off(keys[0], settings["falling"], *settings["range"], events)
    photons = np.full(events, HIGGS_MASS) if settings["decorrelated"] else mass
    drawn = zip((of["jets"], of["extra"]), keys[1:3], strict=True)
    jets, extra = (_falling(each, law["start"], law["scale"], law["shape"], events) for law, each in drawn)
    system = _system(keys[3], of["pt_scale"], of["pt_shape"], of["rapidity"], photons + jets + extra)
    leaning = [fv.draw_forward_directions(each, (events,), a) for each, a in zip(keys[4:7], of["forward"], strict=True)]
    pair, two = fv.decay(key, system, jets, photons, leaning[0])
    bottoms, gammas = (
        fv.decay(key, pair, BOTTOM_MASS, BOTTOM_MASS, leaning[2]),
        fv.decay(key, two, 0.0, 0.0, leaning[1]),
    )
    measured = _measured(seen, settings["detector"], bottoms, gammas, of["jet_scale"], of["jet_smearing"])
    return _event(settings, *measured, mass if settings["decorrelated"] else None)


# compiled piece by piece: all samples share the pieces, and one program of them all takes longer to compile
@partial(jax.jit, static_argnums=4)
def _cut_off(key, scale, low, high, events: int) -> Float[Array, " event"]:
    """Exponential between two limits."""
    share = 1 - jnp.exp((low - high) / scale)
    return low - scale * jnp.log1p(-share * jax.random.uniform(key, (events,)))


@partial(jax.jit, static_argnums=4)
def _falling(key, start, scale, shape, events: int) -> Float[Array, " event"]:
    """From a start on the Gamma distribution of a scale and a shape."""
    return start + scale * jax.random.gamma(key, shape, (events,))


@jax.jit
def _system(key, pt_scale, pt_shape, rapidity, mass: Float[Array, " event"]) -> fv.FourVector:
    """What decays into both objects: some transverse momentum, and some momentum along the beam."""
    transverse, azimuth, along = jax.random.split(key, 3)
    pt = pt_scale * jax.random.gamma(transverse, pt_shape, mass.shape)
    phi = jax.random.uniform(azimuth, mass.shape, minval=-jnp.pi, maxval=jnp.pi)
    rapidity, across = rapidity * jax.random.normal(along, mass.shape), jnp.hypot(mass, pt)
    return jnp.stack(
        [across * jnp.cosh(rapidity), pt * jnp.cos(phi), pt * jnp.sin(phi), across * jnp.sinh(rapidity)], axis=-1
    )


@jax.jit
def _measured(key, detector, bottoms, gammas, scale, smearing) -> tuple[list[fv.FourVector], list[fv.FourVector]]:
    """Jets and photons as the detector measures them, each pair by falling transverse momentum."""
    keys = jax.random.split(key, 3)
    shape = (2, len(bottoms[0]))
    response = detector["jet_scale"] * (1 + detector["jet_resolution"] * jax.random.normal(keys[0], shape))
    response = response * scale * (1 + smearing * jax.random.normal(keys[1], shape))
    light = 1 + detector["photon_resolution"] * jax.random.normal(keys[2], shape)
    found = []
    for pair, factors in ((bottoms, response), (gammas, light)):
        vectors = [vector * jnp.maximum(factor, 0.05)[:, None] for vector, factor in zip(pair, factors, strict=True)]
        swapped = fv.transverse_momentum(vectors[0]) < fv.transverse_momentum(vectors[1])
        found.append([jnp.where(swapped[:, None], *order) for order in (vectors[::-1], vectors)])
    return found[0], found[1]


def _event(settings, jets, photons, mass: Float[Array, " event"] | None = None) -> DihiggsEvents:
    chosen = {name: settings[name] for name in ("selection", "range")}
    return _seen(chosen, jets, photons, mass, settings["decorrelated"])


@partial(jax.jit, static_argnums=4)
def _seen(settings, jets: list[fv.FourVector], photons: list[fv.FourVector], mass, decorrelated: bool) -> DihiggsEvents:
    """Observables and selection; `mass` is the photons' as it is fitted, if it is not the one that is seen."""
    bb, gg = sum(jets), sum(photons)
    seen = fv.mass(gg)
    mass = seen if mass is None else mass
    total, pt_gg = fv.mass(bb + gg), fv.transverse_momentum(gg)
    if decorrelated:
        total, pt_gg = total - seen + HIGGS_MASS, pt_gg / seen
    apart = [fv.delta_r(jet, photon) for jet in jets for photon in photons]
    columns = [total, fv.mass(bb), fv.transverse_momentum(bb), pt_gg, *apart, fv.delta_r(*jets), fv.delta_r(*photons)]
    selection, (low, high) = settings["selection"], settings["range"]
    chosen = (mass > low) & (mass < high) & (jnp.stack(apart).min(axis=0) > selection["apart"])
    for pair, least in ((jets, selection["jet_pt"]), (photons, selection["photon_pt"])):
        for vector, pt in zip(pair, least, strict=True):
            central = jnp.abs(fv.pseudorapidity(vector)) < selection["eta"]
            chosen &= central & (fv.transverse_momentum(vector) > pt)
    return DihiggsEvents(jnp.stack(columns, axis=-1), mass, chosen)


def generate_selected(
    key: Key[Array, ""], generate: Callable[[Key[Array, ""], int], DihiggsEvents], number: int
) -> DihiggsEvents:
    """So many events that pass the selection, as numpy arrays; generated block by block."""
    parts, found = [], 0
    while found < number:
        events = generate(jax.random.fold_in(key, len(parts)), BLOCK)
        chosen = np.asarray(events.selected)
        if not chosen.any():
            raise ValueError(f"none of {BLOCK} events passes the selection: loosen it")
        parts.append([np.asarray(column)[chosen] for column in events])
        found += np.count_nonzero(chosen)
    observables, mass, passed = (np.concatenate(column)[:number] for column in zip(*parts, strict=True))
    return DihiggsEvents(observables.astype(np.float32), mass, passed)
