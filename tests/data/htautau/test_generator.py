"""Toy events look like the challenge's: selected, with jets where they are counted, masses in place, quartiles near."""

from functools import partial
from pathlib import Path

import jax
import numpy as np
import pytest

from diffhep.data import kinematics as fv
from diffhep.data.htautau import decays, generator
from diffhep.data.htautau import features as hf
from diffhep.data.htautau.shifts import PROCESSES
from diffhep.pipeline import settings as pipeline_settings

SETTINGS = pipeline_settings.read(Path(__file__).parents[3] / "config" / "studies" / "higgsml.yaml")["data"]
EVENTS = 4000


@pytest.fixture(scope="module")
def samples():
    return {name: np.asarray(generator.generate(jax.random.key(1), SETTINGS, name, EVENTS)) for name in PROCESSES}


def columns(primaries):
    values = np.concatenate([primaries, hf.derive_columns(primaries)], axis=1)
    return {name.split("_", 1)[1]: column for name, column in zip(hf.COLUMNS, values.T, strict=True)}


def test_processes_are_the_challenges():
    assert tuple(decays.HARD_PROCESSES) == PROCESSES == tuple(SETTINGS["processes"]) == tuple(SETTINGS["yields"])


@pytest.mark.parametrize("process", PROCESSES)
def test_events_are_selected_and_finite(samples, process):
    events = samples[process]
    assert events.shape == (EVENTS, 16) and events.dtype == np.float32
    of = columns(events)
    assert all(np.isfinite(column).all() for column in of.values())
    assert of["lep_pt"].min() > 20 and of["had_pt"].min() > 22
    assert np.abs(of["lep_eta"]).max() < 2.5 and np.abs(of["had_eta"]).max() < 2.5
    assert of["deltar_had_lep"].min() > 0.4 - 1e-5
    assert of["met"].min() >= 0 and np.abs(of["met_phi"]).max() < 3.1416


@pytest.mark.parametrize("process", PROCESSES)
def test_jets_are_there_where_they_are_counted(samples, process):
    of = columns(samples[process])
    number = of["n_jets"]
    for least, jet in ((1, "jet_leading"), (2, "jet_subleading")):
        there = number >= least
        assert of[f"{jet}_pt"][there].min() > 20 and np.abs(of[f"{jet}_eta"][there]).max() < 4.7
        for name in ("pt", "eta", "phi"):
            assert (of[f"{jet}_{name}"][~there] == hf.ABSENT).all()
    two = np.maximum(of["jet_leading_pt"], 0) + np.maximum(of["jet_subleading_pt"], 0)
    assert (of["jet_leading_pt"] >= of["jet_subleading_pt"]).all()
    np.testing.assert_allclose(of["jet_all_pt"][number < 3], two[number < 3], rtol=1e-5)
    assert (of["jet_all_pt"][number > 2] > two[number > 2] + 20).all()


QUARTILES = {  # of the challenge's events: median of some columns, share of events without a jet
    "htautau": ({"lep_pt": 34, "had_pt": 47, "met": 28, "mass_vis": 81, "pt_h": 40, "pt_tot": 18}, 0.30),
    "ztautau": ({"lep_pt": 28, "had_pt": 37, "met": 14, "mass_vis": 68, "pt_h": 17, "pt_tot": 13}, 0.65),
    "ttbar": ({"lep_pt": 50, "had_pt": 47, "met": 56, "mass_vis": 100, "pt_h": 82, "pt_tot": 36}, 0.01),
    "diboson": ({"lep_pt": 45, "had_pt": 39, "met": 41, "mass_vis": 93, "pt_h": 31, "pt_tot": 15}, 0.41),
}


@pytest.mark.parametrize("process", PROCESSES)
def test_medians_are_near_the_challenges(samples, process):
    of, (medians, without) = columns(samples[process]), QUARTILES[process]
    for name, median in medians.items():
        assert np.median(of[name]) == pytest.approx(median, rel=0.27), name
    assert np.mean(of["n_jets"] == 0) == pytest.approx(without, abs=0.08)


def test_the_signal_can_be_told_from_its_main_background(samples):
    signal, background = (columns(samples[name])["mass_vis"] for name in ("htautau", "ztautau"))
    assert np.mean(signal[:, None] > background[None, :500]) > 0.75


