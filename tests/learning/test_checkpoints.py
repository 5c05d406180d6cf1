"""A checkpoint gives back exactly the tree that was saved, or says why it cannot."""

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
        "state": State(jnp.array(7), moments),
        "key": jax.random.key_data(jax.random.key(3)),
        "none": None,
    }


def test_what_is_loaded_is_what_was_saved(tree, tmp_path):
    save_checkpoint(tree, tmp_path / "new" / "state.npz")
    loaded = load_checkpoint(tmp_path / "new" / "state.npz", like=tree)
    assert jax.tree.structure(loaded) == jax.tree.structure(tree)
    for found, saved in zip(jax.tree.leaves(loaded), jax.tree.leaves(tree), strict=True):
        assert found.dtype == saved.dtype
        np.testing.assert_array_equal(found, saved)
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["state.npz"]


def test_shapes_alone_are_enough_to_load(tree, tmp_path):
    save_checkpoint(tree, tmp_path / "state.npz")
    loaded = load_checkpoint(tmp_path / "state.npz", like=jax.eval_shape(lambda: tree))
    assert loaded["state"].step == 7


def test_a_single_array_is_a_tree(tmp_path):
    save_checkpoint(jnp.arange(3), tmp_path / "state.npz")
    np.testing.assert_array_equal(load_checkpoint(tmp_path / "state.npz", like=jnp.zeros(3, int)), [0, 1, 2])


def test_identical_trees_give_identical_bytes(tree, tmp_path):
    save_checkpoint(tree, tmp_path / "one.npz")
    save_checkpoint(jax.tree.map(np.asarray, tree), tmp_path / "two.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def refusal(path, like) -> str:
    with pytest.raises(ValueError) as caught:
        load_checkpoint(path, like)
    message = str(caught.value)
    assert str(path) in message and "\n" not in message
    return message


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"key": jnp.zeros(3, jnp.uint32)}, r"['key']' is uint32[2] in the file, uint32[3] in the program"),
        ({"key": jnp.zeros(2, jnp.int32)}, r"['key']' is uint32[2] in the file, int32[2] in the program"),
        ({"more": jnp.zeros(1)}, "['more']' is in only one of file and program"),
        ({"key": None}, "['key']' is in only one of file and program"),
    ],
)
def test_another_tree_is_refused(tree, tmp_path, change, reason):
    save_checkpoint(tree, tmp_path / "state.npz")
    assert reason in refusal(tmp_path / "state.npz", tree | change)


@pytest.mark.parametrize("kept", [0, 10, 500, -1])
def test_truncated_file_is_refused(tree, tmp_path, kept):
    save_checkpoint(tree, tmp_path / "state.npz")
    (tmp_path / "state.npz").write_bytes((tmp_path / "state.npz").read_bytes()[:kept])
    assert "delete it and train again" in refusal(tmp_path / "state.npz", tree)


def test_missing_and_foreign_files_are_refused(tree, tmp_path):
    np.save(tmp_path / "array.npy", np.zeros(3))
    assert "there is no checkpoint" in refusal(tmp_path / "absent.npz", tree)
    assert "is broken" in refusal(tmp_path / "array.npy", tree)
