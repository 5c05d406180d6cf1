"""Toy X -> S H -> bb gamma gamma events and their backgrounds, from decay to preselection (thesis 9.2 and 9.3.2).

A heavy system decays isotropically into a pair of b quarks and a pair of photons: X into S and H at their masses, or a
background system whose masses are drawn at random. A parametrised detector smears photons and jets and tags jets. The
features that matter for the search follow from kinematics: peaks in m_bb and m_bbgg whose widths and tails grow with
the masses, correlations of both because they share the jets, and an efficiency that falls fast towards threshold. All
numbers come from the settings; none is ATLAS's.
"""

from collections.abc import Mapping
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

MAX_RADIATED_JETS = 4
"""Largest number of jets from radiation; the preselection allows no more beside the two b jets."""


class ResonanceEvents(NamedTuple):
    """Events of the search, masses in GeV.

    Attributes:
        m_bbgg: Mass of both jets and both photons.
        m_bb: Mass of the two jets that are most likely b jets.
        m_gg: Diphoton mass.
        weight: Expected number of events that an event represents.
        selected: Whether an event passes the preselection.
    """

    m_bbgg: Float[Array, " event"]
    m_bb: Float[Array, " event"]
    m_gg: Float[Array, " event"]
    weight: Float[Array, " event"]
    selected: Bool[Array, " event"]


class Jets(NamedTuple):
    """Jets of each event.

    Attributes:
        vectors: Measured four-vectors.
        tag: 0 without b tag, 1 if tagged at the working point of 77 %, 2 if also tagged at that of 70 %.
        central: Whether a jet is within acceptance; the analysis ignores others.
    """

    vectors: Float[Array, "event jet 4"]
    tag: Float[Array, "event jet"]
    central: Bool[Array, "event jet"]


def generate_signal(
    key: Key[Array, ""], settings: Mapping[str, Any], m_x: float, m_s: float, events: int
) -> ResonanceEvents:
    """Generate signal events of one mass point.

    Args:
        key: Source of randomness.
        settings: `detector`, `selection` and `signal`: `yield` before selection, equal at all masses, and
            `weight_spread` of the generator weights.
        m_x: Mass of X in GeV.
        m_s: Mass of S in GeV.
        events: Number of events to generate.

    Returns:
        All generated events, whose weights add up to the expected number before selection.

    Raises:
        ValueError: X is too light to decay into S and H.
    """
    if m_x <= m_s + HIGGS_MASS:
        raise ValueError(
            f"X of {m_x:g} GeV cannot decay into S of {m_s:g} GeV and H: it takes more than {m_s + HIGGS_MASS:g}"
        )
    weight_key, measure_key = jax.random.split(key)
    heavy, pair, photons = (np.full(events, mass) for mass in (m_x, m_s, HIGGS_MASS))
    weight = _weights(weight_key, settings["signal"], events)
    return _reconstruct(measure_key, settings["detector"], settings["selection"], heavy, pair, photons, weight)


def generate_background(key: Key[Array, ""], settings: Mapping[str, Any], process: str, events: int) -> ResonanceEvents:
    """Generate events of one background process.

    Args:
        key: Source of randomness.
        settings: `detector`, `selection` and `backgrounds.<process>`: `yield` before selection, mass spectra of
            `photons` and `jets`, and that of the `extra` mass of the whole system. A spectrum is a `peak` with a
            `width`, or a Gamma distribution with `start`, `scale` and `shape`.
        process: Name of the process.
        events: Number of events to generate.

    Returns:
        All generated events, whose weights add up to the expected number before selection.
    """
    law = settings["backgrounds"][process]
    *mass_keys, measure_key = jax.random.split(key, 4)
    photons, pair, extra = (
        _spectrum(k, law[name], events) for k, name in zip(mass_keys, ("photons", "jets", "extra"), strict=True)
    )
    weight = np.full(events, law["yield"] / events)
    heavy = photons + pair + extra
    return _reconstruct(measure_key, settings["detector"], settings["selection"], heavy, pair, photons, weight)


@partial(jax.jit, static_argnums=2)
def _weights(key, law: Mapping[str, Any], events: int) -> Float[Array, " event"]:
    generated = jnp.exp(law["weight_spread"] * jax.random.normal(key, (events,)))
    return law["yield"] * generated / generated.sum()


@partial(jax.jit, static_argnums=2)
def _spectrum(key, law: Mapping[str, Any], events: int) -> Float[Array, " event"]:
    if "peak" in law:
        return jnp.maximum(law["peak"] + law["width"] * jax.random.normal(key, (events,)), 2.5 * BOTTOM_MASS)
    return law["start"] + law["scale"] * jax.random.gamma(key, law["shape"], (events,))


