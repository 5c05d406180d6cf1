"""Study `blobs`: Gaussian blobs, a network trained on what the whole analysis makes of it."""

from diffhep.experiments import runs

BLOBS = SETTINGS["blobs"]
BLOBS_RUNS = {name: runs(experiment) for name, experiment in BLOBS["experiments"].items()}


def blobs_settings(experiment, run):
    """Settings of one training: those of the suite, the study, the experiment and the variant."""
    shared = {"seed": config["seed"], "seeds_at_once": config["seeds_at_once"], "yields": BLOBS["yields"]}
    return {**shared, **BLOBS_RUNS[experiment][run]}


def blobs_timed_runs(settings):
    """Settings of the trainings whose steps are timed."""
    names = settings["runs"]
    timed = {name: blobs_settings(settings["experiment"], name) for name in names}
    return {"runs": timed, "repeats": settings["repeats"]}


wildcard_constraints:
    experiment="|".join(map(re.escape, BLOBS_RUNS)),
    run="|".join(re.escape(run) for runs in BLOBS_RUNS.values() for run in runs),


use rule stage as blobs_events with:
    pathvars:
        stem="<results>/blobs/events",
    params:
        job=job("diffhep.studies.blobs:generate", {"seed": config["seed"], **BLOBS["data"]}),


use rule stage as blobs_train with:
    pathvars:
        stem="<results>/blobs/{experiment}/train/{run}",
    input:
        events=rules.blobs_events.output[0],
    params:
        job=lambda wildcards: job("diffhep.studies.blobs:train", blobs_settings(*wildcards)),


use rule stage as blobs_evaluate with:
    pathvars:
        stem="<results>/blobs/{experiment}/evaluate/{run}",
    input:
        trained=rules.blobs_train.output[0],
    params:
        job=job("diffhep.studies.blobs:evaluate", {"yields": BLOBS["yields"], **BLOBS["evaluate"]}),


def blobs_compared(wildcards, stage):
    """Runs that are compared: as trained, and at the points of the sweep trained again or, if need be, evaluated again."""
    experiment = BLOBS["experiments"][wildcards.experiment]
    swept = experiment["sweep"]["variants"]
    if stage == "evaluate":
        names = [name for name in experiment["compare"] if name not in swept]
    else:
        names = experiment["compare"] + sorted(set(BLOBS_RUNS[wildcards.experiment]) - set(experiment["variants"]))
    return [f"<results>/blobs/{wildcards.experiment}/{stage}/{name}.nc" for name in names]


use rule stage as blobs_compare with:
    pathvars:
        stem="<results>/blobs/{experiment}/comparison",
    input:
        trained=lambda wildcards: blobs_compared(wildcards, "train"),
        evaluated=lambda wildcards: blobs_compared(wildcards, "evaluate"),
    params:
        job=lambda wildcards: job(
            "diffhep.studies.blobs:compare",
            {
                "runs": BLOBS["experiments"][wildcards.experiment]["compare"],
                "defaults": BLOBS["experiments"][wildcards.experiment]["defaults"],
                "points": BLOBS["experiments"][wildcards.experiment]["sweep"]["points"],
            },
        ),


use rule stage as blobs_toys with:
    pathvars:
        stem="<results>/blobs/{experiment}/toys/{run}",
    input:
        trained=rules.blobs_train.output[0],
    params:
        job=lambda wildcards: job(
            "diffhep.studies.blobs:pseudo_experiments", {**blobs_settings(*wildcards), **BLOBS["toys"]}
        ),


use rule stage as blobs_step_cost with:
    pathvars:
        stem="<results>/blobs/step_cost",
    input:
        events=rules.blobs_events.output[0],
    params:
        job=job("diffhep.studies.blobs:step_cost", blobs_timed_runs(BLOBS["step_cost"])),
    threads: workflow.cores
