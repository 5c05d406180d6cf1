"""What an ensemble of flows says: one answer a member, whose spread is the uncertainty (thesis 8.2.2)."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Key, PyTree

from diffhep.flows import flow as flows_flow
from diffhep.flows.flow import Flow
from diffhep.learning.model_selection import TrainedParameters


@partial(jax.jit, static_argnums=0)
def log_densities(
    flow: Flow, ensemble: TrainedParameters, events: Float[Array, "event feature"], context: Float[Array, " condition"]
) -> Float[Array, "member event"]:
    """Log densities of events that share one context."""
    contexts = jnp.broadcast_to(context, (len(events), len(context)))

    def of_one(parameters):
        return flows_flow.log_density(flow, ensemble._replace(parameters=parameters), events, contexts)

    return jax.lax.map(of_one, ensemble.parameters)


@partial(jax.jit, static_argnums=0)
def mean_densities(
    flow: Flow,
    ensemble: TrainedParameters,
    contexts: Float[ArrayLike, "context condition"],
    offsets: Float[ArrayLike, "y x feature"],
) -> Float[Array, "context y x"]:
    """Densities, averaged over the members, on a square around each context, where event and context are alike."""

    def at(context):
        points = (context + offsets).reshape(-1, offsets.shape[-1])
        return jnp.mean(jnp.exp(log_densities(flow, ensemble, points, context)), axis=0).reshape(offsets.shape[:-1])

    return jax.lax.map(at, contexts)


def sample(
    flow: Flow, ensemble: TrainedParameters, context: Float[Array, " condition"], number: int, *, key: Key[Array, ""]
) -> Float[Array, "member event feature"]:
    """So many events of every member in one context."""

    def of_one(job):
        parameters, key = job
        return flows_flow.sample(flow, ensemble._replace(parameters=parameters), context, number, key=key)

    return jax.lax.map(of_one, (ensemble.parameters, jax.random.split(key, len(ensemble.parameters))))


@partial(jax.jit, static_argnums=(0, 3, 4))
def sample_histograms(
    flow: Flow,
    ensemble: TrainedParameters,
    contexts: Float[ArrayLike, "context condition"],
    number: int,
    count: Callable[[Array, Array], PyTree],
    *,
    key: Key[Array, ""],
) -> PyTree:
    """What is counted in so many samples of every member in every context.

    Args:
        flow: What the members are.
        ensemble: Their parameters, and the scaling of events and contexts.
        contexts: Where to sample.
        number: Samples of each member in each context.
        count: Events (event, feature) and their context to the counts that are wanted.
        key: Source of randomness.

    Returns:
        Counts (context, member, ...).
    """

    def at(job):
        context, key = job
        return jax.lax.map(lambda drawn: count(drawn, context), sample(flow, ensemble, context, number, key=key))

    return jax.lax.map(at, (contexts, jax.random.split(key, len(contexts))))


@jax.jit
def histogram_2d(
    points: Float[Array, "event xy"],
    edges: tuple[Float[ArrayLike, " x_edge"], Float[ArrayLike, " y_edge"]],
    weights: Float[Array, " event"] | None = None,
) -> Float[Array, "y x"]:
    """Sums of weights, or numbers, of points in rectangular bins; bins are evenly spaced, and closed below."""
    sizes = [len(each) - 1 for each in edges]
    place = jnp.stack([
        jnp.floor((values - each[0]) / (each[1] - each[0])).astype(int)
        for values, each in zip(points.T, edges, strict=True)
    ])  # fmt: skip
    inside = ((place >= 0) & (place < jnp.array(sizes)[:, None])).all(axis=0)
    index = jnp.where(inside, place[1] * sizes[0] + place[0], sizes[0] * sizes[1])
    found = jnp.bincount(index, weights, length=sizes[0] * sizes[1] + 1)
    return found[:-1].reshape(sizes[::-1]).astype(points.dtype)
