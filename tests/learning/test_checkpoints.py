"""Checkpoints: a round trip is exact, and files that do not fit are errors."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhep.learning.checkpoints import load_checkpoint, save_checkpoint


class State(NamedTuple):
    step: jax.Array
    moments: dict[str, tuple[jax.Array, ...]]


@pytest.fixture
def tree():
    moments = {
        "file": (jnp.arange(6.0, dtype=jnp.float32).reshape(2, 3), jnp.zeros(0)),
        "b/c": (jnp.ones(()),),
    }
    return {
        "history": np.full((2, 3), np.nan),
        "state": State(jnp.array(7), moments),
        "key": jax.random.key_data(jax.random.key(3)),
        "none": None,
    }


def test_a_round_trip_is_exact(tree, tmp_path):
    save_checkpoint(tree, tmp_path / "new" / "run.checkpoint")
    loaded = load_checkpoint(tmp_path / "new" / "run.checkpoint", like=tree)
    assert jax.tree.structure(loaded) == jax.tree.structure(tree)
    for value, saved in zip(jax.tree.leaves(loaded), jax.tree.leaves(tree), strict=True):
        assert value.dtype == saved.dtype and type(value) is type(saved)
        np.testing.assert_array_equal(value, saved)
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["run.checkpoint"]


def test_a_loaded_numpy_array_can_be_written(tree, tmp_path):
    save_checkpoint(tree, tmp_path / "run.checkpoint")
    loaded = load_checkpoint(tmp_path / "run.checkpoint", like=tree)
    loaded["history"][0, 1] = 1.0
    assert loaded["history"][0, 1] == 1.0


def test_shapes_suffice_to_load(tree, tmp_path):
    save_checkpoint(tree, tmp_path / "run.checkpoint")
    loaded = load_checkpoint(tmp_path / "run.checkpoint", like=jax.eval_shape(lambda: tree))
    assert loaded["state"].step == 7


def test_a_single_array_is_a_tree(tmp_path):
    save_checkpoint(jnp.arange(3), tmp_path / "run.checkpoint")
    np.testing.assert_array_equal(load_checkpoint(tmp_path / "run.checkpoint", like=jnp.zeros(3, int)), [0, 1, 2])


def test_equal_trees_give_equal_bytes(tree, tmp_path):
    save_checkpoint(tree, tmp_path / "one.checkpoint")
    save_checkpoint(jax.tree.map(np.asarray, tree), tmp_path / "two.checkpoint")
    assert (tmp_path / "one.checkpoint").read_bytes() == (tmp_path / "two.checkpoint").read_bytes()


def error_of(path, like) -> str:
    with pytest.raises(ValueError) as caught:
        load_checkpoint(path, like)
    message = str(caught.value)
    assert str(path) in message and "\n" not in message
    return message


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"key": jnp.zeros(3, jnp.uint32)}, "['key']' is uint32[2] in the file, uint32[3] in the program"),
        ({"key": jnp.zeros(2, jnp.int32)}, "['key']' is uint32[2] in the file, int32[2] in the program"),
        ({"more": jnp.zeros(1)}, "['more']' is absent in the file, float64[1] in the program"),
        ({"key": None}, "['key']' is uint32[2] in the file, absent in the program"),
        ({"key": None, "more": jnp.zeros(2, jnp.uint32)}, "['key']' is uint32[2] in the file, absent in the program"),
    ],
)
def test_a_checkpoint_of_another_tree_is_an_error(tree, tmp_path, change, reason):
    save_checkpoint(tree, tmp_path / "run.checkpoint")
    message = error_of(tmp_path / "run.checkpoint", tree | change)
    assert reason in message and "does not fit" in message and "delete it and train again" in message


@pytest.mark.parametrize("size", [0, 10, 500, -1])
def test_a_truncated_file_is_broken(tree, tmp_path, size):
    path = tmp_path / "run.checkpoint"
    save_checkpoint(tree, path)
    path.write_bytes(path.read_bytes()[:size])
    assert "is broken: delete it and train again" in error_of(path, tree)


def test_missing_and_foreign_files_are_errors(tree, tmp_path):
    np.save(tmp_path / "array.npy", np.zeros(3))
    (tmp_path / "list.json").write_text("[1, 2]\n")
    assert "there is no checkpoint" in error_of(tmp_path / "absent.checkpoint", tree)
    assert "is broken" in error_of(tmp_path / "array.npy", tree)
    assert "is broken" in error_of(tmp_path / "list.json", tree)
