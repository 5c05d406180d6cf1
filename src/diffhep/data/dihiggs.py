"""Toy HH -> bb gamma gamma events and diphoton backgrounds: ten observables and the diphoton mass.

The observables are those of arXiv:2506.06438, which the Split-N-Fit paper cites. A heavy system decays into two
objects, which decay into a pair of b quarks and a pair of photons. Decays of the background prefer directions along
the beam. All numbers come from the settings.

With `decorrelated`, a network cannot learn the diphoton mass: photons of the background are generated at 125 GeV, their
mass is drawn independently of everything else, and two observables are given relative to it.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Key

from diffhep.data import kinematics
from diffhep.data.kinematics import FourVector
from diffhep.data.mass_grid import HIGGS_MASS

BOTTOM_MASS = 4.7
"""Mass of a b quark in GeV."""

OBSERVABLES = ("m_bbgg", "m_bb", "pt_bb", "pt_gg", "dr_b1g1", "dr_b1g2", "dr_b2g1", "dr_b2g2", "dr_bb", "dr_gg")

BLOCK = 50_000
"""Events generated at a time."""


class DihiggsEvents(NamedTuple):
    """Events with ten observables and a diphoton mass.

    Attributes:
        observables: Values in the order of `OBSERVABLES`; masses and momenta in GeV. If decorrelated, `m_bbgg` is
            m_bbgg - m_gg + 125 GeV and `pt_gg` is pt_gg / m_gg.
        mass: Diphoton mass in GeV.
        selected: Whether an event passes the selection.
    """

    observables: Float[Array, "event observable"]
    mass: Float[Array, " event"]
    selected: Bool[Array, " event"]


def generate_signal(key: Key[Array, ""], settings: Mapping[str, Any], events: int) -> DihiggsEvents:
    """Generate pairs of Higgs bosons.

    Args:
        key: Source of randomness.
        settings: `signal`: `start`, `scale` and `shape` of the mass of the pair, `pt_scale` and `pt_shape` of its
            transverse momentum (Gamma distributions), standard deviation of its `rapidity`; `detector`; `selection`;
            `decorrelated`.
        events: Number of events to generate.

    Returns:
        All generated events, before the selection.
    """
    law, keys = settings["signal"], jax.random.split(key, 6)
    mass = _gamma(keys[0], law["start"], law["scale"], law["shape"], events)
    system = _system(keys[1], law["pt_scale"], law["pt_shape"], law["rapidity"], mass)
    pair, photons = kinematics.decay(keys[2], system, HIGGS_MASS, HIGGS_MASS)
    bottoms = kinematics.decay(keys[3], pair, BOTTOM_MASS, BOTTOM_MASS)
    gammas = kinematics.decay(keys[4], photons, 0.0, 0.0)
    measured = _measure(keys[5], settings["detector"], bottoms, gammas, 1.0, 0.0)
    return _reconstruct(settings, *measured)


def generate_background(key: Key[Array, ""], settings: Mapping[str, Any], sample: str, events: int) -> DihiggsEvents:
    """Generate two photons and two jets that do not come from Higgs bosons.

    Args:
        key: Source of randomness.
        settings: `backgrounds.<sample>`: Gamma distributions of the mass of the `jets` and of the `extra` mass beyond
            those of jets and photons; `pt_scale`, `pt_shape` and `rapidity` of the system; `forward`, the argument of
            `kinematics.draw_forward_directions` for production, photons and jets; `jet_scale` and `jet_smearing`, by
            which the simulation differs from the detector. Also `falling`, the scale of the exponential diphoton
            mass, and its `range`; `detector`; `selection`; `decorrelated`.
        sample: Name of the background.
        events: Number of events to generate.

    Returns:
        All generated events, before the selection.
    """
    law, (*keys, measure_key) = settings["backgrounds"][sample], jax.random.split(key, 8)
    mass = _truncated_exponential(keys[0], settings["falling"], *settings["range"], events)
    photons = np.full(events, HIGGS_MASS) if settings["decorrelated"] else mass
    masses = zip((law["jets"], law["extra"]), keys[1:3], strict=True)
    jets, extra = (_gamma(k, gamma["start"], gamma["scale"], gamma["shape"], events) for gamma, k in masses)
    system = _system(keys[3], law["pt_scale"], law["pt_shape"], law["rapidity"], photons + jets + extra)
    directions = [
        kinematics.draw_forward_directions(k, (events,), forward)
        for k, forward in zip(keys[4:7], law["forward"], strict=True)
    ]
    pair, diphoton = kinematics.decay(key, system, jets, photons, directions[0])
    bottoms = kinematics.decay(key, pair, BOTTOM_MASS, BOTTOM_MASS, directions[2])
    gammas = kinematics.decay(key, diphoton, 0.0, 0.0, directions[1])
    measured = _measure(measure_key, settings["detector"], bottoms, gammas, law["jet_scale"], law["jet_smearing"])
    return _reconstruct(settings, *measured, mass if settings["decorrelated"] else None)


# Compiled in pieces: all samples share them, and one program for everything takes longer to compile.
@partial(jax.jit, static_argnums=4)
def _truncated_exponential(key, scale, low, high, events: int) -> Float[Array, " event"]:
    fraction = 1 - jnp.exp((low - high) / scale)
    return low - scale * jnp.log1p(-fraction * jax.random.uniform(key, (events,)))


@partial(jax.jit, static_argnums=4)
def _gamma(key, start, scale, shape, events: int) -> Float[Array, " event"]:
    """Draw `start` plus a number of the Gamma distribution."""
    return start + scale * jax.random.gamma(key, shape, (events,))


@jax.jit
def _system(key, pt_scale, pt_shape, rapidity, mass: Float[Array, " event"]) -> FourVector:
    """Draw four-vectors of the heavy system."""
    pt_key, azimuth, along = jax.random.split(key, 3)
    pt = pt_scale * jax.random.gamma(pt_key, pt_shape, mass.shape)
    phi = jax.random.uniform(azimuth, mass.shape, minval=-jnp.pi, maxval=jnp.pi)
    rapidity, transverse_mass = rapidity * jax.random.normal(along, mass.shape), jnp.hypot(mass, pt)
    energy, pz = transverse_mass * jnp.cosh(rapidity), transverse_mass * jnp.sinh(rapidity)
    return jnp.stack([energy, pt * jnp.cos(phi), pt * jnp.sin(phi), pz], axis=-1)


@jax.jit
def _measure(key, detector, bottoms, gammas, scale, smearing) -> tuple[list[FourVector], list[FourVector]]:
    """Smear jets and photons, and sort each pair by falling transverse momentum."""
    keys = jax.random.split(key, 3)
    shape = (2, len(bottoms[0]))
    response = detector["jet_scale"] * (1 + detector["jet_resolution"] * jax.random.normal(keys[0], shape))
    response = response * scale * (1 + smearing * jax.random.normal(keys[1], shape))
    photon_response = 1 + detector["photon_resolution"] * jax.random.normal(keys[2], shape)
    pairs = []
    for pair, factors in ((bottoms, response), (gammas, photon_response)):
        vectors = [vector * jnp.maximum(factor, 0.05)[:, None] for vector, factor in zip(pair, factors, strict=True)]
        swapped = kinematics.transverse_momentum(vectors[0]) < kinematics.transverse_momentum(vectors[1])
        pairs.append([jnp.where(swapped[:, None], *order) for order in (vectors[::-1], vectors)])
    return pairs[0], pairs[1]


def _reconstruct(settings, jets, photons, mass: Float[Array, " event"] | None = None) -> DihiggsEvents:
    cuts = {name: settings[name] for name in ("selection", "range")}
    return _select(cuts, jets, photons, mass, settings["decorrelated"])


@partial(jax.jit, static_argnums=4)
def _select(settings, jets: list[FourVector], photons: list[FourVector], mass, decorrelated: bool) -> DihiggsEvents:
    """Compute observables and apply the selection; `mass` replaces the measured diphoton mass unless it is None."""
    bb, gg = sum(jets), sum(photons)
    m_gg = kinematics.mass(gg)
    mass = m_gg if mass is None else mass
    total, pt_gg = kinematics.mass(bb + gg), kinematics.transverse_momentum(gg)
    if decorrelated:
        total, pt_gg = total - m_gg + HIGGS_MASS, pt_gg / m_gg
    distances = [kinematics.delta_r(jet, photon) for jet in jets for photon in photons]
    m_bb, pt_bb = kinematics.mass(bb), kinematics.transverse_momentum(bb)
    columns = [total, m_bb, pt_bb, pt_gg, *distances, kinematics.delta_r(*jets), kinematics.delta_r(*photons)]
    selection, (low, high) = settings["selection"], settings["range"]
    passed = (mass > low) & (mass < high) & (jnp.stack(distances).min(axis=0) > selection["apart"])
    for pair, thresholds in ((jets, selection["jet_pt"]), (photons, selection["photon_pt"])):
        for vector, min_pt in zip(pair, thresholds, strict=True):
            central = jnp.abs(kinematics.pseudorapidity(vector)) < selection["eta"]
            passed &= central & (kinematics.transverse_momentum(vector) > min_pt)
    return DihiggsEvents(jnp.stack(columns, axis=-1), mass, passed)


def generate_selected(
    key: Key[Array, ""], generate: Callable[[Key[Array, ""], int], DihiggsEvents], number: int
) -> DihiggsEvents:
    """Generate events in blocks until enough of them pass the selection.

    Args:
        key: Source of randomness.
        generate: Generator, from a key and a number of events to events.
        number: Number of selected events to return.

    Returns:
        Selected events as numpy arrays.

    Raises:
        ValueError: No event of a block passes the selection.
    """
    blocks, n_selected = [], 0
    while n_selected < number:
        events = generate(jax.random.fold_in(key, len(blocks)), BLOCK)
        passed = np.asarray(events.selected)
        if not passed.any():
            raise ValueError(f"none of {BLOCK} events passes the selection: loosen it")
        blocks.append([np.asarray(column)[passed] for column in events])
        n_selected += np.count_nonzero(passed)
    observables, mass, selected = (np.concatenate(column)[:number] for column in zip(*blocks, strict=True))
    return DihiggsEvents(observables.astype(np.float32), mass, selected)
