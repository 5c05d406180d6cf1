"""Settings of jobs are those of the study and the suite, and mass points are checked against the grid."""

import copy

import pytest
from support.resonance_study import SETTINGS
from support.study_settings import study_settings

from diffhep.data import mass_grid
from diffhep.studies.resonance import plan

SUITE = {"seed": 7, "seeds_at_once": 2}


def changed(path, value):
    """Settings with one entry replaced."""
    study = copy.deepcopy(SETTINGS)
    *keys, last = path
    entry = study
    for key in keys:
        entry = entry[key]
    entry[last] = value
    return study


@pytest.mark.parametrize("scale", ["full", "quick"])
def test_the_settings_of_the_suite_are_valid(scale):
    plan.check(study_settings("resonance", scale))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("grid", "held_out"), [[211, 50]], "grid.held_out: m_X = 211, m_S = 50 GeV is no point of the grid"),
        (("prediction", "figure_points"), [[1, 2]], "prediction.figure_points: m_X = 1, m_S = 2 GeV"),
        (("observables", "pnn"), [1, 2], "observables.pnn: m_X = 1, m_S = 2 GeV"),
        (("observables", "s_flow"), [[1, 2]], "observables.s_flow: m_X = 1, m_S = 2 GeV"),
        (("grid", "parts"), {"low": {"m_x": [100], "m_s": [50]}}, "grid.parts: nowhere is m_x more than m_s"),
        (("limits", "mesh"), {"m_x": [100, 120, 10], "m_s": [50, 60, 10]}, "limits.mesh: nowhere is m_x"),
    ],
)
def test_impossible_mass_points_raise_with_their_key(path, value, message):
    with pytest.raises(ValueError, match=message):
        plan.check(changed(path, value))


def test_files_are_named_by_the_masses_of_each_point():
    ntuples = {"signal": "X{m_x}_S{m_s}.root", "background": ["qcd.root"]}
    study = changed(("data", "ntuples"), ntuples)
    files = plan.signal_files(study)
    assert len(files) == len(mass_grid.mass_points(study["grid"]["parts"])) and "X300_S170.root" in files
    assert plan.background_files(study) == ["qcd.root"]
    assert plan.signal_files(SETTINGS) == [] == plan.background_files(SETTINGS)


def test_limits_are_computed_at_the_points_of_grid_and_mesh():
    grid, mesh = (
        mass_grid.mass_points(SETTINGS["grid"]["parts"]),
        mass_grid.mass_mesh(SETTINGS["limits"]["mesh"]),
    )
    assert plan.limit_points(SETTINGS) == range(len(grid) + len(mesh))


def test_trainings_take_seeds_from_the_suite():
    assert plan.flow_training(SETTINGS, SUITE) == SUITE | SETTINGS["flow_training"] | {"flow": SETTINGS["flow"]}
    network = {"network": SETTINGS["network"]}
    assert plan.network_training(SETTINGS, SUITE) == SUITE | SETTINGS["network_training"] | network


def test_stages_take_what_they_need_from_several_entries():
    assert plan.signal(SETTINGS, 7) == {"seed": 7, "grid": SETTINGS["grid"], "data": SETTINGS["data"]}
    assert plan.background(SETTINGS, 7) == {"seed": 7, "data": SETTINGS["data"]}
    prediction = {"seed": 7, "flow": SETTINGS["flow"]} | SETTINGS["prediction"]
    assert plan.background_prediction(SETTINGS, 7) == prediction
    assert plan.prediction(SETTINGS, 7) == prediction | {"min_events": SETTINGS["pulls"]["min_events"]}
    assert plan.yields(SETTINGS, 7) == {"seed": 7, "limits_mesh": SETTINGS["limits"]["mesh"]} | SETTINGS["yields"]
    models = {key: SETTINGS[key] for key in ("flow", "network")}
    assert plan.observables(SETTINGS) == models | SETTINGS["observables"]
    limits = {key: SETTINGS["limits"][key] for key in ("samples", "bins", "plane")}
    assert plan.limits(SETTINGS, 7) == {"seed": 7} | models | limits
