"""Shards: consecutive seeds, pseudo-experiments or contexts of a stage, one job for each."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

Settings = Mapping[str, Any]


def seed_range(run: Settings) -> range:
    """Seeds of a training with `seed`, the first, and `seeds`, their number."""
    return range(run["seed"], run["seed"] + run["seeds"])


def split_range(numbers: range, per_job: int | str) -> list[tuple[int, int]]:
    """Split consecutive numbers into shards: first and last number of each; empty if one job does all.

    No shard has a single number, unless there is only one: a loop of one step is compiled differently, and its results
    differ in the last bit.

    Args:
        numbers: Seeds of networks, or numbers of pseudo-experiments or contexts.
        per_job: Numbers of a shard, or one more where one would remain; at least 2, or "all".
    """
    first, number = numbers.start, len(numbers)
    jobs = 1 if per_job == "all" else max(min(-(-number // per_job), number // 2), 1)
    ends = [first + number * job // jobs for job in range(jobs + 1)]
    return [(at, end - 1) for at, end in pairwise(ends)] if jobs > 1 else []


def shard_of_run(run: Settings, first: int, last: int) -> dict[str, Any]:
    """Settings of a training with the seeds from the first to the last only."""
    return {**run, "seed": first, "seeds": last - first + 1}


SHARDS_ALONG = "shards_along_"
"""Prefix of the name of an input whose datasets are joined along the dimension that follows."""
