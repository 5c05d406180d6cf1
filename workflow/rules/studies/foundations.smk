"""Study `foundations`: the figures of thesis chapters 2 to 6, one stage each part."""

FOUNDATIONS = SETTINGS["foundations"]


use rule stage as foundations_stage with:
    pathvars:
        stem="<results>/foundations/{part}",
    params:
        job=lambda w: job(
            f"diffhep.studies.foundations:{w.part}",
            {"seed": config["seed"], **FOUNDATIONS[w.part]},
        ),


wildcard_constraints:
    part="|".join(FOUNDATIONS),
