"""Toy VBF HH -> 4b events: masses of four-vectors, variations of momenta, and yields of the regions."""

import numpy as np
import pytest
from support.study_settings import study_settings

from diffhep.data import vbf_hh4b
from diffhep.studies.vbf_hh4b import inputs

SETTINGS = study_settings("vbf_hh4b")["data"]
NUMBER = 20_000


def generated(sample, number=NUMBER, seed=1, **changes):
    return vbf_hh4b.generate(np.random.default_rng(seed), SETTINGS | changes, sample, number)


@pytest.fixture(scope="module")
def samples():
    return {name: generated(name) for name in ("signal", "background")}


def column(events, name, variation=0):
    return events.variables[variation, :, vbf_hh4b.VARIABLES.index(name)]


def four_vector(pt, eta, phi, mass):
    """(E, px, py, pz) of a body at a rapidity, which is the pseudorapidity if it is massless."""
    transverse = np.sqrt(mass**2 + pt**2)
    return np.array([transverse * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), transverse * np.sinh(eta)])


@pytest.mark.parametrize("mass", [0.0, 125.0])
def test_the_mass_of_two_bodies_is_that_of_their_four_vectors(mass):
    rng = np.random.default_rng(2)
    first, second, apart, angle = (rng.uniform(0.1, high, 50) for high in (500, 300, 8, np.pi))
    energy, *momentum = four_vector(first, 0.4, 0.3, mass) + four_vector(second, 0.4 - apart, 0.3 + angle, mass)
    expected = np.sqrt(energy**2 - np.square(momentum).sum(axis=0))
    np.testing.assert_allclose(vbf_hh4b._mass(first, second, apart, angle, mass), expected, rtol=1e-9)


def test_variations_scale_momenta_and_the_dijet_mass_of_the_same_events(samples):
    for events in samples.values():
        inside = column(events, "m_jj", 1) < SETTINGS["range"]["m_jj"][1]
        for variation, factor in enumerate(SETTINGS["variations"]):
            for name in ("m_jj", "pt_j1", "pt_j2", "pt_h1", "pt_h2"):
                nominal, varied = (column(events, name, which)[inside] for which in (0, variation))
                np.testing.assert_allclose(varied, factor * nominal, rtol=1e-12)
            np.testing.assert_array_equal(column(events, "deta_jj", variation), column(events, "deta_jj"))


def test_m_hh_grows_less_than_in_proportion_to_the_momenta(samples):
    """The mass of the Higgs boson itself is constant."""
    events = samples["signal"]
    low, high = SETTINGS["range"]["m_hh"]
    nominal, up, down = (column(events, "m_hh", variation) for variation in range(3))
    inside = (down > low) & (up < high)
    assert (up > nominal)[inside].all() and (down < nominal)[inside].all()
    assert (up < 1.05 * nominal)[inside].all() and (down > 0.95 * nominal)[inside].all()


def test_signal_yields_change_by_eleven_percent(samples):
    """Reference: +11 and -11 %."""
    nominal, up, down = samples["signal"].selected.sum(axis=1)
    assert up / nominal == pytest.approx(1.11, abs=0.01)
    assert down / nominal == pytest.approx(0.89, abs=0.01)


def test_selected_events_exceed_all_thresholds(samples):
    for events in samples.values():
        for variation in range(len(SETTINGS["variations"])):
            passed = [column(events, name, variation) > threshold for name, threshold in SETTINGS["thresholds"].items()]
            np.testing.assert_array_equal(events.selected[variation], np.all(passed, axis=0))
        assert events.selected.any(axis=0).all() and 0 < events.selected[0].mean() < 1


def test_all_variables_are_in_their_ranges(samples):
    for events in samples.values():
        for name, (low, high) in SETTINGS["range"].items():
            values = events.variables[:, :, vbf_hh4b.VARIABLES.index(name)]
            assert values.min() >= low and values.max() <= high


def test_momenta_exceed_their_minimum(samples):
    for events in samples.values():
        assert column(events, "pt_j1").min() >= column(events, "pt_j2").min() >= SETTINGS["least_pt"]["jets"]
        assert (column(events, "pt_j1") >= column(events, "pt_j2")).all()
        assert column(events, "pt_h1").min() >= SETTINGS["least_pt"]["first"]
        assert column(events, "pt_h2").min() >= SETTINGS["least_pt"]["second"]


