"""Events, trained models and yields that the tests of the study share."""

import pytest
from support.resonance_study import FLOW, NETWORK, SEEDS, SETTINGS, SHORT_TRAINING

from diffhep.studies.resonance import events, training
from diffhep.studies.resonance import yields as resonance_yields


@pytest.fixture(scope="session")
def signal():
    return events.select_signal({"seed": 0, "grid": SETTINGS["grid"], "data": SETTINGS["data"]})


@pytest.fixture(scope="session")
def background():
    return events.select_background({"seed": 0, "data": SETTINGS["data"]})


@pytest.fixture(scope="session")
def flow(signal):
    return training.train_flow(SEEDS | SETTINGS["flow_training"] | FLOW | SHORT_TRAINING, signal)


@pytest.fixture(scope="session")
def trained(signal, background, flow):
    flow_settings = SEEDS | SETTINGS["flow_training"] | FLOW | SHORT_TRAINING
    network_settings = SEEDS | SETTINGS["network_training"] | NETWORK | SHORT_TRAINING
    return {
        "flow": flow,
        "background_flow": training.train_background(flow_settings, background),
        "pnn": training.train_network(network_settings, signal, background),
    }


@pytest.fixture(scope="session")
def yields(signal):
    mesh = {"limits_mesh": {"m_x": [300, 400, 100], "m_s": [100, 150, 50]}}
    return resonance_yields.interpolate(SEEDS | SETTINGS["yields"] | mesh, signal)
