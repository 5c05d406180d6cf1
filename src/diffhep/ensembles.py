"""What an ensemble of flows says: one answer a member, whose spread is the uncertainty (thesis 8.2.2)."""

from functools import partial

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Key

from diffhep import flows
from diffhep.flows import Flow, Trained


def log_densities(
    flow: Flow, ensemble: Trained, events: Float[Array, "event feature"], context: Float[Array, " condition"]
) -> Float[Array, "member event"]:
    """Log densities of events that share one context."""
    contexts = jnp.broadcast_to(context, (len(events), len(context)))

    def of_one(parameters):
        return flows.log_density(flow, ensemble._replace(parameters=parameters), events, contexts)

    return jax.lax.map(of_one, ensemble.parameters)


@partial(jax.jit, static_argnums=0)
def densities(
    flow: Flow,
    ensemble: Trained,
    contexts: Float[ArrayLike, "context condition"],
    offsets: Float[ArrayLike, "y x feature"],
) -> Float[Array, "context y x"]:
    """Densities, averaged over the members, on a square around each context, where event and context are alike."""

    def at(context):
        points = (context + offsets).reshape(-1, offsets.shape[-1])
        return jnp.mean(jnp.exp(log_densities(flow, ensemble, points, context)), axis=0).reshape(offsets.shape[:-1])

    return jax.lax.map(at, contexts)


@partial(jax.jit, static_argnums=(0, 4))
def histograms(
    flow: Flow,
    ensemble: Trained,
    contexts: Float[ArrayLike, "context condition"],
    edges: Float[ArrayLike, " edge"],
    number: int,
    *,
    key: Key[Array, ""],
) -> Float[Array, "member context y x"]:
    """So many samples of every member in every context, counted in bins around the context.

    Args:
        flow: What the members are.
        ensemble: Their parameters, and the scaling of events and contexts.
        contexts: Where to sample.
        edges: Of the bins along both axes, evenly spaced, relative to the context.
        number: Samples of each member in each context.
        key: Source of randomness.
    """

    def count(parameters, job):
        context, key = job
        drawn = flows.sample(flow, ensemble._replace(parameters=parameters), context, number, key=key)
        return binned(drawn - context, edges)

    def of_one(member):
        parameters, keys = member
        return jax.lax.map(partial(count, parameters), (contexts, keys))

    keys = jax.random.split(key, (len(ensemble.parameters), len(contexts)))
    return jax.lax.map(of_one, (ensemble.parameters, keys))


def binned(points: Float[Array, "event xy"], edges: Float[ArrayLike, " edge"]) -> Float[Array, "y x"]:
    """Numbers of points in the bins of a square; bins are evenly spaced, and closed below."""
    bins = len(edges) - 1
    place = jnp.floor((points - edges[0]) / (edges[1] - edges[0])).astype(int)
    inside = ((place >= 0) & (place < bins)).all(axis=1)
    index = jnp.where(inside, place[:, 1] * bins + place[:, 0], bins**2)
    return jnp.bincount(index, length=bins**2 + 1)[:-1].reshape(bins, bins).astype(points.dtype)
