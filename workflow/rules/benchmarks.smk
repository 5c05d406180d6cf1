"""Our speed beside that of the peers. Not part of `all`: it wants the whole machine for itself."""

BENCHMARKS = load_settings("config/benchmarks.yaml", "benchmarks")
# seed, data and yields are those of the studies
BENCHMARKS["seed"] = config["seed"]
BENCHMARKS["training"].update(means=BLOBS["data"]["means"], yields=BLOBS["yields"], plane=BLOBS["plane"])
BENCHMARKS["optimisation"].update(data=VBF["data"], run=VBF["defaults"])


rule benchmarks:
    """Time our training steps and fits beside those of relaxed, flowjax and pyhf, on the same work in the same run."""
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
        settings=conf.plain(BENCHMARKS),
        code=[
            fingerprint(call)
            for call in ("diffhep.studies.blobs:train", "diffhep.flow_training:train", "diffhep.toys:statistics")
        ],
    script:
        "../scripts/benchmark.py"
