"""Stages of the study of how training on a whole analysis scales (thesis 7.7 asks; ours)."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Key, PyTree

from diffhep import prng
from diffhep.learning import training
from diffhep.peers import timing
from diffhep.samples import WeightedEvents
from diffhep.studies.blobs.observable import problem
from diffhep.studies.blobs.settings import Run
from diffhep.studies.scaling import costs
from diffhep.studies.scaling.settings import NoiseMeasurement, StatisticsMeasurement, StepMeasurement
from diffhep.typed_settings import FrozenDict, select

COSTS = ("seconds", "bytes", "preparation", "result")
MEASURES = ("bias", "bias_error", "spread", "cosine")


def gradient_noise(settings: NoiseMeasurement, events: xr.Dataset) -> xr.Dataset:
    """How far gradients of batches are from that of all events, for one network and several objectives.

    An objective that is no sum over events, such as CLs, has another gradient on average the smaller the batch: its
    bias no number of batches averages away.

    Returns:
        Over (objective, batch_size), in units of the norm of the gradient g of all events: `bias` |<g_n> - g|,
        `bias_error`, the bias that an unbiased gradient would show because only some batches are averaged, and
        `spread` sqrt <|g_n - <g_n>|²>; and `cosine`, the mean cosine of the angle between g_n and g.
    """
    run = select(Run, settings.run, seed=settings.seed, seeds_at_once=1, yields=settings.yields, plane=settings.plane)
    schedule = training.Schedule(run.epochs, run.batch_size, run.learning_rate, 1)
    unjudged = problem(run, events)._replace(evaluate=_nothing)
    _, state = training.train(unjudged, schedule, [run.seed])
    parameters = jax.tree.map(lambda leaf: leaf[0], jax.device_get(state.parameters))
    key = prng.key(settings.seed, prng.SCALING_BATCHES)
    found = [
        _noise(
            problem(run.model_copy(update={"objective": FrozenDict({name: 1.0})}), events), parameters, settings, key
        )
        for name in settings.objectives
    ]
    return xr.Dataset(
        {
            name: (("objective", "batch_size"), np.stack([of[:, place] for of in found]))
            for place, name in enumerate(MEASURES)
        },
        coords={"objective": list(settings.objectives), "batch_size": list(settings.batch_sizes)},
    )


def _nothing(trained: PyTree, held_out: WeightedEvents) -> dict[str, Array]:
    """What is told of a training of which only the end is looked at."""
    return {}


def _noise(
    trained: training.Problem, parameters: PyTree, settings: NoiseMeasurement, key: Key[Array, ""]
) -> Float[np.ndarray, "size measure"]:
    number, keys = trained.events.weights.shape[1], jax.random.split(key, settings.batches)

    @jax.jit
    def gradient(events, chosen):
        batch = jax.tree.map(lambda array: array[:, chosen], events)
        return ravel_pytree(jax.grad(trained.loss)(parameters, batch))[0].astype(jnp.float64)

    def of_batches(size):
        drawn = jax.jit(jax.vmap(lambda key: jax.random.choice(key, number, (size,), replace=False)))(keys)
        return np.stack([gradient(trained.events, chosen) for chosen in np.asarray(drawn)])

    reference = np.asarray(gradient(trained.events, np.arange(number)))
    return np.stack([_compare(of_batches(size), reference) for size in settings.batch_sizes])


def _compare(
    gradients: Float[np.ndarray, "batch par"], reference: Float[np.ndarray, " par"]
) -> Float[np.ndarray, " measure"]:
    """The `MEASURES`, in their order."""
    size, mean = np.linalg.norm(reference), gradients.mean(axis=0)
    spread = np.sqrt(np.mean(np.sum((gradients - mean) ** 2, axis=1)))
    cosines = gradients @ reference / (np.linalg.norm(gradients, axis=1) * size)
    bias = np.linalg.norm(mean - reference)
    return np.array([bias / size, spread / np.sqrt(len(gradients)) / size, spread / size, cosines.mean()])


def cost(settings: StepMeasurement | StatisticsMeasurement, events: xr.Dataset) -> xr.Dataset:
    """What a piece of work costs us and the peers, along each axis of sizes that leaves the others as they are at home.

    A peer that takes longer than `patience` seconds is timed once, without its memory, and not asked for larger sizes
    of that axis.

    Returns:
        Over (point, peer), with NaN where a peer was not asked: `seconds`, the median of several turns, `bytes`,
        `preparation`, the seconds that compiling took, and the `result`, which all have to agree on; coordinates
        `axis` and `size` (point).
    """
    train = events["train"].values
    batch = WeightedEvents(*jax.device_put((train, np.ones(train.shape[:2], np.float32))))
    points, rows = [], []
    for axis, sizes in dict(settings.axes).items():
        asked = list(settings.peers)
        for size in sizes:
            found = _measure(settings, asked, {**dict(settings.home), axis: size}, batch)
            asked = [peer for peer in asked if found[peer]["seconds"] <= settings.patience]
            nothing = dict.fromkeys(COSTS, np.nan)
            rows.append([[found.get(peer, nothing)[name] for name in COSTS] for peer in settings.peers])
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
    """The `COSTS` of one size, by peer."""
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
