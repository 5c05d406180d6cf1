"""Events, a trained ensemble and its predictions that the tests of the study share."""

import pytest
from support.study_settings import study_settings

from diffhep.studies.flow_interpolation import stages

SETTINGS = study_settings("flow_interpolation", "quick")
SEEDS = {"seed": 0, "seeds_at_once": "auto"}
FLOW = {"flow": {"transform": "affine", "layers": 3, "hidden": 4}}


@pytest.fixture(scope="session")
def sample():
    return stages.generate(SEEDS | SETTINGS["data"] | {"held_out": [1]} | SETTINGS["examples"]["mean"])


@pytest.fixture(scope="session")
def trained(sample):
    short = {"iterations": 400, "learning_rate": 0.01, "evaluate_every": 50}
    return stages.train(SEEDS | SETTINGS["training"] | FLOW | short, sample)


@pytest.fixture(scope="session")
def predicted(sample, trained):
    return stages.predict(
        SEEDS
        | SETTINGS["prediction"]
        | FLOW
        | {"samples": 20_000, "pulls": {"bins": 25, "min_events": 10}, "divergence_events": 2000},
        sample,
        trained,
    )
