"""A changed setting is named where it reruns a job, and where the overlay of a scale hides it."""

import pytest

pytestmark = pytest.mark.xdist_group("checkout")  # one process runs all that share what they build
TARGET = "results/quick/histograms/translation.nc"
FILE = "config/studies/histograms.yaml"


@pytest.fixture
def dry_run(checkout):
    """Output of a dry run after an edit of the settings that the target was built with."""
    checkout.snakemake(TARGET, *checkout.quick)

    def run(old, new):
        undo = checkout.edit(FILE, old, new)
        try:
            return checkout.here("--dry-run", TARGET, *checkout.quick)
        finally:
            undo()

    return run


def test_the_reason_of_a_rerun_is_the_setting_with_its_old_and_new_value(dry_run):
    printed = dry_run("  bins: 11\n", "  bins: 13\n")
    assert "reason: Params have changed since last execution: settings.bins: 11 -> 13\n" in printed
    assert "diffhep: " not in printed


def test_a_setting_that_the_overlay_replaces_reruns_nothing_and_is_reported(dry_run):
    printed = dry_run("events: {range: [10, 20000], points: 16}", "events: {range: [10, 20000], points: 17}")
    assert "Nothing to be done" in printed
    assert (
        f"diffhep: {FILE}: gradient_map.events.points was changed (16 -> 17), but `quick:` replaces it: "
        "change it there, or build at full scale\n"
    ) in printed
