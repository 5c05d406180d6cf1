"""Decay products of toy events of H -> tau tau and its backgrounds, before any detector.

A hard system recoils against jets of radiation and decays isotropically, step by step: into two taus, two top quarks or
two W bosons. Taus decay along their direction and are not polarised. All numbers come from the settings, and arrays are
in single precision.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Key

from diffhep.data import kinematics
from diffhep.data.kinematics import FourVector

TAU_MASS, W_MASS, BOTTOM_MASS, TOP_MASS = 1.777, 80.4, 4.7, 172.5
"""Masses in GeV."""

MAX_RADIATED_JETS = 4
"""Largest number of jets of radiation."""

Polar = Float[Array, "*axis 3"]
"""Transverse momentum in GeV, pseudorapidity and azimuth of massless objects; momentum 0 means absent."""


class DecayProducts(NamedTuple):
    """Visible products of each event.

    Attributes:
        lepton: Lepton from one tau or W boson.
        hadrons: Hadrons of the other tau, or a jet taken for them.
        jets: All other jets, in any order.
        soft: Transverse recoil outside jets, GeV.
    """

    lepton: Polar
    hadrons: Polar
    jets: Float[Array, "event jet 3"]
    soft: Float[Array, "event 2"]


def generate_products(key: Key[Array, ""], settings: Mapping[str, Any], process: str, events: int) -> DecayProducts:
    """Generate events of one process.

    Args:
        key: Source of randomness.
        settings: `radiation`: jets between `min_pt` and `max_pt`, with `eta_width` and `max_eta` of the pseudorapidity.
            `processes.<process>`: standard deviations of `soft` recoil and `rapidity`, mean number of `jets` and
            `slope` of their spectrum, and either `mass` and `width` of a resonance, or `extra` mass of a pair and
            `fake_fraction` of taus; htautau also has the jets of vector-boson `fusion`.
            `hadrons`: `masses` and `shares` of hadronic resonances in tau decays.
        process: A key of `HARD_PROCESSES`.
        events: Number of events.
    """
    law, (radiation_key, recoil_key, hard_key) = settings["processes"][process], jax.random.split(key, 3)
    soft = law["soft"] * normal(recoil_key, (events, 2))
    jets = _radiate(radiation_key, settings["radiation"], law, events)
    return HARD_PROCESSES[process](hard_key, law, settings["hadrons"], jets, soft)


def uniform(
    key: Key[Array, ""], shape: tuple[int, ...], low: ArrayLike = 0.0, high: ArrayLike = 1.0
) -> Float[Array, "..."]:
    """Draw uniform numbers in single precision."""
    return jax.random.uniform(key, shape, jnp.float32, low, high)


def normal(key: Key[Array, ""], shape: tuple[int, ...]) -> Float[Array, "..."]:
    """Draw standard normal numbers in single precision."""
    return jax.random.normal(key, shape, jnp.float32)


def transverse_vectors(objects: Polar) -> Float[Array, "*axis 2"]:
    """Return transverse momentum vectors, x and y."""
    pt, phi = objects[..., 0], objects[..., 2]
    return jnp.stack([pt * jnp.cos(phi), pt * jnp.sin(phi)], axis=-1)


def scale_momentum(objects: Polar, factor: ArrayLike) -> Polar:
    """Scale momenta and leave directions unchanged."""
    return jnp.stack([objects[..., 0] * factor, objects[..., 1], objects[..., 2]], axis=-1)


def _radiate(key, radiation, law, events: int) -> Float[Array, "event jet 3"]:
    """Draw a Poisson number of jets, at most `MAX_RADIATED_JETS`, with a spectrum pt^-(slope + 1)."""
    number, hard, along, around = jax.random.split(key, 4)
    shape = (events, MAX_RADIATED_JETS)
    cumulative = jnp.cumsum(jax.scipy.stats.poisson.pmf(jnp.arange(MAX_RADIATED_JETS), law["jets"]).astype(jnp.float32))
    pt = jnp.minimum(radiation["min_pt"] * (1 - uniform(hard, shape)) ** (-1 / law["slope"]), radiation["max_pt"])
    eta = jnp.clip(radiation["eta_width"] * normal(along, shape), -radiation["max_eta"], radiation["max_eta"])
    present = uniform(number, (events, 1)) > cumulative
    return jnp.stack([jnp.where(present, pt, 0), eta, uniform(around, shape, -jnp.pi, jnp.pi)], axis=-1)


def _higgs(key, law, hadrons, jets, soft) -> DecayProducts:
    """Higgs bosons, some of them with the two jets of vector-boson fusion, on opposite sides."""
    boson, shared, hard, along, around, side = jax.random.split(key, 6)
    fusion, events = law["fusion"], len(jets)
    fused = uniform(shared, (events, 1)) < fusion["share"]
    pt = fusion["start"] + fusion["scale"] * jax.random.gamma(hard, fusion["shape"], (events, 2), jnp.float32)
    low, high = jnp.asarray(fusion["eta"], jnp.float32).T
    sides = jnp.where(uniform(side, (events, 1)) < 0.5, 1, -1) * jnp.array([1, -1])
    eta = sides * (low + (high - low) * uniform(along, (events, 2)))
    tag_jets = jnp.stack([jnp.where(fused, pt, 0), eta, uniform(around, (events, 2), -jnp.pi, jnp.pi)], axis=-1)
    return _taus(boson, law, hadrons, jnp.concatenate([jets, tag_jets], axis=1), soft)


def _taus(key, law, hadrons, jets, soft) -> DecayProducts:
    """Resonances, limited to the central 97 % of their mass distribution, that decay to two taus."""
    peak, recoil, decays, *fractions = jax.random.split(key, 5)
    mass = law["mass"] + law["width"] / 2 * jnp.tan(0.97 * jnp.pi * (uniform(peak, jets.shape[:1]) - 0.5))
    leptonic, hadronic = _decay(decays, _recoiling_system(recoil, law, mass, jets, soft), TAU_MASS, TAU_MASS)
    lepton = scale_momentum(_polar(leptonic), lepton_energy_fraction(fractions[0], len(jets)))
    visible = scale_momentum(_polar(hadronic), hadronic_energy_fraction(fractions[1], hadrons, len(jets)))
    return DecayProducts(lepton, visible, jets, soft)


def _tops(key, law, hadrons, jets, soft) -> DecayProducts:
    """Pairs of top quarks, each of which decays to a b quark and a W boson."""
    extra, recoil, pairs, top_key, antitop_key, last = jax.random.split(key, 6)
    mass = 2 * TOP_MASS + _extra_mass(extra, law, len(jets))
    top, antitop = _decay(pairs, _recoiling_system(recoil, law, mass, jets, soft), TOP_MASS, TOP_MASS)
    bottom, w1 = _decay(top_key, top, BOTTOM_MASS, W_MASS)
    antibottom, w2 = _decay(antitop_key, antitop, BOTTOM_MASS, W_MASS)
    bottoms = jnp.stack([_polar(bottom), _polar(antibottom)], axis=1)
    return _w_decays(last, law, hadrons, w1, w2, jnp.concatenate([jets, bottoms], axis=1), soft)


def _bosons(key, law, hadrons, jets, soft) -> DecayProducts:
    """Pairs of W bosons."""
    extra, recoil, pairs, last = jax.random.split(key, 4)
    mass = 2 * W_MASS + _extra_mass(extra, law, len(jets))
    pair = _decay(pairs, _recoiling_system(recoil, law, mass, jets, soft), W_MASS, W_MASS)
    return _w_decays(last, law, hadrons, *pair, jets, soft)


HARD_PROCESSES = {"htautau": _higgs, "ztautau": _taus, "ttbar": _tops, "diboson": _bosons}
"""Generator of the hard system of each process and its decay; names are those of the challenge's files."""


