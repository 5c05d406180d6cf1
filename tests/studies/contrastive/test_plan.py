"""Settings of jobs are those of the study and the suite, merged with those of variants, scenarios and digits."""

from support.study_settings import study_settings

from diffhep.studies.contrastive import plan

STUDY = study_settings("contrastive", "quick")
SUITE = {"seed": 7, "seeds_at_once": 2}
CLASSES = {key: STUDY[key] for key in ("gaussians", "events", "validation")}


def test_flows_have_the_settings_of_their_variant_and_strength():
    plain = plan.flow(STUDY, SUITE, "hyperbolic", 0.5)
    assert plain == SUITE | STUDY["flow"] | {"strength": 0.5}
    spline = plan.flow(STUDY, SUITE, "spline", 1.0)
    assert spline["flow"] == STUDY["flow"]["flow"] | {"couplings": ["gated_affine", "spline"]}
    assert plan.flow(STUDY, SUITE, "hyperbolic_batch", 1.0) == plain | {"strength": 1.0, "clamp": "batch"}


def test_strengths_are_floats_as_in_the_names_of_results():
    assert [str(strength) for strength in plan.strengths({"strengths": [1, 0.5]})] == ["1.0", "0.5"]


def test_stages_in_the_plane_take_what_they_need():
    assert plan.sample(STUDY, 7) == {"seed": 7} | CLASSES
    assert plan.classifier(STUDY, SUITE) == SUITE | STUDY["classifier"]
    shared = {key: STUDY[key] for key in ("gaussians", "flow", "classifier")}
    assert plan.surfaces(STUDY) == STUDY["surfaces"] | shared | {"strengths": plan.strengths(STUDY)}
    shared = {key: STUDY[key] for key in ("gaussians", "flow", "variants")}
    assert plan.couplings(STUDY) == shared | {"cut": STUDY["surfaces"]["cut"]}


def test_every_trial_has_its_own_seed():
    flow, classifier = plan.embedded_flow(STUDY, SUITE, "background", 3), plan.embedded_classifier(STUDY, SUITE, 3)
    robustness = plan.robustness(STUDY, SUITE, "rotation_small", 3)
    assert flow["seed"] == classifier["seed"] == robustness["seed"] == 10
    assert flow["seeds_at_once"] == classifier["seeds_at_once"] == robustness["classifier"]["seeds_at_once"] == 2


def test_embedded_events_have_the_dimension_of_the_study():
    embedded = CLASSES | {"dimension": STUDY["ten"]["dimension"]}
    trial = {"seed": 7, "seeds_at_once": 2}
    flow = plan.embedded_flow(STUDY, SUITE, "signal", 0)
    assert flow == embedded | STUDY["flow"] | trial | {"strength": 1.0, "label": "signal"}
    assert plan.embedded_classifier(STUDY, SUITE, 0) == embedded | STUDY["classifier"] | trial


def test_a_scenario_adds_its_distortion():
    robustness = plan.robustness(STUDY, SUITE, "deformation", 0)
    assert {key: robustness[key] for key in ("kind", "low", "high")} == STUDY["ten"]["scenarios"]["deformation"]
    assert robustness["flow"] == STUDY["flow"]["flow"] and robustness["cut"] == STUDY["ten"]["cut"]


def test_digits_have_their_own_training_and_images():
    digits = STUDY["digits"]
    flow = plan.digit_flow(STUDY, SUITE, "nine_four", 2.0)
    assert flow["digits"] == [9, 4] and flow["strength"] == 2.0 and flow["floor"] == digits["training"]["floor"]
    assert flow["clamp"] == STUDY["flow"]["clamp"] and flow["copies"] == digits["images"]["copies"]
    samples, densities = plan.digit_samples(STUDY, 7), plan.digit_densities(STUDY, 7, "nine_four")
    assert samples == {"seed": 7, "flow": flow["flow"], "figure_images": digits["figure_images"]}
    expected = {"seed": 7, "flow": flow["flow"], "floor": flow["floor"], "digits": [9, 4]} | digits["images"]
    assert densities == expected
