"""A fingerprint changes with the code behind a function and with nothing else."""

import shutil
from pathlib import Path

import pytest

from diffhep.dependencies import ROOT, closure, fingerprint

TRAIN, TOYS = "diffhep.studies.blobs:train", "diffhep.studies.blobs:pseudo_experiments"


@pytest.fixture
def edited(tmp_path):
    """A function that edits one file of a copy of the package and says which calls that changes."""

    def edit(file: str, old: str, new: str, *calls: str) -> list[str]:
        copy = tmp_path / str(len(list(tmp_path.iterdir())))
        shutil.copytree(ROOT / "diffhep", copy / "diffhep")
        path = Path(copy, "diffhep", file)
        assert path.read_text().count(old) >= 1, f"{old!r} is not in {file}"
        path.write_text(path.read_text().replace(old, new))
        return [call for call in calls if fingerprint(call, copy) != fingerprint(call)]

    return edit


def test_a_copy_has_the_same_fingerprint(edited):
    assert edited("losses.py", "import jax", "import jax", TRAIN, TOYS) == []


def test_editing_a_loss_changes_the_training_and_not_the_toys(edited):
    assert edited("losses.py", "(1 - nuisance_uncertainty(outcome)) ** 2", "0.0", TRAIN, TOYS) == [TRAIN]


def test_editing_toys_does_not_change_the_training(edited):
    assert edited("toys.py", "jax.random.poisson", "jax.random.gamma", TRAIN, TOYS) == [TOYS]


def test_editing_fits_changes_both(edited):
    assert edited("fits.py", "ITERATIONS = ", "ITERATIONS = 1 + ", TRAIN, TOYS) == [TRAIN, TOYS]


def test_comments_docstrings_and_layout_change_nothing(edited):
    assert edited("losses.py", "def bce(outcome: Outcome)", "# why\n\n\ndef bce(outcome:   Outcome)", TRAIN) == []
    assert edited("losses.py", '"""Binary cross-entropy of', '"""Another word for cross-entropy of', TRAIN) == []


def test_a_plot_function_does_not_depend_on_another_one(edited):
    history, toys = "diffhep.figures.blobs:training_history", "diffhep.figures.blobs:toys"
    assert edited(
        "figures/blobs.py", "def training_history(", "def training_history(\n    unused=1,", history, toys
    ) == [history]


def test_methods_and_module_constants_belong_to_the_closure():
    names = set(closure(TRAIN))
    assert ("diffhep.likelihood", "RATE_FLOOR") in names
    assert ("diffhep.networks", "Observable") in names
    assert ("diffhep.losses", "cls") in names  # reached through the table of objectives


def test_an_unknown_function_is_named():
    with pytest.raises(ValueError, match=r"diffhep\.studies\.blobs:dance does not exist"):
        fingerprint("diffhep.studies.blobs:dance")
