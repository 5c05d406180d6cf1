"""Jobs are parsed from a dry run of Snakemake, and their times from the benchmark files."""

from pathlib import Path

import pytest

from benchmarks import workers
from diffhep.errors import InputError
from diffhep.pipeline import settings
from diffhep.pipeline.wall_time_bounds import Job

OUTPUT = """Building DAG of jobs...

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


def test_jobs_and_their_needs_are_parsed_from_a_dry_run(tmp_path):
    (tmp_path / "events.benchmark.tsv").write_text("s\tmax_rss\n2.5\tNA\n")
    with pytest.raises(InputError, match=r"there is no .*train\.benchmark\.tsv: build the results"):
        workers.parse_jobs(OUTPUT.format(tmp_path))
    (tmp_path / "train.benchmark.tsv").write_text("s\tmax_rss\n1.0\t10.0\n30.0\t812.5\n")  # the last counts
    events, train = workers.parse_jobs(OUTPUT.format(tmp_path))
    assert events == Job(f"{tmp_path}/events.benchmark.tsv", 2.5)
    assert train == Job(f"{tmp_path}/train.benchmark.tsv", 30.0, 1000, (events.name,))


def test_all_jobs_with_a_benchmark_file_are_parsed():
    config = settings.read(Path(__file__).parents[2] / "config/config.yaml")
    output = workers.dry_run(config, "neos_3")
    jobs = [body for body in workers.JOB.findall(output) if "    benchmark: " in body]
    assert len(jobs) == 6 == output.count("    benchmark: ")  # events, four trainings, the figure
