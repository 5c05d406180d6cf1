"""Jobs are read from what Snakemake says that it would do, and from what they have left."""

import pytest

from benchmarks import workers
from diffhep.errors import InputError
from diffhep.pipeline.wall_time_bounds import Job

TOLD = """Building DAG of jobs...

[Tue Nov 24 00:01:06 2026]
rule events:
    output: {0}/events.nc
    log: {0}/events.log
    jobid: 5
    benchmark: {0}/events.benchmark.tsv
    reason: Forced execution
    resources: tmpdir=/tmp, expected_seconds=10
[Tue Nov 24 00:01:06 2026]
rule train:
    input: {0}/events.nc, ntuples.root
    output: {0}/a.nc, {0}/b.nc
    jobid: 6
    benchmark: {0}/train.benchmark.tsv
    reason: Forced execution
    threads: 1000
    resources: tmpdir=/tmp
[Tue Nov 24 00:01:06 2026]
localrule all:
    input: {0}/a.nc, {0}/b.nc
    jobid: 0
    reason: Forced execution
"""


def test_a_dry_run_tells_jobs_and_what_they_need(tmp_path):
    (tmp_path / "events.benchmark.tsv").write_text("s\tmax_rss\n2.5\tNA\n")
    with pytest.raises(InputError, match=r"there is no .*train\.benchmark\.tsv: `snakemake` makes it"):
        workers.jobs_of(TOLD.format(tmp_path))
    (tmp_path / "train.benchmark.tsv").write_text("s\tmax_rss\n1.0\t10.0\n30.0\t812.5\n")  # the last counts
    events, train = workers.jobs_of(TOLD.format(tmp_path))
    assert events == Job(f"{tmp_path}/events.benchmark.tsv", 2.5)
    assert train == Job(f"{tmp_path}/train.benchmark.tsv", 30.0, 1000, (events.name,), 812.5)


def test_a_dry_run_of_everything_is_understood():
    """Every job that leaves a benchmark is read, in spite of how Snakemake words it."""
    root = workers.Path(__file__).parents[2]
    config = workers.configuration.read(root / "config/config.yaml")
    told = workers.planned(config, "neos_3")
    jobs = [body for body in workers.TOLD.findall(told) if "    benchmark: " in body]
    assert len(jobs) == 6 == told.count("    benchmark: ")  # events, four trainings, the figure
