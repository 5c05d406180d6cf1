"""A cluster that all tests share, and a checkout whose jobs go to it."""

import shutil
import tempfile
from pathlib import Path

import pytest
from support.checkouts import Checkout

from .cluster import Cluster, missing


class Submitting(Checkout):
    """A checkout in which Snakemake can submit its jobs."""

    def submission(self, *targets: str) -> list[str]:
        """Arguments that submit the jobs of targets at quick scale, and look after them often."""
        often = ("--slurm-init-seconds-before-status-checks", "5", "--seconds-between-status-checks", "5")
        return ["--workflow-profile", "profiles/slurm", *often, *self.quick, "--", *targets]

    def environment(self) -> dict[str, str]:
        """Byte code is kept: every job starts Snakemake twice."""
        return {key: value for key, value in super().environment().items() if key != "PYTHONDONTWRITEBYTECODE"}


@pytest.fixture(scope="session")
def cluster():
    """A running cluster; where none can be started, a skip that says why."""
    reason = missing()
    if reason:
        pytest.skip(f"no SLURM: {reason}")
    folder = Path(tempfile.mkdtemp(prefix="diffhep-slurm-"))
    folder.chmod(0o755)  # munge wants everybody to reach its socket
    with Cluster(folder) as started:
        yield started
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def checkout(cluster, tmp_path_factory) -> Submitting:
    """A checkout without results."""
    return Submitting(tmp_path_factory.mktemp("submitting"))
