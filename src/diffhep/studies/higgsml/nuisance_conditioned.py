"""The likelihood-based alternative of Appendix E: a classifier is told nuisance parameters, which data then fix."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from itertools import product
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.scipy.special import expit
from jax.typing import ArrayLike
from jaxtyping import Array, Float
from scipy.optimize import minimize

from diffhep import prng
from diffhep.data.htautau import shifts
from diffhep.data.htautau.shifts import NUISANCES
from diffhep.learning import classifiers
from diffhep.learning.model_selection import TrainedParameters, trained_parameters
from diffhep.models.constraints import Constraints
from diffhep.models.likelihood import Model, Parameters
from diffhep.models.modifiers import NormFactor
from diffhep.prng import HIGGSML_BELT, HIGGSML_SETS
from diffhep.static_settings import StaticSettings
from diffhep.studies.higgsml.events import PoolSample, concatenate_samples, draw_rows, pool_samples, reconstruction
from diffhep.studies.higgsml.intervals import (
    MIN_SIMULATED_EVENTS,
    belt_from_estimates,
    draw_true_strengths,
    fit_toys,
    interval_dataset,
    invert_belt,
)

MAX_DEVIATIONS = 3.0
"""Standard deviations within which nuisance parameters are looked for."""

PART, STEPS, LAST_STEPS = 10, 40, 8
"""One event in so many starts the search, with so many evaluations; so many are left for all events."""


class WeightedEvents(NamedTuple):
    """What the classifier is given of some events, and how many each stands for; padding stands for none."""

    inputs: Float[ArrayLike, "event 29"]
    counts: Float[ArrayLike, " event"]


class ToyEvents(NamedTuple):
    """Primaries and noise of the events of one pseudo-experiment; those behind the first `number` are padding."""

    primaries: Float[np.ndarray, "event column"]
    noise: Float[np.ndarray, "event 2"]
    number: int


def draw_toy(
    of: list[PoolSample], means: Float[np.ndarray, " process"], room: int, rng: np.random.Generator
) -> ToyEvents:
    """The events of one pseudo-experiment, before anything is done to them.

    Args:
        of: Pool of each process.
        means: Expected events of each before the selection.
        room: So many are returned, with the padding.
        rng: Source of randomness.

    Raises:
        ValueError: There are more.
    """
    numbers = rng.poisson(means)
    rows = [draw_rows(rng, sample.weights, int(number)) for sample, number in zip(of, numbers, strict=True)]
    primaries = np.concatenate([sample.primaries[row] for sample, row in zip(of, rows, strict=True)])
    if len(primaries) > room:
        raise ValueError(f"{len(primaries)} events were drawn where there is room for {room}: ask for more room")
    padded = np.pad(primaries, ((0, room - len(primaries)), (0, 0)), mode="edge")
    return ToyEvents(padded, rng.normal(size=(room, 2)).astype(np.float32), len(primaries))


def reconstruct_toy(look: Callable, drawn: ToyEvents, nuisances: np.ndarray) -> WeightedEvents:
    """What is seen of them with these six nuisance parameters; `look` is from `events.reconstruction`."""
    columns, category, passes = map(np.asarray, look(drawn.primaries, tuple(nuisances[:3]), drawn.noise))
    kept = passes & (category >= 0) & (np.arange(len(drawn.primaries)) < drawn.number)
    return WeightedEvents(np.column_stack([columns, category.astype(np.float32)]), kept.astype(float))


class CompiledScores(NamedTuple):
    """Compiled once for all pseudo-experiments.

    Attributes:
        blamed: Nuisance parameters in standard deviations, and events, to the mean score if they are told for the
            background, and its gradient (eq. 27).
        scores: Events and nuisance parameters, told for both, to scores (eq. 28).
    """

    blamed: Callable
    scores: Callable


def compile_scores(settings: Mapping, network: xr.Dataset) -> CompiledScores:
    """What works with a trained network of `settings["network"]`."""
    kind, trained = StaticSettings(settings["network"]), trained_parameters(network)
    return CompiledScores(
        lambda normal, events: _blamed(normal, kind, trained, events),
        lambda events, both: _score(kind, trained, events, both, both),
    )


@partial(jax.jit, static_argnums=0)
def _score(
    network: StaticSettings, trained: TrainedParameters, events: WeightedEvents, first, second
) -> Float[Array, " event"]:
    told = jnp.broadcast_to(jnp.concatenate([first, second]), (len(events.counts), 2 * len(first)))
    inputs = jnp.concatenate([events.inputs[:, :-1], told, events.inputs[:, -1:]], axis=-1)
    return expit(classifiers.logit(network, trained, inputs, jnp.zeros(0)))


@partial(jax.jit, static_argnums=1)
@jax.value_and_grad
def _blamed(normal, network: StaticSettings, trained: TrainedParameters, events: WeightedEvents) -> Float[Array, ""]:
    reference = shifts.nuisances_from_normal(jnp.zeros(len(NUISANCES)))
    found = _score(network, trained, events, reference, shifts.nuisances_from_normal(normal))
    return jnp.sum(events.counts * found) / jnp.sum(events.counts)


def fit_nuisances(tools: CompiledScores, events: WeightedEvents) -> Float[np.ndarray, " par"]:
    """Nuisance parameters that make the events look most like background (eq. 27).

    What some of the events say is where the search among all of them starts.
    """
    some = WeightedEvents(*(column[::PART] for column in events))
    found = _least(tools, some, np.zeros(len(NUISANCES)), STEPS)
    return np.asarray(shifts.nuisances_from_normal(_least(tools, events, found, LAST_STEPS)))


def _least(
    tools: CompiledScores, events: WeightedEvents, start: Float[np.ndarray, " par"], steps: int
) -> Float[np.ndarray, " par"]:
    def function(normal):
        value, slope = tools.blamed(normal, events)
        return float(value), np.asarray(slope, float)

    bounds, options = [(-MAX_DEVIATIONS, MAX_DEVIATIONS)] * len(start), {"maxfun": steps}
    return minimize(function, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x


def mixture_model(signal: Float[np.ndarray, " bin"], background: Float[np.ndarray, " bin"]) -> Model:
    """Signal of strength mu over background, both scaled freely together, without nuisance parameters."""
    labels = ("mu", "scale")
    return Model(
        nominal=np.stack([signal, background]),
        modifiers=(NormFactor(0, ((True,), (False,))), NormFactor(1, ((True,), (True,)))),
        constraints=Constraints((), (), np.zeros(0), np.zeros(0), np.zeros(0)),
        parameters=Parameters(labels, labels, (1.0, 1.0), ((-10.0, 20.0), (0.0, 10.0)), (False, False), 0),
    )


def estimate_strengths(settings: dict, pools: dict[str, xr.Dataset], network: xr.Dataset) -> xr.Dataset:
    """Estimates of the signal strength in pseudo-experiments, event by event.

    Args:
        settings: `part` of the pools that events are drawn from, and true `strengths` or, without them, `sets` of them
            from the range `truth`; `toys` of each, of which those from `first` to `last` are looked at; `luminosity`,
            `bins` of templates, and the number of events that they are made of, `template_events`, of each class;
            `network`, `columns`, `seed`.
        pools: Results of `events.build_pool`, by process.
        network: Result of `train_told`.

    Returns:
        `estimate` (strength, toy), and `seconds` (strength, toy) that it took.
    """
    simulated = "strengths" in settings
    strengths = np.asarray(settings["strengths"] if simulated else draw_true_strengths(settings), float)
    look, prepared = reconstruction(settings["columns"]["logarithms"]), compile_scores(settings, network)
    of = pool_samples(pools, settings["part"])
    rng = np.random.default_rng([settings["seed"], HIGGSML_BELT if simulated else HIGGSML_SETS])
    totals = settings["luminosity"] * np.array([sample.weights.sum() for sample in of])
    most = totals * [strengths.max(), 1.02, 1.2, 2.0]
    room = int(most.sum() + 6 * np.sqrt(most.sum()) + 10)
    classes, found = _classes(settings, pools), []
    for strength, toy in product(strengths, range(settings["toys"])):
        nuisances = np.asarray(shifts.nuisances_from_normal(rng.normal(size=len(NUISANCES))))
        factors = np.asarray(shifts.yield_factors(strength, nuisances))
        start = time.perf_counter()
        drawn = draw_toy(of, totals * factors, room, rng)  # those of other jobs, too: one stream has them all
        if settings["first"] <= toy <= settings["last"]:
            events = reconstruct_toy(look, drawn, nuisances)
            found.append([_estimate(settings, look, prepared, classes, events), time.perf_counter() - start])
    shaped = np.array(found).reshape(len(strengths), -1, 2)
    return xr.Dataset(
        {"estimate": (("strength", "toy"), shaped[..., 0]), "seconds": (("strength", "toy"), shaped[..., 1])},
        coords={"strength": strengths},
    )


def _classes(settings: Mapping, pools: Mapping[str, xr.Dataset]) -> list[tuple[PoolSample, np.ndarray]]:
    """Events of templates of signal and background, and the process of each."""
    rng, number = np.random.default_rng([settings["seed"], prng.HIGGSML_TEMPLATES]), settings["template_events"]
    every, found = pool_samples(pools, "template"), []
    for group in ([0], [1, 2, 3]):
        whole = concatenate_samples([every[n] for n in group])
        process = np.repeat(group, [len(every[n].weights) for n in group])
        rows = rng.permutation(len(process))[:number]
        scaled = whole.weights[rows] * whole.weights.sum() / whole.weights[rows].sum()
        found.append((PoolSample(whole.primaries[rows], whole.noise[rows], scaled), process[rows]))
    return found


def _estimate(settings: Mapping, look: Callable, tools: CompiledScores, classes, events: WeightedEvents) -> float:
    """The strength that templates at the best nuisance parameters give."""
    nuisances = fit_nuisances(tools, events)
    factors = np.asarray(shifts.yield_factors(1.0, nuisances))
    edges = np.linspace(0, 1, settings["bins"] + 1)

    def histogram(events):
        return np.histogram(np.asarray(tools.scores(events, nuisances)), edges, weights=events.counts)[0]

    templates = []
    for sample, process in classes:
        columns, category, passes = map(np.asarray, look(sample.primaries, tuple(nuisances[:3]), sample.noise))
        weights = settings["luminosity"] * sample.weights * factors[process] * (passes & (category >= 0))
        templates.append(
            (histogram(WeightedEvents(np.column_stack([columns, category.astype(np.float32)]), weights)), weights.max())
        )
    (signal, _), (background, weight) = templates
    _, found = fit_toys(
        mixture_model(signal, np.maximum(background, MIN_SIMULATED_EVENTS * weight)), histogram(events)[None]
    )
    return float(found.parameters[0, 0])


def compute_intervals(settings: dict, simulated: xr.Dataset, tested: xr.Dataset) -> xr.Dataset:
    """Intervals of the tested pseudo-experiments, from the belt of the simulated ones.

    Args:
        settings: `belt_order`.
        simulated: Result of `estimate_strengths`.
        tested: Likewise, of events that are independent.
    """
    belt = belt_from_estimates(settings | {"strengths": simulated["strength"].values}, simulated["estimate"].values)
    found = tested["estimate"].values.ravel()
    return interval_dataset(tested["strength"].values, found, invert_belt(belt, found)).assign(
        seconds=("experiment", tested["seconds"].values.ravel())
    )
