"""What a collision leaves in toy events of H -> tau tau and its backgrounds, before any detector.

A hard system recoils against jets of radiation and decays isotropically, step by step: into two taus, into two top
quarks or into two W bosons. Taus decay along their direction and are not polarised. All numbers are the settings', and
arrays are in single precision.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Key

from diffhep.data import kinematics as fv

TAU, W, BOTTOM, TOP = 1.777, 80.4, 4.7, 172.5
"""Masses in GeV."""

MAX_RADIATED_JETS = 4
"""Most jets of radiation."""

Polar = Float[Array, "*axis 3"]
"""Transverse momentum in GeV, pseudorapidity and azimuth of massless objects; one without momentum is not there."""


class DecayProducts(NamedTuple):
    """What of each event can be seen.

    Attributes:
        lepton: of the one tau or W boson.
        hadrons: of the other tau, or a jet taken for one.
        jets: all others, in any order.
        soft: transverse recoil that is in no jet, GeV.
    """

    lepton: Polar
    hadrons: Polar
    jets: Float[Array, "event jet 3"]
    soft: Float[Array, "event 2"]


def generate_products(key: Key[Array, ""], settings: Mapping[str, Any], process: str, events: int) -> DecayProducts:
    """Events of one process.

    Args:
        key: Source of randomness.
        settings: `radiation`: jets from `start` to the `hardest` momentum, `eta`: width, up to the `farthest`;
            `processes.<process>`: `soft`, `rapidity`, mean number of `jets` and `slope` of their spectrum, and either
            `mass` and `width` of a resonance or `extra` mass of a pair and the share of `faked` taus; htautau also has
            the jets of vector-boson `fusion`; `hadrons`: their `masses` and `shares` in decays of a tau.
        process: A key of `HARD_PROCESSES`.
        events: How many.
    """
    of, (radiated, recoil, hard) = settings["processes"][process], jax.random.split(key, 3)
    soft = of["soft"] * normal(recoil, (events, 2))
    return HARD_PROCESSES[process](
        hard, of, settings["hadrons"], _radiated(radiated, settings["radiation"], of, events), soft
    )


def uniform(
    key: Key[Array, ""], shape: tuple[int, ...], low: ArrayLike = 0.0, high: ArrayLike = 1.0
) -> Float[Array, "..."]:
    """Uniform numbers in single precision."""
    return jax.random.uniform(key, shape, jnp.float32, low, high)


def normal(key: Key[Array, ""], shape: tuple[int, ...]) -> Float[Array, "..."]:
    """Standard normal numbers in single precision."""
    return jax.random.normal(key, shape, jnp.float32)


def transverse_vectors(objects: Polar) -> Float[Array, "*axis 2"]:
    """Momentum across the beam, x and y."""
    pt, phi = objects[..., 0], objects[..., 2]
    return jnp.stack([pt * jnp.cos(phi), pt * jnp.sin(phi)], axis=-1)


def scale_momentum(objects: Polar, factor: ArrayLike) -> Polar:
    """Other momenta in the same directions."""
    return jnp.stack([objects[..., 0] * factor, objects[..., 1], objects[..., 2]], axis=-1)


def _radiated(key, radiation, of, events: int) -> Float[Array, "event jet 3"]:
    """A Poisson number of jets, at most `MAX_RADIATED_JETS`, with momenta that fall as pt to the power -(slope + 1)."""
    number, hard, along, around = jax.random.split(key, 4)
    shape = (events, MAX_RADIATED_JETS)
    fewer = jnp.cumsum(jax.scipy.stats.poisson.pmf(jnp.arange(MAX_RADIATED_JETS), of["jets"]).astype(jnp.float32))
    pt = jnp.minimum(radiation["start"] * (1 - uniform(hard, shape)) ** (-1 / of["slope"]), radiation["hardest"])
    eta = jnp.clip(radiation["eta"] * normal(along, shape), -radiation["farthest"], radiation["farthest"])
    there = uniform(number, (events, 1)) > fewer
    return jnp.stack([jnp.where(there, pt, 0), eta, uniform(around, shape, -jnp.pi, jnp.pi)], axis=-1)


def _higgs(key, of, hadrons, jets, soft) -> DecayProducts:
    """A Higgs boson, some of them with the two jets of vector-boson fusion, on opposite sides."""
    boson, shared, hard, along, around, side = jax.random.split(key, 6)
    fusion, events = of["fusion"], len(jets)
    there = uniform(shared, (events, 1)) < fusion["share"]
    pt = fusion["start"] + fusion["scale"] * jax.random.gamma(hard, fusion["shape"], (events, 2), jnp.float32)
    low, high = jnp.asarray(fusion["eta"], jnp.float32).T
    sides = jnp.where(uniform(side, (events, 1)) < 0.5, 1, -1) * jnp.array([1, -1])
    eta = sides * (low + (high - low) * uniform(along, (events, 2)))
    fused = jnp.stack([jnp.where(there, pt, 0), eta, uniform(around, (events, 2), -jnp.pi, jnp.pi)], axis=-1)
    return _taus(boson, of, hadrons, jnp.concatenate([jets, fused], axis=1), soft)


def _taus(key, of, hadrons, jets, soft) -> DecayProducts:
    """A resonance, of which the central 97 % are kept, to two taus."""
    peak, moves, decays, *shares = jax.random.split(key, 5)
    mass = of["mass"] + of["width"] / 2 * jnp.tan(0.97 * jnp.pi * (uniform(peak, jets.shape[:1]) - 0.5))
    leptonic, hadronic = _decay(decays, _recoiling(moves, of, mass, jets, soft), TAU, TAU)
    lepton = scale_momentum(_polar(leptonic), lepton_energy_fraction(shares[0], len(jets)))
    return DecayProducts(
        lepton, scale_momentum(_polar(hadronic), hadronic_energy_fraction(shares[1], hadrons, len(jets))), jets, soft
    )


def _tops(key, of, hadrons, jets, soft) -> DecayProducts:
    """Two top quarks, each to a b quark and a W boson."""
    extra, moves, pairs, one, other, last = jax.random.split(key, 6)
    mass = 2 * TOP + _extra(extra, of, len(jets))
    top, antitop = _decay(pairs, _recoiling(moves, of, mass, jets, soft), TOP, TOP)
    (bottom, w1), (antibottom, w2) = _decay(one, top, BOTTOM, W), _decay(other, antitop, BOTTOM, W)
    bottoms = jnp.stack([_polar(bottom), _polar(antibottom)], axis=1)
    return _w_decays(last, of, hadrons, w1, w2, jnp.concatenate([jets, bottoms], axis=1), soft)


def _bosons(key, of, hadrons, jets, soft) -> DecayProducts:
    """Two W bosons."""
    extra, moves, pairs, last = jax.random.split(key, 4)
    mass = 2 * W + _extra(extra, of, len(jets))
    pair = _decay(pairs, _recoiling(moves, of, mass, jets, soft), W, W)
    return _w_decays(last, of, hadrons, *pair, jets, soft)


HARD_PROCESSES = {"htautau": _higgs, "ztautau": _taus, "ttbar": _tops, "diboson": _bosons}
"""What makes the hard system of each process and its decay; processes have the names of the challenge's files."""


