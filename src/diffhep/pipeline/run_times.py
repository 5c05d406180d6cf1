"""Expected run times of trainings."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

STARTUP_SECONDS = 12.0
"""Seconds until a training is loaded and compiled."""


FLOPS_PER_SECOND = 8e10
"""Multiplications and additions a second of one core, in float32, that trainings were seen to reach."""


SECONDS_BY_TRANSFORM = {"affine": 1.2e-7, "spline": 2e-6}
"""Seconds that a training step takes of one core, for each event and layer of a flow of such transforms."""


COUPLING_SECONDS = 4e-10
"""Seconds that a training step takes of one core, for each event and weight of a flow of couplings."""


def training_seconds(layers: Sequence[int], *, events: int, epochs: int, seeds: int) -> float:
    """Seconds of one core that a training takes, roughly.

    Each event costs two operations a weight of the network forward and four backward, and the evaluation after every
    epoch, on a third as many events, another two.

    Args:
        layers: Widths of all layers of the network, input and output included.
        events: Events that an epoch trains on, of all samples together.
        epochs: Passes over them.
        seeds: Networks trained.
    """
    weights = sum(before * after for before, after in pairwise(layers))
    return STARTUP_SECONDS + seeds * epochs * events * weights * (2 + 4 + 2 / 3) / FLOPS_PER_SECOND


def flow_seconds(flow: Mapping[str, Any], training: Mapping[str, Any]) -> float:
    """Seconds of one core that training an ensemble of flows takes, roughly, evaluation included.

    Args:
        flow: Its `transform` and number of `layers`.
        training: `members`, `iterations` and `batch_size`.
    """
    events = training["members"] * training["iterations"] * training["batch_size"]
    return STARTUP_SECONDS + 1.3 * events * flow["layers"] * SECONDS_BY_TRANSFORM[flow["transform"]]


def coupling_seconds(training: Mapping[str, Any]) -> float:
    """Seconds of one core that training a flow of couplings on two classes takes, roughly.

    Args:
        training: `iterations`, `batch_size` of each class, and `flow`: `layers`, `width` and `depth`.
    """
    flow = training["flow"]
    weights = flow["layers"] * flow["width"] ** 2 * flow["depth"]
    return STARTUP_SECONDS + 2 * training["iterations"] * training["batch_size"] * weights * COUPLING_SECONDS
