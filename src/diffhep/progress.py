"""Tells how much is left of a run, from what Snakemake logs."""

import logging
import sys
import time
from collections.abc import Mapping
from datetime import datetime

from diffhep.forecast import progress

PAUSE = 60.0
"""Seconds between two lines, at least."""


class Progress(logging.Handler):
    """A handler of Snakemake's log that prints every minute how much is left.

    Args:
        jobs: Seconds that each job is expected to take and the cores it holds, by Snakemake's number of the job.
        cores: How many there are.
    """

    def __init__(self, jobs: Mapping[int, tuple[float, int]], cores: int) -> None:
        """Start the clock."""
        super().__init__()
        self.left, self.done, self.cores = dict(jobs), [], cores
        self.start = self.told = time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        """Count a job that has ended; tell, if it is time to."""
        event, now = getattr(getattr(record, "event", None), "name", ""), time.monotonic()
        if event == "JOB_FINISHED" and record.job_id in self.left:
            self.done.append(self.left.pop(record.job_id))
        if event == "PROGRESS" and self.left and now - self.told >= PAUSE:
            self.told = now
            line = progress(self.left.values(), self.done, self.cores, now - self.start, datetime.now())
            print(line, file=sys.stderr, flush=True)
