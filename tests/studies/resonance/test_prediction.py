"""Predicted histograms count the events inside their ranges, and pulls are computed for every mass point."""

import numpy as np
import pytest
from support.resonance_study import FLOW, SEEDS, SETTINGS

from diffhep.studies.resonance import prediction

pytestmark = pytest.mark.xdist_group("resonance")  # one process computes the shared fixtures


def test_predicted_and_simulated_histograms_are_numbers_of_events(signal, flow):
    found = prediction.predict(
        SEEDS | SETTINGS["prediction"] | FLOW | {"samples": 4000, "min_events": 10}, signal, flow
    )
    point, ranges = signal["mass_point"].values, np.array([SETTINGS["prediction"][name] for name in ("m_bbgg", "m_bb")])
    inside = ((signal["events"].values > ranges[:, 0]) & (signal["events"].values < ranges[:, 1])).all(axis=1)
    mean = np.bincount(point, signal["weight"]) / np.bincount(point)
    expected = np.bincount(point[inside], (signal["weight"].values / mean[point])[inside])
    np.testing.assert_allclose(found["data"].sum(("x", "y")), expected)
    assert (found["variance"] >= 0).all() and float(found["variance"].sum()) > float(found["data"].sum())
    total = found["counts"].sum(("x", "y"))
    share = total.values / np.bincount(point)[:, None]
    assert ((share > 0.5) & (share < 1.001)).all()
    assert int(found["in_figure"].sum()) == 3
    compared = prediction.compare({"rebin_factors": [1, 2], "min_events": 3}, found)
    assert compared["width"].sel(run="unseen_larger").notnull().sum() == 2 * 3
    assert compared["bias"].sel(run="trained_ensemble").notnull().sum() == 2 * 13
    narrower = compared["width"].sel(run="trained_larger") <= compared["width"].sel(run="trained_statistical") + 0.05
    assert narrower.where(compared["width"].sel(run="trained_larger").notnull(), True).all()


def test_background_shares_add_up_to_those_inside_the_histogram(background, trained):
    settings = SEEDS | SETTINGS["prediction"] | FLOW | {"background_samples": 20_000}
    found = prediction.predict_background(settings, background, trained["background_flow"])
    for name in ("weighted", "unweighted", "learned"):
        assert 0.9 < float(found[name].sum()) <= 1 + 1e-6
    assert float(np.abs(found["weighted"] - found["unweighted"]).sum()) > 0.01
