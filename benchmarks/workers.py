"""Wall time of a build against its number of workers, and the graphs of jobs with their measured times."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
import yaml

from diffhep.errors import InputError
from diffhep.peers.timing import time_call
from diffhep.pipeline import settings as pipeline_settings
from diffhep.pipeline import store
from diffhep.pipeline.wall_time_bounds import Job, longest_chain, wall_time_bound, work_per_core

CORES = tuple(2**power for power in range(8))
"""Numbers of cores that the bounds are computed for."""

ALL_CORES = 1000
"""More cores than any machine has, so that a job that asks for all cores is recognised."""

JOB = re.compile(r"^(?:local)?rule \w+:\n((?:    .*\n)+)", re.M)
"""A job in the output of a dry run of Snakemake, with one line per property."""


def write(settings: Mapping[str, Any], config: Mapping[str, Any], cores: int, path: str) -> None:
    """Measure wall times and store them."""
    quick = pipeline_settings.read("config/scales/quick.yaml")
    store.save(measure(settings, config, quick, cores), path, provenance={"settings": dict(settings), "cores": cores})


def measure(settings: Mapping[str, Any], config: Mapping[str, Any], quick: Mapping[str, Any], cores: int) -> xr.Dataset:
    """Measure the wall time of a build for several numbers of workers, and collect the times of all jobs.

    The build is at quick scale, each time in a fresh folder, with programs that an earlier build has compiled:
    otherwise the time of a job would depend on the jobs before it. The times of its jobs are those of the first build
    with one worker.

    Args:
        settings: `target` to build, and `repeats`.
        config: Configuration of the suite, whose results exist.
        quick: Overrides of the configuration at quick scale.
        cores: Largest number of workers; the others are powers of two.

    Returns:
        `startup` (repeat), seconds of Snakemake before the first job; `seconds` (repeat, workers), wall time of the
        build; and the `bounds` of the graphs `built` and `full` (all results).
    """
    target, times, startup = settings["target"], [], []
    workers = sorted({min(2**power, cores) for power in range(cores.bit_length() + 1)})
    with tempfile.TemporaryDirectory() as folder:
        own_processes = {"processes": "own"}  # so that the time of a job does not depend on the jobs before
        config_in = partial(_config_in_folder, {**config, **quick, **own_processes}, folder)
        run(config_in("first"), cores, target, cache=folder)
        for repeat in range(settings["repeats"]):
            startup.append(time_call(partial(dry_run, config_in("nothing"), target)))
            builds = (partial(run, config_in(f"{repeat}_{number}"), number, target, cache=folder) for number in workers)
            times.append([time_call(build) for build in builds])
        graphs = bounds("built", parse_jobs(dry_run(config_in("0_1"), target)))
    graphs |= bounds("full", parse_jobs(dry_run(config, "all")))
    measured = {"seconds": (("repeat", "workers"), np.array(times)), "startup": ("repeat", np.array(startup))}
    return xr.Dataset(measured | graphs, {"workers": workers, "cores": list(CORES)}, {"target": target})


def _config_in_folder(config: Mapping[str, Any], folder: str, name: str) -> dict[str, Any]:
    return {**config, "pathvars": {"results": f"{folder}/{name}"}}


def bounds(graph: str, jobs: Sequence[Job]) -> dict[str, tuple[str, np.ndarray] | float]:
    """Compute the lower bounds on the wall time of a graph of jobs.

    Returns:
        With names that begin with that of the graph: `jobs`, their number; `longest_chain` in seconds;
        `work_per_core` (cores) and the larger of both, `bound` (cores), in seconds.
    """
    return {
        f"{graph}_jobs": len(jobs),
        f"{graph}_longest_chain": longest_chain(jobs),
        f"{graph}_work_per_core": ("cores", np.array([work_per_core(jobs, cores) for cores in CORES])),
        f"{graph}_bound": ("cores", np.array([wall_time_bound(jobs, cores) for cores in CORES])),
    }


def run(config: Mapping[str, Any], workers: int, target: str, *options: str, cache: str | None = None) -> str:
    """Run Snakemake with its own configuration file and return its output.

    Args:
        config: Configuration to use.
        workers: Number of cores.
        target: Target to build.
        options: Further options of the command line.
        cache: Folder of compiled programs.

    Raises:
        RuntimeError: Snakemake failed.
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


def dry_run(config: Mapping[str, Any], target: str) -> str:
    """Return the output of a dry run in which all jobs run."""
    return run(config, ALL_CORES, target, "--dry-run", "--forceall")


def parse_jobs(output: str) -> list[Job]:
    """Parse the jobs of a dry run and read their measured times; jobs without a benchmark file only name targets.

    Raises:
        InputError: A job has not run yet.
    """
    jobs = [dict(line.strip().split(": ", 1) for line in body.splitlines()) for body in JOB.findall(output)]
    jobs = [job for job in jobs if "benchmark" in job]
    makers = {path: job["benchmark"] for job in jobs for path in job["output"].split(", ")}
    return [_job(job, makers) for job in jobs]


def _job(properties: Mapping[str, str], makers: Mapping[str, str]) -> Job:
    path = Path(properties["benchmark"])
    if not path.is_file():
        raise InputError(f"there is no {path}: build the results with `snakemake` first")
    seconds = float(pd.read_csv(path, sep="\t", na_values="-")["s"].iloc[-1])
    needs = dict.fromkeys(makers[file] for file in properties.get("input", "").split(", ") if file in makers)
    return Job(str(path), seconds, int(properties.get("threads", 1)), tuple(needs))
