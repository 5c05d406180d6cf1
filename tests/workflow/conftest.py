"""Checkouts that the tests share, for what takes long is done once."""

import pytest
from checkouts import Checkout


@pytest.fixture(scope="session")
def checkout(tmp_path_factory) -> Checkout:
    """A checkout without results."""
    return Checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Checkout:
    """A checkout in which everything has been built at quick scale; `told` is what the build printed."""
    made = Checkout(tmp_path_factory.mktemp("built"))
    made.told = made.snakemake(*made.quick)
    return made
