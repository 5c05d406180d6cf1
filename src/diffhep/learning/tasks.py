"""Training tasks: the functions, the data and the schedule of a training."""

from collections.abc import Callable
from typing import Any, NamedTuple

import optax
from jaxtyping import Array, Float, Key, PyTree


class Task(NamedTuple):
    """Functions that define a training; tasks of equal functions share their compiled programs.

    Attributes:
        name: Name of the loss in messages.
        initialise: Maps a random key to the first parameters.
        loss: Maps parameters, a batch of `TrainingData.events` and `TrainingData.constants` to the scalar to minimise.
            Padding of a batch has weight zero.
        evaluate: Maps parameters and `TrainingData.held_out` to named arrays that are stored after every epoch; scalars
            are logged.
        optimiser: Optimiser; by default Adam at the learning rate of the schedule.

    Example:
        >>> task = dh.Task(
        ...     name="squared distance",
        ...     initialise=lambda key: 0.0,
        ...     loss=lambda centre, batch: ((batch.features[..., 0] - centre) ** 2 * batch.weights).sum(),
        ...     evaluate=lambda centre, held_out: {"centre": centre},
        ... )
    """

    name: str
    initialise: Callable[[Key[Array, ""]], PyTree]
    loss: Callable[..., Float[Array, ""]]
    evaluate: Callable[[PyTree, Any], dict[str, Array]]
    optimiser: optax.GradientTransformation | None = None


class TrainingData(NamedTuple):
    """Arrays that a task is trained on.

    Attributes:
        events: Training sample: a named tuple of arrays (sample, event, ...), one of them `weights`.
        held_out: Sample that the task is evaluated on.
        constants: Further arguments of the loss, which are not split into batches.

    Example:
        >>> from diffhep.samples import WeightedEvents
        >>> sample = WeightedEvents(features=np.array([[[1.0], [2.0], [6.0]]]), weights=np.ones((1, 3)))
        >>> data = dh.TrainingData(events=sample, held_out=sample)
    """

    events: Any
    held_out: Any
    constants: tuple[Any, ...] = ()


class Schedule(NamedTuple):
    """Length and steps of a training.

    Attributes:
        epochs: Passes over all events, or over `steps` batches.
        batch_size: Events of every sample in a step; the last batch of an epoch may be smaller. None: every step takes
            all events in their order.
        learning_rate: Learning rate of the default optimiser.
        seeds_at_once: Seeds computed side by side; 1 is fastest on a CPU, all of them on a GPU.
        checkpoint_seconds: Least time between two checkpoints, in seconds.
        steps: Steps of an epoch, whose batches are drawn with repetition; by default an epoch takes every event once.

    Example:
        >>> dh.Schedule(epochs=50, batch_size=1000, learning_rate=1e-3).seeds_at_once
        1
    """

    epochs: int
    batch_size: int | None
    learning_rate: float
    seeds_at_once: int = 1
    checkpoint_seconds: float = 10.0
    steps: int | None = None
