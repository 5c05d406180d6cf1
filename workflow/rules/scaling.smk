"""Study `scaling`: what training on a whole analysis costs, and what a batch knows of it."""

COST = SETTINGS["scaling"]["cost"]


use rule stage as scaling_gradient_noise with:
    input:
        events=rules.blobs_events.output[0],
    pathvars:
        stem="<results>/scaling/gradient_noise",
    resources:
        expected_seconds=120,
    params:
        job=job(
            "diffhep.studies.scaling:gradient_noise",
            {
                "seed": config["seed"],
                "yields": BLOBS["yields"],
                "plane": BLOBS["plane"],
                **SETTINGS["scaling"]["gradient_noise"],
            },
        ),


use rule stage as scaling_cost with:
    input:
        events=rules.blobs_events.output[0],
    pathvars:
        stem="<results>/scaling/cost/{work}",
    wildcard_constraints:
        work="|".join(COST["works"]),
    threads: workflow.cores  # alone on the machine, for its clock's sake
    resources:
        **lasting(lambda w: expected_cost(**COST["works"][w.work])),
    params:
        job=lambda w: job(
            "diffhep.studies.scaling:cost",
            {
                "seed": config["seed"],
                "yields": BLOBS["yields"],
                "work": w.work,
                "repeats": COST["repeats"],
                "patience": COST["patience"],
                **COST["works"][w.work],
            },
        ),
