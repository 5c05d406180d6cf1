"""Whatever is broken under config/ stops Snakemake before any job starts, with one line on file, key and remedy."""

from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.xdist_group("checkout")  # one process runs all that share what they build
EDITS = yaml.safe_load(Path(__file__).with_name("broken_entries.yaml").read_text())


@pytest.mark.parametrize("case", EDITS)
def test_a_broken_entry_is_reported_in_one_line(checkout, case):
    edit = EDITS[case]
    undo = checkout.edit(edit["file"], edit["old"], edit["new"])
    try:
        printed = checkout.refusal()
    finally:
        undo()
    assert printed == f"diffhep: {edit['file']}{edit['message']}\n"


FILES = {
    "an empty file": ("config/config.yaml", b"", ": top level: nothing: give keys with values"),
    "an empty manifest": ("config/figures/neos.yaml", b"\n", ": top level: nothing: give keys with values"),
    "a list": (
        "config/claims/neos.yaml",
        b"- neos_cls_lowest\n",
        ": top level: ['neos_cls_lowest']: give keys with values",
    ),
    "another encoding": ("config/studies/cuts.yaml", b"data: \xe9", ": byte 6 is not UTF-8: save the file as UTF-8"),
    "a control character": (
        "config/studies/cuts.yaml",
        b"data: \0",
        ': unacceptable character #x0000: control characters are not allowed in "<unicode string>", position 6: '
        "mend it or put it in quotes",
    ),
    "no settings": ("config/config.yaml", None, ": there is no such file: put a readable file there"),
    "no benchmarks": ("config/benchmarks.yaml", None, ": there is no such file: put a readable file there"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_broken_file_is_reported_in_one_line(checkout, case):
    file, content, message = FILES[case]
    undo = checkout.put(file, content)
    try:
        printed = checkout.refusal()
    finally:
        undo()
    assert printed == f"diffhep: {file}{message}\n"


def test_a_folder_in_place_of_a_file_is_reported_in_one_line(checkout):
    undo = checkout.put("config/claims/neos.yaml", None)
    folder = checkout.folder / "config/claims/neos.yaml"
    folder.mkdir()
    try:
        printed = checkout.refusal()
    finally:
        folder.rmdir()
        undo()
    assert printed == "diffhep: config/claims/neos.yaml: Is a directory: put a readable file there\n"


def test_claims_of_an_unknown_document_are_named(checkout):
    claims = checkout.folder / "config/claims/noes.yaml"
    claims.write_text("a: {section: '1', claim: b, check: value, inputs: {data: histograms/gradients}}\n")
    try:
        message = checkout.refusal()
    finally:
        claims.unlink()
    documents = "neos, thesis, split_n_fit, contrastive_flows, tomatos"
    assert message == f"diffhep: config/claims/noes.yaml: a.document: noes is not among documents: {documents}\n"


def test_figures_of_a_study_without_settings_are_named(checkout):
    undo = checkout.put("config/studies/cuts.yaml", None)
    try:
        printed = checkout.refusal()
    finally:
        undo()
    assert printed.startswith(
        "diffhep: config/figures/thesis.yaml: thesis_7_3.study: there is no config/studies/cuts.yaml; choose "
    )
    assert printed.count("\n") == 1


KEYS = "known are scale, seed, seeds_per_job, seeds_at_once, optimise, processes, dpi, pathvars"
CALLS = {
    "text for a number": (["--config", "seed=zero"], "seed: 'zero': give a whole number"),
    "no such scale": (["--config", "scale=quik"], "scale: 'quik': give one of full, quick, paper"),
    "an unknown key": (
        ["--config", "sed=1"],
        f"top level: unknown key sed; {KEYS}",
    ),
    "settings of a study": (
        ["--configfile", "config/studies/two_bins.yaml"],
        f"top level: unknown key gaussianity, landscape, model, quick; {KEYS}",
    ),
}


@pytest.mark.parametrize("case", CALLS)
def test_a_broken_command_line_is_reported_in_one_line(checkout, case):
    arguments, message = CALLS[case]
    assert checkout.refusal(*arguments) == f"diffhep: --config or --configfile: {message}\n"


@pytest.mark.parametrize("target", ["thesis_99", "results/figures/thesis_99.pdf"])
def test_a_target_that_nothing_makes_is_named(checkout, target):
    *_, error, message = checkout.refusal(target).splitlines()
    assert error == "MissingRuleException:"
    assert message.startswith(f"No rule to produce {target} ")


def test_a_real_call_ends_with_the_line_and_exit_status_1(checkout):
    undo = checkout.edit("config/config.yaml", "seed: 0", "seed: zero")
    try:
        printed = checkout.snakemake("--dry-run", ok=False)
    finally:
        undo()
    assert printed.splitlines()[-1] == "diffhep: config/config.yaml: seed: 'zero': give a whole number"
    assert "Traceback" not in printed and "Job stats" not in printed


def test_everything_can_be_made_from_nothing(checkout):
    """Beside old results Snakemake would pass over a figure that no rule can make; without them it says so."""
    printed = checkout.here("--dry-run", "--quiet", "rules")
    assert "blobs_train " in printed and "_part " not in printed  # nothing is spread over jobs unasked
