"""Densities, samples and histograms of an ensemble of flows, whose spread is the uncertainty (thesis 8.2.2)."""

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
    """Log densities of events at one conditioning point, by every member.

    Args:
        flow: Architecture of the members.
        ensemble: Parameters of the members, and the scaling of events and contexts.
        events: Events.
        context: Conditioning variables shared by all events.

    Returns:
        Log densities in the units of the events.
    """
    contexts = jnp.broadcast_to(context, (len(events), len(context)))

    def member_log_density(parameters):
        return flows_flow.log_density(flow, ensemble._replace(parameters=parameters), events, contexts)

    return jax.lax.map(member_log_density, ensemble.parameters)


@partial(jax.jit, static_argnums=0)
def mean_densities(
    flow: Flow,
    ensemble: TrainedParameters,
    contexts: Float[ArrayLike, "context condition"],
    offsets: Float[ArrayLike, "y x feature"],
) -> Float[Array, "context y x"]:
    """Density averaged over the members, on a grid of points around every conditioning point.

    Events and contexts must have the same coordinates, as where the context is the mean of the events.

    Args:
        flow: Architecture of the members.
        ensemble: Parameters of the members, and the scaling of events and contexts.
        contexts: Conditioning points.
        offsets: Points of the grid relative to the conditioning point.

    Returns:
        Mean densities in the units of the events.
    """

    def densities_around(context):
        points = (context + offsets).reshape(-1, offsets.shape[-1])
        return jnp.mean(jnp.exp(log_densities(flow, ensemble, points, context)), axis=0).reshape(offsets.shape[:-1])

    return jax.lax.map(densities_around, contexts)


def sample(
    flow: Flow, ensemble: TrainedParameters, context: Float[Array, " condition"], number: int, *, key: Key[Array, ""]
) -> Float[Array, "member event feature"]:
    """Sample events from every member at one conditioning point.

    Args:
        flow: Architecture of the members.
        ensemble: Parameters of the members, and the scaling of events and contexts.
        context: Conditioning variables.
        number: Number of events from each member.
        key: Random key.

    Returns:
        Events in their own units.
    """

    def sample_member(job):
        parameters, key = job
        return flows_flow.sample(flow, ensemble._replace(parameters=parameters), context, number, key=key)

    return jax.lax.map(sample_member, (ensemble.parameters, jax.random.split(key, len(ensemble.parameters))))


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
    """Sample events from every member at every conditioning point, and histogram them.

    Args:
        flow: Architecture of the members.
        ensemble: Parameters of the members, and the scaling of events and contexts.
        contexts: Conditioning points.
        number: Number of events from each member at each conditioning point.
        count: Maps events (event, feature) and their context to counts.
        key: Random key.

    Returns:
        Counts (context, member, ...).
    """

    def histograms_at(job):
        context, key = job
        return jax.lax.map(lambda events: count(events, context), sample(flow, ensemble, context, number, key=key))

    return jax.lax.map(histograms_at, (contexts, jax.random.split(key, len(contexts))))


@jax.jit
def histogram_2d(
    points: Float[Array, "event xy"],
    edges: tuple[Float[ArrayLike, " x_edge"], Float[ArrayLike, " y_edge"]],
    weights: Float[Array, " event"] | None = None,
) -> Float[Array, "y x"]:
    """Histogram points in rectangular bins.

    Args:
        points: Coordinates x and y.
        edges: Evenly spaced bin edges along x and along y. Bins include their lower edge; points outside are dropped.
        weights: Weights of the points, one by default.

    Returns:
        Sum of weights in each bin.
    """
    sizes = [len(axis) - 1 for axis in edges]
    place = jnp.stack([
        jnp.floor((values - axis[0]) / (axis[1] - axis[0])).astype(int)
        for values, axis in zip(points.T, edges, strict=True)
    ])  # fmt: skip
    inside = ((place >= 0) & (place < jnp.array(sizes)[:, None])).all(axis=0)
    index = jnp.where(inside, place[1] * sizes[0] + place[0], sizes[0] * sizes[1])
    counts = jnp.bincount(index, weights, length=sizes[0] * sizes[1] + 1)
    return counts[:-1].reshape(sizes[::-1]).astype(points.dtype)
