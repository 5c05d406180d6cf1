"""Batches of events: their random order, and their selection from a sample."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key


def draw_batches(
    rng: Key[Array, ""], events: int, batch_size: int, steps: int | None = None
) -> tuple[Int[Array, "batch event"], Float[Array, "batch event"]]:
    """Draw the batches of one epoch.

    Args:
        rng: Random key.
        events: Number of events of a sample.
        batch_size: Number of events in a batch.
        steps: Number of batches, drawn with repetition: shuffling all events would take longer than to train on a few.
            By default every event is drawn once, in random order.

    Returns:
        Indices of the events, and a mask that is zero where the last batch is padded.
    """
    if steps is not None:
        indices = jax.random.randint(rng, (steps, batch_size), 0, events)
        return indices, jnp.ones(indices.shape, jnp.float32)
    count = -(-events // batch_size)
    order = jnp.pad(jax.random.permutation(rng, events), (0, count * batch_size - events))
    mask = jnp.arange(count * batch_size) < events
    return order.reshape(count, batch_size), mask.reshape(count, batch_size).astype(jnp.float32)


def select_batch(events: Any, indices: Int[Array, " event"], mask: Float[Array, " event"]) -> Any:
    """Select the events of one batch, with weight zero where it is padded.

    Args:
        events: Named tuple of arrays (sample, event, ...), one of them `weights`.
        indices: Indices of the events of the batch.
        mask: Zero on padding, else one.
    """
    batch = jax.tree.map(lambda array: array[:, indices], events)
    return batch._replace(weights=batch.weights * mask)
