"""Study `flow_interpolation`: conditional flows that interpolate between the distributions they were trained on."""

from diffhep.pipeline.run_times import flow_seconds
from diffhep.studies.flow_interpolation import plan as flow_interpolation_plan

FLOW_INTERPOLATION = SETTINGS["flow_interpolation"]
EXAMPLES, FLOWS = FLOW_INTERPOLATION["examples"], FLOW_INTERPOLATION["flows"]
FLOW_SEEDS = {key: config[key] for key in ("seed", "seeds_at_once")}
exit_with_context(
    "config/studies/flow_interpolation.yaml: data.held_out",
    flow_interpolation_plan.check_held_out,
    FLOW_INTERPOLATION["data"]["held_out"],
    FLOW_INTERPOLATION["data"]["points"],
)
FOLDS = FLOW_INTERPOLATION["cross_validation"]
FOLD_MEMBERS = {"members": FOLDS["members"]}


use rule stage as flow_interpolation_sample with:
    pathvars:
        stem="<results>/flow_interpolation/sample/{example}",
    params:
        job=lambda w: job(
            "diffhep.studies.flow_interpolation.stages:generate",
            {
                "seed": config["seed"],
                **FLOW_INTERPOLATION["data"],
                **EXAMPLES[w.example],
            },
        ),


use rule stage as flow_interpolation_train with:
    input:
        sample=rules.flow_interpolation_sample.output[0],
    pathvars:
        stem="<results>/flow_interpolation/{flow}/train/{example}",
    resources:
        **training_resources(lambda w: flow_seconds(FLOWS[w.flow], FLOW_INTERPOLATION["training"])),
    params:
        job=lambda w: job(
            "diffhep.studies.flow_interpolation.stages:train",
            {
                **FLOW_SEEDS,
                **FLOW_INTERPOLATION["training"],
                "flow": FLOWS[w.flow],
            },
        ),


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
            {
                "seed": config["seed"],
                **FLOW_INTERPOLATION["prediction"],
                "pulls": {
                    "bins": FLOW_INTERPOLATION["comparison"]["bins"][0],
                    "min_events": FLOW_INTERPOLATION["comparison"]["min_events"],
                },
                "flow": FLOWS[w.flow],
            },
        ),


use rule stage as flow_interpolation_comparison with:
    input:
        trained=expand("<results>/flow_interpolation/affine/train/{example}.nc", example=EXAMPLES),
        predicted=expand("<results>/flow_interpolation/affine/predict/{example}.nc", example=EXAMPLES),
    pathvars:
        stem="<results>/flow_interpolation/comparison",
    params:
        job=job("diffhep.studies.flow_interpolation.stages:compare", FLOW_INTERPOLATION["comparison"]),


use rule flow_interpolation_train as flow_interpolation_fold with:
    pathvars:
        stem="<results>/flow_interpolation/{flow}/fold/{example}/{context}",
    resources:
        **training_resources(lambda w: flow_seconds(FLOWS[w.flow], FLOW_INTERPOLATION["training"] | FOLD_MEMBERS)),
    params:
        job=lambda w: job(
            "diffhep.studies.flow_interpolation.stages:train",
            {
                **FLOW_SEEDS,
                **FLOW_INTERPOLATION["training"],
                **FOLD_MEMBERS,
                "flow": FLOWS[w.flow],
                "without": int(w.context),
            },
        ),


use rule stage as flow_interpolation_cross_validation with:
    input:
        sample=f"<results>/flow_interpolation/sample/{FOLDS['example']}.nc",
        folds=expand(
            f"<results>/flow_interpolation/{FOLDS['flow']}/fold/{FOLDS['example']}/{{context}}.nc",
            context=flow_interpolation_plan.inner_points(FLOW_INTERPOLATION["data"]["points"]),
        ),
    pathvars:
        stem="<results>/flow_interpolation/cross_validation",
    params:
        job=job(
            "diffhep.studies.flow_interpolation.stages:cross_validate",
            {
                "seed": config["seed"],
                "judges": FLOW_INTERPOLATION["prediction"]["judges"],
                "flow": FLOWS[FOLDS["flow"]],
            },
        ),


use rule stage as flow_interpolation_firework with:
    pathvars:
        stem="<results>/flow_interpolation/firework_at_origin",
    params:
        job=job(
            "diffhep.studies.flow_interpolation.stages:simulate_firework",
            {"seed": config["seed"], **FLOW_INTERPOLATION["firework"]},
        ),


wildcard_constraints:
    example="|".join(map(re.escape, EXAMPLES)),
    flow="|".join(map(re.escape, FLOWS)),
    context=r"\d+",