def _w_decays(key, law, hadrons, first, second, jets, soft) -> DecayProducts:
    """Decay one W boson to a lepton, and the other to a tau or to two quarks of which one is taken for a tau."""
    one, other, fraction, fakes = jax.random.split(key, 4)
    lepton, _ = _decay(one, first, 0.0, 0.0)
    visible, partner = map(_polar, _decay(other, second, 0.0, 0.0))
    faked = uniform(fakes, jets.shape[:1]) < law["fake_fraction"]
    tau = scale_momentum(visible, jnp.where(faked, 1, hadronic_energy_fraction(fraction, hadrons, len(jets))))
    quark = scale_momentum(partner, faked)  # otherwise a neutrino
    return DecayProducts(_polar(lepton), tau, jnp.concatenate([jets, quark[:, None]], axis=1), soft)


def _extra_mass(key, law, events: int) -> Float[Array, " event"]:
    """Mass of a pair beyond the masses of its members."""
    extra = law["extra"]
    return extra["start"] + extra["scale"] * jax.random.gamma(key, extra["shape"], (events,), jnp.float32)


def _recoiling_system(key, law, mass, jets, soft) -> FourVector:
    """Hard system that balances jets and soft recoil."""
    px, py = -(transverse_vectors(jets).sum(axis=1) + soft).T
    transverse_mass, rapidity = jnp.sqrt(mass**2 + px**2 + py**2), law["rapidity"] * normal(key, mass.shape)
    return jnp.stack([transverse_mass * jnp.cosh(rapidity), px, py, transverse_mass * jnp.sinh(rapidity)], axis=-1)


