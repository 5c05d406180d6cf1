"""Study `contrastive`: contrastive flows of normal events in two and ten dimensions, and of digits."""

from diffhep.merging import merge
from diffhep.pipeline.run_times import coupling_seconds

CONTRASTIVE = SETTINGS["contrastive"]
CONTRASTIVE_SEEDS = {key: config[key] for key in ("seed", "seeds_at_once")}
CONTRASTIVE_STRENGTHS = [float(strength) for strength in CONTRASTIVE["strengths"]]
CONTRASTIVE_TEN = {key: CONTRASTIVE[key] for key in ("gaussians", "events", "validation")} | {
    "dimension": CONTRASTIVE["ten"]["dimension"]
}
CONTRASTIVE_DIGITS = (
    merge(CONTRASTIVE["flow"], CONTRASTIVE["digits"]["training"]) | CONTRASTIVE["digits"]["images"]
)


use rule stage as contrastive_sample with:
    pathvars:
        stem="<results>/contrastive/plane/sample",
    params:
        job=job(
            "diffhep.studies.contrastive.gaussians:generate",
            {
                "seed": config["seed"],
                **{key: CONTRASTIVE[key] for key in ("gaussians", "events", "validation")},
            },
        ),


use rule stage as contrastive_flow with:
    input:
        sample="<results>/contrastive/plane/sample.nc",
    pathvars:
        stem="<results>/contrastive/plane/flow/{variant}_{strength}",
    resources:
        **training_resources(coupling_seconds(CONTRASTIVE["flow"])),
    params:
        job=lambda w: job(
            "diffhep.studies.contrastive.gaussians:train_flow",
            {
                **CONTRASTIVE_SEEDS,
                **merge(CONTRASTIVE["flow"], CONTRASTIVE["variants"][w.variant]),
                "strength": float(w.strength),
            },
        ),


use rule stage as contrastive_classifier with:
    input:
        sample="<results>/contrastive/plane/sample.nc",
    pathvars:
        stem="<results>/contrastive/plane/classifier",
    resources:
        expected_seconds=20,
    params:
        job=job(
            "diffhep.studies.contrastive.gaussians:train_classifier",
            {**CONTRASTIVE_SEEDS, **CONTRASTIVE["classifier"]},
        ),


use rule stage as contrastive_surfaces with:
    input:
        sample="<results>/contrastive/plane/sample.nc",
        classifier="<results>/contrastive/plane/classifier.nc",
        flows=expand("<results>/contrastive/plane/flow/hyperbolic_{strength}.nc", strength=CONTRASTIVE_STRENGTHS),
    pathvars:
        stem="<results>/contrastive/plane/surfaces",
    params:
        job=job(
            "diffhep.studies.contrastive.gaussians:surfaces",
            {
                **CONTRASTIVE["surfaces"],
                **{key: CONTRASTIVE[key] for key in ("gaussians", "flow", "classifier")},
                "strengths": CONTRASTIVE_STRENGTHS,
            },
        ),


use rule stage as contrastive_compare with:
    input:
        sample="<results>/contrastive/plane/sample.nc",
        flows=expand("<results>/contrastive/plane/flow/{variant}_1.0.nc", variant=CONTRASTIVE["variants"]),
    pathvars:
        stem="<results>/contrastive/plane/couplings",
    resources:
        expected_seconds=30,
    params:
        job=job(
            "diffhep.studies.contrastive.gaussians:compare",
            {
                "cut": CONTRASTIVE["surfaces"]["cut"],
                **{key: CONTRASTIVE[key] for key in ("gaussians", "flow", "variants")},
            },
        ),


use rule stage as contrastive_ten_flow with:
    pathvars:
        stem="<results>/contrastive/ten/{label}_{trial}",
    resources:
        **training_resources(coupling_seconds(CONTRASTIVE["flow"])),
    params:
        job=lambda w: job(
            "diffhep.studies.contrastive.robustness:train_flow",
            {
                **CONTRASTIVE_TEN,
                **CONTRASTIVE["flow"],
                "strength": 1.0,
                "label": w.label,
                "seed": config["seed"] + int(w.trial),
                "seeds_at_once": config["seeds_at_once"],
            },
        ),


