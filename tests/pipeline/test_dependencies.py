"""A fingerprint changes with the code behind a function and with nothing else."""

import shutil
from pathlib import Path

import pytest

from diffhep.pipeline.dependencies import ROOT, check_arguments, closure, fingerprint, registered_names

TRAIN, TOYS = "diffhep.studies.blobs.stages:train", "diffhep.studies.blobs.pseudo_experiments:pseudo_experiments"


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
    assert edited("learning/losses.py", "import jax", "import jax", TRAIN, TOYS) == []


def test_editing_a_loss_changes_the_training_and_not_the_toys(edited):
    assert edited("learning/losses.py", "(1 - nuisance_uncertainty(model)) ** 2", "0.0", TRAIN, TOYS) == [TRAIN]


def test_editing_toys_does_not_change_the_training(edited):
    assert edited("inference/toys.py", "jax.random.poisson", "jax.random.gamma", TRAIN, TOYS) == [TOYS]


def test_editing_fits_changes_both(edited):
    assert edited("inference/mle.py", "MAX_STEPS = ", "MAX_STEPS = 1 + ", TRAIN, TOYS) == [TRAIN, TOYS]


def test_comments_docstrings_and_layout_change_nothing(edited):
    assert (
        edited("learning/losses.py", "def bce(logits: EventValues", "# why\n\n\ndef bce(logits:   EventValues", TRAIN)
        == []
    )
    assert (
        edited("learning/losses.py", '"""Binary cross-entropy of', '"""Another word for cross-entropy of', TRAIN) == []
    )
    assert edited("learning/losses.py", "import jax\n", 'import jax\n\n"""Said of a module."""\n', TRAIN) == []


def test_a_plot_function_does_not_depend_on_another_one(edited):
    history, toys = "diffhep.figures.blobs:training_history", "diffhep.figures.blobs:toys"
    assert edited(
        "figures/blobs.py", "def training_history(", "def training_history(\n    unused=1,", history, toys
    ) == [history]


def test_methods_and_module_constants_belong_to_the_closure():
    names = set(closure(TRAIN))
    assert ("diffhep.models.likelihood", "RATE_FLOOR") in names
    assert ("diffhep.learning.networks", "DenseNetwork") in names
    assert ("diffhep.learning.losses", "cls") in names  # reached through the table of objectives


def test_an_unknown_function_is_named():
    with pytest.raises(ValueError, match=r"diffhep\.studies\.blobs\.stages:dance does not exist"):
        fingerprint("diffhep.studies.blobs.stages:dance")


