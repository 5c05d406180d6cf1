"""Study `higgsml`: the signal strength of H -> tau tau by contrastive flows, and by four other methods."""

from diffhep.pipeline.run_times import coupling_seconds
from diffhep.studies.higgsml import plan as higgsml_plan

HIGGSML = SETTINGS["higgsml"]
user_files("config/studies/higgsml.yaml: data.file", filter(None, [HIGGSML["data"]["file"]]))
HIGGSML_SEEDS = {key: config[key] for key in ("seed", "seeds_at_once")}
HIGGSML_PROCESSES = list(HIGGSML["data"]["yields"])
HIGGSML_NETWORKS = {
    "baseline": HIGGSML["network"],
    "cnf": HIGGSML["network"],
    "inferno": HIGGSML["inferno"]["network"],
}
HIGGSML_TRAINED = {"columns": HIGGSML["columns"], "perturbed": HIGGSML["perturbed"]}
HIGGSML_SCORES = {
    "phi": HIGGSML["scores"]["phi"],
    "bins": HIGGSML["scores"]["bins"],
    "columns": HIGGSML["columns"],
    "flow": HIGGSML["flow"]["flow"],
    "networks": HIGGSML_NETWORKS,
    "seed": config["seed"],
}
HIGGSML_FITS = {
    "seed": config["seed"],
    "luminosity": HIGGSML["luminosity"],
    "nodes": HIGGSML["scores"]["nodes"],
    "order": HIGGSML["scores"]["design"]["order"],
    "truth": HIGGSML["fits"]["truth"],
    "profile_bins": HIGGSML["fits"]["profile_bins"],
}
HIGGSML_TOLD = {
    **{key: HIGGSML[key] for key in ("luminosity", "network", "columns")},
    "bins": HIGGSML["scores"]["bins"],
    "template_events": HIGGSML["told"]["template_events"],
    "truth": HIGGSML["fits"]["truth"],
    "sets": HIGGSML["fits"]["sets"],
    "seed": config["seed"],
}
HIGGSML_ESTIMATES = {
    "simulated": {
        **HIGGSML_TOLD,
        "part": "template",
        "strengths": HIGGSML["told"]["strengths"],
        "toys": HIGGSML["told"]["belt_toys"],
    },
    "tested": {**HIGGSML_TOLD, "part": "test", "toys": HIGGSML["told"]["toys"]},
}
HIGGSML_TOYS = {name: range(told["toys"]) for name, told in HIGGSML_ESTIMATES.items()}
HIGGSML_POOLS = expand("<results>/higgsml/pool/{process}.nc", process=HIGGSML_PROCESSES)
HIGGSML_FLOWS = expand(
    "<results>/higgsml/flow/{category}_{label}_{strength}.nc",
    category=["one_jet", "two_jets"],
    label=["signal", "background"],
    strength=HIGGSML["strengths"],
)

HIGGSML_LARGE = {"mem_mb": 16000, "runtime": 1440} if config["scale"] == "paper" else {}


use rule stage as higgsml_pool with:
    input:
        **({"file": HIGGSML["data"]["file"]} if HIGGSML["data"]["file"] else {}),
    pathvars:
        stem="<results>/higgsml/pool/{process}",
    resources:
        **HIGGSML_LARGE,
        expected_seconds=60,
    params:
        job=lambda w: job(
            "diffhep.studies.higgsml.events:build_pool", {**HIGGSML["data"], "process": w.process, "seed": config["seed"]}
        ),


use rule stage as higgsml_flow with:
    input:
        pools=HIGGSML_POOLS,
    pathvars:
        stem="<results>/higgsml/flow/{category}_{label}_{strength}",
    resources:
        **HIGGSML_LARGE,
        expected_seconds=coupling_seconds(HIGGSML["flow"]),
    params:
        job=lambda w: job(
            "diffhep.studies.higgsml.training:train_flow",
            {
                **HIGGSML_SEEDS,
                **HIGGSML_TRAINED,
                **HIGGSML["flow"],
                "category": w.category,
                "label": w.label,
                "strength": float(w.strength),
            },
        ),


use rule stage as higgsml_cnf with:
    input:
        pools=HIGGSML_POOLS,
        flows=HIGGSML_FLOWS,
    pathvars:
        stem="<results>/higgsml/network/cnf",
    resources:
        **HIGGSML_LARGE,
        expected_seconds=100,
    params:
        job=job(
            "diffhep.studies.higgsml.training:train_classifier",
            {
                **HIGGSML_SEEDS,
                **HIGGSML_TRAINED,
                **HIGGSML["training"],
                "network": HIGGSML["network"],
                "flow": HIGGSML["flow"]["flow"],
                "phi": HIGGSML["scores"]["phi"],
            },
        ),