QUARTILES = {
    "signal": {
        "m_hh": [1060, 1288, 1661],
        "m_jj": [426, 901, 1672],
        "deta_jj": [4.45, 5.71, 6.71],
    },
    "background": {
        "m_hh": [924, 1020, 1167],
        "m_jj": [82, 151, 294],
        "deta_jj": [0.618, 1.456, 2.994],
    },
}


@pytest.mark.parametrize("sample", QUARTILES)
def test_quartiles_of_selected_events_are_the_reference_values(samples, sample):
    events = samples[sample]
    for name, expected in QUARTILES[sample].items():
        quartiles = np.quantile(column(events, name)[events.selected[0] == 1], [0.25, 0.5, 0.75])
        np.testing.assert_allclose(quartiles, expected, rtol=0.04, err_msg=name)


def test_soft_background_jets_are_farther_apart_than_hard_ones():
    jets, apart = SETTINGS["samples"]["background"]["jets"], {}
    for kind in jets:
        only = SETTINGS["samples"]["background"] | {"jets": {kind: jets[kind] | {"share": 1.0}}}
        events = generated("background", 4000, samples={"background": only})
        apart[kind] = np.median(column(events, "deta_jj"))
    assert apart["soft"] > 3 * apart["hard"]


def test_two_tag_probability_depends_on_mass_and_distance(samples):
    law, events = SETTINGS["samples"]["background"]["two_tag"], samples["background"]
    for n in range(20):
        mass, distance = column(events, "m_hh")[n], events.distance[n]
        expected = 0.004 * (1 + 0.1 * (distance - 1.8) * np.tanh((mass - 1100) / 400))
        assert events.two_tag[n] == pytest.approx(expected, rel=1e-12)
    assert law["probability"] == 0.004
    np.testing.assert_array_equal(samples["signal"].two_tag, 0.55)


def test_distances_have_the_distributions_of_the_settings(samples):
    assert np.mean(samples["signal"].distance < 0.75) == pytest.approx(0.6827, abs=0.012)
    assert np.mean(samples["background"].distance < 1.0) == pytest.approx(1 / 3.6, abs=0.012)


def test_first_events_of_a_seed_do_not_depend_on_the_number():
    few, more = generated("signal", 300), generated("signal", 400)
    assert few.variables.shape == (3, 300, 7) and more.distance.shape == (400,)
    np.testing.assert_array_equal(few.variables, more.variables[:, :300])
    assert not np.array_equal(few.variables, generated("signal", 300, seed=3).variables)


def test_blocks_are_concatenated_event_by_event(samples, monkeypatch):
    monkeypatch.setattr(vbf_hh4b, "BLOCK", 1000)
    events = generated("background", 1500)
    nominal = column(events, "m_hh")
    bend = SETTINGS["samples"]["background"]["two_tag"]
    expected = 1 + bend["slope"] * (events.distance - bend["pivot"]) * np.tanh((nominal - bend["mass"]) / bend["width"])
    np.testing.assert_allclose(events.two_tag, bend["probability"] * expected)
    assert events.selected.any(axis=0).all() and len(np.unique(nominal)) == 1500


def test_thresholds_that_no_event_passes_are_refused():
    with pytest.raises(ValueError, match=r"none of 100000 events of the signal passes the thresholds: lower them"):
        generated("signal", 10, thresholds={"pt_h1": 1e6})


def test_yields_of_the_regions_are_the_reference_values():
    """Reference: 49 800 background events with one tag in the signal region, 397 with two in the control region."""
    events = inputs.generate({"seed": 0, "data": SETTINGS | {"events": {"signal": 40_000, "background": 200_000}}})
    weight, two_tag, distance = (events[f"background_{name}"].values for name in ("weight", "two_tag", "distance"))
    raw = (distance < 1).sum()
    assert (weight * (1 - two_tag))[distance < 1].sum() == pytest.approx(49_800, rel=4 / np.sqrt(raw))
    assert (weight * two_tag)[distance >= 1.6].sum() == pytest.approx(397, rel=0.01)
    assert weight.sum() == pytest.approx(180_000)
    near = events["signal_distance"].values < 1
    yields = (events["signal_weight"] * events["signal_two_tag"]).values[:, near].sum(axis=1)
    assert yields[0] == pytest.approx(16)
    np.testing.assert_allclose(yields[1:] / yields[0], [1.11, 0.89], atol=0.015)
