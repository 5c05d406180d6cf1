"""Settings of the stages are those of the study, with what they share with the blobs."""

from support.study_settings import study_settings

from diffhep.studies.scaling import plan
from diffhep.studies.scaling.settings import StatisticsMeasurement, StepMeasurement
from diffhep.typed_settings import from_plain

BLOBS, SCALING = (study_settings(study, "quick") for study in ("blobs", "scaling"))


def test_each_work_has_settings_of_its_own_kind_that_survive_json():
    for work in ("step", "fit", "limit"):
        settings = plan.cost_measurement(SCALING, BLOBS, work, 3)
        assert settings.work == work and settings.seed == 3 and settings.repeats == SCALING.cost.repeats
        assert from_plain(StepMeasurement | StatisticsMeasurement, settings.plain()) == settings
    noise = plan.noise_measurement(SCALING, BLOBS, 3)
    assert noise.yields == BLOBS.yields and from_plain(type(noise), noise.plain()) == noise


def test_expected_seconds_count_peers_and_sizes():
    works = SCALING.cost.works
    assert plan.cost_seconds(works.step) == 6 * 2 * (2 + 1 + 1)
    assert plan.cost_seconds(works.limit) == 6 * 1 * 3
