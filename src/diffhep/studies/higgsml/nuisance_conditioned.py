"""Method of Appendix E: nuisance parameters are fitted to events with a classifier that is conditioned on them."""

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
from jaxtyping import Array, Float
from scipy.optimize import minimize

from diffhep import prng
from diffhep.data.htautau import shifts
from diffhep.data.htautau.shifts import NUISANCES
from diffhep.learning import classifiers
from diffhep.learning.model_selection import TrainedParameters, trained_parameters
from diffhep.static_settings import StaticSettings
from diffhep.studies.higgsml.events import PoolSample, concatenate_samples, pool_samples, reconstruction
from diffhep.studies.higgsml.intervals import (
    belt_from_estimates,
    draw_true_strengths,
    fit_toys,
    interval_dataset,
    invert_belt,
)
from diffhep.studies.higgsml.statistical_models import MIN_SIMULATED_EVENTS, mixture_model
from diffhep.studies.higgsml.toy_events import ClassifierEvents, draw_toy, reconstruct_toy

MAX_DEVIATIONS = 3.0
"""Bound on the fitted nuisance parameters, in standard deviations."""

SUBSET_STRIDE, SUBSET_EVALUATIONS, EVALUATIONS = 10, 40, 8
"""The minimisation starts with every tenth event and 40 evaluations; 8 evaluations with all events follow."""


class CompiledScores(NamedTuple):
    """Functions of a trained classifier, compiled once for all pseudo-experiments.

    Attributes:
        mean_score: Function of nuisance parameters in standard deviations and events that returns the mean score, with
            the background conditioned on these nuisance parameters and the signal on the nominal ones, and its gradient
            (eq. 27).
        scores: Function of events and nuisance parameters that returns the scores, with both classes conditioned on
            these nuisance parameters (eq. 28).
    """

    mean_score: Callable
    scores: Callable


def compile_scores(settings: Mapping, network: xr.Dataset) -> CompiledScores:
    """Build the functions of a trained classifier.

    Args:
        settings: `network`, the architecture.
        network: Result of `training.train_nuisance_conditioned`.
    """
    architecture, trained = StaticSettings(settings["network"]), trained_parameters(network)
    return CompiledScores(
        lambda normal, events: _mean_score(normal, architecture, trained, events),
        lambda events, nuisances: _score(architecture, trained, events, nuisances, nuisances),
    )


@partial(jax.jit, static_argnums=0)
def _score(
    network: StaticSettings, trained: TrainedParameters, events: ClassifierEvents, first, second
) -> Float[Array, " event"]:
    nuisances = jnp.broadcast_to(jnp.concatenate([first, second]), (len(events.counts), 2 * len(first)))
    inputs = jnp.concatenate([events.inputs[:, :-1], nuisances, events.inputs[:, -1:]], axis=-1)
    return expit(classifiers.logit(network, trained, inputs, jnp.zeros(0)))


@partial(jax.jit, static_argnums=1)
@jax.value_and_grad
def _mean_score(normal, network: StaticSettings, trained: TrainedParameters, events: ClassifierEvents):
    reference = shifts.nuisances_from_normal(jnp.zeros(len(NUISANCES)))
    scores = _score(network, trained, events, reference, shifts.nuisances_from_normal(normal))
    return jnp.sum(events.counts * scores) / jnp.sum(events.counts)


def fit_nuisances(compiled: CompiledScores, events: ClassifierEvents) -> Float[np.ndarray, " par"]:
    """Fit the nuisance parameters for which the events look most like background (eq. 27).

    The minimisation with all events starts at the result of one with a subset.

    Args:
        compiled: Result of `compile_scores`.
        events: Events of a pseudo-experiment.
    """
    subset = ClassifierEvents(*(column[::SUBSET_STRIDE] for column in events))
    start = _minimise(compiled, subset, np.zeros(len(NUISANCES)), SUBSET_EVALUATIONS)
    return np.asarray(shifts.nuisances_from_normal(_minimise(compiled, events, start, EVALUATIONS)))


