"""The manifest joins the files of all documents, in their order, and refuses a name that two of them have."""

import pytest
import yaml

from diffhep.errors import InputError
from diffhep.pipeline.manifest import read_claims, read_manifest, source_of


def read(path):
    return yaml.safe_load(path.read_text())


def write(folder, name, content):
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(content))


def test_documents_stand_in_their_order_and_entries_know_theirs(tmp_path):
    write(tmp_path, "a", {"title": "A", "source": "s", "order": 2, "figures": {"a_1": {"number": "1"}}})
    write(tmp_path, "b", {"title": "B", "source": "t", "order": 1, "figures": {}, "animations": {"b_1": {}}})
    documents, figures, animations = read_manifest(tmp_path, read)
    assert list(documents) == ["b", "a"] and documents["a"] == {"title": "A", "source": "s"}
    assert figures == {"a_1": {"document": "a", "number": "1"}} and animations == {"b_1": {"document": "b"}}
    assert source_of(figures["a_1"], "figures") == "config/figures/a.yaml"


def test_a_name_in_two_files_is_refused(tmp_path):
    for name in "ab":
        write(tmp_path, name, {"same": {}})
    with pytest.raises(InputError, match=r"b\.yaml: same: a\.yaml has this name already: give another"):
        read_claims(tmp_path, read)


def test_a_folder_without_files_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"there is no file <document>\.yaml"):
        read_claims(tmp_path, read)
