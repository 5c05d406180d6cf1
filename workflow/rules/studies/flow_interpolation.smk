"""Study `flow_interpolation`: conditional flows that interpolate between the distributions they were trained on."""

from diffhep.studies.flow_interpolation import plan as flow_interpolation_plan

FLOW_INTERPOLATION = SETTINGS["flow_interpolation"]
FLOW_SUITE = {key: config[key] for key in ("seed", "seeds_at_once")}
exit_with_context(
    "config/studies/flow_interpolation.yaml: data.held_out",
    flow_interpolation_plan.check_held_out,
    FLOW_INTERPOLATION["data"]["held_out"],
    FLOW_INTERPOLATION["data"]["points"],
)
# settings of the training of an ensemble, and of one without a conditioning point
ensemble_training = lambda w: flow_interpolation_plan.training(FLOW_INTERPOLATION, FLOW_SUITE, w.flow)
fold_training = lambda w: flow_interpolation_plan.fold(FLOW_INTERPOLATION, FLOW_SUITE, w.flow, int(w.context))


use rule stage as flow_interpolation_sample with:
    pathvars:
        stem="<results>/flow_interpolation/sample/{example}",
    params:
        job=lambda w: job(
            "diffhep.studies.flow_interpolation.stages:generate",
            flow_interpolation_plan.generation(FLOW_INTERPOLATION, config["seed"], w.example),
        ),


use rule stage as flow_interpolation_train with:
    input:
        sample=rules.flow_interpolation_sample.output[0],
    pathvars:
        stem="<results>/flow_interpolation/{flow}/train/{example}",
    resources:
        **training_resources(lambda w: flow_interpolation_plan.training_seconds(ensemble_training(w))),
    params:
        job=lambda w: job("diffhep.studies.flow_interpolation.stages:train", ensemble_training(w)),


use rule stage as flow_interpolation_predict with:
    input:
        sample=rules.flow_interpolation_sample.output[0],
        trained=rules.flow_interpolation_train.output[0],
    pathvars:
        stem="<results>/flow_interpolation/{flow}/predict/{example}",
    resources:
        expected_seconds=20,
    params:
        job=lambda w: job(
            "diffhep.studies.flow_interpolation.stages:predict",
            flow_interpolation_plan.prediction(FLOW_INTERPOLATION, config["seed"], w.flow),
        ),


use rule stage as flow_interpolation_comparison with:
    input:
        trained=expand("<results>/flow_interpolation/affine/train/{example}.nc", example=FLOW_INTERPOLATION["examples"]),
        predicted=expand(
            "<results>/flow_interpolation/affine/predict/{example}.nc", example=FLOW_INTERPOLATION["examples"]
        ),
    pathvars:
        stem="<results>/flow_interpolation/comparison",
    params:
        job=job("diffhep.studies.flow_interpolation.comparison:compare", FLOW_INTERPOLATION["comparison"]),


use rule flow_interpolation_train as flow_interpolation_fold with:
    pathvars:
        stem="<results>/flow_interpolation/{flow}/fold/{example}/{context}",
    resources:
        **training_resources(lambda w: flow_interpolation_plan.training_seconds(fold_training(w))),
    params:
        job=lambda w: job("diffhep.studies.flow_interpolation.stages:train", fold_training(w)),


use rule stage as flow_interpolation_cross_validation with:
    input:
        sample=f"<results>/flow_interpolation/sample/{FLOW_INTERPOLATION['cross_validation']['example']}.nc",
        folds=flow_interpolation_plan.fold_files(FLOW_INTERPOLATION),
    pathvars:
        stem="<results>/flow_interpolation/cross_validation",
    params:
        job=job(
            "diffhep.studies.flow_interpolation.stages:cross_validate",
            flow_interpolation_plan.cross_validation(FLOW_INTERPOLATION, config["seed"]),
        ),


use rule stage as flow_interpolation_firework with:
    pathvars:
        stem="<results>/flow_interpolation/firework_at_origin",
    params:
        job=job(
            "diffhep.studies.flow_interpolation.stages:simulate_firework",
            flow_interpolation_plan.firework(FLOW_INTERPOLATION, config["seed"]),
        ),


wildcard_constraints:
    example="|".join(map(re.escape, FLOW_INTERPOLATION["examples"])),
    flow="|".join(map(re.escape, FLOW_INTERPOLATION["flows"])),
    context=r"\d+",
