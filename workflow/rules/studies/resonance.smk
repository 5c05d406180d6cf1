"""Study `resonance`: the search for X -> SH -> bb gamma gamma with flows that interpolate its signal."""

from diffhep.pipeline.run_times import flow_seconds
from diffhep.studies.resonance import plan as resonance_plan

RESONANCE = SETTINGS["resonance"]
RESONANCE_SUITE = {key: config[key] for key in ("seed", "seeds_at_once")}
exit_with_context("config/studies/resonance.yaml", resonance_plan.check, RESONANCE)
RESONANCE_FLOW_TRAINING = resonance_plan.flow_training(RESONANCE, RESONANCE_SUITE)
RESONANCE_FLOW_SECONDS = flow_seconds(RESONANCE["flow"], RESONANCE["flow_training"])
RESONANCE_LIMITS = resonance_plan.limits(RESONANCE, config["seed"])
RESONANCE_LIMIT_POINTS = resonance_plan.limit_points(RESONANCE)
RESONANCE_LIMIT_INPUTS = {
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
            resonance_plan.signal(RESONANCE, config["seed"]),
        ),


use rule stage as resonance_background with:
    input:
        files=user_files(
            "config/studies/resonance.yaml: data.ntuples.background",
            resonance_plan.background_files(RESONANCE),
        ),
    pathvars:
        stem="<results>/resonance/background",
    resources:
        expected_seconds=60,
    params:
        job=job(
            "diffhep.studies.resonance.events:select_background",
            resonance_plan.background(RESONANCE, config["seed"]),
        ),


use rule stage as resonance_train_flow with:
    input:
        signal=rules.resonance_signal.output[0],
    pathvars:
        stem="<results>/resonance/train/flow",
    resources:
        **training_resources(RESONANCE_FLOW_SECONDS),
    params:
        job=job("diffhep.studies.resonance.training:train_flow", RESONANCE_FLOW_TRAINING),


use rule stage as resonance_train_background with:
    input:
        background=rules.resonance_background.output[0],
    pathvars:
        stem="<results>/resonance/train/background_flow",
    resources:
        **training_resources(RESONANCE_FLOW_SECONDS),
    params:
        job=job("diffhep.studies.resonance.training:train_background", RESONANCE_FLOW_TRAINING),


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
            resonance_plan.network_training(RESONANCE, RESONANCE_SUITE),
        ),


use rule stage as resonance_predict with:
    input:
        signal=rules.resonance_signal.output[0],
        trained=rules.resonance_train_flow.output[0],
    pathvars:
        stem="<results>/resonance/predict/signal",
    params:
        job=job(
            "diffhep.studies.resonance.prediction:predict",
            resonance_plan.prediction(RESONANCE, config["seed"]),
        ),


use rule stage as resonance_predict_background with:
    input:
        background=rules.resonance_background.output[0],
        trained=rules.resonance_train_background.output[0],
    pathvars:
        stem="<results>/resonance/predict/background",
    params:
        job=job(
            "diffhep.studies.resonance.prediction:predict_background",
            resonance_plan.background_prediction(RESONANCE, config["seed"]),
        ),


use rule stage as resonance_comparison with:
    input:
        predicted=rules.resonance_predict.output[0],
    pathvars:
        stem="<results>/resonance/comparison",
    params:
        job=job("diffhep.studies.resonance.prediction:compare", RESONANCE["pulls"]),


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
            resonance_plan.yields(RESONANCE, config["seed"]),
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
        job=job("diffhep.studies.resonance.observables:discriminate", resonance_plan.observables(RESONANCE)),


use rule stage as resonance_limits with:
    input:
        **shards_or_inputs(RESONANCE_LIMIT_POINTS, "<results>/resonance/limits", "context", **RESONANCE_LIMIT_INPUTS),
    pathvars:
        stem="<results>/resonance/limits",
    resources:
        **training_resources(seconds_unless_merged(RESONANCE_LIMIT_POINTS, 400)),
    params:
        job=job(
            "diffhep.studies.resonance.limits:compute_limits",
            {**RESONANCE_LIMITS, **full_range(RESONANCE_LIMIT_POINTS)},
        ),


use rule stage as resonance_limits_part with:
    input:
        **RESONANCE_LIMIT_INPUTS,
    pathvars:
        stem="<results>/resonance/limits/context_{first}_{last}",
    resources:
        **training_resources(lambda w: shard_seconds(RESONANCE_LIMIT_POINTS, 400, w)),
    params:
        job=lambda w: job(
            "diffhep.studies.resonance.limits:compute_limits",
            {**RESONANCE_LIMITS, **wildcard_range(w)},
        ),


use rule stage as resonance_limits_compared with:
    input:
        limits=rules.resonance_limits.output[0],
    pathvars:
        stem="<results>/resonance/limits_compared",
    params:
        job=job("diffhep.studies.resonance.limits:compare", {}),
