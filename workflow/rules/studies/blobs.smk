"""Study `blobs`: Gaussian blobs, a network trained on what the whole analysis makes of it."""

from diffhep.studies.blobs import plan as blobs_plan

BLOBS = SETTINGS["blobs"]
exit_with_context("config/studies/blobs.yaml", blobs_plan.check_objectives, BLOBS, OBJECTIVES)
EXPERIMENTS = BLOBS.experiments
SUITE = {"seed": config["seed"], "seeds_at_once": config["seeds_at_once"]}
RUNS = {name: blobs_plan.runs(BLOBS, experiment, **SUITE) for name, experiment in EXPERIMENTS.items()}
TESTED = range(len(BLOBS.toys.tested_mu))
SCAN_SECONDS = 10 + len(TESTED) * BLOBS.toys.number / 10000
# settings of a training and of one of its shards, and the seeds of a training
blobs_run = lambda w: RUNS[w.experiment][w.run]
blobs_shard = lambda w: blobs_plan.shard(blobs_run(w), int(w.first), int(w.last))
blobs_seeds = lambda w: blobs_plan.seed_range(blobs_run(w))


use rule stage as blobs_events with:
    pathvars:
        stem="<results>/blobs/events",
    params:
        job=job("diffhep.studies.blobs.stages:generate", blobs_plan.generation(BLOBS, config["seed"])),


use rule stage as blobs_train with:
    input:
        unpack(
            lambda w: shards_or_inputs(
                blobs_seeds(w),
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
                blobs_seeds(w),
                blobs_plan.training_seconds(blobs_run(w), BLOBS.data),
            )
        ),
    params:
        job=lambda w: job("diffhep.studies.blobs.stages:train", blobs_run(w), blobs_run(w).objective),


use rule blobs_train as blobs_train_part with:
    input:
        events=rules.blobs_events.output[0],
    pathvars:
        stem="<results>/blobs/{experiment}/train/{run}/seed_{first}_{last}",
    resources:
        **training_resources(lambda w: blobs_plan.training_seconds(blobs_shard(w), BLOBS.data)),
    params:
        job=lambda w: job("diffhep.studies.blobs.stages:train", blobs_shard(w), blobs_run(w).objective),


use rule stage as blobs_evaluate with:
    input:
        trained=rules.blobs_train.output[0],
    pathvars:
        stem="<results>/blobs/{experiment}/evaluate/{run}",
    params:
        job=lambda w: job(
            "diffhep.studies.blobs.stages:evaluate",
            blobs_plan.rebinning(EXPERIMENTS[w.experiment], blobs_run(w)),
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
            "diffhep.studies.blobs.pseudo_experiments:scan", blobs_plan.scan(BLOBS, blobs_run(w), **full_range(TESTED))
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
            "diffhep.studies.blobs.pseudo_experiments:scan", blobs_plan.scan(BLOBS, blobs_run(w), **wildcard_range(w))
        ),


use rule stage as blobs_toys with:
    input:
        trained=rules.blobs_train.output[0],
        scan=rules.blobs_scan.output[0],
    pathvars:
        stem="<results>/blobs/{experiment}/toys/{run}",
    params:
        job=lambda w: job(
            "diffhep.studies.blobs.pseudo_experiments:pseudo_experiments",
            blobs_plan.pseudo_experiments(BLOBS, blobs_run(w)),
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
            blobs_plan.timed_runs(BLOBS, RUNS[w.experiment]),
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
                for seed in range(settings.seed, settings.seed + settings.seeds)
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
