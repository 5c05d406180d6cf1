"""Toy events resemble those of the challenge: selection, jets and medians of columns."""

from pathlib import Path

import jax
import numpy as np
import pytest

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


def test_processes_are_those_of_the_challenge():
    assert tuple(decays.HARD_PROCESSES) == PROCESSES == tuple(SETTINGS["processes"]) == tuple(SETTINGS["yields"])


@pytest.mark.parametrize("process", PROCESSES)
def test_events_are_selected_and_finite(samples, process):
    events = samples[process]
    assert events.shape == (EVENTS, 16) and events.dtype == np.float32
    values = columns(events)
    assert all(np.isfinite(column).all() for column in values.values())
    assert values["lep_pt"].min() > 20 and values["had_pt"].min() > 22
    assert np.abs(values["lep_eta"]).max() < 2.5 and np.abs(values["had_eta"]).max() < 2.5
    assert values["deltar_had_lep"].min() > 0.4 - 1e-5
    assert values["met"].min() >= 0 and np.abs(values["met_phi"]).max() < 3.1416


@pytest.mark.parametrize("process", PROCESSES)
def test_jets_are_present_where_they_are_counted(samples, process):
    values = columns(samples[process])
    number = values["n_jets"]
    for position, jet in ((1, "jet_leading"), (2, "jet_subleading")):
        present = number >= position
        assert values[f"{jet}_pt"][present].min() > 20 and np.abs(values[f"{jet}_eta"][present]).max() < 4.7
        for name in ("pt", "eta", "phi"):
            assert (values[f"{jet}_{name}"][~present] == hf.ABSENT).all()
    first_two = np.maximum(values["jet_leading_pt"], 0) + np.maximum(values["jet_subleading_pt"], 0)
    assert (values["jet_leading_pt"] >= values["jet_subleading_pt"]).all()
    np.testing.assert_allclose(values["jet_all_pt"][number < 3], first_two[number < 3], rtol=1e-5)
    assert (values["jet_all_pt"][number > 2] > first_two[number > 2] + 20).all()


REFERENCE = {  # medians of columns of the challenge's events, and their fraction without a jet
    "htautau": ({"lep_pt": 34, "had_pt": 47, "met": 28, "mass_vis": 81, "pt_h": 40, "pt_tot": 18}, 0.30),
    "ztautau": ({"lep_pt": 28, "had_pt": 37, "met": 14, "mass_vis": 68, "pt_h": 17, "pt_tot": 13}, 0.65),
    "ttbar": ({"lep_pt": 50, "had_pt": 47, "met": 56, "mass_vis": 100, "pt_h": 82, "pt_tot": 36}, 0.01),
    "diboson": ({"lep_pt": 45, "had_pt": 39, "met": 41, "mass_vis": 93, "pt_h": 31, "pt_tot": 15}, 0.41),
}


@pytest.mark.parametrize("process", PROCESSES)
def test_medians_are_near_those_of_the_challenge(samples, process):
    values, (medians, without_jet) = columns(samples[process]), REFERENCE[process]
    for name, median in medians.items():
        assert np.median(values[name]) == pytest.approx(median, rel=0.27), name
    assert np.mean(values["n_jets"] == 0) == pytest.approx(without_jet, abs=0.08)


def test_visible_mass_separates_the_signal_from_its_main_background(samples):
    signal, background = (columns(samples[name])["mass_vis"] for name in ("htautau", "ztautau"))
    assert np.mean(signal[:, None] > background[None, :500]) > 0.75


def test_events_depend_on_the_key_alone(samples):
    again = generator.generate(jax.random.key(1), SETTINGS | {"unused": "text"}, "ztautau", EVENTS)
    other = np.asarray(generator.generate(jax.random.key(2), SETTINGS, "ztautau", EVENTS))
    np.testing.assert_array_equal(again, samples["ztautau"])
    assert not np.isin(other[:, 0], samples["ztautau"][:, 0]).all()


def test_impossible_requests_are_refused():
    with pytest.raises(ValueError, match="no process 'ztt': choose one of htautau, ztautau, ttbar, diboson"):
        generator.generate(jax.random.key(0), SETTINGS, "ztt", 10)
    selection = SETTINGS["selection"] | {"lepton_pt": 1e5}
    with pytest.raises(ValueError, match="none of 50000 events of ztautau passes"):
        generator.generate(jax.random.key(0), SETTINGS | {"selection": selection}, "ztautau", 10)