use rule stage as contrastive_ten_plain with:
    pathvars:
        stem="<results>/contrastive/ten/plain_{trial}",
    resources:
        expected_seconds=20,
    params:
        job=lambda w: job(
            "diffhep.studies.contrastive.robustness:train_classifier",
            {
                **CONTRASTIVE_TEN,
                **CONTRASTIVE["classifier"],
                "seed": config["seed"] + int(w.trial),
                "seeds_at_once": config["seeds_at_once"],
            },
        ),


use rule stage as contrastive_robustness with:
    input:
        signal="<results>/contrastive/ten/signal_{trial}.nc",
        background="<results>/contrastive/ten/background_{trial}.nc",
        plain="<results>/contrastive/ten/plain_{trial}.nc",
    pathvars:
        stem="<results>/contrastive/ten/{scenario}/{trial}",
    resources:
        expected_seconds=50,
    params:
        job=lambda w: job(
            "diffhep.studies.contrastive.robustness:measure_accuracy",
            {
                **CONTRASTIVE_TEN,
                **{key: CONTRASTIVE["ten"][key] for key in ("angles", "per_angle", "tested", "test_events", "cut")},
                **CONTRASTIVE["ten"]["scenarios"][w.scenario],
                "classifier": CONTRASTIVE["classifier"] | {"seeds_at_once": config["seeds_at_once"]},
                "flow": CONTRASTIVE["flow"]["flow"],
                "seed": config["seed"] + int(w.trial),
            },
        ),


use rule stage as contrastive_trials with:
    input:
        trials=expand("<results>/contrastive/ten/{{scenario}}/{trial}.nc", trial=range(CONTRASTIVE["ten"]["seeds"])),
    pathvars:
        stem="<results>/contrastive/ten/{scenario}",
    params:
        job=job("diffhep.studies.contrastive.robustness:join_seeds", {}),


use rule stage as contrastive_comparison with:
    input:
        scenarios=expand("<results>/contrastive/ten/{scenario}.nc", scenario=CONTRASTIVE["ten"]["scenarios"]),
    pathvars:
        stem="<results>/contrastive/robustness",
    params:
        job=job("diffhep.studies.contrastive.robustness:compare", {}),


use rule stage as contrastive_digits with:
    pathvars:
        stem="<results>/contrastive/digits/{pair}/{strength}",
    resources:
        expected_seconds=40,
    params:
        job=lambda w: job(
            "diffhep.studies.contrastive.digits:train",
            {
                **CONTRASTIVE_SEEDS,
                **CONTRASTIVE_DIGITS,
                "digits": CONTRASTIVE["digits"]["pairs"][w.pair],
                "strength": float(w.strength),
            },
        ),


use rule stage as contrastive_drawn with:
    input:
        flows_of=expand(
            "<results>/contrastive/digits/{{pair}}/{strength}.nc",
            strength=map(float, CONTRASTIVE["digits"]["strengths"]),
        ),
    pathvars:
        stem="<results>/contrastive/digits/{pair}/samples",
    params:
        job=job(
            "diffhep.studies.contrastive.digits:generate_images",
            {
                "seed": config["seed"],
                "flow": CONTRASTIVE_DIGITS["flow"],
                "shown": CONTRASTIVE["digits"]["shown"],
            },
        ),


use rule stage as contrastive_judged with:
    input:
        trained="<results>/contrastive/digits/{pair}/2.0.nc",
    pathvars:
        stem="<results>/contrastive/digits/{pair}/judged",
    params:
        job=lambda w: job(
            "diffhep.studies.contrastive.digits:evaluate_images",
            {
                "seed": config["seed"],
                **CONTRASTIVE["digits"]["images"],
                **{key: CONTRASTIVE_DIGITS[key] for key in ("flow", "floor")},
                "digits": CONTRASTIVE["digits"]["pairs"][w.pair],
            },
        ),


wildcard_constraints:
    variant="|".join(map(re.escape, CONTRASTIVE["variants"])),
    strength=r"\d+\.\d+",
    label="signal|background",
    trial=r"\d+",
    scenario="|".join(map(re.escape, CONTRASTIVE["ten"]["scenarios"])),
    pair="|".join(map(re.escape, CONTRASTIVE["digits"]["pairs"])),
