"""Study `vbf_hh4b`: cuts, bins, bandwidth and network of a search optimised together, and everything that can go wrong."""

from diffhep.studies.vbf_hh4b import plan as vbf_hh4b_plan

VBF = SETTINGS["vbf_hh4b"]
VBF_EVENTS = {"seed": config["seed"], "data": VBF["data"]}
VBF_RUNS = exit_with_context("config/studies/vbf_hh4b.yaml", vbf_hh4b_plan.folded, VBF)
# settings of every training: those of the suite, the study and the run
VBF_TRAINED = {
    name: {
        "seed": config["seed"],
        "seeds_at_once": config["seeds_at_once"],
        "regions": VBF["data"]["regions"],
        **run,
    }
    for name, run in VBF_RUNS.items()
}
VBF_TRADITIONAL = {
    f"traditional_fold_{fold}": {
        **VBF["defaults"],
        "edges": VBF["edges"]["five"],
        "fold": fold,
    }
    for fold in range(VBF["folds"]["number"])
}
vbf_hh4b_trained = lambda group: vbf_hh4b_plan.training_files(VBF, group)


use rule stage as vbf_hh4b_events with:
    pathvars:
        stem="<results>/vbf_hh4b/events",
    params:
        job=job("diffhep.studies.vbf_hh4b.inputs:generate", VBF_EVENTS),


use rule stage as vbf_hh4b_train with:
    input:
        unpack(
            lambda w: shards_or_inputs(
                shards.seed_range(VBF_TRAINED[w.vbf_run]),
                f"<results>/vbf_hh4b/train/{w.vbf_run}",
                "seed",
                events=rules.vbf_hh4b_events.output[0],
            )
        ),
    pathvars:
        stem="<results>/vbf_hh4b/train/{vbf_run}",
    resources:
        **training_resources(
            lambda w: seconds_unless_merged(
                shards.seed_range(VBF_TRAINED[w.vbf_run]),
                vbf_hh4b_plan.training_seconds(VBF_TRAINED[w.vbf_run], VBF["data"]),
            )
        ),
    params:
        job=lambda w: job("diffhep.studies.vbf_hh4b.stages:train", VBF_TRAINED[w.vbf_run]),


use rule vbf_hh4b_train as vbf_hh4b_train_part with:
    input:
        events=rules.vbf_hh4b_events.output[0],
    pathvars:
        stem="<results>/vbf_hh4b/train/{vbf_run}/seed_{first}_{last}",
    resources:
        **training_resources(
            lambda w: vbf_hh4b_plan.training_seconds(shard_settings(VBF_TRAINED[w.vbf_run], w), VBF["data"])
        ),
    params:
        job=lambda w: job("diffhep.studies.vbf_hh4b.stages:train", shard_settings(VBF_TRAINED[w.vbf_run], w)),


use rule stage as vbf_hh4b_landscape with:
    input:
        events=rules.vbf_hh4b_events.output[0],
    pathvars:
        stem="<results>/vbf_hh4b/landscape",
    resources:
        expected_seconds=40,
    params:
        job=job(
            "diffhep.studies.vbf_hh4b.scan:landscape",
            {**VBF_EVENTS, "scan": VBF["scan"], "edges": VBF["edges"]},
        ),


use rule stage as vbf_hh4b_traditional with:
    input:
        events=rules.vbf_hh4b_events.output[0],
    pathvars:
        stem="<results>/vbf_hh4b/traditional/{traditional}",
    resources:
        expected_seconds=15,
    params:
        job=lambda w: job(
            "diffhep.studies.vbf_hh4b.scan:traditional",
            {**VBF_EVENTS, "scan": VBF["scan"], **VBF_TRADITIONAL[w.traditional]},
        ),


use rule stage as vbf_hh4b_judge with:
    input:
        events=rules.vbf_hh4b_events.output[0],
        trained=lambda w: vbf_hh4b_trained(w.group),
    pathvars:
        stem="<results>/vbf_hh4b/judge/{group}",
    resources:
        expected_seconds=60,
    params:
        job=lambda w: job(
            "diffhep.studies.vbf_hh4b.stages:evaluate", {**VBF_EVENTS, **vbf_hh4b_plan.group_settings(VBF, w.group)}
        ),


use rule stage as vbf_hh4b_judge_traditional with:
    input:
        events=rules.vbf_hh4b_events.output[0],
        trained=[f"<results>/vbf_hh4b/traditional/{run}.nc" for run in VBF_TRADITIONAL],
    pathvars:
        stem="<results>/vbf_hh4b/judge/traditional",
    resources:
        expected_seconds=40,
    params:
        job=job("diffhep.studies.vbf_hh4b.stages:evaluate", {**VBF_EVENTS, "runs": VBF_TRADITIONAL}),


use rule stage as vbf_hh4b_exploit with:
    input:
        events=rules.vbf_hh4b_events.output[0],
        trained=vbf_hh4b_trained("exploit"),
    pathvars:
        stem="<results>/vbf_hh4b/exploit",
    resources:
        expected_seconds=60,
    params:
        job=job(
            "diffhep.studies.vbf_hh4b.exploit:exploit",
            {**VBF_EVENTS, **VBF["exploit"], **vbf_hh4b_plan.group_settings(VBF, "exploit")},
        ),


use rule stage as vbf_hh4b_accuracy with:
    input:
        events=rules.vbf_hh4b_events.output[0],
    pathvars:
        stem="<results>/vbf_hh4b/accuracy",
    resources:
        expected_seconds=30,
    params:
        job=job(
            "diffhep.studies.vbf_hh4b.accuracy:accuracy",
            {**VBF_EVENTS, **VBF["accuracy"], "edges": VBF["edges"]["five"]},
        ),


use rule stage as vbf_hh4b_sigmoids with:
    pathvars:
        stem="<results>/vbf_hh4b/sigmoids",
    params:
        job=job("diffhep.studies.vbf_hh4b.accuracy:sigmoids", VBF["sigmoids"]),


use rule stage as vbf_hh4b_compare with:
    input:
        trained=vbf_hh4b_trained("compared"),
        judged=expand(
            "<results>/vbf_hh4b/judge/{group}.nc",
            group=["compared", "traditional", "slopes", "starts", "bandwidths"],
        ),
        exploit=rules.vbf_hh4b_exploit.output[0],
        landscape=rules.vbf_hh4b_landscape.output[0],
    pathvars:
        stem="<results>/vbf_hh4b/comparison",
    params:
        job=job(
            "diffhep.studies.vbf_hh4b.comparison:compare",
            {"number": VBF["folds"]["number"], "plateau": VBF["plateau"]},
        ),


wildcard_constraints:
    vbf_run="|".join(map(re.escape, VBF_RUNS)),
    group="|".join(VBF["groups"]),
    traditional="|".join(VBF_TRADITIONAL),
