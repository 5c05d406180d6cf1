"""Study `contrastive`: contrastive flows of normal events in two and ten dimensions, and of digits."""

from diffhep.pipeline.run_times import coupling_seconds
from diffhep.studies.contrastive import plan as contrastive_plan

CONTRASTIVE = SETTINGS["contrastive"]
CONTRASTIVE_SUITE = {key: config[key] for key in ("seed", "seeds_at_once")}


use rule stage as contrastive_sample with:
    pathvars:
        stem="<results>/contrastive/plane/sample",
    params:
        job=job(
            "diffhep.studies.contrastive.gaussians:generate",
            contrastive_plan.sample(CONTRASTIVE, config["seed"]),
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
            contrastive_plan.flow(CONTRASTIVE, CONTRASTIVE_SUITE, w.variant, float(w.strength)),
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
            contrastive_plan.classifier(CONTRASTIVE, CONTRASTIVE_SUITE),
        ),


use rule stage as contrastive_surfaces with:
    input:
        sample="<results>/contrastive/plane/sample.nc",
        classifier="<results>/contrastive/plane/classifier.nc",
        flows=expand(
            "<results>/contrastive/plane/flow/hyperbolic_{strength}.nc",
            strength=contrastive_plan.strengths(CONTRASTIVE),
        ),
    pathvars:
        stem="<results>/contrastive/plane/surfaces",
    params:
        job=job("diffhep.studies.contrastive.gaussians:surfaces", contrastive_plan.surfaces(CONTRASTIVE)),


use rule stage as contrastive_compare with:
    input:
        sample="<results>/contrastive/plane/sample.nc",
        flows=expand("<results>/contrastive/plane/flow/{variant}_1.0.nc", variant=CONTRASTIVE["variants"]),
    pathvars:
        stem="<results>/contrastive/plane/couplings",
    resources:
        expected_seconds=30,
    params:
        job=job("diffhep.studies.contrastive.gaussians:compare", contrastive_plan.couplings(CONTRASTIVE)),


use rule stage as contrastive_ten_flow with:
    pathvars:
        stem="<results>/contrastive/ten/{label}_{trial}",
    resources:
        **training_resources(coupling_seconds(CONTRASTIVE["flow"])),
    params:
        job=lambda w: job(
            "diffhep.studies.contrastive.robustness:train_flow",
            contrastive_plan.embedded_flow(CONTRASTIVE, CONTRASTIVE_SUITE, w.label, int(w.trial)),
        ),


use rule stage as contrastive_ten_plain with:
    pathvars:
        stem="<results>/contrastive/ten/plain_{trial}",
    resources:
        expected_seconds=20,
    params:
        job=lambda w: job(
            "diffhep.studies.contrastive.robustness:train_classifier",
            contrastive_plan.embedded_classifier(CONTRASTIVE, CONTRASTIVE_SUITE, int(w.trial)),
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
            contrastive_plan.robustness(CONTRASTIVE, CONTRASTIVE_SUITE, w.scenario, int(w.trial)),
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
            contrastive_plan.digit_flow(CONTRASTIVE, CONTRASTIVE_SUITE, w.pair, float(w.strength)),
        ),


use rule stage as contrastive_digit_samples with:
    input:
        flows=expand(
            "<results>/contrastive/digits/{{pair}}/{strength}.nc",
            strength=map(float, CONTRASTIVE["digits"]["strengths"]),
        ),
    pathvars:
        stem="<results>/contrastive/digits/{pair}/samples",
    params:
        job=job(
            "diffhep.studies.contrastive.digits:generate_images",
            contrastive_plan.digit_samples(CONTRASTIVE, config["seed"]),
        ),


use rule stage as contrastive_test_images with:
    input:
        trained="<results>/contrastive/digits/{pair}/2.0.nc",
    pathvars:
        stem="<results>/contrastive/digits/{pair}/test_images",
    params:
        job=lambda w: job(
            "diffhep.studies.contrastive.digits:evaluate_images",
            contrastive_plan.digit_densities(CONTRASTIVE, config["seed"], w.pair),
        ),


wildcard_constraints:
    variant="|".join(map(re.escape, CONTRASTIVE["variants"])),
    strength=r"\d+\.\d+",
    label="signal|background",
    trial=r"\d+",
    scenario="|".join(map(re.escape, CONTRASTIVE["ten"]["scenarios"])),
    pair="|".join(map(re.escape, CONTRASTIVE["digits"]["pairs"])),