@jax.jit
def _reconstruct(key, detector, selection, heavy, pair, photons, weight) -> ResonanceEvents:
    """Decay a heavy system with these masses, measure the products and apply the preselection."""
    *decay_keys, photon_key, jet_key = jax.random.split(key, 6)
    system = _system(decay_keys[0], detector, heavy)
    s, h = kinematics.decay(decay_keys[1], system, pair, photons)
    bottoms = jnp.stack(kinematics.decay(decay_keys[2], s, BOTTOM_MASS, BOTTOM_MASS), axis=1)
    gammas = jnp.stack(kinematics.decay(decay_keys[3], h, 0.0, 0.0), axis=1)
    gammas = gammas * (1 + detector["photon_resolution"] * jax.random.normal(photon_key, gammas.shape[:2]))[..., None]
    jets = _measure_jets(jet_key, detector, bottoms)
    b_jets = _most_likely_b_jets(jets)
    m_gg = kinematics.mass(gammas.sum(axis=1))
    return ResonanceEvents(
        m_bbgg=kinematics.mass(b_jets.sum(axis=1) + gammas.sum(axis=1)),
        m_bb=kinematics.mass(b_jets.sum(axis=1)),
        m_gg=m_gg,
        weight=weight,
        selected=_passes(selection, gammas, m_gg, jets),
    )


def _system(key, detector, heavy) -> FourVector:
    """Draw four-vectors of the heavy system."""
    transverse, azimuth, along = jax.random.split(key, 3)
    pt = detector["recoil"] * jax.random.exponential(transverse, heavy.shape)
    phi = jax.random.uniform(azimuth, heavy.shape, minval=-jnp.pi, maxval=jnp.pi)
    rapidity = detector["rapidity"] * jax.random.normal(along, heavy.shape)
    transverse_mass = jnp.sqrt(heavy**2 + pt**2)
    energy, pz = transverse_mass * jnp.cosh(rapidity), transverse_mass * jnp.sinh(rapidity)
    return jnp.stack([energy, pt * jnp.cos(phi), pt * jnp.sin(phi), pz], axis=-1)


def _measure_jets(key, detector, bottoms: FourVector) -> Jets:
    """Smear b jets, add jets from radiation, and tag them all."""
    response, lost, share, radiated, tagged = jax.random.split(key, 5)
    pt = kinematics.transverse_momentum(bottoms)
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
    central = (kinematics.transverse_momentum(vectors) > detector["jet_pt"]) & (
        jnp.abs(kinematics.pseudorapidity(vectors)) < detector["jet_eta"]
    )
    return Jets(vectors, jnp.where(central, (u < tight) + 1.0 * (u < loose), 0.0), central)


def _radiation(key, detector, events: int) -> FourVector:
    """Draw jets from radiation; absent ones have a negligible momentum."""
    number, *parts = jax.random.split(key, 4)
    present = jnp.arange(MAX_RADIATED_JETS) < jax.random.poisson(number, detector["radiated"], (events, 1))
    pt = detector["radiated_start"] + detector["radiated_scale"] * jax.random.exponential(
        parts[0], (events, MAX_RADIATED_JETS)
    )
    eta = jax.random.uniform(parts[1], pt.shape, minval=-4.0, maxval=4.0)
    phi = jax.random.uniform(parts[2], pt.shape, minval=-jnp.pi, maxval=jnp.pi)
    return kinematics.four_vector(jnp.where(present, pt, 1e-3), eta, phi, 0.0)


def _most_likely_b_jets(jets: Jets) -> Float[Array, "event 2 4"]:
    """Select the two central jets with the highest tags, the harder ones among equals."""
    order = jnp.where(jets.central, 1e6 * jets.tag + kinematics.transverse_momentum(jets.vectors), -1.0)
    first_two = jnp.argsort(-order, axis=1)[:, :2]
    return jnp.take_along_axis(jets.vectors, first_two[..., None], axis=1)


def _passes(selection, gammas: FourVector, m_gg: Float[Array, " event"], jets: Jets) -> Bool[Array, " event"]:
    """Apply the loose criteria of thesis 9.3.2; toy events have no leptons."""
    pt = jnp.sort(kinematics.transverse_momentum(gammas), axis=1)[:, ::-1]
    photons = (jnp.abs(kinematics.pseudorapidity(gammas)) < selection["photon_eta"]).all(axis=1)
    photons &= (pt > jnp.stack(selection["photon_pt_share"]) * m_gg[:, None]).all(axis=1)
    photons &= (m_gg > selection["m_gg"][0]) & (m_gg < selection["m_gg"][1])
    number, loose, tight = (mask.sum(axis=1) for mask in (jets.central, jets.tag >= 1, jets.tag >= 2))
    return photons & (number >= 2) & (number < 6) & (tight >= 1) & (loose < 3)
