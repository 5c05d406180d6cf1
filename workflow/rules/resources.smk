"""Expected run times: resources of jobs, and what a run prints and stores when it starts. No rules."""

from datetime import datetime

from snakemake.logging import logger

from diffhep.pipeline.progress import Progress, forecast
from diffhep.pipeline.run_times import STARTUP_SECONDS, measured_seconds


def training_resources(seconds):
    """Resources of a job with an expected run time on one core, in seconds or as a function of its wildcards.

    Expected times were wrong by up to a factor of two, and nodes differ by another.
    """
    limit = lambda expected: 30 + round(4 * expected / 60)
    runtime = (lambda wildcards: limit(seconds(wildcards))) if callable(seconds) else limit(seconds)
    return {"expected_seconds": seconds, "runtime": runtime}


def seconds_unless_merged(numbers, seconds):
    """Seconds of a stage; 5 if it only joins the results of its shards."""
    return 5 if shards_of(numbers) else seconds


def shard_seconds(numbers, seconds, wildcards):
    """Seconds of one shard, given the seconds of the whole stage."""
    return STARTUP_SECONDS + seconds * (int(wildcards.last) - int(wildcards.first) + 1) / len(numbers)


onstart:
    jobs = {
        job.jobid: (measured_seconds(job.benchmark, job.resources.get("expected_seconds", 0)), job.threads)
        for job in workflow.dag.needrun_jobs()
    }
    print(forecast(jobs.values(), workflow.cores, datetime.now()), file=sys.stderr)
    logger.addHandler(Progress(jobs, workflow.cores))
    if OVERLAID:
        store_overlaid(OVERLAID)
