"""Pools of events and trained networks that tests of the study share."""

import pytest
from support.higgsml import NODES, SETTINGS, TRAINING_EVENTS, expected_histograms

from diffhep.data.htautau.shifts import PROCESSES
from diffhep.studies.higgsml import events, training
from diffhep.studies.higgsml import templates as higgsml_templates


@pytest.fixture(scope="session")
def pools():
    return {name: events.build_pool(SETTINGS["data"] | {"process": name, "seed": 0}) for name in PROCESSES}


@pytest.fixture(scope="session")
def conditioned_network(pools):
    longer = {"iterations": 1000, "evaluate_every": 100, "learning_rate": 0.005, "network": SETTINGS["network"]}
    more = {"perturbed": SETTINGS["perturbed"] | {"subsets": 100}}
    return training.train_nuisance_conditioned(TRAINING_EVENTS | SETTINGS["training"] | longer | more, pools)


@pytest.fixture(scope="session")
def templates():
    return expected_histograms(higgsml_templates.template_shifts({"nodes": NODES}))


@pytest.fixture(scope="session")
def chunks():
    points = higgsml_templates.design_shifts(48, 0)
    return {"0": expected_histograms(points[::2]), "1": expected_histograms(points[1::2])}
