"""Everything is built at quick scale, and made anew exactly where something changed."""

import os
import re

import pandas as pd
import pytest
from support.manifest import claims, manifest

from diffhep.models import workspace

pytestmark = pytest.mark.xdist_group("built")  # one process runs all that share what they build


def rerun(checkout) -> dict[str, list[str]]:
    """Outputs by rule of what a dry run would do."""
    printed = checkout.snakemake(*checkout.quick, "--dry-run")
    jobs: dict[str, list[str]] = {}
    for rule, output in re.findall(r"^(?:local)?rule (\w+):(?:\n    (?!output).*)*\n    output: (.*)", printed, re.M):
        jobs.setdefault(rule, []).extend(output.split(", "))
    return jobs


def test_every_figure_is_there_and_no_job_warned(built):
    results = built.folder / "results/quick"
    figures = manifest(built.folder)
    for name in figures.figures:
        for form in ("pdf", "png"):
            assert (results / f"figures/{name}.{form}").stat().st_size > 5000
    for name in figures.animations:
        assert (results / f"figures/{name}.gif").read_bytes()[:6] in (b"GIF87a", b"GIF89a")
    logs = list(results.rglob("*.log"))
    assert logs and not [path for path in logs if "Warning" in path.read_text()]


def test_a_run_begins_with_a_forecast_and_tells_what_is_left(built):
    jobs = re.search(r"\d+ of (\d+) steps \(100%\) done", built.printed)
    if not jobs or int(jobs[1]) < 100:
        pytest.skip("nothing or little had to be built: `make clean` first")
    assert re.search(r"Forecast: \d+ jobs, about \d+ minutes? on \d+ cores?; done around \w+ \d\d:\d\d", built.printed)
    assert re.search(r"Left: \d+ of \d+ jobs, about \d+ minutes?; done around \w+ \d\d:\d\d", built.printed)


def test_every_trained_observable_is_there_as_a_workspace(built):
    results = built.folder / "results/quick/blobs"
    for trained in results.glob("*/train/*.nc"):
        name = f"{trained.parts[-3]}_{trained.stem}"
        assert sorted((results / "workspaces").glob(f"{name}_seed_[0-9]*.json")), name
    for path in (results / "workspaces").glob("neos_cls_seed_*.json"):
        workspace.load(path)


def test_claims_are_tabulated(built):
    table = pd.read_csv(built.folder / "results/quick/claims.csv")
    assert list(table.columns) == ["document", "section", "claim", "measured", "verdict"]
    assert set(table["verdict"]) <= {"holds", "does not hold", "undecided"}
    order = list(manifest(built.folder).documents)
    by_document = sorted(claims(built.folder).values(), key=lambda claim: order.index(claim["document"]))
    assert list(table["claim"]) == [claim["claim"] for claim in by_document]
    assert (built.folder / "results/quick/claims.md").read_text().startswith("| document")


def test_training_tells_its_progress(built):
    log = (built.folder / "results/quick/blobs/neos/train/cls.log").read_text()
    assert re.search(r"epoch 4/4 .*cls=", log)


def test_nothing_is_left_to_do_even_when_every_file_is_touched(built):
    for path in built.folder.rglob("*"):
        if path.suffix in {".py", ".smk", ".yaml"} or path.name == "Snakefile":
            os.utime(path)
    # Snakemake takes a touched script for a changed one, so scripts are few and never change
    for script in (built.folder / "workflow/scripts").glob("*.py"):
        os.utime(script, (0, 0))
    assert rerun(built) == {}


EDITS = {
    "a plot function": (
        "src/diffhep/figures/blobs.py",
        "def toys(",
        "def toys(\n    unused=None,",
        {"figure": ["neos_toys"]},
    ),
    "one entry of the manifest": (
        "config/figures/neos.yaml",
        "Bias against smoothness",
        "Smoothness",
        {"figure": ["neos_2"]},
    ),
    "a comment": ("src/diffhep/learning/losses.py", "def cls(", "# why\ndef cls(", {}),
    "the settings of another study": (
        "config/studies/histograms.yaml",
        "events: 200",
        "events: 300",
        {"histograms_bandwidth_tradeoff": ["bandwidth_tradeoff"], "figure": ["neos_2", "thesis_7_12"]},
    ),
}


@pytest.mark.parametrize("case", EDITS)
def test_an_edit_reruns_what_it_concerns(built, case):
    file, old, new, expected = EDITS[case]
    undo = built.edit(file, old, new)
    try:
        jobs = rerun(built)
    finally:
        undo()
    jobs.pop("all", None)
    assert bool(jobs.pop("gallery", None)) is ("figure" in expected)  # it shows all of them
    assert set(jobs) == set(expected)
    for rule, names in expected.items():
        assert {path.split("/")[-1].split(".")[0] for path in jobs[rule]} == set(names)


def test_editing_a_loss_trains_again_what_uses_losses(built):
    undo = built.edit(
        "src/diffhep/learning/losses.py", "return jnp.exp(log_cls(model))", "return 1.0 * jnp.exp(log_cls(model))"
    )
    try:
        jobs = rerun(built)
    finally:
        undo()
    assert {"blobs_train", "blobs_evaluate", "figure", "document_claims"} <= set(jobs)
    assert "blobs_events" not in jobs and "histograms_bandwidth_tradeoff" not in jobs
