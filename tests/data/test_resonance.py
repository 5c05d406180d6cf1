"""Toy events of the search have the expected peaks, widths, correlations, efficiencies and weights."""

import jax
import numpy as np
import pytest

from diffhep.data import resonance

EVENTS = 20_000  # one number everywhere, so that programs are compiled once
SETTINGS = {
    "detector": {
        "recoil": 30.0, "rapidity": 0.8, "photon_resolution": 0.015,
        "jet_stochastic": 0.8, "jet_constant": 0.05, "lost_probability": 0.25, "jet_pt": 25.0, "jet_eta": 2.5,
        "radiated": 0.8, "radiated_start": 15.0, "radiated_scale": 25.0,
        "tag_70": [0.70, 0.003], "tag_77": [0.77, 0.008],
    },
    "selection": {"photon_eta": 2.37, "photon_pt_share": [0.35, 0.25], "m_gg": [105.0, 160.0]},
    "signal": {"yield": 50.0, "weight_spread": 0.3},
    "backgrounds": {
        "yyjj": {"yield": 1000.0, "photons": {"start": 90.0, "scale": 30.0, "shape": 1.0},
                 "jets": {"start": 20.0, "scale": 45.0, "shape": 2.0},
                 "extra": {"start": 10.0, "scale": 80.0, "shape": 2.0}},
        "ZH": {"yield": 2.0, "photons": {"peak": 125.0, "width": 0.0}, "jets": {"peak": 91.0, "width": 2.0},
               "extra": {"start": 5.0, "scale": 60.0, "shape": 2.0}},
    },
}  # fmt: skip


def selected(events):
    return {name: np.asarray(column)[np.asarray(events.selected)] for name, column in events._asdict().items()}


def half_width(values):
    return np.diff(np.quantile(values, [0.16, 0.84]))[0] / 2


@pytest.fixture(scope="module")
def points():
    masses = {(300.0, 120.0): 0, (600.0, 120.0): 1, (1000.0, 500.0): 2, (250.0, 100.0): 3}
    return {
        mass: resonance.generate_signal(jax.random.key(seed), SETTINGS, *mass, EVENTS) for mass, seed in masses.items()
    }


def test_peaks_are_at_the_masses_up_to_losses_of_jets(points):
    for (m_x, m_s), events in points.items():
        result = selected(events)
        assert 0.85 * m_x < np.median(result["m_bbgg"]) < 1.03 * m_x
        assert 0.75 * m_s < np.median(result["m_bb"]) < 1.05 * m_s
        assert np.median(result["m_gg"]) == pytest.approx(125, abs=0.2)


def test_widths_grow_with_the_masses_and_tails_are_at_low_masses(points):
    light, heavy = (selected(points[mass]) for mass in ((300.0, 120.0), (1000.0, 500.0)))
    for name in ("m_bbgg", "m_bb"):
        assert half_width(heavy[name]) > 1.5 * half_width(light[name])
    low, middle, high = np.quantile(heavy["m_bb"], [0.02, 0.5, 0.98])
    assert middle - low > high - middle
    assert half_width(light["m_gg"]) == pytest.approx(125 * 0.015 / np.sqrt(2), rel=0.15)


def test_both_masses_are_correlated_through_their_jets(points):
    result = selected(points[1000.0, 500.0])
    assert np.corrcoef(result["m_bb"], result["m_bbgg"])[0, 1] > 0.5


def test_efficiency_falls_towards_the_threshold(points):
    efficiency = {mass: np.mean(events.selected) for mass, events in points.items()}
    assert efficiency[250.0, 100.0] < efficiency[300.0, 120.0] < efficiency[600.0, 120.0]
    assert efficiency[250.0, 100.0] > 0.1 and efficiency[600.0, 120.0] < 0.7


def test_weights_add_up_to_the_expected_yield_before_selection(points):
    for events in points.values():
        assert float(events.weight.sum()) == pytest.approx(50.0)
        assert np.std(events.weight) / np.mean(events.weight) == pytest.approx(0.31, abs=0.02)


def test_backgrounds_fall_or_peak_according_to_their_spectra():
    continuum = selected(resonance.generate_background(jax.random.key(5), SETTINGS, "yyjj", EVENTS))
    counts, _ = np.histogram(continuum["m_gg"], np.linspace(105, 160, 6))
    assert (np.diff(counts) < 0).all()
    zh = selected(resonance.generate_background(jax.random.key(6), SETTINGS, "ZH", EVENTS))
    assert np.median(zh["m_gg"]) == pytest.approx(125, abs=0.2)
    assert 75 < np.median(zh["m_bb"]) < 95
    assert float(
        resonance.generate_background(jax.random.key(6), SETTINGS, "ZH", EVENTS).weight.sum()
    ) == pytest.approx(2.0)


def test_a_kinematically_forbidden_decay_is_refused():
    with pytest.raises(ValueError, match="X of 300 GeV cannot decay into S of 200 GeV"):
        resonance.generate_signal(jax.random.key(0), SETTINGS, 300.0, 200.0, EVENTS)


def test_only_events_with_enough_jets_and_tags_are_selected():
    without_tags = SETTINGS | {"detector": SETTINGS["detector"] | {"tag_70": [0.0, 0.0], "tag_77": [0.0, 0.0]}}
    assert not resonance.generate_signal(jax.random.key(0), without_tags, 600.0, 120.0, EVENTS).selected.any()
    without_jets = SETTINGS | {"detector": SETTINGS["detector"] | {"jet_pt": 1e5}}
    assert not resonance.generate_signal(jax.random.key(0), without_jets, 600.0, 120.0, EVENTS).selected.any()
