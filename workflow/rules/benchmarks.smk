"""Our speed beside that of the peers, and with more workers. Not part of `all`: it wants the whole machine for itself."""

BENCHMARKS = load_settings("config/benchmarks.yaml", "benchmarks")
# seed, data and yields are those of the studies
BENCHMARKS["seed"] = config["seed"]
BENCHMARKS["training"].update(means=BLOBS.data.means.plain(), yields=BLOBS.yields.plain(), plane=BLOBS.plane.plain())
BENCHMARKS["optimisation"].update(data=VBF["data"], run=VBF["defaults"])
WORKERS = BENCHMARKS.pop("workers")
SLURM = exit_with_context("", conf.read, "profiles/slurm/profile.yaml")


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
    """Time a small build with one worker and more; how long each job of everything took is there already."""
    input:
        ancient("<results>/report.html"),  # which needs all that the model is of
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
        settings=conf.as_plain_json({key: WORKERS[key] for key in ("target", "repeats")}),
    script:
        "../scripts/workers.py"


rule workers_figure:
    """Draw wall time against workers, measured, and as a model has it."""
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
                "options": {
                    "nodes": WORKERS["nodes"],
                    "cluster": {
                        "overhead": WORKERS["overhead"],
                        "poll": SLURM["seconds-between-status-checks"],
                        "places": SLURM["jobs"],
                    },
                },
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
