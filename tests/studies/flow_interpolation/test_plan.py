"""Settings of jobs are those of the study and the suite, and conditioning points are counted row by row."""

import pytest
from support.study_settings import study_settings

from diffhep.pipeline import run_times
from diffhep.studies.flow_interpolation import plan

STUDY = study_settings("flow_interpolation", "quick")
SUITE = {"seed": 7, "seeds_at_once": 2}


@pytest.mark.parametrize(("points", "inner"), [(3, [4]), (4, [5, 6, 9, 10])])
def test_inner_points_are_not_at_the_edge_of_the_grid(points, inner):
    assert plan.inner_points(points) == inner


def test_held_out_rows_beyond_the_grid_raise():
    plan.check_held_out([0, 6], 7)
    with pytest.raises(ValueError, match="7: rows are counted from 0 to points - 1"):
        plan.check_held_out([1, 7], 7)


def test_every_example_has_its_own_events():
    expected = {"seed": 7} | STUDY["data"] | STUDY["examples"]["firework"]
    assert plan.generation(STUDY, 7, "firework") == expected


def test_a_fold_leaves_out_one_point_and_has_its_own_number_of_members():
    training = plan.training(STUDY, SUITE, "spline")
    assert training == SUITE | STUDY["training"] | {"flow": STUDY["flows"]["spline"]}
    fold = plan.fold(STUDY, SUITE, "spline", 5)
    assert fold == training | {"members": STUDY["cross_validation"]["members"], "without": 5}


def test_expected_seconds_are_those_of_the_flow_and_its_training():
    settings = plan.training(STUDY, SUITE, "affine")
    assert plan.training_seconds(settings) == run_times.flow_seconds(STUDY["flows"]["affine"], STUDY["training"])


def test_predictions_have_the_binning_of_the_figures():
    prediction = plan.prediction(STUDY, 7, "affine")
    comparison = STUDY["comparison"]
    assert prediction["pulls"] == {"bins": comparison["bins"][0], "min_events": comparison["min_events"]}
    assert prediction["flow"] == STUDY["flows"]["affine"] and prediction["samples"] == STUDY["prediction"]["samples"]


def test_cross_validation_reads_a_fold_for_every_inner_point():
    files = plan.fold_files(STUDY)
    assert files[0] == "<results>/flow_interpolation/affine/fold/firework/5.nc" and len(files) == 4
    settings = plan.cross_validation(STUDY, 7)
    assert settings["flow"] == STUDY["flows"]["affine"] and settings["seed"] == 7
    assert settings["divergence_events"] == STUDY["prediction"]["divergence_events"]


def test_the_firework_takes_its_seed_from_the_suite():
    assert plan.firework(STUDY, 7) == {"seed": 7} | STUDY["firework"]
