"""Events of single pseudo-experiments, drawn from the pools, shifted and selected."""

from typing import NamedTuple

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float

from diffhep.studies.higgsml.events import PoolSample, Reconstruction, draw_rows


class ClassifierEvents(NamedTuple):
    """Events as inputs of the classifier.

    Attributes:
        inputs: Prepared columns and the category.
        counts: Number of events that each event represents, 0 for padding.
    """

    inputs: Float[ArrayLike, "event 29"]
    counts: Float[ArrayLike, " event"]


class ToyEvents(NamedTuple):
    """Events of one pseudo-experiment before shifts and selection, with padding at the end.

    Attributes:
        primaries: Events in the columns of `PRIMARY`.
        noise: Standard normal numbers for the soft missing momentum.
        number: Number of events without the padding.
    """

    primaries: Float[np.ndarray, "event column"]
    noise: Float[np.ndarray, "event 2"]
    number: int


def draw_toy(
    samples: list[PoolSample], means: Float[np.ndarray, " process"], room: int, rng: np.random.Generator
) -> ToyEvents:
    """Draw the events of one pseudo-experiment.

    Args:
        samples: Pool of each process.
        means: Expected events of each process before the selection.
        room: Number of events with the padding, so that all pseudo-experiments share compiled programs.
        rng: Source of randomness.

    Raises:
        ValueError: More events than `room` are drawn.
    """
    numbers = rng.poisson(means)
    rows = [draw_rows(rng, sample.weights, int(number)) for sample, number in zip(samples, numbers, strict=True)]
    primaries = np.concatenate([sample.primaries[row] for sample, row in zip(samples, rows, strict=True)])
    if len(primaries) > room:
        raise ValueError(f"{len(primaries)} events were drawn where there is room for {room}: ask for more room")
    padded = np.pad(primaries, ((0, room - len(primaries)), (0, 0)), mode="edge")
    return ToyEvents(padded, rng.normal(size=(room, 2)).astype(np.float32), len(primaries))


def reconstruct_toy(reconstruct: Reconstruction, toy: ToyEvents, nuisances: np.ndarray) -> ClassifierEvents:
    """Shift and select the events of a pseudo-experiment.

    Args:
        reconstruct: Result of `events.reconstruction`.
        toy: Events of the pseudo-experiment.
        nuisances: Nuisance parameters, in the order of `NUISANCES`.
    """
    columns, category, selected = map(np.asarray, reconstruct(toy.primaries, tuple(nuisances[:3]), toy.noise))
    mask = selected & (category >= 0) & (np.arange(len(toy.primaries)) < toy.number)
    return ClassifierEvents(np.column_stack([columns, category.astype(np.float32)]), mask.astype(float))
