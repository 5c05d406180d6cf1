"""Runs the scripts of jobs in processes of their own, or in processes shared by many jobs. No rules."""

import functools
import inspect
import subprocess

from snakemake.script import PythonScript

from diffhep.pipeline.worker_processes import WorkerPool

POOLS = (
    "OMP_NUM",
    "GOTO_NUM",
    "OPENBLAS_NUM",
    "MKL_NUM",
    "VECLIB_MAXIMUM",
    "NUMEXPR_NUM",
)  # of libraries, as Snakemake sets them
SHARED = WorkerPool({f"{pool}_THREADS": "1" for pool in POOLS})
in_own_process = inspect.unwrap(PythonScript.execute_script)


@functools.wraps(in_own_process)
def execute_script(script, path, edit=False):
    """Replace Snakemake's method: with `processes: shared`, run a script of one core in a shared process."""
    elsewhere = script.conda_env or script.container_img or script.env_modules
    if script.config["processes"] == "own" or script.threads > 1 or elsewhere:
        return in_own_process(script, path, edit)
    outcome, record = SHARED.run(path), script.bench_record
    if record:
        record.running_time, record.cpu_time, record.max_rss = outcome.seconds, outcome.cpu_seconds, outcome.megabytes
        record.cpu_usage, record.data_collected = 100 * outcome.cpu_seconds, True
    if outcome.status:
        raise subprocess.CalledProcessError(outcome.status, path)


PythonScript.execute_script = execute_script
