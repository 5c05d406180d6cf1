"""Gaussian blobs: signal, background and the background varied up and down (neos 3.1, thesis 7.4.1)."""

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
    """Draw events x ~ Normal(mean of the sample, identity matrix) of weight one (neos 3.1).

    Args:
        key: Source of randomness. The four samples are independent of each other.
        means: Mean of each of `SAMPLES`, a point in the plane.
        events: Number of events in each sample.

    Returns:
        Features (sample, event, 2) and weights (sample, event), in the order of `SAMPLES`.

    Raises:
        ValueError: The names in `means` are not those of `SAMPLES`.
    """
    if set(means) != set(SAMPLES):
        raise ValueError(f"blob means are given for {sorted(means)}; give exactly {sorted(SAMPLES)}")
    return _draw(key, np.array([means[sample] for sample in SAMPLES], np.float32), events)


@partial(jax.jit, static_argnums=2)
def _draw(key, centres, events: int) -> WeightedEvents:
    noise = jax.random.normal(key, (len(SAMPLES), events, centres.shape[1]), jnp.float32)
    return WeightedEvents(centres[:, None] + noise, jnp.ones((len(SAMPLES), events), jnp.float32))


def split_events(events: WeightedEvents, test_fraction: float) -> tuple[WeightedEvents, WeightedEvents]:
    """Split events into training and test events.

    Args:
        events: Events of all samples.
        test_fraction: Fraction of the events of each sample, taken from its end, that is for testing.

    Returns:
        Training events and test events.

    Raises:
        ValueError: Either part would contain no events.
    """
    held_out = round(events.features.shape[1] * test_fraction)
    if not 0 < held_out < events.features.shape[1]:
        raise ValueError(f"test_fraction {test_fraction} leaves no events to train or to test on")
    return WeightedEvents(*(a[:, :-held_out] for a in events)), WeightedEvents(*(a[:, -held_out:] for a in events))
