"""Study `blobs`: Gaussian blobs, a network trained on what the whole analysis makes of it."""

from diffhep.studies.blobs import plan as blobs_plan

BLOBS = SETTINGS["blobs"]
EXPERIMENTS = BLOBS["experiments"]
# settings of every training: those of the suite, the study, the experiment and the variant
RUNS = {
    experiment: {
        run: {
            "seed": config["seed"],
            "seeds_at_once": config["seeds_at_once"],
            "yields": BLOBS["yields"],
            "plane": BLOBS["plane"],
            **settings,
        }
        for run, settings in exit_with_context(
            f"config/studies/blobs.yaml: experiments.{experiment}",
            blobs_plan.runs,
            EXPERIMENTS[experiment],
        ).items()
    }
    for experiment in EXPERIMENTS
}
TESTED = range(len(BLOBS["toys"]["tested_mu"]))
SCAN_SECONDS = 10 + len(TESTED) * BLOBS["toys"]["number"] / 10000


use rule stage as blobs_events with:
    pathvars:
        stem="<results>/blobs/events",
    params:
        job=job("diffhep.studies.blobs.stages:generate", {"seed": config["seed"], **BLOBS["data"]}),


use rule stage as blobs_train with:
    input:
        unpack(
            lambda w: shards_or_inputs(
                shards.seed_range(RUNS[w.experiment][w.run]),
                f"<results>/blobs/{w.experiment}/train/{w.run}",
                "seed",
                events=rules.blobs_events.output[0],
            )
        ),
    pathvars:
        stem="<results>/blobs/{experiment}/train/{run}",
    resources:
        **training_resources(
            lambda w: seconds_unless_merged(
                shards.seed_range(RUNS[w.experiment][w.run]),
                blobs_plan.training_seconds(RUNS[w.experiment][w.run], BLOBS["data"]),
            )
        ),
    params:
        job=lambda w: job("diffhep.studies.blobs.stages:train", RUNS[w.experiment][w.run]),


use rule blobs_train as blobs_train_part with:
    input:
        events=rules.blobs_events.output[0],
    pathvars:
        stem="<results>/blobs/{experiment}/train/{run}/seed_{first}_{last}",
    resources:
        **training_resources(
            lambda w: blobs_plan.training_seconds(shard_settings(RUNS[w.experiment][w.run], w), BLOBS["data"])
        ),
    params:
        job=lambda w: job("diffhep.studies.blobs.stages:train", shard_settings(RUNS[w.experiment][w.run], w)),


use rule stage as blobs_evaluate with:
    input:
        trained=rules.blobs_train.output[0],
    pathvars:
        stem="<results>/blobs/{experiment}/evaluate/{run}",
    params:
        job=lambda w: job(
            "diffhep.studies.blobs.stages:evaluate",
            {
                **RUNS[w.experiment][w.run],
                "bins": blobs_plan.binnings(EXPERIMENTS[w.experiment]),
            },
        ),


use rule stage as blobs_compare with:
    input:
        trained=lambda w: expand(
            "<results>/blobs/{experiment}/train/{run}.nc",
            experiment=w.experiment,
            run=blobs_plan.trained_for_comparison(EXPERIMENTS[w.experiment]),
        ),
        evaluated=lambda w: expand(
            "<results>/blobs/{experiment}/evaluate/{run}.nc",
            experiment=w.experiment,
            run=blobs_plan.evaluated_for_comparison(EXPERIMENTS[w.experiment]),
        ),
    pathvars:
        stem="<results>/blobs/{experiment}/comparison",
    params:
        job=lambda w: job("diffhep.studies.blobs.stages:compare", EXPERIMENTS[w.experiment]),


use rule stage as blobs_scan with:
    input:
        unpack(
            lambda w: shards_or_inputs(
                TESTED,
                f"<results>/blobs/{w.experiment}/scan/{w.run}",
                "tested_mu",
                trained=f"<results>/blobs/{w.experiment}/train/{w.run}.nc",
            )
        ),
    pathvars:
        stem="<results>/blobs/{experiment}/scan/{run}",
    resources:
        **training_resources(seconds_unless_merged(TESTED, SCAN_SECONDS)),
    params:
        job=lambda w: job(
            "diffhep.studies.blobs.stages:scan", {**RUNS[w.experiment][w.run], **BLOBS["toys"], **full_range(TESTED)}
        ),


use rule stage as blobs_scan_part with:
    input:
        trained=rules.blobs_train.output[0],
    pathvars:
        stem="<results>/blobs/{experiment}/scan/{run}/tested_mu_{first}_{last}",
    resources:
        **training_resources(lambda w: shard_seconds(TESTED, SCAN_SECONDS, w)),
    params:
        job=lambda w: job(
            "diffhep.studies.blobs.stages:scan", {**RUNS[w.experiment][w.run], **BLOBS["toys"], **wildcard_range(w)}
        ),


use rule stage as blobs_toys with:
    input:
        trained=rules.blobs_train.output[0],
        scan=rules.blobs_scan.output[0],
    pathvars:
        stem="<results>/blobs/{experiment}/toys/{run}",
    params:
        job=lambda w: job(
            "diffhep.studies.blobs.stages:pseudo_experiments",
            {**RUNS[w.experiment][w.run], **BLOBS["toys"]},
        ),


use rule stage as blobs_step_cost with:
    input:
        events=rules.blobs_events.output[0],
    pathvars:
        stem="<results>/blobs/{experiment}/step_cost",
    threads: workflow.cores  # alone on the machine, for its clock's sake
    params:
        job=lambda w: job(
            "diffhep.studies.blobs.stages:step_cost",
            {
                **BLOBS["step_cost"],
                "runs": {run: RUNS[w.experiment][run] for run in BLOBS["step_cost"]["runs"]},
            },
        ),


for experiment, runs in RUNS.items():

    rule:
        name:
            f"blobs_{experiment}_workspaces"
        input:
            trained=[f"<results>/blobs/{experiment}/train/{run}.nc" for run in runs],
        output:
            [
                f"<results>/blobs/workspaces/{experiment}_{run}_seed_{seed}.json"
                for run, settings in runs.items()
                for seed in range(settings["seed"], settings["seed"] + settings["seeds"])
            ],
        log:
            f"<results>/blobs/workspaces/{experiment}.log",
        benchmark:
            f"<results>/blobs/workspaces/{experiment}.benchmark.tsv"
        conda:
            "../../../envs/diffhep.yaml"
        params:
            job=job("diffhep.studies.blobs.stages:workspaces", {"experiment": experiment}),
        script:
            "../../scripts/export.py"


rule workspaces:
    """Every trained observable as a workspace that pyhf reads."""
    input:
        [path for name in RUNS for path in getattr(rules, f"blobs_{name}_workspaces").output],
    localrule: True


# below the rules, so that they bind from here on and not only when the run starts
wildcard_constraints:
    experiment="|".join(map(re.escape, RUNS)),
    run="|".join(re.escape(run) for runs in RUNS.values() for run in runs),
