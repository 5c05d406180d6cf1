"""What is spread over jobs gives the same file, byte for byte."""

import re

import pytest

pytestmark = pytest.mark.xdist_group("checkout")  # one process runs all that share what they build
STEM = "results/quick/blobs/neos/train/bce"
SEEDS = ("batch_size: 200, seeds: 2}\n      sweep", "batch_size: 200, seeds: 5}\n      sweep")


def test_one_setting_spreads_seeds_pseudo_experiments_and_contexts(checkout):
    """Of stages, each of which has a test of its own that the parts make the same file."""
    parts = re.compile(r"^(\w+)_part +\d+$", re.M)
    spread = {
        "blobs_train",
        "vbf_hh4b_train",
        "blobs_scan",
        "higgsml_nuisance_conditioned",
        "split_n_fit_sets",
        "resonance_limits",
    }
    assert set(parts.findall(checkout.here("--dry-run", "--quiet", "rules", "--config", "seeds_per_job=2"))) == spread


def test_seeds_may_be_spread_over_jobs(checkout):
    undo = checkout.edit("config/studies/blobs.yaml", *SEEDS)
    try:
        checkout.snakemake(f"{STEM}.nc", *checkout.quick)
        target = checkout.folder / f"{STEM}.nc"
        together = target.read_bytes()
        target.unlink()
        printed = checkout.snakemake(f"{STEM}.nc", *checkout.quick, "--config", "seeds_per_job=2")
        assert re.search(r"blobs_train_part +2\n", printed)
        parts = sorted(path.name for path in (checkout.folder / STEM).glob("*.nc"))
        assert parts == ["seed_0_1.nc", "seed_2_4.nc"]
        assert target.read_bytes() == together
        joined = re.search(r"rule blobs_train:.*?expected_seconds=(\d+)", printed, re.S)
        assert int(joined[1]) == 5  # what is trained elsewhere is not forecast twice
    finally:
        undo()
        target.unlink(missing_ok=True)
