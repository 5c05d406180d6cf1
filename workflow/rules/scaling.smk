"""Study `scaling`: what training on a whole analysis costs, and what a batch knows of it."""


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
