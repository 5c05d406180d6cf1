"""Toy X -> S H -> bb gamma gamma events and their backgrounds, from decay to preselection (thesis 9.2 and 9.3.2).

Everything is a heavy system that decays into a pair of b quarks and a pair of photons, isotropically: X into S and H at
their masses, or a background system whose masses are drawn. A parametrised detector then smears photons and jets, and
tags the latter. What matters for the search follows from the kinematics: peaks in m_bb and m_bbgg whose widths and
tails grow with the masses, correlated because both hold the same jets, and an efficiency that falls fast towards
threshold. All numbers are the settings'; none is ATLAS's.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Key

from diffhep.data import kinematics as fv
from diffhep.data.kinematics import FourVector
from diffhep.data.mass_grid import HIGGS_MASS

BOTTOM_MASS = 4.7
"""Mass of a b quark in GeV."""

MAX_RADIATED_JETS = 4
"""Most jets that do not come from b quarks; with both of these the preselection allows no more."""


class ResonanceEvents(NamedTuple):
    """What the search looks at, masses in GeV.

    Attributes:
        m_bbgg: mass of both jets and both photons.
        m_bb: mass of the two jets most likely of b quarks.
        m_gg: mass of the two photons.
        weight: expected events that one stands for.
        selected: whether it passes the preselection.
    """

    m_bbgg: Float[Array, " event"]
    m_bb: Float[Array, " event"]
    m_gg: Float[Array, " event"]
    weight: Float[Array, " event"]
    selected: Bool[Array, " event"]


class Jets(NamedTuple):
    """All jets of each event.

    Attributes:
        vectors: as measured.
        tag: 0, or 1 if tagged at the working point of 77 %, or 2 if also at that of 70 %.
        central: within acceptance; others do not exist for the analysis.
    """

    vectors: Float[Array, "event jet 4"]
    tag: Float[Array, "event jet"]
    central: Bool[Array, "event jet"]


def generate_signal(
    key: Key[Array, ""], settings: Mapping[str, Any], m_x: float, m_s: float, events: int
) -> ResonanceEvents:
    """Events of one mass point; the weights of all generated ones add up to the expected number before selection.

    Args:
        key: Source of randomness.
        settings: `detector`, `selection` and `generate_signal`: `yield` before selection, the same at all masses, and
            `weight_spread` of the generator's weights.
        m_x: Mass of X.
        m_s: Mass of S.
        events: How many to generate.

    Raises:
        ValueError: X is too light for S and H.
    """
    if m_x <= m_s + HIGGS_MASS:
        raise ValueError(
            f"X of {m_x:g} GeV cannot decay into S of {m_s:g} GeV and H: it takes more than {m_s + HIGGS_MASS:g}"
        )
    of = settings["signal"]
    weighted, seen = jax.random.split(key)
    heavy, pair, photons = (np.full(events, each) for each in (m_x, m_s, HIGGS_MASS))
    weight = _weights(weighted, of, events)
    return _observed(seen, settings["detector"], settings["selection"], heavy, pair, photons, weight)


def generate_background(key: Key[Array, ""], settings: Mapping[str, Any], process: str, events: int) -> ResonanceEvents:
    """Events of one background process.

    Args:
        key: Source of randomness.
        settings: `detector`, `selection` and `backgrounds`: for each process its `yield` before selection, the spectra
            of the masses of `photons` and `jets`, and that of the `extra` mass of the whole system. A spectrum is a
            `peak` with a `width`, or falls from `start` with `scale` and a `shape` of the Gamma distribution.
        process: Which of them.
        events: How many to generate.
    """
    of = settings["backgrounds"][process]
    *masses, seen = jax.random.split(key, 4)
    photons, pair, extra = (
        _spectrum(each, of[name], events) for each, name in zip(masses, ("photons", "jets", "extra"), strict=True)
    )
    weight = np.full(events, of["yield"] / events)
    heavy = photons + pair + extra
    return _observed(seen, settings["detector"], settings["selection"], heavy, pair, photons, weight)


@partial(jax.jit, static_argnums=2)
def _weights(key, of: Mapping[str, Any], events: int) -> Float[Array, " event"]:
    generated = jnp.exp(of["weight_spread"] * jax.random.normal(key, (events,)))
    return of["yield"] * generated / generated.sum()


@partial(jax.jit, static_argnums=2)
def _spectrum(key, of: Mapping[str, Any], events: int) -> Float[Array, " event"]:
    if "peak" in of:
        return jnp.maximum(of["peak"] + of["width"] * jax.random.normal(key, (events,)), 2.5 * BOTTOM_MASS)
    return of["start"] + of["scale"] * jax.random.gamma(key, of["shape"], (events,))


@jax.jit
def _observed(key, detector, selection, heavy, pair, photons, weight) -> ResonanceEvents:
    """What the detector and the preselection leave of a heavy system with these masses."""
    *decays, measured, jetted = jax.random.split(key, 6)
    system = _produced(decays[0], detector, heavy)
    s, h = fv.decay(decays[1], system, pair, photons)
    bottoms = jnp.stack(fv.decay(decays[2], s, BOTTOM_MASS, BOTTOM_MASS), axis=1)
    gammas = jnp.stack(fv.decay(decays[3], h, 0.0, 0.0), axis=1)
    gammas = gammas * (1 + detector["photon_resolution"] * jax.random.normal(measured, gammas.shape[:2]))[..., None]
    jets = _jets(jetted, detector, bottoms)
    chosen = _most_likely(jets)
    m_gg = fv.mass(gammas.sum(axis=1))
    return ResonanceEvents(
        m_bbgg=fv.mass(chosen.sum(axis=1) + gammas.sum(axis=1)),
        m_bb=fv.mass(chosen.sum(axis=1)),
        m_gg=m_gg,
        weight=weight,
        selected=_passes(selection, gammas, m_gg, jets),
    )


def _produced(key, detector, heavy) -> FourVector:
    """The heavy system as it is produced: some transverse momentum, and some momentum along the beam."""
    transverse, azimuth, along = jax.random.split(key, 3)
    pt = detector["recoil"] * jax.random.exponential(transverse, heavy.shape)
    phi = jax.random.uniform(azimuth, heavy.shape, minval=-jnp.pi, maxval=jnp.pi)
    rapidity = detector["rapidity"] * jax.random.normal(along, heavy.shape)
    across = jnp.sqrt(heavy**2 + pt**2)
    return jnp.stack(
        [across * jnp.cosh(rapidity), pt * jnp.cos(phi), pt * jnp.sin(phi), across * jnp.sinh(rapidity)], axis=-1
    )


def _jets(key, detector, bottoms: FourVector) -> Jets:
    """B jets with their response, and others from radiation; all tagged."""
    response, lost, share, radiated, tagged = jax.random.split(key, 5)
    pt = fv.transverse_momentum(bottoms)
    width = jnp.hypot(detector["jet_stochastic"] / jnp.sqrt(jnp.maximum(pt, 1.0)), detector["jet_constant"])
    measured = 1 + width * jax.random.normal(response, pt.shape)
    missing = jax.random.bernoulli(lost, detector["lost_probability"], pt.shape)
    measured = measured - missing * jax.random.beta(share, 2.0, 5.0, pt.shape)  # neutrinos, hard radiation
    bottoms = bottoms * jnp.maximum(measured, 0.05)[..., None]
    others = _radiation(radiated, detector, pt.shape[0])
    vectors = jnp.concatenate([bottoms, others], axis=1)
    u = jax.random.uniform(tagged, vectors.shape[:2])
    tight, loose = (
        jnp.asarray(detector[name])[jnp.array([0, 0] + [1] * others.shape[1])] for name in ("tag_70", "tag_77")
    )
    central = (fv.transverse_momentum(vectors) > detector["jet_pt"]) & (
        jnp.abs(fv.pseudorapidity(vectors)) < detector["jet_eta"]
    )
    return Jets(vectors, jnp.where(central, (u < tight) + 1.0 * (u < loose), 0.0), central)


def _radiation(key, detector, events: int) -> FourVector:
    """Jets that do not come from b quarks, so many at most; those that are none have no momentum to speak of."""
    number, *parts = jax.random.split(key, 4)
    there = jnp.arange(MAX_RADIATED_JETS) < jax.random.poisson(number, detector["radiated"], (events, 1))
    pt = detector["radiated_start"] + detector["radiated_scale"] * jax.random.exponential(
        parts[0], (events, MAX_RADIATED_JETS)
    )
    eta = jax.random.uniform(parts[1], pt.shape, minval=-4.0, maxval=4.0)
    phi = jax.random.uniform(parts[2], pt.shape, minval=-jnp.pi, maxval=jnp.pi)
    return fv.four_vector(jnp.where(there, pt, 1e-3), eta, phi, 0.0)


def _most_likely(jets: Jets) -> Float[Array, "event 2 4"]:
    """The two central jets with the highest tags, the harder ones among equals."""
    order = jnp.where(jets.central, 1e6 * jets.tag + fv.transverse_momentum(jets.vectors), -1.0)
    two = jnp.argsort(-order, axis=1)[:, :2]
    return jnp.take_along_axis(jets.vectors, two[..., None], axis=1)


def _passes(selection, gammas: FourVector, m_gg: Float[Array, " event"], jets: Jets) -> Bool[Array, " event"]:
    """The loose criteria of thesis 9.3.2; there are no leptons here."""
    pt = jnp.sort(fv.transverse_momentum(gammas), axis=1)[:, ::-1]
    photons = (jnp.abs(fv.pseudorapidity(gammas)) < selection["photon_eta"]).all(axis=1)
    photons &= (pt > jnp.stack(selection["photon_pt_share"]) * m_gg[:, None]).all(axis=1)
    photons &= (m_gg > selection["m_gg"][0]) & (m_gg < selection["m_gg"][1])
    number, loose, tight = (each.sum(axis=1) for each in (jets.central, jets.tag >= 1, jets.tag >= 2))
    return photons & (number >= 2) & (number < 6) & (tight >= 1) & (loose < 3)
