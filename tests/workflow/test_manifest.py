"""The manifest agrees with itself and with the files it stands for."""

import inspect
from pathlib import Path

import pytest

from diffhep import claims, configuration, jobs

ROOT = Path(__file__).parents[2]
MANIFEST = configuration.read(ROOT / "config" / "figures.yaml")
FIGURES, DOCUMENTS = MANIFEST["figures"], MANIFEST["documents"]
CLAIMS = configuration.read(ROOT / "config" / "claims.yaml")
STUDIES = sorted({entry["study"] for entry in FIGURES.values()})
FILES = (
    "config/studies/{}.yaml",
    "workflow/rules/{}.smk",
    "workflow/schemas/{}.schema.yaml",
    "src/diffhep/studies/{}.py",
    "src/diffhep/figures/{}.py",
    "tests/studies/test_{}.py",
    "tests/figures/test_{}.py",
)


@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize("file", FILES)
def test_a_study_is_files_of_one_name(study, file):
    assert (ROOT / file.format(study)).is_file()


@pytest.mark.parametrize("study", STUDIES)
def test_a_study_is_included(study):
    assert f'include: "workflow/rules/{study}.smk"' in (ROOT / "Snakefile").read_text()


def test_every_settings_file_belongs_to_a_figure():
    assert sorted(path.stem for path in (ROOT / "config" / "studies").glob("*.yaml")) == STUDIES


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_named_by_document_and_number(name):
    entry = FIGURES[name]
    number = entry["number"].lower().replace(".", "_").replace(" ", "_")
    assert name == f"{entry['document']}_{number}"
    assert entry["document"] in DOCUMENTS


@pytest.mark.parametrize("name", FIGURES)
def test_a_plot_function_takes_the_inputs_and_options_of_its_entry(name):
    entry = FIGURES[name]
    plot = jobs.resolve(f"diffhep.figures.{entry['study']}:{entry['plot']}")
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

    for modules, forbidden in {"figures": "jax", "studies": "matplotlib"}.items():
        imports = "; ".join(f"import diffhep.{modules}.{study}" for study in STUDIES)
        check = f"import sys; {imports}; sys.exit('{forbidden}' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", check]).returncode == 0
