"""Conditional normalizing flows: densities of events given conditioning variables, which can be evaluated and sampled.

A flow transforms standard normal variables into events by layers whose networks also take the conditioning variables,
called the context (arXiv:1705.07057; thesis 6.2.2). The transforms are flowjax's. This module adds the standardisation
of events and contexts, and computes in float32, unlike the rest of the suite, which uses float64.
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
"""Events evaluated at a time on a CPU."""


class Flow(NamedTuple):
    """Architecture of a flow of scaled events in a scaled context, without its parameters.

    Attributes:
        dimension: Number of features of an event.
        initialise: Maps a random key to initial parameters, a float32 vector.
        bijection: Maps parameters to the transform from standard normal variables to events.
    """

    dimension: int
    initialise: Callable[[Key[Array, ""]], Float[Array, " parameter"]]
    bijection: Callable[[Float[Array, " parameter"]], AbstractBijection]


def flow_from_bijection(draw_bijection: Callable[[Key[Array, ""]], AbstractBijection], dimension: int) -> Flow:
    """Build a flow from a flowjax bijection.

    Args:
        draw_bijection: Maps a random key to the transform from standard normal variables to events. Its structure must
            not depend on the key.
        dimension: Number of features of an event.

    Returns:
        The flow, whose parameters are one vector.
    """

    def partition(key):
        with jax.enable_x64(False):  # constants too, which would turn everything into float64
            return eqx.partition(draw_bijection(key), eqx.is_inexact_array, is_leaf=_is_frozen)

    with jax.core.eval_context():  # the constants are shared by all programs: do not trace them into the first one
        parameters, constants = partition(jax.random.key(0))
        _, unravel = ravel_pytree(parameters)
    return Flow(
        dimension=dimension,
        initialise=jax.jit(lambda key: ravel_pytree(partition(key)[0])[0]),
        bijection=lambda flat: paramax.unwrap(eqx.combine(unravel(flat), constants)),
    )


def _is_frozen(node):
    return isinstance(node, paramax.NonTrainable)


def scaled_log_density(
    flow: Flow,
    parameters: Float[Array, " parameter"],
    events: Float[Array, "event feature"],
    context: Float[Array, "event condition"],
) -> Float[Array, " event"]:
    """Log density of scaled events given their scaled contexts (thesis eq. 6.3).

    log p(z) = log Normal(u; 0, 1) + log |det du/dz| with u = T^-1(z).

    Args:
        flow: Architecture.
        parameters: Parameters of the flow.
        events: Scaled events, float32.
        context: Scaled conditioning variables of each event, float32.

    Returns:
        Log densities of the scaled events.
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
    """Evaluate `scaled_log_density` in blocks of `BLOCK_SIZE` events, to bound the memory."""

    def evaluate(pair):
        event, condition = (values[None] for values in pair)
        return scaled_log_density(flow, parameters, event, condition)[0]

    return jax.lax.map(evaluate, (events, context), batch_size=BLOCK_SIZE)


@partial(jax.jit, static_argnums=0)
def log_density(
    flow: Flow,
    trained: TrainedParameters,
    events: Float[Array, "event feature"],
    context: Float[Array, "event condition"],
) -> Float[Array, " event"]:
    """Log density of events given their contexts, in the units of the events.

    Args:
        flow: Architecture.
        trained: Parameters of one flow, and the scaling of events and contexts.
        events: Events.
        context: Conditioning variables of each event.

    Returns:
        Log densities.
    """
    scaled = (scale(values).astype(jnp.float32) for scale, values in zip(trained[1:], (events, context), strict=True))
    return blockwise_scaled_log_density(flow, trained.parameters, *scaled) - jnp.sum(jnp.log(trained.events.width))


@partial(jax.jit, static_argnums=(0, 3))
def sample(
    flow: Flow, trained: TrainedParameters, context: Float[Array, " condition"], number: int, *, key: Key[Array, ""]
) -> Float[Array, "event feature"]:
    """Sample events from a flow at one conditioning point.

    Args:
        flow: Architecture.
        trained: Parameters of one flow, and the scaling of events and contexts.
        context: Conditioning variables.
        number: Number of events.
        key: Random key.

    Returns:
        Events in their own units.
    """
    condition = trained.context(context).astype(jnp.float32)
    with jax.enable_x64(False):
        normal = jax.random.normal(key, (number, flow.dimension))
        events = jax.vmap(flow.bijection(trained.parameters).transform, in_axes=(0, None))(normal, condition)
    return events * trained.events.width + trained.events.mean