def _decay(key, parent: FourVector, first: float, second: float) -> tuple[FourVector, FourVector]:
    polar, azimuth = jax.random.split(key)
    cosine, phi = uniform(polar, parent.shape[:-1], -1.0), uniform(azimuth, parent.shape[:-1], -jnp.pi, jnp.pi)
    sine = jnp.sqrt(1 - cosine**2)
    direction = jnp.stack([sine * jnp.cos(phi), sine * jnp.sin(phi), cosine], axis=-1)
    return kinematics.decay(key, parent, first, second, direction)


def _polar(vector: FourVector) -> Polar:
    azimuth = jnp.arctan2(vector[..., 2], vector[..., 1])
    return jnp.stack([kinematics.transverse_momentum(vector), kinematics.pseudorapidity(vector), azimuth], axis=-1)


def lepton_energy_fraction(key: Key[Array, ""], events: int) -> Float[Array, " event"]:
    """Draw the fraction of a tau's energy that its lepton takes, in tau -> l nu nu without polarisation.

    The density is 5/3 - 3 x² + 4/3 x³. It is that of x = y u with u uniform and y of the density 6 y² - 4 y³, which
    max(u1, u2, min(u3, u4)) of uniform numbers has.

    Args:
        key: Source of randomness.
        events: Number of events.
    """
    first, second, third, fourth, last = uniform(key, (5, events))
    return last * jnp.maximum(jnp.maximum(first, second), jnp.minimum(third, fourth))


def hadronic_energy_fraction(key: Key[Array, ""], hadrons: Mapping[str, Any], events: int) -> Float[Array, " event"]:
    """Draw the fraction of a tau's energy that its hadrons take.

    It is uniform between (m / m_tau)² and 1, as in two-body decays without polarisation.

    Args:
        key: Source of randomness.
        hadrons: `masses` in GeV and `shares` of the hadronic resonances.
        events: Number of events.
    """
    kind, position = uniform(key, (2, events))
    cumulative = jnp.cumsum(jnp.asarray(hadrons["shares"], jnp.float32))
    mass = jnp.asarray(hadrons["masses"], jnp.float32)[jnp.sum(kind[:, None] > cumulative[:-1], axis=-1)]
    smallest = (mass / TAU_MASS) ** 2
    return smallest + (1 - smallest) * position
