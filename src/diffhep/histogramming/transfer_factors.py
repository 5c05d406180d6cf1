"""A background taken from regions where the signal is not: one transfer factor, and how well it is known.

Regions differ in how far events are from the signal (signal, validation, control), and each has events with one and
with two tags. What is wanted are events with two tags in the signal region; the estimate is those with one, times the
ratio of two to one tags in the control region.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float

MOST = 100.0
"""Largest relative shape uncertainty: where nothing is left to compare with."""

Scalar = Float[Array, ""]


class TagCounts(NamedTuple):
    """Events with one and with two tags in one region, in all or in each of its bins."""

    one: Float[Array, "*bin"]
    two: Float[Array, "*bin"]


class BackgroundEstimate(NamedTuple):
    """The background in bins of the signal region, and what is uncertain about it.

    Attributes:
        events: expected.
        statistical: standard deviation of each, from the number of events with one tag.
        normalisation: relative, of all bins together.
        shape: relative, of each bin; all move together.
    """

    events: Float[Array, " bin"]
    statistical: Float[Array, " bin"]
    normalisation: Scalar
    shape: Float[Array, " bin"]


@jax.jit
def transfer_factor(control: TagCounts) -> tuple[Scalar, Scalar]:
    """Ratio of two to one tags, and its relative error sqrt(1 / two + 1 / one) if both are Poisson counts."""
    return control.two / control.one, jnp.sqrt(1 / control.two + 1 / control.one)


@jax.jit
def estimate_background(one_tag: Float[Array, " bin"], control: TagCounts, validation: TagCounts) -> BackgroundEstimate:
    """The background in the signal region, from events with one tag there.

    Its shape is as uncertain as the same estimate is wrong in the validation region: |1 - found / estimated|.

    Args:
        one_tag: Events with one tag in the bins of the signal region.
        control: All events of the control region.
        validation: Events of the validation region, in the same bins.
    """
    factor, error = transfer_factor(control)
    deviation = jnp.abs(1 - validation.two / (factor * validation.one))
    return BackgroundEstimate(factor * one_tag, factor * jnp.sqrt(one_tag), error, jnp.minimum(deviation, MOST))


@jax.jit
def low_count_penalty(events: Float[Array, " bin"], least: ArrayLike) -> Scalar:
    """Penalty of bins with fewer events than `least`: sum of (least - events) / events over them, TOMATOS's.

    It rises without end towards empty bins, and with it the slope that leads out of them; events must be positive.
    """
    return jnp.sum(jnp.where(events < least, (least - events) / events, 0.0))
