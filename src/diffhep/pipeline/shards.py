"""Work that is spread over jobs: consecutive seeds, pseudo-experiments or contexts."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

Settings = Mapping[str, Any]


def seed_range(run: Settings) -> range:
    """Seeds of a training, which has `seed`, the first, and `seeds`, how many there are."""
    return range(run["seed"], run["seed"] + run["seeds"])


def split_range(numbers: range, per_job: int | str) -> list[tuple[int, int]]:
    """First and last number of each job that consecutive pieces of work are spread over; empty if one job does it all.

    No job has a single one, unless that is all: a loop of one step is compiled to something else, whose results agree
    but for the last bit.

    Args:
        numbers: Seeds of networks, or numbers of pseudo-experiments or contexts.
        per_job: How many a job does, or one more where one would be left alone; at least 2, or "all".
    """
    first, number = numbers.start, len(numbers)
    jobs = 1 if per_job == "all" else max(min(-(-number // per_job), number // 2), 1)
    ends = [first + number * job // jobs for job in range(jobs + 1)]
    return [(at, end - 1) for at, end in pairwise(ends)] if jobs > 1 else []


def shard_of_run(run: Settings, first: int, last: int) -> dict[str, Any]:
    """Settings of the part of a training that has these seeds."""
    return {**run, "seed": first, "seeds": last - first + 1}


SHARDS_ALONG = "shards_along_"  # begins the name of an input whose datasets are joined along the dimension behind it
