"""Speed beside that of the peers, and with more workers. Not part of `all`: timing needs a machine at rest."""

BENCHMARKS = load_settings("config/benchmarks.yaml", "benchmarks")
# seed, data and yields are those of the studies
BENCHMARKS["seed"] = config["seed"]
BENCHMARKS["training"].update(means=BLOBS.data.means.plain(), yields=BLOBS.yields.plain(), plane=BLOBS.plane.plain())
BENCHMARKS["optimisation"].update(data=VBF["data"], run=VBF["defaults"])
WORKERS = BENCHMARKS.pop("workers")


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
        settings=conf.as_plain_json(BENCHMARKS),
        code=[
            fingerprint(call)
            for call in (
                "diffhep.studies.blobs.stages:train",
                "diffhep.flows.training:train",
                "diffhep.inference.toys:toy_statistics",
            )
        ],
    script:
        "../scripts/benchmark.py"


rule workers_measured:
    """Time a small build with one worker and more, and collect the measured times of all jobs."""
    input:
        ancient("<results>/report.html"),  # needs all results, whose times are read
        ancient(rules.workspaces.input),
    output:
        "<results>/workers.nc",
    log:
        "<results>/workers.log",
    benchmark:
        "<results>/workers.benchmark.tsv"
    conda:
        "../../envs/diffhep.yaml"
    threads: workflow.cores
    params:
        settings=conf.as_plain_json(WORKERS),
    script:
        "../scripts/workers.py"


rule workers_figure:
    """Draw measured wall times against the number of workers, with their lower bounds."""
    input:
        workers=rules.workers_measured.output[0],
    output:
        pdf="<results>/workers.pdf",
        png="<results>/workers.png",
    log:
        "<results>/workers_figure.log",
    benchmark:
        "<results>/workers_figure.benchmark.tsv"
    conda:
        "../../envs/diffhep.yaml"
    params:
        entry=conf.as_plain_json(
            {
                "study": "workers",
                "plot": "wall_time",
                "options": {},
            }
        ),
        code=fingerprint("diffhep.figures.workers:wall_time"),
        dpi=config["dpi"],
    script:
        "../scripts/draw.py"


rule workers:
    """Wall time of builds against workers, on a machine at rest."""
    input:
        rules.workers_figure.output,
    localrule: True
