"""Discrimination functions of flows, and inputs of the nuisance-conditioned classifier."""

import jax
import numpy as np
import pytest
from support.higgsml import SETTINGS, TRAINING_EVENTS

from diffhep.studies.higgsml import training
from diffhep.studies.higgsml.events import PerturbedEvents, nominal_events

SCORE = TRAINING_EVENTS | {"flow": SETTINGS["flow"]["flow"], "phi": "scaled"}


@pytest.fixture(scope="module")
def flows(pools):
    settings = TRAINING_EVENTS | SETTINGS["flow"] | {"category": "two_jets", "strength": 2.0}
    return {
        f"two_jets_{label}_2.0": training.train_flow(settings | {"label": label}, pools)
        for label in ("signal", "background")
    } | {"one_jet_signal_2.0": None}


def test_discriminants_are_in_the_order_of_the_flow_names_of_one_category(pools, flows):
    columns = nominal_events(SCORE, pools, "train")[0].columns[:7]
    phi = np.asarray(jax.jit(training.build_discriminants(SCORE, flows, "two_jets"))(columns))
    signal_flow = {"two_jets_signal_2.0": flows["two_jets_signal_2.0"]}
    signal_phi = jax.jit(training.build_discriminants(SCORE, signal_flow, "two_jets"))(columns)
    np.testing.assert_allclose(phi[:, 1:], signal_phi, rtol=1e-6)
    assert ((phi > 0) & (phi < 1)).all()


def test_median_of_the_learned_class_has_a_scaled_discriminant_of_one_half(pools, flows):
    columns = nominal_events(SCORE, pools, "train")[0]
    two_jets = columns.columns[columns.category == 1]
    signal_flow = {"two_jets_signal_2.0": flows["two_jets_signal_2.0"]}
    phi = jax.jit(training.build_discriminants(SCORE, signal_flow, "two_jets"))(two_jets)
    assert np.median(phi) == pytest.approx(0.5, abs=0.05)


def test_an_unknown_discrimination_function_is_refused(flows):
    with pytest.raises(ValueError, match="phi is 'neither': choose printed or scaled"):
        training.build_discriminants(SCORE | {"phi": "neither"}, flows, "one_jet")


def test_true_nuisance_parameters_are_first_for_the_signal_and_last_for_the_background():
    rng = np.random.default_rng(0)
    nuisances = [np.arange(6.0) + 10 * np.arange(50.0)[:, None] + 1000 * n for n in (0, 1)]
    classes = [PerturbedEvents(np.zeros((50, 28)), np.zeros(50, int), values) for values in nuisances]
    signal, background = training.nuisance_conditioned_inputs(rng, classes)
    for inputs, true, start, other in ((signal, nuisances[0], 28, 34), (background, nuisances[1], 34, 28)):
        np.testing.assert_array_equal(inputs[:, start : start + 6], true)
        wrong = inputs[:, other : other + 6]
        assert (wrong != true).any() and inputs.shape == (50, 40)
        np.testing.assert_array_equal(wrong[np.argsort(wrong[:, 0])], true)  # complete sets of the same class
