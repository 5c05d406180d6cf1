"""Expected histograms of scores at many values of the energy scales, of every process and method (section 6.2, step 4).

The challenge's pseudo-experiments draw a Poisson number of copies of every event of a pool, shift and score them. A
histogram of their scores has independent Poisson contents, whose means are what is computed here.
"""

import time
from collections.abc import Callable, Mapping
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.scipy.special import expit
from jaxtyping import Array, Float
from scipy.stats import norm, qmc

from diffhep import prng
from diffhep.data.htautau.inputs import CATEGORIES
from diffhep.data.htautau.shifts import NUISANCES, PROCESSES, nuisances_from_normal
from diffhep.learning import classifiers
from diffhep.learning.model_selection import trained_parameters
from diffhep.studies.higgsml.events import PoolSample, concatenate_samples, draw_rows, pool_samples, reconstruction
from diffhep.studies.higgsml.training import build_discriminants

BLOCK = 2_000
"""Events scored at a time, in one compiled program whatever the number of events."""


SHIFTS = tuple(NUISANCES)[:3]

Scorer = Callable[[PoolSample, np.ndarray], tuple[np.ndarray, Float[np.ndarray, "method event"]]]


def template_shifts(settings: Mapping) -> Float[np.ndarray, "point 3"]:
    """Where templates are made: tes and jes at every pair of `nodes`, in standard deviations, and no soft_met.

    Behind them come those of the profile likelihood (ours): the median, and each of the three at -1 and +1, up to
    standard deviation, about the median of the others.
    """
    nodes = np.asarray(settings["nodes"])
    pairs = np.stack(np.meshgrid(nodes, nodes, indexing="ij"), axis=-1).reshape(-1, 2)
    shifts = np.concatenate([np.zeros((1, 3)), *(sign * np.eye(3) for sign in (-1, 1))])
    return np.concatenate([_scales(np.pad(pairs, ((0, 0), (0, 1)))) * [1, 1, 0], _scales(shifts)])


def _scales(normal: Float[np.ndarray, "point 3"]) -> Float[np.ndarray, "point 3"]:
    return np.asarray(nuisances_from_normal(normal))


def design_shifts(number: int, seed: int, reach: float = 3.5) -> Float[np.ndarray, "point 3"]:
    """Points that fill the priors up to so many standard deviations evenly, for the response surface."""
    unit = qmc.Sobol(3, rng=np.random.default_rng([seed, prng.HIGGSML_DESIGN])).random_base2(
        int(np.ceil(np.log2(number)))
    )[:number]
    low, high = norm.cdf([-reach, reach])
    normal = np.column_stack([reach * (2 * unit[:, :2] - 1), norm.ppf(low + (high - low) * unit[:, 2])])
    return _scales(normal)


def build_scorer(settings: Mapping, networks: Mapping[str, xr.Dataset], flows: Mapping[str, xr.Dataset]) -> Scorer:
    """What scores events at a shift by all networks, compiled once: (which events have a score, their scores)."""
    look = reconstruction(settings["columns"]["logarithms"])
    judges = [jax.jit(partial(_scores, settings, networks, flows, category)) for category in CATEGORIES]

    def of(sample, shift):
        columns, categories, passes = map(np.asarray, look(sample.primaries, tuple(shift), sample.noise))
        scores = np.full((len(networks), len(columns)), np.nan)
        for category, judge in enumerate(judges):
            rows = np.flatnonzero(passes & (categories == category))
            for start in range(0, len(rows), BLOCK):
                some = rows[start : start + BLOCK]
                padded = np.pad(columns[some], ((0, BLOCK - len(some)), (0, 0)), mode="edge")
                scores[:, some] = np.asarray(judge(padded))[:, : len(some)]
        scored = passes & (categories >= 0)
        return scored, scores[:, scored]

    return of


def _scores(settings, networks, flows, category: str, columns) -> Float[Array, "method event"]:
    """Of events of one category."""
    phis = build_discriminants(settings, flows, category)(columns) if flows else jnp.zeros((len(columns), 0))
    told, found = jnp.full((len(columns), 1), float(CATEGORIES.index(category))), []
    for name, trained in networks.items():
        inputs = [columns, phis, told] if name.startswith("cnf") else [columns, told]
        network = settings["networks"][name]
        logit = classifiers.logit(network, trained_parameters(trained), jnp.concatenate(inputs, axis=-1), jnp.zeros(0))
        found.append(expit(logit))
    return jnp.stack(found)


