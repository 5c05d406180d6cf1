"""Decay products: energy fractions of taus, masses and momentum conservation."""

from functools import partial

import jax
import numpy as np
import pytest
from support.study_settings import study_settings

from diffhep.data import kinematics
from diffhep.data.htautau import decays

SETTINGS = study_settings("higgsml")["data"]
EVENTS = 5000


@pytest.mark.parametrize("power", [0, 1, 2, 3])
def test_lepton_energy_fraction_has_the_moments_of_its_density(power):
    fraction = np.asarray(jax.jit(partial(decays.lepton_energy_fraction, events=200_000))(jax.random.key(0)))
    x = (np.arange(1000) + 0.5) / 1000
    density = 5 / 3 - 3 * x**2 + 4 / 3 * x**3
    assert np.mean(fraction**power) == pytest.approx(np.mean(density * x**power), abs=3e-3)


def test_hadronic_energy_fraction_is_uniform_above_the_squared_mass_ratio():
    hadrons = {"masses": [0.0, 1.777 / 2], "shares": [0.5, 0.5]}
    draw = partial(decays.hadronic_energy_fraction, hadrons=hadrons, events=200_000)
    fraction = np.asarray(jax.jit(draw)(jax.random.key(0)))
    assert fraction.mean() == pytest.approx((0.5 + 0.625) / 2, abs=3e-3)
    assert np.mean(fraction < 0.25) == pytest.approx(0.125, abs=3e-3)


def products_without_invisible_hadrons(process, **changes):
    """Products of a process whose hadronic taus have no neutrino."""
    settings = {"radiation": SETTINGS["radiation"], "hadrons": {"masses": [decays.TAU_MASS], "shares": [1.0]}}
    settings["processes"] = {process: SETTINGS["processes"][process] | changes}
    generate = jax.jit(partial(decays.generate_products, process=process, events=EVENTS))
    return decays.DecayProducts(*map(np.asarray, generate(jax.random.key(2), settings)))


def test_visible_mass_ends_at_the_resonance():
    """m_vis² = x m², up to the masses of taus, with the lepton's fraction x of the energy of its tau."""
    lepton, hadrons, *_ = products_without_invisible_hadrons("ztautau", width=0.0)
    vectors = [np.asarray(kinematics.four_vector(*polar.T, 0.0)) for polar in (lepton, hadrons)]
    mass = np.asarray(kinematics.mass(sum(vectors)))
    assert mass.max() < 91.19 * 1.01
    x = (np.arange(10_000) + 0.5) / 10_000
    mean = np.mean((5 / 3 - 3 * x**2 + 4 / 3 * x**3) * np.sqrt(x))
    assert mass.mean() == pytest.approx(91.19 * mean, rel=0.02)


@pytest.mark.parametrize("process", ["ttbar", "diboson"])
def test_w_bosons_have_their_mass_and_momentum_is_conserved(process):
    """One neutrino balances all visible momentum; its transverse mass with the lepton ends at m_W."""
    lepton, quark, jets, soft = products_without_invisible_hadrons(process, fake_fraction=1.0)
    pair = [np.asarray(kinematics.four_vector(*polar.T, 0.0)) for polar in (quark, jets[:, -1])]
    np.testing.assert_allclose(kinematics.mass(sum(pair)), decays.W_MASS, rtol=0.02)
    transverse = jax.jit(decays.transverse_vectors)
    lepton_pt, quark_pt, jets_pt = (np.asarray(transverse(polar)) for polar in (lepton, quark, jets.swapaxes(0, 1)))
    neutrino = -(lepton_pt + quark_pt + jets_pt.sum(axis=0) + soft)
    squared = 2 * (lepton[:, 0] * np.hypot(*neutrino.T) - np.sum(lepton_pt * neutrino, axis=1))
    assert np.sqrt(squared.max()) == pytest.approx(decays.W_MASS, rel=0.02)


def test_number_of_radiated_jets_has_the_mean_of_its_truncated_poisson_distribution():
    products = products_without_invisible_hadrons("ztautau")
    present = products.jets[..., 0] > 0
    probabilities = np.array([np.exp(-0.95) * 0.95**n / np.prod(range(1, n + 1)) for n in range(4)])
    mean = probabilities @ np.arange(4) + 4 * (1 - probabilities.sum())
    assert present.sum(axis=1).mean() == pytest.approx(mean, abs=5 / np.sqrt(EVENTS))
    assert products.jets[present][:, 0].min() >= SETTINGS["radiation"]["min_pt"]


def test_scaling_momentum_leaves_directions_unchanged():
    scaled = np.asarray(jax.jit(decays.scale_momentum)(np.array([[10.0, 1.5, -2.0]]), 3.0))
    np.testing.assert_allclose(scaled, [[30.0, 1.5, -2.0]])
