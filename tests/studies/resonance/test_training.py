"""Trainings use neither held-out mass points nor test events, but validate on them."""

import numpy as np
import pytest
from support.resonance_study import FLOW, NETWORK, SEEDS, SETTINGS, SHORT_TRAINING, move

from diffhep.studies.resonance import training

pytestmark = pytest.mark.xdist_group("resonance")  # one process computes the shared fixtures


def test_held_out_points_do_not_affect_the_training_of_flows(signal):
    settings = SEEDS | SETTINGS["flow_training"] | FLOW | SHORT_TRAINING | {"iterations": 100}
    unseen = signal["held_out"].values[signal["mass_point"].values]
    first, other = (training.train_flow(settings, sample) for sample in (signal, move(signal, unseen)))
    np.testing.assert_array_equal(first["train"], other["train"])
    assert (first["valid"] != other["valid"]).any()
    np.testing.assert_array_equal(first["trained"], ~signal["held_out"])


def test_test_events_do_not_affect_the_training_of_network_and_background(signal, background):
    settings = SEEDS | SETTINGS["network_training"] | NETWORK | SHORT_TRAINING | {"iterations": 100}
    hidden = signal["test"].values | signal["held_out"].values[signal["mass_point"].values]
    both = (signal, background), (move(signal, hidden), move(background, background["test"].values))
    first, other = (training.train_network(settings, *samples) for samples in both)
    np.testing.assert_array_equal(first["train"], other["train"])
    settings = SEEDS | SETTINGS["flow_training"] | FLOW | SHORT_TRAINING | {"iterations": 100}
    first, other = (training.train_background(settings, sample) for _, sample in both)
    np.testing.assert_array_equal(first["train"], other["train"])
    assert (first["valid"] != other["valid"]).any()
