"""Samples of weighted events, as training takes them."""

from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float


class WeightedEvents(NamedTuple):
    """Weighted events of several samples of equal length.

    Attributes:
        features: Features of the events, float32.
        weights: Weights of the events; zero for padding.
    """

    features: Float[Array, "sample event feature"]
    weights: Float[Array, "sample event"]


class ConditionalEvents(NamedTuple):
    """Weighted events with conditioning variables, of several samples of equal length.

    Attributes:
        events: Features of the events.
        context: Conditioning variables of the events.
        weights: Weights of the events; zero for padding.
    """

    events: Float[Array, "sample event feature"]
    context: Float[Array, "sample event condition"]
    weights: Float[Array, "sample event"]


def conditional_events(
    events: Float[np.ndarray, "event feature"],
    context: Float[np.ndarray, "event condition"],
    weights: Float[np.ndarray, " event"] | None = None,
) -> ConditionalEvents:
    """Return one sample of events in float32, on the device.

    Args:
        events: Features of the events.
        context: Conditioning variables of the events.
        weights: Weights of the events; one by default.
    """
    weights = np.ones(len(events)) if weights is None else weights
    arrays = [np.asarray(array, np.float32)[None] for array in (events, context, weights)]
    return ConditionalEvents(*jax.device_put(arrays))
