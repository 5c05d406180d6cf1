"""When Snakemake looks whether jobs can be started: when one has ended, and not all the time besides. No rules."""

import functools
import inspect

from snakemake.scheduling.job_scheduler import JobScheduler

look_again_later = inspect.unwrap(JobScheduler._schedule_reevalutation)


@functools.wraps(look_again_later)
def look_again_if_needed(scheduler, delay):
    """In place of Snakemake's (9.27), which looks again after a second, and from then on every second.

    It does so once more for each job that has ended: after some hundred it kept a core busy. That is only needed
    where so many jobs were started that others have to wait (`max-jobs-per-timespan`).
    """
    limiter = scheduler.job_rate_limiter
    if limiter is None or limiter.get_free_jobs() == 0:
        look_again_later(scheduler, delay)


JobScheduler._schedule_reevalutation = look_again_if_needed
