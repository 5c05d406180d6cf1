"""Study `scaling`: what training on a whole analysis costs, and what a batch knows of it."""

from diffhep.studies.scaling import plan as scaling_plan

exit_with_context("config/studies/scaling.yaml", scaling_plan.check_objectives, SETTINGS["scaling"], OBJECTIVES)
COST = SETTINGS["scaling"].cost


use rule stage as scaling_gradient_noise with:
    input:
        events=rules.blobs_events.output[0],
    pathvars:
        stem="<results>/scaling/gradient_noise",
    resources:
        expected_seconds=120,
    params:
        job=job(
            "diffhep.studies.scaling.stages:gradient_noise",
            scaling_plan.noise_measurement(SETTINGS["scaling"], BLOBS, config["seed"]),
        ),


use rule stage as scaling_cost with:
    input:
        events=rules.blobs_events.output[0],
    pathvars:
        stem="<results>/scaling/cost/{work}",
    wildcard_constraints:
        work="|".join(type(COST.works).model_fields),
    threads: workflow.cores  # alone on the machine, for its clock's sake
    resources:
        **training_resources(lambda w: scaling_plan.cost_seconds(getattr(COST.works, w.work))),
    params:
        job=lambda w: job(
            "diffhep.studies.scaling.stages:cost",
            scaling_plan.cost_measurement(SETTINGS["scaling"], BLOBS, w.work, config["seed"]),
        ),
