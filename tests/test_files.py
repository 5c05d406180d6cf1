"""Atomic replacement: a file is complete or unchanged, and nothing else is left in its folder."""

import errno
import os

import pytest

from diffhep.files import replacing


def test_a_file_is_replaced_at_the_end_of_the_block(tmp_path):
    path = tmp_path / "new" / "result.txt"
    for text in ("first", "second"):
        with replacing(path) as temporary:
            temporary.write_text(text)
            assert not path.exists() or path.read_text() == "first"
        assert path.read_text() == text
    assert os.listdir(path.parent) == ["result.txt"]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "result.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), replacing(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["result.txt"]


def test_leftovers_of_killed_processes_are_deleted_and_those_of_other_files_are_not(tmp_path):
    names = [".run[1].nc.0a1b2c3d.part", ".run[1].nc.seed_1.0a1b2c3d.part", ".run1.nc.0a1b2c3d.part"]
    for name in names:
        (tmp_path / name).touch()
    with replacing(tmp_path / "run[1].nc") as temporary:
        temporary.touch()
    assert sorted(os.listdir(tmp_path)) == [names[2], "run[1].nc"]


def test_an_error_without_a_file_name_names_the_file(tmp_path):
    path = tmp_path / "result.txt"
    with pytest.raises(OSError) as caught, replacing(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # as writing to a full disk raises it
    assert caught.value.errno == errno.ENOSPC and caught.value.filename == str(path)


def test_an_error_of_another_file_is_left_as_it_is(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"), replacing(tmp_path / "result.txt"):
        (tmp_path / "absent").read_text()
