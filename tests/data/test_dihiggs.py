"""Toy di-Higgs events have the masses of their particles, and decorrelated observables are independent of the mass."""

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
def correlated():
    return sample("correct", decorrelated=False)


def column(events, name):
    return events.observables[:, dihiggs.OBSERVABLES.index(name)]


def test_all_returned_events_pass_the_selection(samples):
    for events in samples.values():
        assert len(events.mass) == 4000 and events.selected.all()
        assert events.mass.min() > 100 and events.mass.max() < 180
        assert min(column(events, name).min() for name in dihiggs.OBSERVABLES[4:8]) > 1.0


def test_photons_of_the_signal_have_the_mass_of_the_higgs_boson(samples):
    mass = samples["signal"].mass
    assert np.median(mass) == pytest.approx(125, abs=0.15)
    assert np.std(mass) == pytest.approx(125 * 0.017 / np.sqrt(2), rel=0.06)
    assert np.median(column(samples["signal"], "m_bb")) == pytest.approx(0.97 * 125, abs=3)


def test_diphoton_mass_of_the_background_is_a_truncated_exponential(samples):
    expected = 100 + 60 - 80 / np.expm1(80 / 60)  # mean of an exponential truncated at 180 GeV
    assert samples["correct"].mass.mean() == pytest.approx(expected, abs=1.2)


def test_samples_differ_where_the_simulation_is_wrong(samples):
    correct, wrong = samples["correct"], samples["wrong"]
    assert np.median(column(wrong, "pt_bb")) < 0.6 * np.median(column(correct, "pt_bb"))
    assert np.median(column(samples["signal"], "pt_bb")) > np.median(column(correct, "pt_bb"))


def correlations(events):
    return np.abs([np.corrcoef(values, events.mass)[0, 1] for values in events.observables.T])


def test_decorrelated_observables_are_uncorrelated_with_the_mass(samples, correlated):
    assert correlations(samples["correct"]).max() < 0.06
    assert correlations(correlated).max() > 0.15


def test_total_mass_is_at_least_the_sum_of_both_masses(correlated):
    """m_bbgg² = m_bb² + m_gg² + 2 (E_bb E_gg - p_bb p_gg) is at least (m_bb + m_gg)²."""
    assert (column(correlated, "m_bbgg") > column(correlated, "m_bb") + correlated.mass - 1e-3).all()


def test_a_selection_that_no_event_passes_is_refused():
    with pytest.raises(ValueError, match="none of 50000 events passes the selection"):
        sample("signal", selection=SETTINGS["selection"] | {"photon_pt": [1e5, 1e5]})
