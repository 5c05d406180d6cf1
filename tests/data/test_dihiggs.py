"""Toy di-Higgs events: masses where they belong, selections kept, and observables that know nothing of the mass."""

from functools import partial

import jax
import numpy as np
import pytest
from support.study_settings import study_settings

from diffhep.data import dihiggs

SETTINGS = study_settings("split_n_fit", "quick")["data"] | {"decorrelated": True}


def sample(name, number=4000, **changes):
    settings = SETTINGS | changes
    draw = partial(dihiggs.generate_signal, settings=settings) if name == "signal" else partial(
        dihiggs.generate_background, settings=settings, sample=name
    )  # fmt: skip
    return dihiggs.generate_selected(jax.random.key(1), lambda key, events: draw(key, events=events), number)


@pytest.fixture(scope="module")
def samples():
    return {name: sample(name) for name in ("signal", "correct", "wrong")}


@pytest.fixture(scope="module")
def knowing():
    return sample("correct", decorrelated=False)


def column(events, name):
    return events.observables[:, dihiggs.OBSERVABLES.index(name)]


def test_all_that_is_kept_passes(samples):
    for events in samples.values():
        assert len(events.mass) == 4000 and events.selected.all()
        assert events.mass.min() > 100 and events.mass.max() < 180
        assert min(column(events, name).min() for name in dihiggs.OBSERVABLES[4:8]) > 1.0


def test_photons_of_the_signal_have_the_mass_of_the_higgs_boson(samples):
    mass = samples["signal"].mass
    assert np.median(mass) == pytest.approx(125, abs=0.15)
    assert np.std(mass) == pytest.approx(125 * 0.017 / np.sqrt(2), rel=0.06)
    assert np.median(column(samples["signal"], "m_bb")) == pytest.approx(0.97 * 125, abs=3)


def test_background_falls_as_told(samples):
    expected = 100 + 60 - 80 / np.expm1(80 / 60)  # mean of an exponential cut at 180 GeV
    assert samples["correct"].mass.mean() == pytest.approx(expected, abs=1.2)


def test_samples_differ_where_the_simulation_is_wrong(samples):
    correct, wrong = samples["correct"], samples["wrong"]
    assert np.median(column(wrong, "pt_bb")) < 0.6 * np.median(column(correct, "pt_bb"))
    assert np.median(column(samples["signal"], "pt_bb")) > np.median(column(correct, "pt_bb"))


def correlations(events):
    return np.abs([np.corrcoef(each, events.mass)[0, 1] for each in events.observables.T])


def test_decorrelated_observables_know_nothing_of_the_mass(samples, knowing):
    assert correlations(samples["correct"]).max() < 0.06
    assert correlations(knowing).max() > 0.15


def test_energy_is_that_of_the_products(knowing):
    """m_bbgg² = m_bb² + m_gg² + 2 (E_bb E_gg - p_bb p_gg) is at least (m_bb + m_gg)²."""
    assert (column(knowing, "m_bbgg") > column(knowing, "m_bb") + knowing.mass - 1e-3).all()


def test_a_selection_that_nothing_passes_is_told():
    with pytest.raises(ValueError, match="none of 50000 events passes the selection"):
        sample("signal", selection=SETTINGS["selection"] | {"photon_pt": [1e5, 1e5]})
