"""Conditional normalizing flows: densities of events in a context, which can be sampled from.

A flow carries a standard normal distribution over to that of the data by layers of masked autoregressive transforms
(arXiv:1705.07057; thesis 6.2.2), whose networks also see the context. The transforms are flowjax's; what is added
here is the scaling of inputs and context, and float32 where the rest of the suite computes in float64.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import paramax
from flowjax.bijections import AbstractBijection
from jax.flatten_util import ravel_pytree
from jax.scipy.stats import norm
from jaxtyping import Array, Float, Key

from diffhep.learning.model_selection import TrainedParameters

BLOCK_SIZE = 4000
"""Events that a CPU takes at a time."""


class Flow(NamedTuple):
    """How scaled events are distributed in a scaled context, up to the parameters that are trained.

    Attributes:
        dimension: features of an event.
        initialise: randomness to first parameters, a float32 vector.
        bijection: parameters to the transform of standard normal variables into events.
    """

    dimension: int
    initialise: Callable[[Key[Array, ""]], Float[Array, " parameter"]]
    bijection: Callable[[Float[Array, " parameter"]], AbstractBijection]


def flow_from_bijection(made: Callable[[Key[Array, ""]], AbstractBijection], dimension: int) -> Flow:
    """The flow whose transform of standard normal variables into events is drawn by `made`, all alike."""

    def parted(key):
        with jax.enable_x64(False):  # constants too, which would turn everything into float64
            return eqx.partition(made(key), eqx.is_inexact_array, is_leaf=_frozen)

    with jax.core.eval_context():  # not as part of a program that is being traced: others share what is fixed
        parameters, fixed = parted(jax.random.key(0))
        _, unravel = ravel_pytree(parameters)
    return Flow(
        dimension=dimension,
        initialise=jax.jit(lambda key: ravel_pytree(parted(key)[0])[0]),
        bijection=lambda flat: paramax.unwrap(eqx.combine(unravel(flat), fixed)),
    )


def _frozen(node):
    return isinstance(node, paramax.NonTrainable)


def scaled_log_density(
    flow: Flow,
    parameters: Float[Array, " parameter"],
    events: Float[Array, "event feature"],
    context: Float[Array, "event condition"],
) -> Float[Array, " event"]:
    """Log of the density of each scaled event in its scaled context (thesis eq. 6.3).

    log p(z) = log Normal(u; 0, 1) + log |det du/dz| with u = T^-1(z).
    """
    with jax.enable_x64(False):
        normal, log_det = jax.vmap(flow.bijection(parameters).inverse_and_log_det)(events, context)
    return jnp.sum(norm.logpdf(normal), axis=-1) + log_det


def blockwise_scaled_log_density(
    flow: Flow,
    parameters: Float[Array, " parameter"],
    events: Float[Array, "event feature"],
    context: Float[Array, "event condition"],
) -> Float[Array, " event"]:
    """`scaled_log_density` of many events, block by block."""

    def one(pair):
        event, condition = (each[None] for each in pair)
        return scaled_log_density(flow, parameters, event, condition)[0]

    return jax.lax.map(one, (events, context), batch_size=BLOCK_SIZE)


@partial(jax.jit, static_argnums=0)
def log_density(
    flow: Flow,
    trained: TrainedParameters,
    events: Float[Array, "event feature"],
    context: Float[Array, "event condition"],
) -> Float[Array, " event"]:
    """Log of the density of each event in its context, in the events' own units."""
    scaled = (scale(values).astype(jnp.float32) for scale, values in zip(trained[1:], (events, context), strict=True))
    return blockwise_scaled_log_density(flow, trained.parameters, *scaled) - jnp.sum(jnp.log(trained.events.width))


@partial(jax.jit, static_argnums=(0, 3))
def sample(
    flow: Flow, trained: TrainedParameters, context: Float[Array, " condition"], number: int, *, key: Key[Array, ""]
) -> Float[Array, "event feature"]:
    """Events as the flow has them in one context."""
    condition = trained.context(context).astype(jnp.float32)
    with jax.enable_x64(False):
        normal = jax.random.normal(key, (number, flow.dimension))
        events = jax.vmap(flow.bijection(trained.parameters).transform, in_axes=(0, None))(normal, condition)
    return events * trained.events.width + trained.events.mean
