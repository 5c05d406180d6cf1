"""Gaussian blobs: signal, background and the background moved up and down (neos 3.1, thesis 7.4.1)."""

from collections.abc import Mapping, Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key

from diffhep.samples import WeightedEvents

SAMPLES = ("signal", "background", "up", "down")
N_FEATURES = 2


def draw_blobs(key: Key[Array, ""], means: Mapping[str, Sequence[float]], events: int) -> WeightedEvents:
    """Draw events x ~ Normal(mean of the sample, identity matrix), each of weight one (neos 3.1).

    Args:
        key: Source of randomness; the four samples are independent of each other.
        means: One point for each of `SAMPLES`.
        events: How many of each sample.

    Raises:
        ValueError: A sample has no mean, or one is named that does not exist.
    """
    if set(means) != set(SAMPLES):
        raise ValueError(f"blob means are given for {sorted(means)}; give exactly {sorted(SAMPLES)}")
    return _drawn(key, np.array([means[sample] for sample in SAMPLES], np.float32), events)


@partial(jax.jit, static_argnums=2)
def _drawn(key, centres, events: int) -> WeightedEvents:
    noise = jax.random.normal(key, (len(SAMPLES), events, centres.shape[1]), jnp.float32)
    return WeightedEvents(centres[:, None] + noise, jnp.ones((len(SAMPLES), events), jnp.float32))


def split_events(events: WeightedEvents, test_fraction: float) -> tuple[WeightedEvents, WeightedEvents]:
    """Part events into (train, test): the last `test_fraction` of every sample is held out."""
    held_out = round(events.features.shape[1] * test_fraction)
    if not 0 < held_out < events.features.shape[1]:
        raise ValueError(f"test_fraction {test_fraction} leaves no events to train or to test on")
    return WeightedEvents(*(a[:, :-held_out] for a in events)), WeightedEvents(*(a[:, -held_out:] for a in events))
