"""Nuisance parameters and signal strengths are fitted with the nuisance-conditioned classifier."""

import numpy as np
import pytest
import xarray as xr
from scipy.special import expit
from support import spread
from support.higgsml import SETTINGS, TRAINING_EVENTS

from diffhep.data.htautau import shifts
from diffhep.learning import classifiers
from diffhep.learning.model_selection import trained_parameters
from diffhep.studies.higgsml import intervals, nuisance_conditioned
from diffhep.studies.higgsml.events import nominal_events
from diffhep.studies.higgsml.toy_events import ClassifierEvents

ESTIMATES = {
    "seed": 0,
    "network": SETTINGS["network"],
    "columns": SETTINGS["columns"],
    "bins": 10,
    "part": "test",
    "luminosity": 0.1,
    "template_events": 20000,
    "truth": [0.0, 10.0],
}
SMALL = ESTIMATES | {"sets": 2, "luminosity": 0.01, "template_events": 1000}


def test_estimates_may_be_spread_over_jobs(pools, conditioned_network, tmp_path):
    def untimed(first, last):
        settings = SMALL | {"toys": 4, "first": first, "last": last}
        return nuisance_conditioned.estimate_strengths(settings, pools, conditioned_network).drop_vars("seconds")

    one_job, joined = spread.files(tmp_path, untimed, 4, "toy")
    assert one_job == joined


def test_estimates_rise_with_the_strength(pools, conditioned_network):
    settings = ESTIMATES | {"first": 0, "last": 0, "strengths": [0.0, 15.0], "toys": 1}
    result = nuisance_conditioned.estimate_strengths(settings, pools, conditioned_network)
    assert result["estimate"].shape == (2, 1) and (result["seconds"] > 0).all()
    low, high = result["estimate"].values[:, 0]
    assert high > low + 5  # the network was trained for seconds only


def test_intervals_follow_from_the_belt_of_simulated_estimates():
    """A belt of estimates around mu with constant width gives intervals of that width around the estimate."""
    strengths = np.arange(5.0)
    offsets = np.linspace(-1, 1, 201)
    simulated = xr.Dataset(
        {"estimate": (("strength", "toy"), strengths[:, None] + offsets)}, coords={"strength": strengths}
    )
    tested = xr.Dataset(
        {
            "estimate": (("strength", "toy"), [[1.8, 2.0], [2.1, 2.2]]),
            "seconds": (("strength", "toy"), np.ones((2, 2))),
        },
        coords={"strength": [1.9, 2.1]},
    )
    ends = nuisance_conditioned.compute_intervals({"belt_order": 1}, simulated, tested)
    np.testing.assert_array_equal(ends["truth"], [1.9, 2.1])
    np.testing.assert_allclose(ends["high"] - ends["estimate"], 0.6827, atol=0.03)
    np.testing.assert_allclose(ends["estimate"] - ends["low"], 0.6827, atol=0.03)
    assert ends["seconds"].sizes == {"experiment": 4}


def test_tested_strengths_are_those_of_the_challenge(pools, conditioned_network):
    settings = SMALL | {"toys": 1, "first": 0, "last": 0}
    tested = nuisance_conditioned.estimate_strengths(settings, pools, conditioned_network)
    np.testing.assert_array_equal(tested["strength"], intervals.draw_true_strengths(SMALL))


def background(pools, counts):
    events = nominal_events(TRAINING_EVENTS, pools, "test")[1]
    return ClassifierEvents(np.column_stack([events.columns, events.category])[: len(counts)], counts)


def test_fitted_nuisance_parameters_lower_the_mean_score(pools, conditioned_network):
    compiled = nuisance_conditioned.compile_scores({"network": SETTINGS["network"]}, conditioned_network)
    events = background(pools, np.ones(200))
    best = nuisance_conditioned.fit_nuisances(compiled, events)

    def mean_score(normal):
        return float(compiled.mean_score(normal, events)[0])

    assert best.shape == (6,)
    widths = [0.01, 0.01, None, 0.02, 0.25, 0.001]
    normal = np.array([np.log(v) if w is None else (v - 1) / w for v, w in zip(best, widths, strict=True)])
    assert mean_score(normal) <= mean_score(np.zeros(6)) + 1e-6


def test_mean_score_conditions_the_background_alone_and_weights_by_counts(pools, conditioned_network):
    counts = np.arange(200.0)
    events = background(pools, counts)
    normal, reference = np.array([1.0, -1.0, 0.5, 0.0, 1.0, 2.0]), shifts.nuisances_from_normal(np.zeros(6))
    both = np.concatenate([reference, shifts.nuisances_from_normal(normal)])
    inputs = np.column_stack([events.inputs[:, :-1], np.tile(both, (200, 1)), events.inputs[:, -1:]])
    logits = classifiers.logit(SETTINGS["network"], trained_parameters(conditioned_network), inputs, np.zeros(0))
    compiled = nuisance_conditioned.compile_scores({"network": SETTINGS["network"]}, conditioned_network)
    value, _ = compiled.mean_score(normal, events)
    assert float(value) == pytest.approx(float(np.average(expit(logits), weights=counts)), rel=1e-5)
