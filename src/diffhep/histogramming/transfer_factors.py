"""Background estimate from a control region, with a transfer factor.

Regions differ in their distance from the signal (signal, validation, control), and each has events with one and with
two tags. The background with two tags in the signal region is estimated as the events there with one tag, times the
transfer factor: the ratio of events with two tags to events with one tag in the control region.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float

MAX_SHAPE_UNCERTAINTY = 100.0
"""Largest relative shape uncertainty, for bins whose validation region has no events left."""

Scalar = Float[Array, ""]


class TagCounts(NamedTuple):
    """Events of one region, in total or in bins.

    Attributes:
        one: Events with one tag.
        two: Events with two tags.
    """

    one: Float[Array, "*bin"]
    two: Float[Array, "*bin"]


class BackgroundEstimate(NamedTuple):
    """Background in the bins of the signal region, with its uncertainties.

    Attributes:
        events: Expected events.
        statistical: Standard deviation of the events of each bin, from the number of events with one tag.
        normalisation: Relative uncertainty of all bins together.
        shape: Relative uncertainty of each bin, fully correlated between bins.
    """

    events: Float[Array, " bin"]
    statistical: Float[Array, " bin"]
    normalisation: Scalar
    shape: Float[Array, " bin"]


@jax.jit
def transfer_factor(control: TagCounts) -> tuple[Scalar, Scalar]:
    """Return the ratio of two to one tags, and its relative uncertainty sqrt(1 / two + 1 / one) for Poisson counts.

    Args:
        control: All events of the control region.
    """
    return control.two / control.one, jnp.sqrt(1 / control.two + 1 / control.one)


@jax.jit
def estimate_background(one_tag: Float[Array, " bin"], control: TagCounts, validation: TagCounts) -> BackgroundEstimate:
    """Estimate the background in the signal region from its events with one tag.

    The shape uncertainty is the deviation of the estimate in the validation region, |1 - observed / estimated|.

    Args:
        one_tag: Events with one tag in the bins of the signal region.
        control: All events of the control region.
        validation: Events of the validation region in the bins of the signal region.
    """
    factor, error = transfer_factor(control)
    deviation = jnp.abs(1 - validation.two / (factor * validation.one))
    shape = jnp.minimum(deviation, MAX_SHAPE_UNCERTAINTY)
    return BackgroundEstimate(factor * one_tag, factor * jnp.sqrt(one_tag), error, shape)


@jax.jit
def low_count_penalty(events: Float[Array, " bin"], threshold: ArrayLike) -> Scalar:
    """Return the penalty of TOMATOS for bins with few events: sum of (threshold - events) / events over these bins.

    It diverges towards empty bins, and with it the slope that leads away from them.

    Args:
        events: Expected events in the bins, positive.
        threshold: Number of events below which a bin is penalised.
    """
    return jnp.sum(jnp.where(events < threshold, (threshold - events) / events, 0.0))
