"""Scaling of events and conditioning variables to mean 0 and standard deviation 1."""

from typing import NamedTuple

import jax
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float

from diffhep.samples import ConditionalEvents

SCALING_VARIABLES = ("event_mean", "event_width", "context_mean", "context_width")
"""Names under which scalings are stored."""


class Scaling(NamedTuple):
    """Scaling of every feature to mean 0 and standard deviation 1.

    Attributes:
        mean: Mean of the feature before scaling.
        width: Standard deviation of the feature before scaling.
    """

    mean: Float[ArrayLike, " feature"]
    width: Float[ArrayLike, " feature"]

    def __call__(self, values: Float[ArrayLike, "*axis feature"]) -> Float[ArrayLike, "*axis feature"]:
        """Scale values."""
        return (values - self.mean) / self.width


def fit_scaling(values: Float[np.ndarray, "event feature"]) -> Scaling:
    """Return the scaling of a sample, in float32.

    Args:
        values: Features of the events.

    Raises:
        ValueError: A feature has one value in all events.
    """
    mean, width = np.mean(values, axis=0, dtype=float), np.std(values, axis=0, dtype=float)
    for feature in np.flatnonzero(~(width > 0))[:1]:
        raise ValueError(f"feature {feature} is {mean[feature]:g} in all events: leave it out")
    return Scaling(mean.astype(np.float32), width.astype(np.float32))


def fit_scalings(sample: ConditionalEvents) -> tuple[Scaling, Scaling]:
    """Return the scalings of the events and of the conditioning variables of a sample."""
    return tuple(fit_scaling(np.concatenate(np.asarray(values))) for values in (sample.events, sample.context))


def scale(sample: ConditionalEvents, scalings: tuple[Scaling, Scaling]) -> ConditionalEvents:
    """Scale the events and the conditioning variables of a sample."""
    events, context = (scaling(np.asarray(values)) for scaling, values in zip(scalings, sample[:2], strict=True))
    return ConditionalEvents(*jax.device_put((events, context)), sample.weights)


def to_variables(scalings: tuple[Scaling, Scaling]) -> dict[str, tuple[str, np.ndarray]]:
    """Return the variables of a dataset that store the scalings of events and conditioning variables."""
    values = zip(SCALING_VARIABLES, (*scalings[0], *scalings[1]), strict=True)
    return {name: (name.split("_")[0] + "_axis", np.asarray(value)) for name, value in values}
