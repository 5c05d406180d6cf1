"""Two people in one checkout: the second learns that it is locked and how to unlock it; other targets are free."""

import os
import signal
import subprocess
import time

import pytest

pytestmark = pytest.mark.xdist_group("checkout")  # one process runs all that share what they build
TARGET, OTHER = (f"results/quick/histograms/{name}.nc" for name in ("bandwidth_tradeoff", "translation"))


@pytest.fixture
def busy(checkout):
    """A checkout in which somebody's Snakemake makes the target, stopped in its midst until it is killed."""
    run = subprocess.Popen(
        checkout.command(TARGET, *checkout.quick),
        cwd=checkout.folder,
        env=checkout.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while not list(checkout.folder.glob(".snakemake/locks/*")):
        assert time.monotonic() < deadline and run.poll() is None, "waited in vain"
        time.sleep(0.02)
    os.killpg(run.pid, signal.SIGSTOP)
    try:
        yield checkout, run
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
        checkout.here("--unlock", *checkout.quick)


def test_the_second_learns_that_the_directory_is_locked_and_how_to_unlock_it(busy):
    checkout, run = busy
    printed = checkout.here(TARGET, *checkout.quick, ok=False)
    assert "Directory cannot be locked" in printed and "no other Snakemake process" in printed
    assert f"\n{checkout.folder}\n" in printed and "removed with the --unlock argument" in printed
    assert "Traceback" not in printed
    # a dry run works all the same, and targets that nobody makes are not locked
    assert "histograms_translation" in checkout.here("--dry-run", OTHER, *checkout.quick)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert "cannot be locked" in checkout.here(TARGET, *checkout.quick, ok=False)
    assert "Unlocked working directory" in checkout.here("--unlock", *checkout.quick)
    assert not list(checkout.folder.glob(".snakemake/locks/*"))  # going on from there: see test_interruption
