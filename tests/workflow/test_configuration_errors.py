"""A broken configuration stops Snakemake before any job starts, with a message that names file and key."""

import pytest

pytestmark = pytest.mark.xdist_group("checkout")  # one process runs all that share what they build
CASES = {
    "unknown key": ("config/studies/blobs.yaml", "  test_fraction:", "  test_share:", "data: unknown key test_share"),
    "wrong type": ("config/config.yaml", "seed: 0", "seed: zero", "config/config.yaml: seed: 'zero' is not of type"),
    "no such result": (
        "config/figures.yaml",
        "inputs: {data: histograms/bandwidth_tradeoff}",
        "inputs: {data: histograms/absent}",
        "config/figures.yaml: neos_2.inputs.data: no rule makes results/histograms/absent.nc",
    ),
    "no such plot": (
        "config/figures.yaml",
        "plot: bandwidth_tradeoff",
        "plot: absent",
        "config/figures.yaml: neos_2: diffhep.figures.histograms:absent does not exist",
    ),
    "no such document": (
        "config/figures.yaml",
        "document: neos",
        "document: noes",
        "config/figures.yaml: neos_2.document: noes is not among documents",
    ),
    "no such check": (
        "config/claims.yaml",
        "check: ordering",
        "check: order",
        "config/claims.yaml: neos_cls_lowest: diffhep.claims:order does not exist",
    ),
    "no such claim input": (
        "config/claims.yaml",
        "runs: blobs/neos/comparison",
        "runs: blobs/noes/comparison",
        "config/claims.yaml: neos_cls_lowest.inputs.runs: no rule makes results/blobs/noes/comparison.nc",
    ),
    "sweep of nothing": (
        "config/studies/blobs.yaml",
        "variants: [cls, inferno]",
        "variants: [clz, inferno]",
        "config/studies/blobs.yaml: experiments.neos: sweep.variants: clz is no variant",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_broken_file_is_told_before_any_job_starts(checkout, case):
    file, old, new, message = CASES[case]
    undo = checkout.edit(file, old, new)
    try:
        told = checkout.snakemake("--dry-run", ok=False)
    finally:
        undo()
    assert message in told and "Traceback" not in told and "Job stats" not in told


def test_a_missing_study_file_is_named(checkout):
    path = checkout.folder / "config/studies/blobs.yaml"
    aside = path.rename(path.with_suffix(".aside"))
    try:
        told = checkout.snakemake("--dry-run", ok=False)
    finally:
        aside.rename(path)
    assert "config/studies/blobs.yaml: there is no such file" in told


def test_everything_can_be_made_from_nothing(checkout):
    """Beside old results Snakemake would pass over a figure that no rule can make; without them it says so."""
    assert "blobs_train" in checkout.snakemake("--dry-run", "--quiet", "rules")
