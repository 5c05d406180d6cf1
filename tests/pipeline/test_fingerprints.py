"""Fingerprints that are kept are those of the code as it is."""

import shutil

import pytest

from diffhep.pipeline import fingerprints
from diffhep.pipeline.dependencies import ROOT, fingerprint
from diffhep.pipeline.fingerprints import Fingerprints

TRAIN, TOYS = "diffhep.studies.blobs.stages:train", "diffhep.studies.blobs.pseudo_experiments:pseudo_experiments"


@pytest.fixture
def read(monkeypatch):
    """Of which calls the code is read from now on."""
    calls = []
    monkeypatch.setattr(fingerprints, "fingerprint", lambda call, *rest: calls.append(call) or fingerprint(call, *rest))
    return calls


def test_they_are_looked_up_the_second_time(tmp_path, read):
    file = tmp_path / "cache" / "fingerprints.json"
    first = Fingerprints(file)
    assert [first(TRAIN), first(TOYS)] == [fingerprint(TRAIN), fingerprint(TOYS)]
    again = Fingerprints(file)
    assert [again(TRAIN), again(TOYS)] == [fingerprint(TRAIN), fingerprint(TOYS)]
    assert read == [TRAIN, TOYS] and [path.name for path in file.parent.iterdir()] == ["fingerprints.json"]


@pytest.mark.parametrize("change", ["an edit", "another name"])
def test_nothing_is_looked_up_once_a_file_has_changed(tmp_path, read, change):
    before = Fingerprints(tmp_path / "kept")(TOYS)
    shutil.copytree(ROOT / "diffhep", tmp_path / "diffhep")
    path = tmp_path / "diffhep" / "inference" / "toys.py"
    edited = path.read_text().replace("jax.random.poisson", "jax.random.gamma")
    if change == "an edit":
        path.write_text(edited)
        assert before != Fingerprints(tmp_path / "kept", tmp_path)(TOYS) == fingerprint(TOYS, tmp_path)
    else:
        path.with_name("neyman.py").rename(path.with_name("moved.py"))
        Fingerprints(tmp_path / "kept", tmp_path)(TOYS)
    assert read == [TOYS, TOYS]


@pytest.mark.parametrize("content", ["", "no JSON", "[]", "{}"])
def test_a_file_of_something_else_counts_as_empty(tmp_path, content):
    (tmp_path / "kept").write_text(content)
    assert Fingerprints(tmp_path / "kept")(TOYS) == fingerprint(TOYS)


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path):
    (tmp_path / "file").write_text("")
    assert Fingerprints(tmp_path / "file" / "under")(TOYS) == fingerprint(TOYS)