@pytest.fixture
def package(tmp_path):
    """A function that writes modules of a small package and returns the fingerprint of `diffhep.stage:run` there."""
    roots = iter(tmp_path / str(number) for number in range(9))

    def write(modules: dict[str, str]) -> str:
        root = next(roots)
        for name, source in modules.items():
            path = Path(root, "diffhep", f"{name}.py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
        return fingerprint("diffhep.stage:run", root)

    return write


INIT, MLE = "models/__init__", "models/mle"
REACHED = {
    "a name that the package re-exports": ("from diffhep.models import fit\ndef run(): fit()", "from .mle import fit"),
    "one re-exported under another name": (
        "from diffhep.models import best\ndef run(): best()",
        "from diffhep.models.mle import fit as best",
    ),
    "a re-exported module": ("from diffhep import models\ndef run(): models.mle.fit()", "from . import mle"),
    "a submodule that the package does not import": ("from diffhep import models\ndef run(): models.mle.fit()", ""),
    "an alias of a module": ("import diffhep.models.mle as mle\ndef run(): mle.fit()", ""),
    "the full name of a module": ("import diffhep.models.mle\ndef run(): diffhep.models.mle.fit()", ""),
    "an import inside the function": ("def run():\n    from diffhep.models.mle import fit\n    fit()", ""),
    "a module as an object": ("from diffhep.models import mle\ndef run(name): getattr(mle, name)()", ""),
    "importlib": ("import importlib\ndef run(n): importlib.import_module(f'diffhep.models.{n}').fit()", ""),
    "a function defined under a condition": (
        "from diffhep.models import mle\nif True:\n    def inner(): mle.fit()\ndef run(): inner()",
        "",
    ),
    "what a decorator calls": ("from diffhep.models.mle import fit\n@fit\ndef run(): pass", ""),
    "what the package does when it is imported": (
        "from diffhep.models.other import x\ndef run(): x",
        "from .mle import fit\nfit()",
    ),
}


@pytest.mark.parametrize(("stage", "init"), REACHED.values(), ids=REACHED)
def test_an_edit_is_seen_through(package, stage, init):
    modules = {"stage": stage, INIT: init, "models/other": "x = 1"}
    before, after = (package({**modules, MLE: f"def fit(): return {value}"}) for value in (1, 2))
    assert before != after


def test_a_setting_made_when_the_package_is_imported_counts():
    assert ("diffhep", "") in closure(TRAIN)


@pytest.mark.parametrize(("stage", "message"), [
    ("from diffhep.models import fit\ndef run(): fit()", "diffhep.models neither defines nor imports fit: "),
    ("from diffhep import models\ndef run(): models.fit()", "diffhep.models neither defines nor imports fit: "),
    ("from diffhep.nothing import fit\ndef run(): fit()", "diffhep.nothing is imported, but is no module of diffhep: "),
    ("from diffhep.models.mle import *\ndef run(): fit()", "diffhep.stage imports [*] from diffhep.models.mle: "),
    ("import importlib\ndef run(n): importlib.import_module(n)", "stage:run imports a module whose name is only"),
])  # fmt: skip
def test_what_cannot_be_followed_is_refused(package, stage, message):
    with pytest.raises(ValueError, match=message):
        package({"stage": stage, INIT: "def __getattr__(name): ...", MLE: "def fit(): ..."})


def test_a_local_variable_with_the_name_of_a_module_is_not_the_module(package):
    modules = {"stage": "from diffhep.models import mle\ndef run(mle): return mle.parameters, mle", INIT: ""}
    before, after = (package({**modules, MLE: f"def fit(): return {value}"}) for value in (1, 2))
    assert before == after


REGISTRY = {
    "stage": "from diffhep.models.mle import FITS\ndef run(name): FITS[name]()",
    MLE: "def fit(): return 1\ndef scan(): return 2\nFITS = {'fit': fit, 'scan': scan}",
    INIT: "",
}


def test_a_registry_may_be_left_to_those_who_know_which_of_it_is_used(tmp_path):
    registry, prints = "diffhep.models.mle:FITS", []
    for number, scan in enumerate(("return 2", "return 3")):
        root = tmp_path / str(number)
        for name, source in REGISTRY.items():
            path = root / "diffhep" / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source.replace("return 2", scan))
        prints.append([
            fingerprint("diffhep.stage:run", root),
            fingerprint("diffhep.stage:run", root, frozenset({registry})),
            fingerprint("diffhep.models.mle:fit", root),
        ])  # fmt: skip
        assert registered_names(registry, root) == ["fit", "scan"]
    assert [before == after for before, after in zip(*prints, strict=True)] == [False, True, True]


ARGUMENTS = """
def takes(first, second=1, *, third, fourth=2): ...
def takes_all(first, **others): ...
constant = 1
"""


@pytest.mark.parametrize(("function", "given", "message"), [
    ("takes", ["first", "third"], None),
    ("takes", ["first", "second", "third", "fourth"], None),
    ("takes_all", ["first", "fifth"], None),
    ("takes", ["first"], "takes needs third: add it"),
    ("takes_all", ["fifth"], "takes_all needs first: add it"),
    ("takes", ["first", "third", "fifth"], "takes takes no fifth; it takes first, second, third, fourth"),
    ("constant", [], "diffhep.one:constant does not exist; looked for function 'constant' in diffhep.one"),
    ("absent", [], "diffhep.one:absent does not exist; looked for function 'absent' in diffhep.one"),
])  # fmt: skip
def test_arguments_are_checked_by_name_without_an_import(tmp_path, function, given, message):
    (tmp_path / "diffhep").mkdir()
    (tmp_path / "diffhep" / "one.py").write_text(ARGUMENTS)
    if message is None:
        check_arguments(f"diffhep.one:{function}", given, tmp_path)
    else:
        with pytest.raises(ValueError) as refused:
            check_arguments(f"diffhep.one:{function}", given, tmp_path)
        assert str(refused.value) == message