def _minimise(
    compiled: CompiledScores, events: ClassifierEvents, start: Float[np.ndarray, " par"], evaluations: int
) -> Float[np.ndarray, " par"]:
    def function(normal):
        value, gradient = compiled.mean_score(normal, events)
        return float(value), np.asarray(gradient, float)

    bounds, options = [(-MAX_DEVIATIONS, MAX_DEVIATIONS)] * len(start), {"maxfun": evaluations}
    return minimize(function, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x


def estimate_strengths(settings: dict, pools: dict[str, xr.Dataset], network: xr.Dataset) -> xr.Dataset:
    """Estimate the signal strength in pseudo-experiments, with nuisance parameters fitted to their events.

    Args:
        settings: `part` of the pools that events are drawn from; true `strengths`, or without them the number of `sets`
            of the range `truth`; number of `toys` for each, of which those from `first` to `last` are fitted;
            `luminosity`; `bins` of the templates and their number of events in each class, `template_events`;
            `network`; `columns`; `seed`.
        pools: Results of `events.build_pool`, by process.
        network: Result of `training.train_nuisance_conditioned`.

    Returns:
        `estimate` (strength, toy), and `seconds` (strength, toy), the time of each.
    """
    simulated = "strengths" in settings
    strengths = np.asarray(settings["strengths"] if simulated else draw_true_strengths(settings), float)
    reconstruct, compiled = reconstruction(settings["columns"]["logarithms"]), compile_scores(settings, network)
    samples = pool_samples(pools, settings["part"])
    rng = np.random.default_rng([settings["seed"], prng.HIGGSML_BELT if simulated else prng.HIGGSML_SETS])
    totals = settings["luminosity"] * np.array([sample.weights.sum() for sample in samples])
    room, templates, fits = _room(totals, strengths), _template_events(settings, pools), []
    for strength, toy in product(strengths, range(settings["toys"])):
        nuisances = np.asarray(shifts.nuisances_from_normal(rng.normal(size=len(NUISANCES))))
        factors = np.asarray(shifts.yield_factors(strength, nuisances))
        start = time.perf_counter()
        drawn = draw_toy(samples, totals * factors, room, rng)  # toys of other jobs too, to advance the common stream
        if settings["first"] <= toy <= settings["last"]:
            events = reconstruct_toy(reconstruct, drawn, nuisances)
            estimate = _estimate(settings, reconstruct, compiled, templates, events)
            fits.append([estimate, time.perf_counter() - start])
    values = np.array(fits).reshape(len(strengths), -1, 2)
    return xr.Dataset(
        {"estimate": (("strength", "toy"), values[..., 0]), "seconds": (("strength", "toy"), values[..., 1])},
        coords={"strength": strengths},
    )


def _room(totals: np.ndarray, strengths: np.ndarray) -> int:
    """Number of events that no pseudo-experiment exceeds, given typical upper ends of the yield factors."""
    largest = totals * [strengths.max(), 1.02, 1.2, 2.0]
    return int(largest.sum() + 6 * np.sqrt(largest.sum()) + 10)


def _template_events(settings: Mapping, pools: Mapping[str, xr.Dataset]) -> list[tuple[PoolSample, np.ndarray]]:
    """Events of the signal and background templates, and the process of each event."""
    rng, number = np.random.default_rng([settings["seed"], prng.HIGGSML_TEMPLATES]), settings["template_events"]
    samples, templates = pool_samples(pools, "template"), []
    for group in ([0], [1, 2, 3]):
        pool = concatenate_samples([samples[n] for n in group])
        process = np.repeat(group, [len(samples[n].weights) for n in group])
        rows = rng.permutation(len(process))[:number]
        weights = pool.weights[rows] * pool.weights.sum() / pool.weights[rows].sum()
        templates.append((PoolSample(pool.primaries[rows], pool.noise[rows], weights), process[rows]))
    return templates


def _estimate(settings: Mapping, reconstruct, compiled: CompiledScores, templates, events: ClassifierEvents) -> float:
    """Fit the signal strength with templates at the fitted nuisance parameters."""
    nuisances = fit_nuisances(compiled, events)
    factors = np.asarray(shifts.yield_factors(1.0, nuisances))
    edges = np.linspace(0, 1, settings["bins"] + 1)

    def histogram(events):
        return np.histogram(np.asarray(compiled.scores(events, nuisances)), edges, weights=events.counts)[0]

    histograms = []
    for sample, process in templates:
        columns, category, selected = map(np.asarray, reconstruct(sample.primaries, tuple(nuisances[:3]), sample.noise))
        weights = settings["luminosity"] * sample.weights * factors[process] * (selected & (category >= 0))
        inputs = np.column_stack([columns, category.astype(np.float32)])
        histograms.append((histogram(ClassifierEvents(inputs, weights)), weights.max()))
    (signal, _), (background, weight) = histograms
    model = mixture_model(signal, np.maximum(background, MIN_SIMULATED_EVENTS * weight))
    _, fits = fit_toys(model, histogram(events)[None])
    return float(fits.parameters[0, 0])


def compute_intervals(settings: dict, simulated: xr.Dataset, tested: xr.Dataset) -> xr.Dataset:
    """Compute intervals of the tested pseudo-experiments from the confidence belt of the simulated ones.

    Args:
        settings: `belt_order`.
        simulated: Result of `estimate_strengths` at several strengths.
        tested: Result of `estimate_strengths`, of independent events.
    """
    belt = belt_from_estimates(settings | {"strengths": simulated["strength"].values}, simulated["estimate"].values)
    estimates = tested["estimate"].values.ravel()
    intervals = interval_dataset(tested["strength"].values, estimates, invert_belt(belt, estimates))
    return intervals.assign(seconds=("experiment", tested["seconds"].values.ravel()))
