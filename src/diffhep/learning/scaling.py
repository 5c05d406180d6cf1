"""Scaling of events and contexts to mean 0 and standard deviation 1."""

from typing import NamedTuple

import jax
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float

from diffhep.samples import ConditionalEvents


class Scaling(NamedTuple):
    """What gives each feature of a set of events mean 0 and standard deviation 1.

    Attributes:
        mean: of each feature.
        width: its standard deviation.
    """

    mean: Float[ArrayLike, " feature"]
    width: Float[ArrayLike, " feature"]

    def __call__(self, values: Float[ArrayLike, "*axis feature"]) -> Float[ArrayLike, "*axis feature"]:
        """Scaled values."""
        return (values - self.mean) / self.width


def fit_scaling(values: Float[np.ndarray, "event feature"]) -> Scaling:
    """The scaling of these events, float32.

    Raises:
        ValueError: A feature is the same in all of them.
    """
    mean, width = np.mean(values, axis=0, dtype=float), np.std(values, axis=0, dtype=float)
    for feature in np.flatnonzero(~(width > 0))[:1]:
        raise ValueError(f"feature {feature} is {mean[feature]:g} in all events: leave it out")
    return Scaling(mean.astype(np.float32), width.astype(np.float32))


SCALING_VARIABLES = ("event_mean", "event_width", "context_mean", "context_width")


def fit_scalings(seen: ConditionalEvents) -> tuple[Scaling, Scaling]:
    """What gives all these events, and all their contexts, mean 0 and width 1."""
    return tuple(fit_scaling(np.concatenate(np.asarray(each))) for each in (seen.events, seen.context))


def scale(pairs: ConditionalEvents, scales: tuple[Scaling, Scaling]) -> ConditionalEvents:
    """The same events, scaled."""
    events, context = (scale(np.asarray(each)) for scale, each in zip(scales, pairs[:2], strict=True))
    return ConditionalEvents(*jax.device_put((events, context)), pairs.weights)


def to_variables(scales: tuple[Scaling, Scaling]) -> dict[str, tuple[str, np.ndarray]]:
    """Variables that hold what events and contexts were scaled with."""
    values = zip(SCALING_VARIABLES, (*scales[0], *scales[1]), strict=True)
    return {name: (name.split("_")[0] + "_axis", np.asarray(value)) for name, value in values}
