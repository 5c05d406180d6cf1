"""Our speed beside that of the peers. Not part of `all`: it wants the whole machine for itself."""

try:
    BENCHMARKS = conf.load_study(
        Path("config/benchmarks.yaml"), schema("benchmarks"), config["scale"]
    )
except conf.ConfigurationError as error:
    raise WorkflowError(str(error)) from None


def benchmark_settings():
    """Settings of the benchmarks, with seed, data and yields of the study of blobs."""
    study = {"means": BLOBS["data"]["means"], "yields": BLOBS["yields"]}
    return conf.plain(
        {
            **BENCHMARKS,
            "seed": config["seed"],
            "training": {**study, **BENCHMARKS["training"]},
        }
    )


rule benchmarks:
    """Time our training steps and fits beside those of relaxed and pyhf, on the same work in the same run."""
    input:
        sorted(Path(workflow.basedir, "benchmarks").glob("*.py")),
    output:
        "<results>/benchmarks.csv",
        "<results>/benchmarks.md",
    log:
        "<results>/benchmarks.log",
    benchmark:
        "<results>/benchmarks.benchmark.tsv"
    conda:
        "../../envs/diffhep.yaml"
    threads: workflow.cores
    params:
        settings=benchmark_settings(),
    script:
        "../scripts/benchmark.py"