def _w_decays(key, of, hadrons, first, second, jets, soft) -> DecayProducts:
    """One W boson to a lepton; the other to a tau, or to two quarks of which one is taken for a tau."""
    one, other, share, fakes = jax.random.split(key, 4)
    lepton, _ = _decay(one, first, 0.0, 0.0)
    visible, partner = map(_polar, _decay(other, second, 0.0, 0.0))
    faked = uniform(fakes, jets.shape[:1]) < of["faked"]
    found = scale_momentum(visible, jnp.where(faked, 1, hadronic_energy_fraction(share, hadrons, len(jets))))
    quark = scale_momentum(partner, faked)  # otherwise a neutrino
    return DecayProducts(_polar(lepton), found, jnp.concatenate([jets, quark[:, None]], axis=1), soft)


def _extra(key, of, events: int) -> Float[Array, " event"]:
    """Mass of a pair beyond that of its members."""
    extra = of["extra"]
    return extra["start"] + extra["scale"] * jax.random.gamma(key, extra["shape"], (events,), jnp.float32)


def _recoiling(key, of, mass, jets, soft) -> fv.FourVector:
    """The hard system, of so much mass, that balances jets and soft recoil."""
    px, py = -(transverse_vectors(jets).sum(axis=1) + soft).T
    across, rapidity = jnp.sqrt(mass**2 + px**2 + py**2), of["rapidity"] * normal(key, mass.shape)
    return jnp.stack([across * jnp.cosh(rapidity), px, py, across * jnp.sinh(rapidity)], axis=-1)


def _decay(key, parent: fv.FourVector, first: float, second: float) -> tuple[fv.FourVector, fv.FourVector]:
    polar, azimuth = jax.random.split(key)
    cosine, phi = uniform(polar, parent.shape[:-1], -1.0), uniform(azimuth, parent.shape[:-1], -jnp.pi, jnp.pi)
    sine = jnp.sqrt(1 - cosine**2)
    return fv.decay(key, parent, first, second, jnp.stack([sine * jnp.cos(phi), sine * jnp.sin(phi), cosine], axis=-1))


def _polar(vector: fv.FourVector) -> Polar:
    azimuth = jnp.arctan2(vector[..., 2], vector[..., 1])
    return jnp.stack([fv.transverse_momentum(vector), fv.pseudorapidity(vector), azimuth], axis=-1)


def lepton_energy_fraction(key: Key[Array, ""], events: int) -> Float[Array, " event"]:
    """Of a tau's energy that its lepton takes: density 5/3 - 3 x² + 4/3 x³, of tau -> l nu nu without polarisation.

    x = y u with u uniform and y of the density 6 y² - 4 y³, which max(u1, u2, min(u3, u4)) of uniform numbers has.
    """
    first, second, third, fourth, last = uniform(key, (5, events))
    return last * jnp.maximum(jnp.maximum(first, second), jnp.minimum(third, fourth))


def hadronic_energy_fraction(key: Key[Array, ""], hadrons: Mapping[str, Any], events: int) -> Float[Array, " event"]:
    """Of a tau's energy that its hadrons take: uniform from (m / m_tau)² to 1, of two bodies without polarisation."""
    kind, where = uniform(key, (2, events))
    upto = jnp.cumsum(jnp.asarray(hadrons["shares"], jnp.float32))
    mass = jnp.asarray(hadrons["masses"], jnp.float32)[jnp.sum(kind[:, None] > upto[:-1], axis=-1)]
    least = (mass / TAU) ** 2
    return least + (1 - least) * where