def expected_histograms(
    settings: dict, pools: dict[str, xr.Dataset], networks: dict[str, xr.Dataset], flows: dict[str, xr.Dataset]
) -> xr.Dataset:
    """Expected histograms of one part of the pools, at many shifts.

    Args:
        settings: `part`; `points`: `template_shifts` or `design_shifts`; `nodes` of the former, `number` of points of the latter; which
            `chunk` of `chunks` is computed; `bins` in the score; `networks` and `flow`: what they are; `phi`;
            `columns`; `seed`.
        pools: Results of `events.build_pool`, by process.
        networks: Results of `higgsml_training`, by method.
        flows: Results of `train_flow`.

    Returns:
        `expected_histograms` (point, network, process, bin) at full luminosity, `shift` (point, nuisance), and `weight`: the
        largest mean weight of an event of background.
    """
    points = (
        template_shifts(settings)
        if settings["points"] == "grid"
        else design_shifts(settings["number"], settings["seed"])
    )
    points = points[settings["chunk"] :: settings["chunks"]]
    of, score = pool_samples(pools, settings["part"]), build_scorer(settings, networks, flows)
    found = np.array([[_histograms(settings["bins"], score, sample, point) for sample in of] for point in points])
    return xr.Dataset(
        {
            "counts": (("point", "network", "process", "bin"), found.swapaxes(1, 2)),
            "shift": (("point", "nuisance"), points),
            "weight": max(sample.weights.mean() for sample in of[1:]),
        },
        coords={"network": list(networks), "process": list(PROCESSES), "nuisance": list(SHIFTS)},
    )


def _histograms(bins: int, score: Scorer, sample: PoolSample, shift: np.ndarray) -> Float[np.ndarray, "method bin"]:
    chosen, scores = score(sample, shift)
    places = np.minimum((scores * bins).astype(int), bins - 1)
    return np.stack([np.bincount(place, sample.weights[chosen], minlength=bins) for place in places])


def time_scoring(
    settings: dict, pools: dict[str, xr.Dataset], networks: dict[str, xr.Dataset], flows: dict[str, xr.Dataset]
) -> xr.Dataset:
    """Whole histograms at shifts of pseudo-experiments, to judge the response surface by, and how long scoring takes.

    Args:
        settings: As for `expected_histograms`, without `points`; `number` of shifts, drawn from their priors; `luminosity`.
        pools: As for `expected_histograms`.
        networks: Likewise.
        flows: Likewise.

    Returns:
        `expected_histograms` and `shift` as of `expected_histograms`; and `seconds` (network, point): of shifting and scoring the events of one
        pseudo-experiment by one method.
    """
    rng, of = np.random.default_rng([settings["seed"], prng.HIGGSML_DESIGN]), pool_samples(pools, settings["part"])
    points = _scales(rng.normal(size=(settings["number"], 3)))
    few = _few(rng, of, settings["luminosity"])
    seconds, found = [], []
    for name, network in networks.items():
        of_method = build_scorer(settings, {name: network}, flows if name.startswith("cnf") else {})
        of_method(few, points[0])  # compiles
        seconds.append([_seconds(of_method, few, point) for point in points])
        found.append(
            [[_histograms(settings["bins"], of_method, sample, point)[0] for sample in of] for point in points]
        )
    return xr.Dataset(
        {
            "counts": (("network", "point", "process", "bin"), np.array(found)),
            "shift": (("point", "nuisance"), points),
            "seconds": (("network", "point"), np.array(seconds)),
        },
        coords={"network": list(networks), "process": list(PROCESSES), "nuisance": list(SHIFTS)},
    )


def _few(rng: np.random.Generator, of: list[PoolSample], luminosity: float) -> PoolSample:
    """The events of one pseudo-experiment, without their signal strength; each counts once."""
    drawn = []
    for sample in of:
        rows = draw_rows(rng, sample.weights, rng.poisson(luminosity * sample.weights.sum()))
        drawn.append(PoolSample(sample.primaries[rows], sample.noise[rows], np.ones(len(rows))))
    return concatenate_samples(drawn)


def _seconds(score: Scorer, sample: PoolSample, shift: np.ndarray) -> float:
    start = time.perf_counter()
    score(sample, shift)
    return time.perf_counter() - start
