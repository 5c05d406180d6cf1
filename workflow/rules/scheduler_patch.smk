"""Makes Snakemake look for jobs to start only when one has ended. No rules."""

import functools
import inspect

from snakemake.scheduling.job_scheduler import JobScheduler

look_again_later = inspect.unwrap(JobScheduler._schedule_reevalutation)


@functools.wraps(look_again_later)
def look_again_if_needed(scheduler, delay):
    """Replace Snakemake's method (9.27), which looks for jobs to start every second.

    It starts one more such timer for each job that has ended: after some hundred jobs they kept a core busy. A timer
    is only needed where the limit on starts (`max-jobs-per-timespan`) holds jobs back.
    """
    limiter = scheduler.job_rate_limiter
    if limiter is None or limiter.get_free_jobs() == 0:
        look_again_later(scheduler, delay)


JobScheduler._schedule_reevalutation = look_again_if_needed
