"""A document is built by jobs of SLURM, which ask for what they need."""

import pandas as pd
import pytest
import yaml
from support.manifest import manifest

from .cluster import CPUS

pytestmark = pytest.mark.slurm
DOCUMENT = "neos"
SLURM = "profiles/slurm/profile.yaml"


@pytest.fixture(scope="module")
def jobs(cluster, checkout) -> dict[str, dict[str, str]]:
    """What SLURM says of the jobs of the document, by the plugin's comment on each."""
    before = len(cluster.jobs())
    checkout.snakemake(*checkout.submission(DOCUMENT))
    return {job["Comment"]: job for job in cluster.jobs()[before:]}


@pytest.fixture(scope="module")
def asked(checkout) -> dict:
    """What the profile asks for."""
    return yaml.safe_load((checkout.folder / SLURM).read_text())


def trainings(jobs):
    return [job for comment, job in jobs.items() if comment.startswith("rule_blobs_train_")]


def test_the_document_is_there(jobs, checkout):
    results = checkout.folder / "results/quick"
    figures = manifest(checkout.folder).figures
    for name in (name for name, entry in figures.items() if entry["document"] == DOCUMENT):
        assert (results / f"figures/{name}.pdf").stat().st_size > 5000
    assert len(pd.read_csv(results / f"claims/{DOCUMENT}.csv")) > 5


def test_every_job_ran_on_the_node(jobs, checkout):
    assert {(job["JobState"], job["NodeList"], job["Partition"]) for job in jobs.values()} == {
        ("COMPLETED", "localhost", "tests")
    }
    logs = (checkout.folder / "results/quick/blobs").rglob("*.log")
    assert len(list(logs)) == sum(comment.startswith("rule_blobs_") for comment in jobs)


def test_trainings_ask_for_a_core_memory_and_time(jobs, asked):
    assert len(trainings(jobs)) > 5
    for job in trainings(jobs):
        assert job["NumCPUs"] == "1"
        assert job["MinMemoryNode"] == f"{asked['default-resources']['mem_mb']}M"
        assert "00:30:00" < job["TimeLimit"] < "01:00:00"  # half an hour, and more by their size


def test_what_times_others_asks_for_all_cores(jobs, asked):
    assert asked["cores"] == CPUS
    assert jobs["rule_blobs_step_cost_wildcards_neos"]["NumCPUs"] == str(CPUS)


def test_figures_come_in_one_job(jobs, asked):
    groups = [job for comment, job in jobs.items() if "figure" in comment]
    assert len(groups) == 1
    assert groups[0]["NumCPUs"] == str(CPUS)  # as many at once as there are cores
    assert groups[0]["MinMemoryNode"] == f"{CPUS * asked['set-resources']['figure']['mem_mb']}M"
