"""Checkpoints of a training: a pytree of arrays in one file, from which an interrupted training goes on.

A checkpoint is no result: it is read back only into a tree of the same structure, by the code that wrote it.
"""

from pathlib import Path
from typing import Any, TypeVar

import jax
import numpy as np

from diffhep.files import replacing

Tree = TypeVar("Tree")


def save_checkpoint(tree: Any, path: str | Path) -> None:
    """Write the leaves of a pytree under their paths in it; the file appears complete or not at all.

    Args:
        tree: Pytree of arrays; random keys as `jax.random.key_data`.
        path: File to write or replace (an uncompressed `.npz`).
    """
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **{name: np.asarray(leaf) for name, leaf in _named_leaves(tree).items()})


def load_checkpoint(path: str | Path, like: Tree) -> Tree:
    """Read a checkpoint as a tree with the structure of `like`.

    Args:
        path: File that `save_checkpoint` wrote.
        like: Tree of arrays, or what `jax.eval_shape` returns, with the structure, shapes and dtypes wanted.

    Returns:
        Tree of numpy arrays.

    Raises:
        ValueError: The file is missing or broken, or its leaves are not those of `like`.
    """
    path = Path(path)
    stored = _read(path)
    expected = _named_leaves(like)
    unmatched = sorted(stored.keys() ^ expected.keys())
    if unmatched:
        raise _misfit(path, f"the leaf '{unmatched[0]}' is in only one of file and program")
    for name, leaf in expected.items():
        found, wanted = _kind(stored[name]), _kind(leaf)
        if found != wanted:
            raise _misfit(path, f"the leaf '{name}' is {found} in the file, {wanted} in the program")
    return jax.tree.unflatten(jax.tree.structure(like), [stored[name] for name in expected])


def _read(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise ValueError(f"there is no checkpoint {path}: start the training without one")
    try:
        with path.open("rb") as file, np.load(file) as archive:  # numpy alone leaves a broken file open
            return {name: archive[name] for name in archive.files}
    except Exception as error:  # zipfile, zlib and numpy each raise classes of their own
        raise ValueError(f"the checkpoint {path} is broken: delete it and train again") from error


def _named_leaves(tree: Any) -> dict[str, Any]:
    return {jax.tree_util.keystr(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


def _kind(leaf: Any) -> str:
    leaf = leaf if hasattr(leaf, "dtype") else np.asarray(leaf)
    return f"{leaf.dtype}{list(leaf.shape)}"


def _misfit(path: Path, reason: str) -> ValueError:
    return ValueError(f"the checkpoint {path} does not fit, {reason}: delete it and train again")
