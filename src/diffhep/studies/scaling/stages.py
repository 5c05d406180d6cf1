"""Stages of the study: noise of gradients and cost of training on a whole analysis (thesis 7.7 asks; ours)."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Key, PyTree

from diffhep import prng
from diffhep.learning import tasks, training
from diffhep.peers import timing
from diffhep.samples import WeightedEvents
from diffhep.studies.blobs.observable import build_task
from diffhep.studies.blobs.settings import Run
from diffhep.studies.scaling import costs
from diffhep.studies.scaling.settings import NoiseMeasurement, StatisticsMeasurement, StepMeasurement
from diffhep.typed_settings import FrozenDict, select

COSTS = ("seconds", "bytes", "preparation", "result")
MEASURES = ("bias", "bias_error", "spread", "cosine")


def gradient_noise(settings: NoiseMeasurement, events: xr.Dataset) -> xr.Dataset:
    """Distance of gradients of batches from that of all events, for one network and several objectives.

    The gradient of an objective that is not a sum over events, such as CLs, is biased in small batches: no number of
    batches averages that away.

    Returns:
        Over (objective, batch_size), in units of the norm of the gradient g of all events: `bias` |<g_n> - g|,
        `bias_error`, the bias that an unbiased gradient would show because only some batches are averaged, and
        `spread` sqrt <|g_n - <g_n>|²>; and `cosine`, the mean cosine of the angle between g_n and g.
    """
    run = select(Run, settings.run, seed=settings.seed, seeds_at_once=1, yields=settings.yields, plane=settings.plane)
    schedule = tasks.Schedule(run.epochs, run.batch_size, run.learning_rate, 1)
    task, data = build_task(run, events)
    _, state = training.train(task._replace(evaluate=_nothing), data, schedule, [run.seed])
    parameters = jax.tree.map(lambda leaf: leaf[0], jax.device_get(state.parameters))
    key = prng.key(settings.seed, prng.SCALING_BATCHES)
    measures = [
        _noise(
            *build_task(run.model_copy(update={"objective": FrozenDict({name: 1.0})}), events),
            parameters,
            settings,
            key,
        )
        for name in settings.objectives
    ]
    return xr.Dataset(
        {
            name: (("objective", "batch_size"), np.stack([values[:, index] for values in measures]))
            for index, name in enumerate(MEASURES)
        },
        coords={"objective": list(settings.objectives), "batch_size": list(settings.batch_sizes)},
    )


def _nothing(trained: PyTree, held_out: WeightedEvents) -> dict[str, Array]:
    """No metrics: only the trained network is used."""
    return {}


def _noise(
    task: tasks.Task, data: tasks.TrainingData, parameters: PyTree, settings: NoiseMeasurement, key: Key[Array, ""]
) -> Float[np.ndarray, "size measure"]:
    number, keys = data.events.weights.shape[1], jax.random.split(key, settings.batches)

    @jax.jit
    def gradient(events, chosen):
        batch = jax.tree.map(lambda array: array[:, chosen], events)
        return ravel_pytree(jax.grad(task.loss)(parameters, batch))[0].astype(jnp.float64)

    def of_batches(size):
        drawn = jax.jit(jax.vmap(lambda key: jax.random.choice(key, number, (size,), replace=False)))(keys)
        return np.stack([gradient(data.events, chosen) for chosen in np.asarray(drawn)])

    reference = np.asarray(gradient(data.events, np.arange(number)))
    return np.stack([_compare(of_batches(size), reference) for size in settings.batch_sizes])


def _compare(
    gradients: Float[np.ndarray, "batch par"], reference: Float[np.ndarray, " par"]
) -> Float[np.ndarray, " measure"]:
    """Values of `MEASURES`, in their order."""
    size, mean = np.linalg.norm(reference), gradients.mean(axis=0)
    spread = np.sqrt(np.mean(np.sum((gradients - mean) ** 2, axis=1)))
    cosines = gradients @ reference / (np.linalg.norm(gradients, axis=1) * size)
    bias = np.linalg.norm(mean - reference)
    return np.array([bias / size, spread / np.sqrt(len(gradients)) / size, spread / size, cosines.mean()])


def cost(settings: StepMeasurement | StatisticsMeasurement, events: xr.Dataset) -> xr.Dataset:
    """Measure the cost of a piece of work for us and for the peers, along each axis of sizes, the others as in `home`.

    A peer that takes longer than `patience` seconds is timed once, without its memory, and not timed for larger sizes
    along that axis.

    Returns:
        Over (point, peer), with NaN where a peer was not timed: `seconds`, the median of several turns; `bytes`;
        `preparation`, the seconds to compile; and the `result`, which must be the same for all peers. Coordinates are
        `axis` and `size` (point).
    """
    train = events["train"].values
    batch = WeightedEvents(*jax.device_put((train, np.ones(train.shape[:2], np.float32))))
    points, rows = [], []
    for axis, sizes in dict(settings.axes).items():
        timed_peers = list(settings.peers)
        for size in sizes:
            costs_by_peer = _measure(settings, timed_peers, {**dict(settings.home), axis: size}, batch)
            timed_peers = [peer for peer in timed_peers if costs_by_peer[peer]["seconds"] <= settings.patience]
            nothing = dict.fromkeys(COSTS, np.nan)
            rows.append([[costs_by_peer.get(peer, nothing)[name] for name in COSTS] for peer in settings.peers])
            points.append((axis, size))
    return xr.Dataset(
        {name: (("point", "peer"), values) for name, values in zip(COSTS, np.moveaxis(rows, -1, 0), strict=True)},
        coords={
            "peer": list(settings.peers),
            "axis": ("point", [axis for axis, _ in points]),
            "size": ("point", [size for _, size in points]),
        },
    )


def _measure(
    settings: StepMeasurement | StatisticsMeasurement, peers: list[str], size: dict, batch: WeightedEvents
) -> dict[str, dict[str, float]]:
    """Values of `COSTS` for one size, by peer."""
    works = {}
    for peer in peers:
        if settings.work == "step":
            works[peer] = costs.step(peer, size, settings, batch)
        else:
            works[peer] = costs.statistics(settings.work, peer, size, settings.seed)
    results = {}

    def run(peer):
        results[peer] = works[peer].run()

    runs = {peer: partial(run, peer) for peer in works}
    taken = timing.time_in_turns(runs, settings.repeats, settings.patience)
    seconds = {peer: np.median(values) for peer, values in taken.items()}
    return {
        peer: {
            "seconds": seconds[peer],
            # tracing memory takes several times as long as the work itself
            "bytes": work.memory() if seconds[peer] <= settings.patience else np.nan,
            "preparation": work.preparation,
            "result": results[peer],
        }
        for peer, work in works.items()
    }
