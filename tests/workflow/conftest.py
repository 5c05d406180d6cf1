"""Checkouts that the tests share, for what takes long is done once."""

import shutil

import pytest
from support.checkouts import ROOT, Checkout


@pytest.fixture(scope="session")
def checkout(tmp_path_factory) -> Checkout:
    """A checkout without results."""
    return Checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="session")
def built() -> Checkout:
    """A checkout in which everything has been built at quick scale; `printed` is the output of the build.

    It stays there: the next build makes what has changed. `make clean` removes it.
    """
    folder = ROOT / ".cache" / "built"
    folder.mkdir(parents=True, exist_ok=True)
    made = Checkout(folder)
    shutil.rmtree(folder / ".snakemake" / "locks", ignore_errors=True)  # of tests that were killed
    made.printed = made.snakemake(*made.quick)
    return made
