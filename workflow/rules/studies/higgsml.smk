"""Study `higgsml`: signal strength of H -> tau tau by contrastive flows and four other methods."""

from diffhep.pipeline.run_times import coupling_seconds
from diffhep.studies.higgsml import plan as higgsml_plan

HIGGSML = SETTINGS["higgsml"]
HIGGSML_SEED = config["seed"]
HIGGSML_SEEDS = {key: config[key] for key in ("seed", "seeds_at_once")}
HIGGSML_FILE = HIGGSML["data"]["file"]
HIGGSML_POOLS = higgsml_plan.pool_files(HIGGSML)
HIGGSML_FLOWS = higgsml_plan.flow_files(HIGGSML)
HIGGSML_RESOURCES = higgsml_plan.resources(config["scale"])
user_files("config/studies/higgsml.yaml: data.file", filter(None, [HIGGSML_FILE]))


use rule stage as higgsml_pool with:
    input:
        **({"file": HIGGSML_FILE} if HIGGSML_FILE else {}),
    pathvars:
        stem="<results>/higgsml/pool/{process}",
    resources:
        **HIGGSML_RESOURCES,
        expected_seconds=60,
    params:
        job=lambda w: job(
            "diffhep.studies.higgsml.events:build_pool", higgsml_plan.pool(HIGGSML, HIGGSML_SEED, w.process)
        ),


use rule stage as higgsml_flow with:
    input:
        pools=HIGGSML_POOLS,
    pathvars:
        stem="<results>/higgsml/flow/{category}_{label}_{strength}",
    resources:
        **HIGGSML_RESOURCES,
        expected_seconds=coupling_seconds(HIGGSML["flow"]),
    params:
        job=lambda w: job(
            "diffhep.studies.higgsml.training:train_flow",
            higgsml_plan.flow(HIGGSML, HIGGSML_SEEDS, w.category, w.label, float(w.strength)),
        ),


use rule stage as higgsml_cnf with:
    input:
        pools=HIGGSML_POOLS,
        flows=HIGGSML_FLOWS,
    pathvars:
        stem="<results>/higgsml/network/cnf",
    resources:
        **HIGGSML_RESOURCES,
        expected_seconds=100,
    params:
        job=job(
            "diffhep.studies.higgsml.training:train_classifier",
            higgsml_plan.flow_classifier(HIGGSML, HIGGSML_SEEDS),
        ),


use rule stage as higgsml_baseline with:
    input:
        pools=HIGGSML_POOLS,
    pathvars:
        stem="<results>/higgsml/network/baseline",
    resources:
        **HIGGSML_RESOURCES,
        expected_seconds=100,
    params:
        job=job("diffhep.studies.higgsml.training:train_classifier", higgsml_plan.classifier(HIGGSML, HIGGSML_SEEDS)),


use rule stage as higgsml_conditioned_network with:
    input:
        pools=HIGGSML_POOLS,
    pathvars:
        stem="<results>/higgsml/network/nuisance_conditioned",
    resources:
        **HIGGSML_RESOURCES,
        expected_seconds=100,
    params:
        job=job(
            "diffhep.studies.higgsml.training:train_nuisance_conditioned",
            higgsml_plan.classifier(HIGGSML, HIGGSML_SEEDS),
        ),


use rule stage as higgsml_inferno with:
    input:
        pools=HIGGSML_POOLS,
    pathvars:
        stem="<results>/higgsml/network/inferno",
    resources:
        **HIGGSML_RESOURCES,
        expected_seconds=150,
    params:
        job=job("diffhep.studies.higgsml.inferno:train", higgsml_plan.inferno(HIGGSML, HIGGSML_SEEDS)),


use rule stage as higgsml_templates with:
    input:
        pools=HIGGSML_POOLS,
        networks=higgsml_plan.network_files(HIGGSML),
        flows=HIGGSML_FLOWS,
    pathvars:
        stem="<results>/higgsml/templates",
    resources:
        **HIGGSML_RESOURCES,
        expected_seconds=250,
    params:
        job=job("diffhep.studies.higgsml.templates:expected_histograms", higgsml_plan.templates(HIGGSML, HIGGSML_SEED)),


use rule higgsml_templates as higgsml_design with:
    pathvars:
        stem="<results>/higgsml/design/{part}/{chunk}",
    params:
        job=lambda w: job(
            "diffhep.studies.higgsml.templates:expected_histograms",
            higgsml_plan.design(HIGGSML, HIGGSML_SEED, w.part, int(w.chunk)),
        ),


use rule higgsml_templates as higgsml_direct with:
    pathvars:
        stem="<results>/higgsml/direct",
    params:
        job=job("diffhep.studies.higgsml.templates:time_scoring", higgsml_plan.direct(HIGGSML, HIGGSML_SEED)),


use rule stage as higgsml_belt with:
    input:
        templates="<results>/higgsml/templates.nc",
        chunks=higgsml_plan.design_files(HIGGSML, "template"),
    pathvars:
        stem="<results>/higgsml/belt/{method}",
    resources:
        **HIGGSML_RESOURCES,
        expected_seconds=60,
    params:
        job=lambda w: job(
            "diffhep.studies.higgsml.intervals:build_belt", higgsml_plan.belt(HIGGSML, HIGGSML_SEED, w.method)
        ),


