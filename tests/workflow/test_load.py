"""A build takes the cores that it was given, no more threads than those can run, and little memory."""

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import psutil
import pytest
from support.checkouts import Checkout
from support.manifest import keep_one_claim

MOST_MEGABYTES = 4000
TARGETS = ("thesis_2_1", "results/quick/claims/thesis.csv")
POOLS = {f"{library}_NUM_THREADS" for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")}


class Seen(NamedTuple):
    """A job at one moment: its process, script, runnable threads, cores it may use and threads of its pools.

    A shared process may be idle; its script is not known.
    """

    process: int
    script: str
    runnable: int
    cores: frozenset[int]
    pools: frozenset[str]


def runnable(process: int) -> int:
    """Threads of a process that run, or would if there were a core: what a machine's load counts."""
    states = []
    for task in Path("/proc", str(process), "task").glob("*"):
        with contextlib.suppress(OSError):  # it has just ended
            states.append(task.joinpath("stat").read_text().rsplit(")", 1)[1].split()[0])
    return sum(state in "RD" for state in states)


def job(process: psutil.Process) -> Seen | None:
    """What a process of Snakemake's does, if it is a job and has not just ended."""
    try:
        script = re.search(r"\.(\w+)\.py$|(?<=import )worker_processes", " ".join(process.cmdline()))
        environment = process.environ()
        if not script or not environment or process.status() == psutil.STATUS_ZOMBIE:
            return None  # without environment it is ending, or just beginning
        pools = frozenset(environment[name] for name in POOLS)
        return Seen(
            process.pid, script[1] or script[0], runnable(process.pid), frozenset(process.cpu_affinity()), pools
        )
    except (psutil.Error, OSError):
        return None


def watched(checkout: Checkout, cores: int, processes: str, temporary: Path) -> list[tuple[int, list[Seen]]]:
    """A build of everything, and ten times a second the runnable threads of Snakemake itself and all of its jobs."""
    options = "--forceall", "--cores", str(cores), "--config", f"processes={processes}"
    command = checkout.command(*TARGETS, *checkout.quick, *options)
    environment = checkout.environment() | {"TMPDIR": str(temporary)}  # nobody else's jobs hold cores there
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    seen = []
    with subprocess.Popen(command, cwd=checkout.folder, env=environment, **pipes) as build:
        snakemake = psutil.Process(build.pid)
        while build.poll() is None:
            jobs = [found for child in snakemake.children(recursive=True) if (found := job(child))]
            seen.append((runnable(build.pid), jobs))
            time.sleep(0.1)
    assert build.returncode == 0
    return seen


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Checkout:
    """A checkout with one claim, in which everything has been compiled."""
    checkout = Checkout(tmp_path_factory.mktemp("load"))
    keep_one_claim(checkout.folder)
    return checkout


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="tells of threads on Linux only")
@pytest.mark.parametrize(("cores", "processes"), [(1, "own"), (2, "own"), (16, "own"), (2, "shared")])
def test_jobs_keep_to_the_cores_they_were_given(small, cores, processes, tmp_path):
    seen = watched(small, cores, processes, tmp_path)
    during = [(itself, jobs) for itself, jobs in seen if jobs]
    assert max(len(jobs) for _, jobs in during) <= cores
    load = [itself + sum(job.runnable for job in jobs) for itself, jobs in during]
    assert sum(load) / len(load) <= cores + 1
    expected = {"run", "draw", "claims"} if processes == "own" else {"worker_processes"}
    assert {job.script for _, jobs in during for job in jobs} >= expected
    assert {job.pools for _, jobs in during for job in jobs} == {frozenset("1")}
    allowed = os.sched_getaffinity(0)
    for _, jobs in during:
        pinned = [job.cores for job in jobs if job.cores != allowed]
        assert all(len(own) == 1 for own in pinned)
        assert cores > len(allowed) or len(set(pinned)) == len(pinned)  # a core is nobody else's


def test_libraries_of_figures_and_claims_obey_snakemake():
    """It tells every job how many threads to start, in the variables that are seen above."""
    program = (
        "import diffhep.pipeline.jobs, json, numpy, pyarrow, scipy.linalg, matplotlib.figure, threadpoolctl;"
        "numpy.ones((500, 500)) @ numpy.ones((500, 500));"
        "print(json.dumps([pyarrow.cpu_count(), *(p['num_threads'] for p in threadpoolctl.threadpool_info())]))"
    )
    environment = os.environ | dict.fromkeys(POOLS, "1") | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert set(json.loads(done.stdout)) == {1}


@pytest.mark.xdist_group("built")
def test_no_job_takes_more_memory_than_small_machines_have(built):
    """As the kernel counted it, and as Snakemake saw it now and then."""
    logs = {
        path: re.findall(r"most memory: (\d+) MB", path.read_text()) for path in built.folder.rglob("results/**/*.log")
    }
    assert logs and {path: most for path, most in logs.items() if len(most) != 1 or int(most[0]) > MOST_MEGABYTES} == {}
    seen = pd.concat(pd.read_csv(path, sep="\t") for path in built.folder.rglob("*.benchmark.tsv"))
    assert len(seen) == len(logs) and pd.to_numeric(seen["max_rss"], errors="coerce").max() <= MOST_MEGABYTES