def test_shares_of_tau_decays():
    """Moments of the lepton's density; for hadrons, uniform above what the mass leaves."""
    lepton = np.asarray(jax.jit(partial(decays.lepton_energy_fraction, events=200_000))(jax.random.key(0)))
    x = (np.arange(1000) + 0.5) / 1000
    density = 5 / 3 - 3 * x**2 + 4 / 3 * x**3
    for power in (0, 1, 2, 3):
        assert np.mean(lepton**power) == pytest.approx(np.mean(density * x**power), abs=3e-3)
    hadrons = {"masses": [0.0, 1.777 / 2], "shares": [0.5, 0.5]}
    drawn = partial(decays.hadronic_energy_fraction, hadrons=hadrons, events=200_000)
    share = np.asarray(jax.jit(drawn)(jax.random.key(0)))
    assert share.mean() == pytest.approx((0.5 + 0.625) / 2, abs=3e-3)
    assert np.mean(share < 0.25) == pytest.approx(0.125, abs=3e-3)


def whole(process, **changes):
    """Products of a process whose taus give all of their momentum to what is visible."""
    settings = {"radiation": SETTINGS["radiation"], "hadrons": {"masses": [decays.TAU], "shares": [1.0]}}
    settings["processes"] = {process: SETTINGS["processes"][process] | changes}
    made = jax.jit(partial(decays.generate_products, process=process, events=5000))
    return decays.DecayProducts(*map(np.asarray, made(jax.random.key(2), settings)))


def test_visible_mass_ends_at_the_resonance():
    """m_vis² = x m², up to the masses of taus, with the lepton's share x of its tau's energy."""
    lepton, hadrons, *_ = whole("ztautau", width=0.0)
    mass = np.asarray(fv.mass(sum(np.asarray(fv.four_vector(*each.T, 0.0)) for each in (lepton, hadrons))))
    assert mass.max() < 91.19 * 1.01
    x = (np.arange(10_000) + 0.5) / 10_000
    mean = np.mean((5 / 3 - 3 * x**2 + 4 / 3 * x**3) * np.sqrt(x))
    assert mass.mean() == pytest.approx(91.19 * mean, rel=0.02)


@pytest.mark.parametrize("process", ["ttbar", "diboson"])
def test_w_bosons_have_their_mass_and_momentum_is_conserved(process):
    """With quarks for the tau all is visible but one neutrino, which balances it; its transverse mass ends at m_W."""
    lepton, quark, jets, soft = whole(process, faked=1.0)
    pair = [np.asarray(fv.four_vector(*each.T, 0.0)) for each in (quark, jets[:, -1])]
    np.testing.assert_allclose(fv.mass(sum(pair)), decays.W, rtol=0.02)
    transverse = jax.jit(decays.transverse_vectors)
    seen = [np.asarray(transverse(each)) for each in (lepton, quark, jets.swapaxes(0, 1))]
    neutrino = -(seen[0] + seen[1] + seen[2].sum(axis=0) + soft)
    across = 2 * (lepton[:, 0] * np.hypot(*neutrino.T) - np.sum(seen[0] * neutrino, axis=1))
    assert np.sqrt(across.max()) == pytest.approx(decays.W, rel=0.02)


def test_events_depend_on_the_key_only(samples):
    again = generator.generate(jax.random.key(1), SETTINGS | {"unused": "text"}, "ztautau", EVENTS)
    other = np.asarray(generator.generate(jax.random.key(2), SETTINGS, "ztautau", EVENTS))
    np.testing.assert_array_equal(again, samples["ztautau"])
    assert not np.isin(other[:, 0], samples["ztautau"][:, 0]).all()


def test_what_cannot_be_generated_is_told():
    with pytest.raises(ValueError, match="no process 'ztt': choose one of htautau, ztautau, ttbar, diboson"):
        generator.generate(jax.random.key(0), SETTINGS, "ztt", 10)
    selection = SETTINGS["selection"] | {"lepton_pt": 1e5}
    with pytest.raises(ValueError, match="none of 50000 events of ztautau passes"):
        generator.generate(jax.random.key(0), SETTINGS | {"selection": selection}, "ztautau", 10)
