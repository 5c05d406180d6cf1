"""Trainings of an experiment: its variants, and some of them again at the points of a sweep."""

import pytest
from support.study_settings import study_settings

from diffhep.studies.blobs import plan
from diffhep.studies.blobs.settings import Defaults, Experiment, SweepPoint
from diffhep.typed_settings import from_plain

STUDY = study_settings("blobs")
DEFAULTS = STUDY.experiments["neos"].defaults.plain() | {"seeds": 7}
EXPERIMENT = {
    "defaults": DEFAULTS,
    "variants": {"bce": {"objective": {"bce": 1.0}}, "wide": {"objective": {"cls": 1.0}, "bandwidth": 0.5}},
    "compare": ["bce", "wide"],
    "sweep": {"variants": ["wide"], "points": [{"bins": 3, "bandwidth": 0.2, "seeds": 2}]},
}


def experiment(**changes):
    return from_plain(Experiment, {key: value for key, value in (EXPERIMENT | changes).items() if value is not None})


def test_a_variant_is_the_defaults_with_its_own_entries():
    trainings = plan.trainings(experiment())
    assert trainings["bce"].plain() == DEFAULTS | {"objective": {"bce": 1.0}}
    assert trainings["wide"].plain() == DEFAULTS | {"objective": {"cls": 1.0}, "bandwidth": 0.5}


def test_a_sweep_repeats_its_variants_at_its_points():
    trainings = plan.trainings(experiment())
    assert set(trainings) == {"bce", "wide", "wide_bins_3_bandwidth_0.2"}
    changes = {"objective": {"cls": 1.0}, "bins": 3, "bandwidth": 0.2, "seeds": 2}
    assert trainings["wide_bins_3_bandwidth_0.2"].plain() == DEFAULTS | changes


@pytest.mark.parametrize(
    ("key", "changes"),
    [("sweep.variants", {"sweep": {"variants": ["p0"], "points": []}}), ("compare", {"compare": ["p0"]})],
)
def test_an_unknown_variant_is_refused(key, changes):
    with pytest.raises(ValueError, match=rf"{key}: p0 is no variant; choose from bce, wide"):
        experiment(**changes)


def test_a_comparison_needs_swept_variants_as_trained_and_others_as_evaluated():
    assert plan.trained_for_comparison(experiment()) == ["bce", "wide", "wide_bins_3_bandwidth_0.2"]
    assert plan.evaluated_for_comparison(experiment()) == ["bce"]
    assert plan.binnings(experiment()) == [3, 5]


def test_the_name_of_a_point_does_not_depend_on_the_order_of_its_keys():
    points = {"bandwidth": 0.2, "seeds": 3, "bins": 3}, {"bins": 3, "bandwidth": 0.2}
    assert {plan.point_name(from_plain(SweepPoint, point)) for point in points} == {"bins_3_bandwidth_0.2"}


def test_an_experiment_may_have_no_sweep():
    single = experiment(sweep=None)
    assert set(plan.trainings(single)) == {"bce", "wide"}
    assert plan.trained_for_comparison(single) == ["bce", "wide"] and plan.evaluated_for_comparison(single) == []
    assert plan.binnings(single) == [5]


def test_a_shard_has_the_seeds_from_the_first_to_the_last():
    run = plan.runs(STUDY, experiment(), seed=5, seeds_at_once="auto")["bce"]
    shard = plan.shard(run, 7, 9)
    assert plan.seed_range(shard) == range(7, 10)
    assert (shard.seed, shard.seeds) == (7, 3) and shard.plain() | {"seed": 5, "seeds": 7} == run.plain()


def test_expected_seconds_grow_with_epochs_and_seeds():
    training = plan.trainings(experiment())["bce"]
    longer = from_plain(type(training), training.plain() | {"epochs": 2 * training.epochs})
    assert plan.training_seconds(longer, STUDY.data) > 1.5 * plan.training_seconds(training, STUDY.data)


def test_settings_of_stages_survive_json():
    run = plan.runs(STUDY, experiment(), seed=0, seeds_at_once=1)["wide"]
    for settings in (
        run,
        plan.generation(STUDY, 0),
        plan.rebinning(experiment(), run),
        plan.scan(STUDY, run, first=0, last=3),
        experiment(),
    ):
        assert from_plain(type(settings), settings.plain()) == settings
    assert set(Defaults.model_fields) <= set(run.plain())
