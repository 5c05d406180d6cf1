"""After an interruption the same command goes on, redoes nothing finished, and ends with the same bytes."""

import os
import re
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from support.checkouts import Checkout
from support.manifest import keep_one_claim

pytestmark = pytest.mark.xdist_group("interruption")  # beside those who share the other checkouts
TRAINED = "results/quick/blobs/thesis_5_bins/train/bce_augmented"
PICTURE = "results/quick/figures/thesis_7_28"


class Interrupted(Checkout):
    """A checkout in which events are generated, a training with them is drawn, and one claim is checked."""

    def __init__(self, folder: Path):
        super().__init__(folder)
        keep_one_claim(folder)
        # a training long enough to be interrupted in its midst
        self.edit("config/studies/blobs.yaml", "epochs: 3, batch_size: 200", "epochs: 60, batch_size: 20")
        self.edit(
            "src/diffhep/learning/tasks.py", "checkpoint_seconds: float = 10.0", "checkpoint_seconds: float = 0.0"
        )
        self.arguments = (f"{PICTURE}.pdf", "results/quick/claims/thesis.csv", *self.quick)
        self.snakemake(*self.arguments)
        self.undisturbed = self.results()

    def results(self) -> dict[str, bytes]:
        """All that a build leaves but logs and times, with what it should not leave."""
        files = (path for path in (self.folder / "results").rglob("*") if path.is_file())
        return {str(path): path.read_bytes() for path in files if path.suffix not in {".log", ".tsv"}}

    def log(self) -> str:
        path = self.folder / f"{TRAINED}.log"
        return path.read_text() if path.exists() else ""

    def resumed(self) -> int:
        """The epoch behind which the training of the last run went on."""
        return int(re.search(r"resumed after epoch (\d+)", self.log())[1])

    def forget(self) -> None:
        """Remove what the training and the figure made."""
        for path in (f"{TRAINED}.nc", f"{TRAINED}.log", f"{PICTURE}.pdf", f"{PICTURE}.png"):
            (self.folder / path).unlink(missing_ok=True)

    @contextmanager
    def training(self, epoch: int):
        """A run whose training is in an epoch; in the end it has failed, and `printed` is its output."""
        (self.folder / f"{TRAINED}.log").unlink(missing_ok=True)
        # a run ignores Ctrl-C if the tests do, as they do in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with subprocess.Popen(
            self.command(*self.arguments),
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as run:
            wait_for(lambda: f"epoch {epoch}/60" in self.log())
            yield run
            run.printed, _ = run.communicate(timeout=60)
        assert run.returncode != 0, run.printed

    def go_on(self) -> None:
        """The same command makes only training and figure, and all is as if nothing had been."""
        assert not (self.folder / f"{TRAINED}.nc").exists()
        printed = self.snakemake(*self.arguments)
        assert re.findall(r"^localrule (\w+):", printed, re.M) == ["blobs_train", "figure"]
        assert self.results() == self.undisturbed


def wait_for(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def build(tmp_path_factory) -> Interrupted:
    return Interrupted(tmp_path_factory.mktemp("interrupted"))


def test_a_training_that_was_stopped_goes_on_each_time(build):
    build.forget()
    with build.training(2) as run:
        os.killpg(run.pid, signal.SIGINT)  # as a terminal does
    with build.training(12) as run:
        jobs = psutil.Process(run.pid).children()
        run.kill()
        psutil.wait_procs(jobs)  # they end with Snakemake
    assert build.resumed() >= 1  # an epoch is printed before its checkpoint is written
    killed_as_it_wrote = build.folder / Path(TRAINED).with_name(".bce_augmented.nc.01234567.part")
    killed_as_it_wrote.touch()
    build.here("--unlock", *build.quick)  # as test_lock.py sees it asked for
    with build.training(22) as run:
        (job,) = psutil.Process(run.pid).children()
        job.kill()
    assert build.resumed() >= 11
    assert "Error in rule blobs_train" in run.printed and f"log: {TRAINED}.log" in run.printed
    build.go_on()
    assert build.resumed() >= 21


@pytest.fixture
def small_disk(build):
    """All results on a disk of 16 MB, and afterwards where they were."""
    results = build.folder / "results"
    aside = results.rename(build.folder / "aside")
    results.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", results]
    mounted = subprocess.run(mount, capture_output=True, text=True)
    try:
        if mounted.returncode != 0:
            pytest.skip(f"no small disk: {mounted.stderr}")
        shutil.copytree(aside, results, dirs_exist_ok=True)
        yield results
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", results], check=True)
        results.rmdir()
        aside.rename(results)


def test_a_full_disk(build, small_disk):
    build.forget()
    filler = small_disk / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(small_disk).free))
    printed = build.snakemake(*build.arguments, ok=False)
    filler.unlink()
    assert re.search(f"No space left on device: '{TRAINED}.nc.*'", printed)
    assert not list((build.folder / TRAINED).parent.glob("*bce_augmented.nc*"))
    build.go_on()


def test_a_training_meets_nan_until_its_settings_are_mended(build):
    undo = build.edit("config/studies/blobs.yaml", "batch_size: 20,", "batch_size: 20, learning_rate: 1.0e+30,")
    try:
        printed = build.snakemake(*build.arguments, ok=False)
    finally:
        undo()
    assert re.search("the loss .*bce_augmented is (nan|inf) for seed 0 in epoch 1: lower the learning rate", printed)
    build.go_on()