use rule stage as higgsml_baseline with:
    input:
        pools=HIGGSML_POOLS,
    pathvars:
        stem="<results>/higgsml/network/baseline",
    resources:
        **HIGGSML_LARGE,
        expected_seconds=100,
    params:
        job=job(
            "diffhep.studies.higgsml.training:train_classifier",
            {
                **HIGGSML_SEEDS,
                **HIGGSML_TRAINED,
                **HIGGSML["training"],
                "network": HIGGSML["network"],
            },
        ),


use rule stage as higgsml_told with:
    input:
        pools=HIGGSML_POOLS,
    pathvars:
        stem="<results>/higgsml/network/told",
    resources:
        **HIGGSML_LARGE,
        expected_seconds=100,
    params:
        job=job(
            "diffhep.studies.higgsml.training:train_nuisance_conditioned",
            {
                **HIGGSML_SEEDS,
                **HIGGSML_TRAINED,
                **HIGGSML["training"],
                "network": HIGGSML["network"],
            },
        ),


use rule stage as higgsml_inferno with:
    input:
        pools=HIGGSML_POOLS,
    pathvars:
        stem="<results>/higgsml/network/inferno",
    resources:
        **HIGGSML_LARGE,
        expected_seconds=150,
    params:
        job=job(
            "diffhep.studies.higgsml.inferno:train",
            {
                **HIGGSML_SEEDS,
                **{key: value for key, value in HIGGSML["inferno"].items() if key != "training"},
                **HIGGSML["inferno"]["training"],
                "columns": HIGGSML["columns"],
                "luminosity": HIGGSML["luminosity"],
            },
        ),


use rule stage as higgsml_templates with:
    input:
        pools=HIGGSML_POOLS,
        networks=expand("<results>/higgsml/network/{network}.nc", network=HIGGSML_NETWORKS),
        flows=HIGGSML_FLOWS,
    pathvars:
        stem="<results>/higgsml/templates",
    resources:
        **HIGGSML_LARGE,
        expected_seconds=250,
    params:
        job=job(
            "diffhep.studies.higgsml.templates:expected_histograms",
            {
                **HIGGSML_SCORES,
                "part": "template",
                "points": "grid",
                "nodes": HIGGSML["scores"]["nodes"],
                "chunk": 0,
                "chunks": 1,
            },
        ),


use rule higgsml_templates as higgsml_design with:
    pathvars:
        stem="<results>/higgsml/design/{part}/{chunk}",
    params:
        job=lambda w: job(
            "diffhep.studies.higgsml.templates:expected_histograms",
            {
                **HIGGSML_SCORES,
                "part": w.part,
                "points": "design",
                "number": HIGGSML["scores"]["design"]["number"],
                "chunk": int(w.chunk),
                "chunks": HIGGSML["scores"]["design"]["chunks"],
            },
        ),


use rule higgsml_templates as higgsml_direct with:
    pathvars:
        stem="<results>/higgsml/direct",
    params:
        job=job(
            "diffhep.studies.higgsml.templates:time_scoring",
            {
                **HIGGSML_SCORES,
                "part": "test",
                "number": HIGGSML["scores"]["checked"],
                "luminosity": HIGGSML["luminosity"],
            },
        ),


use rule stage as higgsml_belt with:
    input:
        templates="<results>/higgsml/templates.nc",
        chunks=higgsml_plan.design_files("template", HIGGSML["scores"]["design"]["chunks"]),
    pathvars:
        stem="<results>/higgsml/belt/{method}",
    resources:
        **HIGGSML_LARGE,
        expected_seconds=60,
    params:
        job=lambda w: job(
            "diffhep.studies.higgsml.intervals:build_belt",
            {
                **HIGGSML_FITS,
                **HIGGSML["fits"]["belt"],
                "method": w.method,
                "shifts": w.method == "cnf",
            },
        ),


use rule stage as higgsml_intervals with:
    input:
        templates="<results>/higgsml/templates.nc",
        chunks=higgsml_plan.design_files("test", HIGGSML["scores"]["design"]["chunks"]),
        belt="<results>/higgsml/belt/{method}.nc",
    pathvars:
        stem="<results>/higgsml/intervals/{method}",
    resources:
        **HIGGSML_LARGE,
        expected_seconds=30,
    params:
        job=lambda w: job(
            "diffhep.studies.higgsml.intervals:compute_intervals",
            {
                **HIGGSML_FITS,
                **{key: HIGGSML["fits"][key] for key in ("sets", "toys")},
                "method": w.method,
                "shifts": w.method == "cnf",
            },
        ),


