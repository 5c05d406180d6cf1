"""Results that somebody else owns, or that are not there, can be drawn from, or give one line."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from diffhep import cli
from diffhep.pipeline import store

ROOT = Path(__file__).parents[2]
WITHOUT_RIGHTS = """
import ctypes, os, sys
for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH: even for root, what permissions forbid fails
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def python(folder, *arguments):
    """A call of Python in a folder, by a user whom permissions bind."""
    own = {"PYTHONPATH": str(ROOT / "src"), "MPLCONFIGDIR": str(folder), "XDG_CACHE_HOME": str(folder)}
    command = [sys.executable, "-c", WITHOUT_RIGHTS, *arguments]
    return subprocess.run(command, cwd=folder, env=os.environ | own, capture_output=True, text=True)


@pytest.fixture
def theirs(tmp_path):
    """Results of Figure 5.2 in files and folders that nobody may write."""
    results, x = tmp_path / "theirs" / "results", np.linspace(0, 1, 5)
    drawn = xr.Dataset(
        {"truth": ("x", np.cos(x)), "by_step": (("step", "x"), [x, x])}, coords={"x": x, "step": [0.5, 1.0]}
    )
    store.save(drawn, results / "foundations" / "differences.nc", provenance={})
    paths = [results, *results.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield results
    for path in paths:
        path.chmod(0o755)


def test_a_figure_is_drawn_from_results_that_nobody_may_write(theirs, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    assert "PermissionError" in python(mine, "-c", f"open('{theirs}/foundations/new', 'w')").stderr
    done = python(mine, "-m", "diffhep.cli", "draw", "thesis_5_2", "--results", str(theirs))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (mine / "thesis_5_2.pdf").read_bytes().startswith(b"%PDF")


REFUSED = {
    "no such figure": (
        ["thesis_99"],
        "config/figures: there is no figure thesis_99: `snakemake --list-target-rules`",
    ),
    "no results": (["thesis_5_2"], "there is no result results/foundations/differences.nc: make it with `snakemake "),
    "no such format": (
        ["thesis_5_2", "--results", "{theirs}", "--output-file", "a.xyz"],
        "Format 'xyz' is not supported",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_figure_that_cannot_be_drawn_gives_one_line(theirs, tmp_path, monkeypatch, capsys, case):
    monkeypatch.chdir(tmp_path)
    arguments, message = REFUSED[case]
    assert cli.main(["draw", *(argument.format(theirs=theirs) for argument in arguments)]) == 2
    printed = capsys.readouterr().err
    assert message in printed and printed.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["theirs"]


def test_results_that_may_not_be_read_give_one_line(theirs, tmp_path):
    result = theirs / "foundations" / "differences.nc"
    result.chmod(0)
    done = python(tmp_path, "-m", "diffhep.cli", "draw", "thesis_5_2", "--results", str(theirs))
    assert (done.returncode, done.stderr) == (
        2,
        f"diffhep: {result}: Permission denied: ask its owner to let you read it\n",
    )
    listed = python(tmp_path, "-m", "diffhep.cli", "origins", str(theirs)).stdout
    assert listed.splitlines()[0] == f"{result}: you may not read it"
