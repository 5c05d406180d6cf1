"""Samples of events, as training takes them."""

from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float


class ConditionalEvents(NamedTuple):
    """Events and their contexts, as one sample of `training`.

    Attributes:
        events: what is to be learned.
        context: where.
        weights: how much each event counts.
    """

    events: Float[Array, "sample event feature"]
    context: Float[Array, "sample event condition"]
    weights: Float[Array, "sample event"]


def conditional_events(
    events: Float[np.ndarray, "event feature"],
    context: Float[np.ndarray, "event condition"],
    weights: Float[np.ndarray, " event"] | None = None,
) -> ConditionalEvents:
    """Events of one sample, of weight one by default."""
    weights = np.ones(len(events)) if weights is None else weights
    return ConditionalEvents(
        *jax.device_put([np.asarray(each, np.float32)[None] for each in (events, context, weights)])
    )


class WeightedEvents(NamedTuple):
    """Events of several samples, equally many of each.

    Attributes:
        features: What the detector measured, float32.
        weights: How much each event counts; zero for none at all.
    """

    features: Float[Array, "sample event feature"]
    weights: Float[Array, "sample event"]
