"""Checkpoints of a training: a pytree of arrays in one file, to resume an interrupted training.

A checkpoint is not a result: only the code that wrote it reads it, into a tree of equal structure.
"""

import json
from pathlib import Path
from typing import Any, TypeVar

import equinox
import jax
import numpy as np

from diffhep.files import replacing

Tree = TypeVar("Tree")


def save_checkpoint(tree: Any, path: str | Path) -> None:
    """Write the leaves of a pytree; the file appears complete or not at all.

    Args:
        tree: Pytree of arrays; random keys as `jax.random.key_data`.
        path: File to write or replace.
    """
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(json.dumps(_kinds(tree)).encode() + b"\n")
        equinox.tree_serialise_leaves(file, tree)


def load_checkpoint(path: str | Path, like: Tree) -> Tree:
    """Read a checkpoint.

    Args:
        path: File that `save_checkpoint` wrote.
        like: Pytree of arrays, or result of `jax.eval_shape`, with the expected structure, shapes and dtypes.

    Returns:
        Pytree of the stored arrays.

    Raises:
        ValueError: The file is missing or broken, or its leaves are not those of `like`.
    """
    path, expected = Path(path), _kinds(like)
    if not path.is_file():
        raise ValueError(f"there is no checkpoint {path}: start the training without one")
    with path.open("rb") as file:
        try:
            stored = dict(json.loads(file.readline()))
            tree = equinox.tree_deserialise_leaves(file, like) if stored == expected else None
        except (TypeError, ValueError, RuntimeError) as error:  # json's and equinox's
            raise ValueError(f"the checkpoint {path} is broken: delete it and train again") from error
    for name in sorted(stored.keys() | expected.keys()):
        kinds = [leaves.get(name, "absent") for leaves in (stored, expected)]
        if kinds[0] != kinds[1]:
            reason = f"the leaf '{name}' is {kinds[0]} in the file, {kinds[1]} in the program"
            raise ValueError(f"the checkpoint {path} does not fit, {reason}: delete it and train again")
    return tree


def _kinds(tree: Any) -> dict[str, str]:
    """Type and shape of every leaf by its path in the tree."""
    leaves = {jax.tree_util.keystr(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}
    arrays = {name: leaf if hasattr(leaf, "dtype") else np.asarray(leaf) for name, leaf in leaves.items()}
    return {name: f"{array.dtype}{list(array.shape)}" for name, array in arrays.items()}
