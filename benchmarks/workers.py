"""Wall time of a build against the number of its workers, and the graphs of jobs behind it."""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
import yaml

from diffhep.errors import InputError
from diffhep.pipeline import settings as pipeline_settings
from diffhep.pipeline import store
from diffhep.pipeline.wall_time_bounds import Job

ALL_CORES = 1000
"""More than any machine has: a job that takes all cores shows by asking for so many."""

TOLD = re.compile(r"^(?:local)?rule \w+:\n((?:    .*\n)+)", re.M)
"""A job in what a dry run of Snakemake prints: one line for each thing that it has."""


def write(settings: Mapping[str, Any], config: Mapping[str, Any], cores: int, path: str) -> None:
    """Measure, and store what was found."""
    quick = pipeline_settings.read("config/quick.yaml")
    store.save(measure(settings, config, quick, cores), path, provenance={"settings": dict(settings), "cores": cores})


def measure(settings: Mapping[str, Any], config: Mapping[str, Any], quick: Mapping[str, Any], cores: int) -> xr.Dataset:
    """Seconds that a build takes with so many workers, and the jobs of this build and of all that `config` makes.

    The build is at quick scale, each time in a fresh folder, with programs that an earlier build has compiled: else
    what a job takes would depend on which others came before. Jobs are those of the first build with one worker.

    Args:
        settings: `target` that is built, and `repeats`.
        config: Configuration of the suite at its present scale, whose results are there.
        quick: What is different at quick scale.
        cores: The most workers; others are powers of two.

    Returns:
        `begin` (repeat), seconds of Snakemake before the first job; `seconds` (repeat, workers); and of the graphs
        `built` and `full` what `tabulated` returns.
    """
    target, taken, begin = settings["target"], [], []
    numbers = sorted({min(2**power, cores) for power in range(cores.bit_length() + 1)})
    with tempfile.TemporaryDirectory() as folder:
        alone = {"processes": "own"}  # so that a job costs the same whatever was done before
        of = partial(_in_folder, {**config, **quick, **alone}, folder)
        run(of("first"), cores, target, cache=folder)
        for repeat in range(settings["repeats"]):
            begin.append(seconds(partial(planned, of("nothing"), target)))
            builds = (partial(run, of(f"{repeat}_{number}"), number, target, cache=folder) for number in numbers)
            taken.append([seconds(build) for build in builds])
        graphs = tabulated("built", jobs_of(planned(of("0_1"), target)))
    graphs |= tabulated("full", jobs_of(planned(config, "all")))
    measured = {"seconds": (("repeat", "workers"), np.array(taken)), "begin": ("repeat", np.array(begin))}
    return xr.Dataset(measured | graphs, {"workers": numbers}, {"target": target})


def _in_folder(config: Mapping[str, Any], folder: str, name: str) -> dict[str, Any]:
    return {**config, "pathvars": {"results": f"{folder}/{name}"}}


def tabulated(graph: str, jobs: Sequence[Job]) -> dict[str, tuple[str, np.ndarray]]:
    """Jobs as arrays, each with the name of the graph before its own.

    Returns:
        `seconds`, `cores` and `megabytes` (job); `before` and `after` (edge), numbers of jobs, the second of
        which needs the first.
    """
    numbers = {job.name: number for number, job in enumerate(jobs)}
    edges = np.array([(numbers[need], numbers[job.name]) for job in jobs for need in job.needs]).reshape(-1, 2)
    of_jobs = {
        f"{graph}_{what}": (f"{graph}_job", np.array([getattr(job, what) for job in jobs]))
        for what in ("seconds", "cores", "megabytes")
    }
    ends = {f"{graph}_{end}": (f"{graph}_edge", of) for end, of in zip(("before", "after"), edges.T, strict=True)}
    return of_jobs | ends


def run(config: Mapping[str, Any], workers: int, target: str, *options: str, cache: str | None = None) -> str:
    """What Snakemake prints that is called with a configuration of its own.

    Raises:
        RuntimeError: It failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "config.yaml")
        path.write_text(yaml.safe_dump(dict(config)))
        command = [sys.executable, "-m", "snakemake", "--cores", str(workers), "--configfile", str(path), *options]
        environment = os.environ | ({"JAX_COMPILATION_CACHE_DIR": cache} if cache else {})
        done = subprocess.run(
            [*command, "--nolock", "--drop-metadata", "--", target], env=environment, capture_output=True, text=True
        )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr[-2000:]}")
    return done.stdout


def planned(config: Mapping[str, Any], target: str) -> str:
    """What a dry run says that makes everything anew."""
    return run(config, ALL_CORES, target, "--dry-run", "--forceall")


def jobs_of(told: str) -> list[Job]:
    """Jobs that a dry run has told of, as measured when they ran; those without a benchmark only name targets.

    Raises:
        InputError: A job has not run.
    """
    jobs = [dict(line.strip().split(": ", 1) for line in body.splitlines()) for body in TOLD.findall(told)]
    jobs = [job for job in jobs if "benchmark" in job]
    makers = {path: job["benchmark"] for job in jobs for path in job["output"].split(", ")}
    return [_job(job, makers) for job in jobs]


def _job(told: Mapping[str, str], makers: Mapping[str, str]) -> Job:
    path = Path(told["benchmark"])
    if not path.is_file():
        raise InputError(f"there is no {path}: `snakemake` makes it, with the result beside it")
    measured = pd.read_csv(path, sep="\t", na_values="-").iloc[-1]
    needs = dict.fromkeys(makers[file] for file in told.get("input", "").split(", ") if file in makers)
    memory = float(np.nan_to_num(measured["max_rss"]))  # none of a job that ends at once
    return Job(str(path), float(measured["s"]), int(told.get("threads", 1)), tuple(needs), memory)


def seconds(work: Callable[[], Any]) -> float:
    """How long it takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin
