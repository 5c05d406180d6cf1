"""Study `resonance`: the search for X -> SH -> bb gamma gamma with flows that interpolate its signal."""

from diffhep.data import mass_grid
from diffhep.pipeline.run_times import flow_seconds
from diffhep.studies.resonance import plan as resonance_plan

RESONANCE = SETTINGS["resonance"]
RESONANCE_SEEDS = {key: config[key] for key in ("seed", "seeds_at_once")}
RESONANCE_GRID = exit_with_context(
    "config/studies/resonance.yaml: grid.parts", mass_grid.mass_points, RESONANCE["grid"]["parts"]
)
for key, masses in resonance_plan.named_masses(RESONANCE):
    exit_with_context(f"config/studies/resonance.yaml: {key}", mass_grid.select_points, RESONANCE_GRID, masses)
RESONANCE_TOOLS = {key: RESONANCE[key] for key in ("flow", "network")}
RESONANCE_LIMITS = {
    "seed": config["seed"],
    **RESONANCE_TOOLS,
    **{key: value for key, value in RESONANCE["limits"].items() if key != "mesh"},
}
RESONANCE_MESH = exit_with_context(
    "config/studies/resonance.yaml: limits.mesh", mass_grid.mass_mesh, RESONANCE["limits"]["mesh"]
)
RESONANCE_MASSES = range(len(RESONANCE_GRID) + len(RESONANCE_MESH))
RESONANCE_SEARCHED = {
    "signal": "<results>/resonance/signal.nc",
    "background": "<results>/resonance/background.nc",
    "flow": "<results>/resonance/train/flow.nc",
    "background_flow": "<results>/resonance/train/background_flow.nc",
    "pnn": "<results>/resonance/train/pnn.nc",
    "yields": "<results>/resonance/yields.nc",
}


use rule stage as resonance_signal with:
    input:
        files=user_files("config/studies/resonance.yaml: data.ntuples.signal", resonance_plan.signal_files(RESONANCE)),
    pathvars:
        stem="<results>/resonance/signal",
    resources:
        expected_seconds=60,
    params:
        job=job(
            "diffhep.studies.resonance.events:select_signal",
            {"seed": config["seed"], **{key: RESONANCE[key] for key in ("grid", "data")}},
        ),


use rule stage as resonance_background with:
    input:
        files=user_files(
            "config/studies/resonance.yaml: data.ntuples.background",
            RESONANCE["data"]["ntuples"].get("background", []),
        ),
    pathvars:
        stem="<results>/resonance/background",
    resources:
        expected_seconds=60,
    params:
        job=job(
            "diffhep.studies.resonance.events:select_background",
            {"seed": config["seed"], "data": RESONANCE["data"]},
        ),


use rule stage as resonance_train_flow with:
    input:
        signal=rules.resonance_signal.output[0],
    pathvars:
        stem="<results>/resonance/train/flow",
    resources:
        **training_resources(flow_seconds(RESONANCE["flow"], RESONANCE["flow_training"])),
    params:
        job=job(
            "diffhep.studies.resonance.training:train_flow",
            {**RESONANCE_SEEDS, **RESONANCE["flow_training"], "flow": RESONANCE["flow"]},
        ),


use rule stage as resonance_train_background with:
    input:
        background=rules.resonance_background.output[0],
    pathvars:
        stem="<results>/resonance/train/background_flow",
    resources:
        **training_resources(flow_seconds(RESONANCE["flow"], RESONANCE["flow_training"])),
    params:
        job=job(
            "diffhep.studies.resonance.training:train_background",
            {**RESONANCE_SEEDS, **RESONANCE["flow_training"], "flow": RESONANCE["flow"]},
        ),


use rule stage as resonance_train_network with:
    input:
        signal=rules.resonance_signal.output[0],
        background=rules.resonance_background.output[0],
    pathvars:
        stem="<results>/resonance/train/pnn",
    resources:
        expected_seconds=60,
    params:
        job=job(
            "diffhep.studies.resonance.training:train_network",
            {
                **RESONANCE_SEEDS,
                **RESONANCE["network_training"],
                "network": RESONANCE["network"],
            },
        ),


use rule stage as resonance_predict with:
    input:
        signal=rules.resonance_signal.output[0],
        trained=rules.resonance_train_flow.output[0],
    pathvars:
        stem="<results>/resonance/predict/signal",
    params:
        job=job(
            "diffhep.studies.resonance.training:predict",
            {
                "seed": config["seed"],
                **RESONANCE["prediction"],
                "min_events": RESONANCE["pulls"]["min_events"],
                "flow": RESONANCE["flow"],
            },
        ),


use rule stage as resonance_predict_background with:
    input:
        background=rules.resonance_background.output[0],
        trained=rules.resonance_train_background.output[0],
    pathvars:
        stem="<results>/resonance/predict/background",
    params:
        job=job(
            "diffhep.studies.resonance.training:predict_background",
            {
                "seed": config["seed"],
                **RESONANCE["prediction"],
                "flow": RESONANCE["flow"],
            },
        ),


use rule stage as resonance_comparison with:
    input:
        predicted=rules.resonance_predict.output[0],
    pathvars:
        stem="<results>/resonance/comparison",
    params:
        job=job("diffhep.studies.resonance.training:compare", RESONANCE["pulls"]),


use rule stage as resonance_yields with:
    input:
        signal=rules.resonance_signal.output[0],
    pathvars:
        stem="<results>/resonance/yields",
    resources:
        expected_seconds=60,
    params:
        job=job(
            "diffhep.studies.resonance.yields:interpolate",
            {
                "seed": config["seed"],
                **RESONANCE["yields"],
                "limits_mesh": RESONANCE["limits"]["mesh"],
            },
        ),


use rule stage as resonance_observables with:
    input:
        signal=rules.resonance_signal.output[0],
        background=rules.resonance_background.output[0],
        flow=rules.resonance_train_flow.output[0],
        background_flow=rules.resonance_train_background.output[0],
        pnn=rules.resonance_train_network.output[0],
    pathvars:
        stem="<results>/resonance/observables",
    resources:
        expected_seconds=60,
    params:
        job=job(
            "diffhep.studies.resonance.limits:discriminate",
            {
                **RESONANCE_TOOLS,
                **RESONANCE["observables"],
            },
        ),


use rule stage as resonance_limits with:
    input:
        **shards_or_inputs(RESONANCE_MASSES, "<results>/resonance/limits", "context", **RESONANCE_SEARCHED),
    pathvars:
        stem="<results>/resonance/limits",
    resources:
        **training_resources(seconds_unless_merged(RESONANCE_MASSES, 400)),
    params:
        job=job("diffhep.studies.resonance.limits:compute_limits", {**RESONANCE_LIMITS, **full_range(RESONANCE_MASSES)}),


use rule stage as resonance_limits_part with:
    input:
        **RESONANCE_SEARCHED,
    pathvars:
        stem="<results>/resonance/limits/context_{first}_{last}",
    resources:
        **training_resources(lambda w: shard_seconds(RESONANCE_MASSES, 400, w)),
    params:
        job=lambda w: job("diffhep.studies.resonance.limits:compute_limits", {**RESONANCE_LIMITS, **wildcard_range(w)}),


use rule stage as resonance_limits_compared with:
    input:
        limits=rules.resonance_limits.output[0],
    pathvars:
        stem="<results>/resonance/limits_compared",
    params:
        job=job("diffhep.studies.resonance.limits:compare", {}),
