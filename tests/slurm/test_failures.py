"""Jobs that fail, are cancelled or run over time end the run and are named; the same command does what is missing."""

import re
import subprocess
import time

import pytest

pytestmark = pytest.mark.slurm
TRAINED = "results/quick/blobs/neos/train"
CANCELLED, OVER_TIME, FAILED, GOOD = "bce", "cls", "log_cls", "log_p0"
TARGETS = [f"{TRAINED}/{run}.nc" for run in (CANCELLED, OVER_TIME, FAILED, GOOD)]

# A training that has written a checkpoint looks whether it is to wait, or to fail.
SCHEDULE, TRAINING = "src/diffhep/learning/tasks.py", "src/diffhep/learning/training.py"
ALWAYS = ("checkpoint_seconds: float = 10.0", "checkpoint_seconds: float = 0.0")
SAVED = "            save_checkpoint(run, checkpoint)\n"
OBEY = """\
            name = checkpoint.name.split(".")[0]
            while (checkpoint.parent / f"{name}.wait").exists():
                time.sleep(0.1)
            if (checkpoint.parent / f"{name}.fail").exists():
                raise RuntimeError("asked to fail")
"""


def interfere(cluster, folder, run) -> None:
    """Cancel one training and leave another no more time, as soon as both have written a checkpoint."""
    orders = {CANCELLED: ["scancel", "{}"], OVER_TIME: ["scontrol", "update", "JobId={}", "TimeLimit=1"]}
    while not all(list(folder.glob(f"{name}.nc.*.checkpoint")) for name in orders):
        if run.poll() is not None:
            return
        time.sleep(0.1)
    ids = {job["Comment"]: job["JobId"] for job in cluster.jobs()}  # the latest job of each name
    for name, order in orders.items():
        job = ids[f"rule_blobs_train_wildcards_neos_{name}"]
        subprocess.run([word.format(job) for word in order], check=True)


@pytest.fixture(scope="module")
def printed(cluster, checkout) -> str:
    """What a run tells in which three of four trainings come to grief; what was in their way is then removed."""
    checkout.edit(SCHEDULE, *ALWAYS)
    checkout.edit(TRAINING, SAVED, SAVED + OBEY)
    folder = checkout.folder / TRAINED
    folder.mkdir(parents=True, exist_ok=True)
    signs = [folder / name for name in (f"{CANCELLED}.wait", f"{OVER_TIME}.wait", f"{FAILED}.fail")]
    for sign in signs:
        sign.touch()
    command = checkout.command(*checkout.submission(*TARGETS))
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, cwd=checkout.folder, env=checkout.environment(), **pipes) as run:
        interfere(cluster, folder, run)
        output, _ = run.communicate()
    assert run.returncode == 1, output[-5000:]
    for sign in signs:
        sign.unlink()
    return output


@pytest.mark.parametrize(("run", "state"), [(CANCELLED, "CANCELLED"), (OVER_TIME, "TIMEOUT"), (FAILED, "FAILED")])
def test_what_went_wrong_is_named(printed, run, state):
    errors = re.findall(r"^Error in rule blobs_train:\n    message: SLURM-job .*\n(?:    .*\n)+", printed, re.M)
    (error,) = (error for error in errors if f"{TRAINED}/{run}.nc" in error)
    assert f"{TRAINED}/{run}.log" in error
    assert f"SLURM status is: '{state}'" in error


def test_the_reason_is_shown(printed):
    assert "asked to fail" in printed


def test_nothing_half_written_is_left(printed, checkout):
    assert [target for target in TARGETS if (checkout.folder / target).exists()] == [f"{TRAINED}/{GOOD}.nc"]


def test_the_same_command_does_what_is_missing_and_nothing_else(printed, checkout):
    again = checkout.snakemake(*checkout.submission(*TARGETS))
    assert re.findall(r"^rule (\w+):", again, re.M) == ["blobs_train"] * 3
    for run in (CANCELLED, OVER_TIME):
        assert "resumed after epoch" in (checkout.folder / TRAINED / f"{run}.log").read_text()

    interrupted = checkout.folder / TARGETS[0]
    content = interrupted.read_bytes()
    interrupted.unlink()
    checkout.snakemake(TARGETS[0], *checkout.quick)  # on this machine, undisturbed
    assert interrupted.read_bytes() == content
