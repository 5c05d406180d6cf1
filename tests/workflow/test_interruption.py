"""A training that is killed goes on where it stopped and gives the same file, byte for byte."""

import os
import signal
import subprocess
import time

import pytest

pytestmark = pytest.mark.xdist_group("checkout")  # one process runs all that share what they build
TARGET = "results/quick/blobs/neos/train/bce.nc"
SLOW = ("epochs: 4, batch_size: 200", "epochs: 60, batch_size: 20")  # long enough to be killed in its midst


def wait_for(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_a_killed_training_goes_on_and_ends_the_same(checkout):
    undo = checkout.edit("config/studies/blobs.yaml", *SLOW)
    undo_interval = checkout.edit(
        "src/diffhep/training.py", "checkpoint_seconds: float = 10.0", "checkpoint_seconds: float = 0.0"
    )
    try:
        checkout.snakemake(TARGET, *checkout.quick)
        target = checkout.folder / TARGET
        undisturbed = target.read_bytes()
        target.unlink()

        run = subprocess.Popen(
            checkout.command(TARGET, *checkout.quick),
            cwd=checkout.folder,
            env=checkout.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_for(lambda: list(target.parent.glob("bce.nc.*.checkpoint")))
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        assert not target.exists()

        checkout.snakemake("--unlock", *checkout.quick)
        checkout.snakemake(TARGET, *checkout.quick)
        assert "going on after epoch" in (checkout.folder / TARGET.replace(".nc", ".log")).read_text()
        assert target.read_bytes() == undisturbed
        assert not list(target.parent.glob("*.checkpoint"))
    finally:
        undo()
        undo_interval()
