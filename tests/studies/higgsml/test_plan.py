"""Settings of jobs name every file and take every setting once."""

import inspect
import subprocess
import sys

import pytest
from support.study_settings import study_settings

from diffhep.studies.higgsml import plan

STUDY = study_settings("higgsml")
SEEDS = {"seed": 7, "seeds_at_once": "auto"}


def test_plan_does_not_import_jax():
    code = "import sys; from diffhep.studies.higgsml import plan; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_every_category_class_and_strength_has_a_flow():
    files = plan.flow_files({"strengths": [2.0, 0.5]})
    assert len(files) == len(set(files)) == 8
    assert files[0] == "<results>/higgsml/flow/one_jet_signal_2.0.nc"


def test_every_chunk_of_the_design_has_a_file():
    study = {"scores": {"design": {"chunks": 2}}}
    assert plan.design_files(study, "test") == [f"<results>/higgsml/design/test/{chunk}.nc" for chunk in (0, 1)]


def test_pools_and_networks_have_one_file_each():
    assert plan.pool_files(STUDY) == [f"<results>/higgsml/pool/{name}.nc" for name in STUDY["data"]["yields"]]
    assert plan.network_files(STUDY) == [f"<results>/higgsml/network/{n}.nc" for n in ("baseline", "cnf", "inferno")]


def test_only_the_paper_scale_requests_resources():
    assert plan.resources("quick") == plan.resources("full") == {}
    assert plan.resources("paper") == {"mem_mb": 16000, "runtime": 1440}


def test_only_the_flow_method_fits_shifts():
    for settings in (plan.belt, plan.belt_intervals):
        assert settings(STUDY, 7, "cnf")["shifts"] and not settings(STUDY, 7, "baseline")["shifts"]
    assert "shifts" not in plan.profile_intervals(STUDY, 7, "cnf")


def test_high_statistics_has_equally_many_sets_and_toys():
    settings = plan.high_statistics(STUDY, 7)
    assert settings["sets"] == settings["toys"] == STUDY["fits"]["high_statistics"]


def test_belt_and_tests_of_the_nuisance_conditioned_method_use_different_parts_of_the_pools():
    simulated, tested = (plan.nuisance_conditioned(STUDY, 7, sample) for sample in plan.TOY_SAMPLES)
    assert (simulated["part"], tested["part"]) == ("template", "test")
    assert "strengths" in simulated and "strengths" not in tested
    for settings, sample in ((simulated, "simulated"), (tested, "tested")):
        assert plan.toy_range(STUDY, sample) == range(settings["toys"])


def test_classifier_with_flows_has_their_settings_in_addition():
    added = plan.flow_classifier(STUDY, SEEDS).keys() - plan.classifier(STUDY, SEEDS).keys()
    assert added == {"flow", "phi"}


@pytest.mark.parametrize("name", ["pool", "templates", "design", "direct", "belt", "profile_intervals", "marginal"])
def test_settings_of_stages_contain_the_seed(name):
    function = getattr(plan, name)
    others = {"process": "ttbar", "part": "test", "chunk": 1, "method": "cnf"}
    arguments = {key: others[key] for key in inspect.signature(function).parameters if key in others}
    assert function(STUDY, 7, **arguments)["seed"] == 7
