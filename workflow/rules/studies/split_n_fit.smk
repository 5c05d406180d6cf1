"""Study `split_n_fit`: a badly trained network is fine-tuned on data by a differentiable fit."""

from diffhep.studies.split_n_fit import plan as split_n_fit_plan

SPLIT_N_FIT = SETTINGS["split_n_fit"]
SPLIT_DATA, SPLIT_SEEDS = SPLIT_N_FIT["data"], {key: config[key] for key in ("seed", "seeds_at_once")}
SPLIT_FIT = {
    "seed": config["seed"],
    "network": SPLIT_N_FIT["network"],
    "shapes": SPLIT_N_FIT["shapes"],
    **{key: SPLIT_DATA[key] for key in ("range", "bins", "yields")},
    **SPLIT_N_FIT["pseudo_experiments"],
}
for part, shape in SPLIT_N_FIT["shapes"].items():
    exit_with_context(
        f"config/studies/split_n_fit.yaml: shapes.{part}",
        check_arguments,
        f"diffhep.inference.spectra.shapes:{shape['shape']}",
        ["edges", *(key for key in shape if key != "shape")],
    )
SPLIT_SETS = range(SPLIT_N_FIT["data_sets"]["number"])
SPLIT_SAMPLES = "<results>/split_n_fit/{inputs}/sample"


use rule stage as split_n_fit_sample with:
    pathvars:
        stem="<results>/split_n_fit/{inputs}/sample/{sample}",
    resources:
        expected_seconds=40,
    params:
        job=lambda w: job(
            "diffhep.studies.split_n_fit.stages:generate",
            {
                "seed": config["seed"],
                **SPLIT_DATA,
                "sample": w.sample,
                "decorrelated": w.inputs == "decorrelated",
            },
        ),


use rule stage as split_n_fit_train with:
    input:
        signal=f"{SPLIT_SAMPLES}/signal.nc",
        background=f"{SPLIT_SAMPLES}/{{sample}}.nc",
    pathvars:
        stem="<results>/split_n_fit/{inputs}/network/{sample}",
    resources:
        expected_seconds=30,
    params:
        job=job(
            "diffhep.studies.split_n_fit.stages:train",
            {
                **SPLIT_SEEDS,
                **SPLIT_N_FIT["supervised"],
                "network": SPLIT_N_FIT["network"],
            },
        ),


use rule stage as split_n_fit_tune with:
    input:
        trained="<results>/split_n_fit/{inputs}/network/wrong.nc",
        signal=f"{SPLIT_SAMPLES}/signal.nc",
        background=f"{SPLIT_SAMPLES}/correct.nc",
    pathvars:
        stem="<results>/split_n_fit/{inputs}/network/tuned",
    resources:
        expected_seconds=90,
    params:
        job=job(
            "diffhep.studies.split_n_fit.stages:tune",
            {**SPLIT_FIT, **SPLIT_N_FIT["fine_tuning"]},
        ),


use rule split_n_fit_tune as split_n_fit_sweep with:
    pathvars:
        stem="<results>/split_n_fit/{inputs}/network/tuned_{point}",
    params:
        job=lambda w: job(
            "diffhep.studies.split_n_fit.stages:tune",
            {
                **SPLIT_FIT,
                **SPLIT_N_FIT["fine_tuning"],
                **SPLIT_N_FIT["sweep"][w.point],
            },
        ),


use rule stage as split_n_fit_spectra with:
    input:
        signal=f"{SPLIT_SAMPLES}/signal.nc",
        background=f"{SPLIT_SAMPLES}/correct.nc",
        networks=lambda w: expand(
            "<results>/split_n_fit/{inputs}/network/{network}.nc",
            inputs=w.inputs,
            network=split_n_fit_plan.compared_networks(w.inputs, SPLIT_N_FIT["sweep"]),
        ),
    pathvars:
        stem="<results>/split_n_fit/{inputs}/spectra",
    resources:
        expected_seconds=20,
    params:
        job=job(
            "diffhep.studies.split_n_fit.stages:spectra",
            SPLIT_FIT,
        ),


use rule stage as split_n_fit_experiment with:
    input:
        spectra="<results>/split_n_fit/{inputs}/spectra.nc",
    pathvars:
        stem="<results>/split_n_fit/{inputs}/experiments",
    params:
        job=job("diffhep.studies.split_n_fit.stages:experiment", SPLIT_FIT),


use rule stage as split_n_fit_sets with:
    input:
        unpack(
            lambda w: shards_or_inputs(
                SPLIT_SETS,
                f"<results>/split_n_fit/{w.inputs}/data_sets/{w.strength}",
                "data_set",
                trained=f"<results>/split_n_fit/{w.inputs}/network/wrong.nc",
                signal=f"<results>/split_n_fit/{w.inputs}/sample/signal.nc",
                background=f"<results>/split_n_fit/{w.inputs}/sample/correct.nc",
            )
        ),
    pathvars:
        stem="<results>/split_n_fit/{inputs}/data_sets/{strength}",
    resources:
        **training_resources(seconds_unless_merged(SPLIT_SETS, 200)),
    params:
        job=lambda w: job(
            "diffhep.studies.split_n_fit.data_sets:data_sets",
            {
                **SPLIT_FIT,
                **SPLIT_N_FIT["data_sets"]["fine_tuning"],
                **full_range(SPLIT_SETS),
                "strength": float(w.strength),
            },
        ),


use rule stage as split_n_fit_sets_part with:
    input:
        trained="<results>/split_n_fit/{inputs}/network/wrong.nc",
        signal=f"{SPLIT_SAMPLES}/signal.nc",
        background=f"{SPLIT_SAMPLES}/correct.nc",
    pathvars:
        stem="<results>/split_n_fit/{inputs}/data_sets/{strength}/data_set_{first}_{last}",
    resources:
        **training_resources(lambda w: shard_seconds(SPLIT_SETS, 200, w)),
    params:
        job=lambda w: job(
            "diffhep.studies.split_n_fit.data_sets:data_sets",
            {
                **SPLIT_FIT,
                **SPLIT_N_FIT["data_sets"]["fine_tuning"],
                **wildcard_range(w),
                "strength": float(w.strength),
            },
        ),


use rule stage as split_n_fit_comparison with:
    input:
        experiments="<results>/split_n_fit/decorrelated/experiments.nc",
        sets=expand(
            "<results>/split_n_fit/decorrelated/data_sets/{strength}.nc",
            strength=["0.0", "1.0"],
        ),
    pathvars:
        stem="<results>/split_n_fit/comparison",
    params:
        job=job(
            "diffhep.studies.split_n_fit.data_sets:compare",
            {"seed": config["seed"], "resampled": 200},
        ),


wildcard_constraints:
    inputs="decorrelated|correlated",
    sample="signal|correct|wrong",
    strength=r"\d+\.\d+",
    point="|".join(map(re.escape, SPLIT_N_FIT["sweep"])),