use rule stage as higgsml_intervals with:
    input:
        templates="<results>/higgsml/templates.nc",
        chunks=higgsml_plan.design_files(HIGGSML, "test"),
        belt="<results>/higgsml/belt/{method}.nc",
    pathvars:
        stem="<results>/higgsml/intervals/{method}",
    resources:
        **HIGGSML_RESOURCES,
        expected_seconds=30,
    params:
        job=lambda w: job(
            "diffhep.studies.higgsml.intervals:compute_intervals",
            higgsml_plan.belt_intervals(HIGGSML, HIGGSML_SEED, w.method),
        ),


use rule higgsml_intervals as higgsml_high_statistics with:
    input:
        templates="<results>/higgsml/templates.nc",
        chunks=higgsml_plan.design_files(HIGGSML, "test"),
        belt="<results>/higgsml/belt/cnf.nc",
    pathvars:
        stem="<results>/higgsml/high_statistics",
    resources:
        **HIGGSML_RESOURCES,
        expected_seconds=100,
    params:
        job=job(
            "diffhep.studies.higgsml.intervals:compute_intervals",
            higgsml_plan.high_statistics(HIGGSML, HIGGSML_SEED),
        ),


use rule stage as higgsml_profile with:
    input:
        templates="<results>/higgsml/templates.nc",
        chunks=higgsml_plan.design_files(HIGGSML, "test"),
    pathvars:
        stem="<results>/higgsml/profile/{method}",
    resources:
        **HIGGSML_RESOURCES,
        expected_seconds=60,
    params:
        job=lambda w: job(
            "diffhep.studies.higgsml.intervals:compute_intervals",
            higgsml_plan.profile_intervals(HIGGSML, HIGGSML_SEED, w.method),
        ),


use rule stage as higgsml_nuisance_conditioned with:
    input:
        unpack(
            lambda w: shards_or_inputs(
                higgsml_plan.toy_range(HIGGSML, w.sample),
                f"<results>/higgsml/nuisance_conditioned/{w.sample}",
                "toy",
                pools=HIGGSML_POOLS,
                network="<results>/higgsml/network/nuisance_conditioned.nc",
            )
        ),
    pathvars:
        stem="<results>/higgsml/nuisance_conditioned/{sample}",
    resources:
        **HIGGSML_RESOURCES,
        expected_seconds=lambda w: seconds_unless_merged(higgsml_plan.toy_range(HIGGSML, w.sample), 600),
    params:
        job=lambda w: job(
            "diffhep.studies.higgsml.nuisance_conditioned:estimate_strengths",
            {
                **higgsml_plan.nuisance_conditioned(HIGGSML, HIGGSML_SEED, w.sample),
                **full_range(higgsml_plan.toy_range(HIGGSML, w.sample)),
            },
        ),


use rule stage as higgsml_nuisance_conditioned_part with:
    input:
        pools=HIGGSML_POOLS,
        network="<results>/higgsml/network/nuisance_conditioned.nc",
    pathvars:
        stem="<results>/higgsml/nuisance_conditioned/{sample}/toy_{first}_{last}",
    resources:
        **HIGGSML_RESOURCES,
        expected_seconds=lambda w: shard_seconds(higgsml_plan.toy_range(HIGGSML, w.sample), 600, w),
    params:
        job=lambda w: job(
            "diffhep.studies.higgsml.nuisance_conditioned:estimate_strengths",
            {**higgsml_plan.nuisance_conditioned(HIGGSML, HIGGSML_SEED, w.sample), **wildcard_range(w)},
        ),


use rule stage as higgsml_conditioned_intervals with:
    input:
        simulated="<results>/higgsml/nuisance_conditioned/simulated.nc",
        tested="<results>/higgsml/nuisance_conditioned/tested.nc",
    pathvars:
        stem="<results>/higgsml/intervals/nuisance_conditioned",
    params:
        job=job(
            "diffhep.studies.higgsml.nuisance_conditioned:compute_intervals",
            {"belt_order": HIGGSML["nuisance_conditioned"]["belt_order"]},
        ),


use rule stage as higgsml_table with:
    input:
        belted=expand("<results>/higgsml/intervals/{method}.nc", method=["cnf", "nuisance_conditioned", "baseline"]),
        profiled=expand("<results>/higgsml/profile/{method}.nc", method=["cnf", "inferno"]),
        high_statistics="<results>/higgsml/high_statistics.nc",
        direct="<results>/higgsml/direct.nc",
    pathvars:
        stem="<results>/higgsml/table",
    params:
        job=job(
            "diffhep.studies.higgsml.table:build_table",
            {"bootstraps": HIGGSML["fits"]["bootstraps"], "seed": HIGGSML_SEED},
        ),


use rule stage as higgsml_marginal with:
    input:
        pools=HIGGSML_POOLS,
        flows=HIGGSML_FLOWS,
    pathvars:
        stem="<results>/higgsml/marginal",
    params:
        job=job(
            "diffhep.studies.higgsml.illustrations:marginal_distributions",
            higgsml_plan.marginal(HIGGSML, HIGGSML_SEED),
        ),


use rule stage as higgsml_surface_check with:
    input:
        chunks=higgsml_plan.design_files(HIGGSML, "test"),
        direct="<results>/higgsml/direct.nc",
    pathvars:
        stem="<results>/higgsml/surface_check",
    params:
        job=job("diffhep.studies.higgsml.illustrations:compare_surface", higgsml_plan.surface_check(HIGGSML)),


ruleorder: higgsml_conditioned_intervals > higgsml_intervals


wildcard_constraints:
    process="|".join(HIGGSML["data"]["yields"]),
    category="|".join(higgsml_plan.CATEGORIES),
    part="train|template|test",
    sample="|".join(higgsml_plan.TOY_SAMPLES),
    chunk=r"\d+",
