"""Settings of the study fit its file at every scale."""

import pytest
from support.study_settings import study_settings

from diffhep.studies.blobs import plan
from diffhep.studies.blobs.settings import Study
from diffhep.typed_settings import check


@pytest.mark.parametrize("scale", ["full", "quick"])
def test_every_training_is_complete(scale):
    study = study_settings("blobs", scale)
    for experiment in study.experiments.values():
        for name, run in plan.runs(study, experiment, seed=0, seeds_at_once="auto").items():
            assert run.objective and run.yields == study.yields, name


def test_timed_runs_must_be_variants_of_neos():
    content = study_settings("blobs").plain()
    content["step_cost"]["runs"] = ["bce", "bec"]
    with pytest.raises(ValueError, match=r"step_cost\.runs\.1: 'bec' is not in experiments\.neos\.variants"):
        check(Study, content, "blobs.yaml")
