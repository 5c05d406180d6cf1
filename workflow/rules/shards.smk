"""Shards of a stage: consecutive seeds, pseudo-experiments or conditioning points, one job for each. No rules."""

from diffhep.pipeline import shards


wildcard_constraints:
    first=r"\d+",
    last=r"\d+",


def shards_of(numbers):
    """First and last number of each shard; empty if one job computes all."""
    return shards.split_range(numbers, config["seeds_per_job"])


def shards_or_inputs(numbers, stem, along, **inputs):
    """Inputs of a stage: the results of its shards, joined along a dimension, or, without shards, its own inputs."""
    files = [f"{stem}/{along}_{first}_{last}.nc" for first, last in shards_of(numbers)]
    return {f"{shards.SHARDS_ALONG}{along}": files} if files else inputs


def shard_settings(run, wildcards):
    """Settings of a training with the seeds of one shard."""
    return shards.shard_of_run(run, int(wildcards.first), int(wildcards.last))


def full_range(numbers):
    """First and last number, as settings of a stage without shards."""
    return {"first": numbers[0], "last": numbers[-1]}


def wildcard_range(wildcards):
    """First and last number of a shard, as settings."""
    return {"first": int(wildcards.first), "last": int(wildcards.last)}