use rule higgsml_intervals as higgsml_many with:
    input:
        templates="<results>/higgsml/templates.nc",
        chunks=higgsml_plan.design_files("test", HIGGSML["scores"]["design"]["chunks"]),
        belt="<results>/higgsml/belt/cnf.nc",
    pathvars:
        stem="<results>/higgsml/many",
    resources:
        **HIGGSML_LARGE,
        expected_seconds=100,
    params:
        job=job(
            "diffhep.studies.higgsml.intervals:compute_intervals",
            {
                **HIGGSML_FITS,
                "sets": HIGGSML["fits"]["many"],
                "toys": HIGGSML["fits"]["many"],
                "method": "cnf",
                "shifts": True,
            },
        ),


use rule stage as higgsml_profile with:
    input:
        templates="<results>/higgsml/templates.nc",
        chunks=higgsml_plan.design_files("test", HIGGSML["scores"]["design"]["chunks"]),
    pathvars:
        stem="<results>/higgsml/profile/{method}",
    resources:
        **HIGGSML_LARGE,
        expected_seconds=60,
    params:
        job=lambda w: job(
            "diffhep.studies.higgsml.intervals:compute_intervals",
            {
                **HIGGSML_FITS,
                **{key: HIGGSML["fits"][key] for key in ("sets", "toys")},
                "method": w.method,
            },
        ),


use rule stage as higgsml_told_estimates with:
    input:
        unpack(
            lambda w: shards_or_inputs(
                HIGGSML_TOYS[w.told],
                f"<results>/higgsml/told/{w.told}",
                "toy",
                pools=HIGGSML_POOLS,
                network="<results>/higgsml/network/told.nc",
            )
        ),
    pathvars:
        stem="<results>/higgsml/told/{told}",
    resources:
        **HIGGSML_LARGE,
        expected_seconds=lambda w: seconds_unless_merged(HIGGSML_TOYS[w.told], 600),
    params:
        job=lambda w: job(
            "diffhep.studies.higgsml.nuisance_conditioned:estimate_strengths",
            {**HIGGSML_ESTIMATES[w.told], **full_range(HIGGSML_TOYS[w.told])},
        ),


use rule stage as higgsml_told_part with:
    input:
        pools=HIGGSML_POOLS,
        network="<results>/higgsml/network/told.nc",
    pathvars:
        stem="<results>/higgsml/told/{told}/toy_{first}_{last}",
    resources:
        **HIGGSML_LARGE,
        expected_seconds=lambda w: shard_seconds(HIGGSML_TOYS[w.told], 600, w),
    params:
        job=lambda w: job(
            "diffhep.studies.higgsml.nuisance_conditioned:estimate_strengths",
            {**HIGGSML_ESTIMATES[w.told], **wildcard_range(w)},
        ),


use rule stage as higgsml_told_intervals with:
    input:
        simulated="<results>/higgsml/told/simulated.nc",
        tested="<results>/higgsml/told/tested.nc",
    pathvars:
        stem="<results>/higgsml/intervals/told",
    params:
        job=job(
            "diffhep.studies.higgsml.nuisance_conditioned:compute_intervals",
            {"belt_order": HIGGSML["told"]["belt_order"]},
        ),


use rule stage as higgsml_table with:
    input:
        belted=expand("<results>/higgsml/intervals/{method}.nc", method=["cnf", "told", "baseline"]),
        profiled=expand("<results>/higgsml/profile/{method}.nc", method=["cnf", "inferno"]),
        many="<results>/higgsml/many.nc",
        direct="<results>/higgsml/direct.nc",
    pathvars:
        stem="<results>/higgsml/table",
    params:
        job=job(
            "diffhep.studies.higgsml.table:build_table",
            {"bootstrapped": HIGGSML["fits"]["bootstrapped"], "seed": config["seed"]},
        ),


use rule stage as higgsml_marginal with:
    input:
        pools=HIGGSML_POOLS,
        flows_of=HIGGSML_FLOWS,
    pathvars:
        stem="<results>/higgsml/marginal",
    params:
        job=job(
            "diffhep.studies.higgsml.illustrations:marginal_distributions",
            {
                **HIGGSML["shown"],
                "columns": HIGGSML["columns"],
                "flow": HIGGSML["flow"]["flow"],
                "strengths": HIGGSML["strengths"],
                "seed": config["seed"],
            },
        ),


use rule stage as higgsml_checked with:
    input:
        chunks=higgsml_plan.design_files("test", HIGGSML["scores"]["design"]["chunks"]),
        direct="<results>/higgsml/direct.nc",
    pathvars:
        stem="<results>/higgsml/checked",
    params:
        job=job(
            "diffhep.studies.higgsml.illustrations:compare_surface",
            {
                "order": HIGGSML_FITS["order"],
                "luminosity": HIGGSML["luminosity"],
                "network": "cnf",
            },
        ),


ruleorder: higgsml_told_intervals > higgsml_intervals


wildcard_constraints:
    process="|".join(HIGGSML_PROCESSES),
    category="one_jet|two_jets",
    part="train|template|test",
    told="simulated|tested",
    chunk=r"\d+",
