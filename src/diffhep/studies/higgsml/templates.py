"""Expected histograms of scores at many values of the energy scales (contrastive flows section 6.2, step 4).

The challenge's pseudo-experiments draw a Poisson number of copies of every event of a pool, shift and score them. A
histogram of their scores has independent Poisson contents, whose means are computed here for every process and method.
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
"""Events scored at a time, so that one compiled program serves any number of events."""

SHIFTS = tuple(NUISANCES)[:3]

Scorer = Callable[[PoolSample, np.ndarray], tuple[np.ndarray, Float[np.ndarray, "method event"]]]
"""Function of events and a shift that returns a mask of the selected events, and their scores by all networks."""


def template_shifts(settings: Mapping) -> Float[np.ndarray, "point 3"]:
    """Return the shifts (tes, jes, soft_met) of the templates.

    The first points are those of the paper's fit: all pairs of `nodes` of tes and jes, without soft_met. Those of the
    profile likelihood follow (ours): the median, and each of the three parameters at -1 and then at +1 standard
    deviation, with the others at their median.

    Args:
        settings: `nodes`, in standard deviations.
    """
    nodes = np.asarray(settings["nodes"])
    pairs = np.stack(np.meshgrid(nodes, nodes, indexing="ij"), axis=-1).reshape(-1, 2)
    profile = np.concatenate([np.zeros((1, 3)), *(sign * np.eye(3) for sign in (-1, 1))])
    return np.concatenate([_to_shifts(np.pad(pairs, ((0, 0), (0, 1)))) * [1, 1, 0], _to_shifts(profile)])


def _to_shifts(normal: Float[np.ndarray, "point 3"]) -> Float[np.ndarray, "point 3"]:
    return np.asarray(nuisances_from_normal(normal))


def design_shifts(number: int, seed: int, reach: float = 3.5) -> Float[np.ndarray, "point 3"]:
    """Return shifts that fill the priors evenly, at which the response surface is fitted.

    Args:
        number: Number of points.
        seed: Seed of the Sobol sequence.
        reach: Largest distance from the median in standard deviations.
    """
    sobol = qmc.Sobol(3, rng=np.random.default_rng([seed, prng.HIGGSML_DESIGN]))
    unit = sobol.random_base2(int(np.ceil(np.log2(number))))[:number]
    low, high = norm.cdf([-reach, reach])
    normal = np.column_stack([reach * (2 * unit[:, :2] - 1), norm.ppf(low + (high - low) * unit[:, 2])])
    return _to_shifts(normal)


def build_scorer(settings: Mapping, networks: Mapping[str, xr.Dataset], flows: Mapping[str, xr.Dataset]) -> Scorer:
    """Build a function that shifts, selects and scores events, compiled once.

    Args:
        settings: `columns`; `networks`, the architecture by method; with flows, settings of `build_discriminants`.
        networks: Trained networks, by method.
        flows: Results of `training.train_flow`, used by methods whose name begins with `cnf`; may be empty.
    """
    reconstruct = reconstruction(settings["columns"]["logarithms"])
    score_category = [jax.jit(partial(_scores, settings, networks, flows, category)) for category in CATEGORIES]

    def score(sample, shift):
        columns, categories, selected = map(np.asarray, reconstruct(sample.primaries, tuple(shift), sample.noise))
        scores = np.full((len(networks), len(columns)), np.nan)
        for category, compiled in enumerate(score_category):
            rows = np.flatnonzero(selected & (categories == category))
            for start in range(0, len(rows), BLOCK):
                block = rows[start : start + BLOCK]
                padded = np.pad(columns[block], ((0, BLOCK - len(block)), (0, 0)), mode="edge")
                scores[:, block] = np.asarray(compiled(padded))[:, : len(block)]
        mask = selected & (categories >= 0)
        return mask, scores[:, mask]

    return score


def _scores(settings, networks, flows, category: str, columns) -> Float[Array, "method event"]:
    """Score events of one category."""
    phis = build_discriminants(settings, flows, category)(columns) if flows else jnp.zeros((len(columns), 0))
    index, scores = jnp.full((len(columns), 1), float(CATEGORIES.index(category))), []
    for name, trained in networks.items():
        inputs = [columns, phis, index] if name.startswith("cnf") else [columns, index]
        network = settings["networks"][name]
        logit = classifiers.logit(network, trained_parameters(trained), jnp.concatenate(inputs, axis=-1), jnp.zeros(0))
        scores.append(expit(logit))
    return jnp.stack(scores)


def expected_histograms(
    settings: dict, pools: dict[str, xr.Dataset], networks: dict[str, xr.Dataset], flows: dict[str, xr.Dataset]
) -> xr.Dataset:
    """Compute expected histograms of one part of the pools at many shifts.

    Args:
        settings: `part`; `points`: `grid` (`template_shifts`, with `nodes`) or `design` (`design_shifts`, with
            `number`); `chunk` to compute of the `chunks`; `bins` in the score; settings of `build_scorer`; `seed`.
        pools: Results of `events.build_pool`, by process.
        networks: Trained networks, by method.
        flows: Results of `training.train_flow`.

    Returns:
        `counts` (point, network, process, bin) at full luminosity, `shift` (point, nuisance), and `weight`, the largest
        mean weight of background events.
    """
    grid = settings["points"] == "grid"
    points = template_shifts(settings) if grid else design_shifts(settings["number"], settings["seed"])
    points = points[settings["chunk"] :: settings["chunks"]]
    samples, score = pool_samples(pools, settings["part"]), build_scorer(settings, networks, flows)
    counts = np.array([
        [_histograms(settings["bins"], score, sample, point) for sample in samples] for point in points
    ])  # fmt: skip
    return xr.Dataset(
        {
            "counts": (("point", "network", "process", "bin"), counts.swapaxes(1, 2)),
            "shift": (("point", "nuisance"), points),
            "weight": max(sample.weights.mean() for sample in samples[1:]),
        },
        coords={"network": list(networks), "process": list(PROCESSES), "nuisance": list(SHIFTS)},
    )


def _histograms(bins: int, score: Scorer, sample: PoolSample, shift: np.ndarray) -> Float[np.ndarray, "method bin"]:
    mask, scores = score(sample, shift)
    indices = np.minimum((scores * bins).astype(int), bins - 1)
    return np.stack([np.bincount(index, sample.weights[mask], minlength=bins) for index in indices])


def time_scoring(
    settings: dict, pools: dict[str, xr.Dataset], networks: dict[str, xr.Dataset], flows: dict[str, xr.Dataset]
) -> xr.Dataset:
    """Compute histograms of all events at random shifts, to validate the response surface, and time the scoring.

    Args:
        settings: Settings of `expected_histograms` without `points`; `number` of shifts, drawn from their priors;
            `luminosity`.
        pools: Results of `events.build_pool`, by process.
        networks: Trained networks, by method.
        flows: Results of `training.train_flow`.

    Returns:
        `counts` (network, point, process, bin) at full luminosity; `shift` (point, nuisance); and `seconds` (network,
        point) for shifting and scoring the events of one pseudo-experiment by one method.
    """
    rng, samples = np.random.default_rng([settings["seed"], prng.HIGGSML_DESIGN]), pool_samples(pools, settings["part"])
    points = _to_shifts(rng.normal(size=(settings["number"], 3)))
    toy = _draw_toy(rng, samples, settings["luminosity"])
    seconds, counts = [], []
    for name, network in networks.items():
        score = build_scorer(settings, {name: network}, flows if name.startswith("cnf") else {})
        score(toy, points[0])  # compiles
        seconds.append([_seconds(score, toy, point) for point in points])
        counts.append([
            [_histograms(settings["bins"], score, sample, point)[0] for sample in samples] for point in points
        ])  # fmt: skip
    return xr.Dataset(
        {
            "counts": (("network", "point", "process", "bin"), np.array(counts)),
            "shift": (("point", "nuisance"), points),
            "seconds": (("network", "point"), np.array(seconds)),
        },
        coords={"network": list(networks), "process": list(PROCESSES), "nuisance": list(SHIFTS)},
    )


def _draw_toy(rng: np.random.Generator, samples: list[PoolSample], luminosity: float) -> PoolSample:
    """Draw the events of one pseudo-experiment at a signal strength of 1, each of weight one."""
    drawn = []
    for sample in samples:
        rows = draw_rows(rng, sample.weights, rng.poisson(luminosity * sample.weights.sum()))
        drawn.append(PoolSample(sample.primaries[rows], sample.noise[rows], np.ones(len(rows))))
    return concatenate_samples(drawn)


def _seconds(score: Scorer, sample: PoolSample, shift: np.ndarray) -> float:
    start = time.perf_counter()
    score(sample, shift)
    return time.perf_counter() - start
