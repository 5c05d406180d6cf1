"""Expected run times of jobs: as measured in the last run, or estimated from their work."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

STARTUP_SECONDS = 12.0
"""Seconds to load and compile a training."""

FLOPS_PER_SECOND = 8e10
"""Operations a second of one core, in float32, that trainings have reached."""

SECONDS_BY_TRANSFORM = {"affine": 1.2e-7, "spline": 2e-6}
"""Core seconds of a training step for each event and layer of a flow, by transform."""

COUPLING_SECONDS = 4e-10
"""Core seconds of a training step for each event and weight of a coupling flow."""


def training_seconds(layers: Sequence[int], *, events: int, epochs: int, seeds: int) -> float:
    """Expected core seconds of the training of a network.

    Each event costs two operations a weight of the network forward and four backward, and the evaluation after every
    epoch, on a third as many events, another two.

    Args:
        layers: Widths of all layers of the network, input and output included.
        events: Events of all samples in an epoch.
        epochs: Passes over the events.
        seeds: Number of networks.
    """
    weights = sum(before * after for before, after in pairwise(layers))
    return STARTUP_SECONDS + seeds * epochs * events * weights * (2 + 4 + 2 / 3) / FLOPS_PER_SECOND


def flow_seconds(flow: Mapping[str, Any], training: Mapping[str, Any]) -> float:
    """Expected core seconds of the training of an ensemble of flows, with its evaluation.

    Args:
        flow: `transform` and number of `layers`.
        training: `members`, `iterations` and `batch_size`.
    """
    events = training["members"] * training["iterations"] * training["batch_size"]
    return STARTUP_SECONDS + 1.3 * events * flow["layers"] * SECONDS_BY_TRANSFORM[flow["transform"]]


def coupling_seconds(training: Mapping[str, Any]) -> float:
    """Expected core seconds of the training of a coupling flow on two classes.

    Args:
        training: `iterations`, `batch_size` of each class, and `flow`: `layers`, `width` and `depth`.
    """
    flow = training["flow"]
    weights = flow["layers"] * flow["width"] ** 2 * flow["depth"]
    return STARTUP_SECONDS + 2 * training["iterations"] * training["batch_size"] * weights * COUPLING_SECONDS


MAX_RATIO = 30.0
"""Ratio of measured and estimated seconds beyond which a job is another one: with other settings, or in shards."""


def measured_seconds(benchmark: str | Path | None, estimate: float) -> float:
    """Seconds that a job took when it ran last, or an estimate.

    Args:
        benchmark: Snakemake's benchmark file of the job, where the job has one.
        estimate: Estimated seconds, returned if the job never ran or the file differs from it by `MAX_RATIO`.
    """
    try:
        header, *_, row = Path(benchmark or "").read_text(encoding="utf-8").splitlines()
        seconds = float(dict(zip(header.split("\t"), row.split("\t"), strict=True))["s"])
    except (OSError, ValueError, KeyError):
        return estimate
    return seconds if estimate / MAX_RATIO <= seconds <= estimate * MAX_RATIO else estimate
