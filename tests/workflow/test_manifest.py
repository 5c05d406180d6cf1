"""The manifest agrees with itself and with the files it stands for."""

import inspect
from pathlib import Path

import pytest
from support import manifest

from diffhep.pipeline import claims, jobs, settings

ROOT = Path(__file__).parents[2]
DOCUMENTS, FIGURES, ANIMATIONS = manifest.manifest()
PICTURES = FIGURES | ANIMATIONS
CLAIMS = manifest.claims()
STUDIES = sorted({entry["study"] for entry in FIGURES.values()})
DRAWN_BY = sorted({settings.plot_call(entry).partition(":")[0] for entry in PICTURES.values()})
FILES = (
    "config/studies/{}.yaml",
    "workflow/rules/studies/{}.smk",
    "src/diffhep/studies/{}",
    "src/diffhep/figures/{}.py",
    "tests/studies/{}",
    "tests/figures/test_{}.py",
)


def exists(file: str) -> bool:
    """Whether there is a module of this name, or a package."""
    path = ROOT / file
    module = path.with_name(f"{'test_' if path.parts[-3:-1] == ('tests', 'studies') else ''}{path.name}.py")
    return path.is_file() or any(path.glob("*.py")) or module.is_file()


@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize("file", FILES)
def test_a_study_is_files_of_one_name(study, file):
    assert exists(file.format(study))


@pytest.mark.parametrize("study", STUDIES)
def test_a_study_is_included(study):
    assert f'include: "workflow/rules/studies/{study}.smk"' in (ROOT / "Snakefile").read_text()


@pytest.mark.parametrize("study", STUDIES)
def test_a_study_has_a_class_of_settings_or_a_schema(study):
    assert settings.study_kind(study) or (ROOT / f"workflow/schemas/{study}.schema.yaml").is_file()


def test_every_settings_file_belongs_to_a_figure():
    assert sorted(path.stem for path in (ROOT / "config" / "studies").glob("*.yaml")) == STUDIES


def test_figures_and_animations_have_names_of_their_own_and_studies_that_there_are():
    assert not set(FIGURES) & set(ANIMATIONS)
    assert {entry["study"] for entry in ANIMATIONS.values()} <= set(STUDIES)


@pytest.mark.parametrize("module", DRAWN_BY)
def test_a_picture_is_drawn_by_a_module_of_its_study(module):
    """`plot: <module>:<function>` is for studies of so many figures that they fill several modules."""
    of = {entry["study"] for entry in PICTURES.values() if settings.plot_call(entry).startswith(f"{module}:")}
    (study,) = of
    assert module.removeprefix(f"diffhep.figures.{study}") == "" or module.startswith(f"diffhep.figures.{study}_")


@pytest.mark.parametrize("name", PICTURES)
def test_a_figure_is_named_by_document_and_number(name):
    entry = PICTURES[name]
    number = entry["number"].lower().replace(".", "_").replace(" ", "_")
    assert name == f"{entry['document']}_{number}"
    assert entry["document"] in DOCUMENTS


@pytest.mark.parametrize("name", PICTURES)
def test_a_plot_function_takes_the_inputs_and_options_of_its_entry(name):
    entry = PICTURES[name]
    plot = jobs.resolve(settings.plot_call(entry))
    inspect.signature(plot).bind(**entry["inputs"], **entry.get("options", {}))


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_is_of_a_document_and_its_check_takes_its_options(name):
    claim = CLAIMS[name]
    assert claim["document"] in DOCUMENTS
    inspect.signature(claims.CHECKS[claim["check"]]).bind(**claim["inputs"], **claim.get("options", {}))


def test_drawing_never_imports_jax_and_training_never_matplotlib():
    """In the closures that make jobs run anew, and so in what the jobs import."""
    import subprocess
    import sys

    folder = ROOT / "src"
    studies = [
        ".".join(path.relative_to(folder).with_suffix("").parts) for path in folder.glob("diffhep/studies/**/[!_]*.py")
    ]
    for modules, forbidden in ((DRAWN_BY, "jax"), (studies, "matplotlib")):
        imports = "; ".join(f"import {module}" for module in modules)
        check = f"import sys; {imports}; sys.exit('{forbidden}' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", check]).returncode == 0
