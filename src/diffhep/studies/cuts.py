"""Stages of the study of a cut on one variable (thesis 7.2.1)."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from bayes_opt import BayesianOptimization
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from diffhep import prng
from diffhep.histogramming.cuts import asimov_significance, hard_cut, sigmoid_cut
from diffhep.learning.optimisers import adam_trajectory as steps_downhill

FIRST_GUESSES = 5  # random points from which the Bayesian optimisation starts

Cut = Callable[[Array, Array], Array]


class Sample(NamedTuple):
    """Simulated events (variable, event) and the weight of each, so that they sum to the expected yields."""

    signal: Float[Array, "variable event"]
    background: Float[Array, "variable event"]
    signal_weight: float
    background_weight: float


def draw(settings: dict, variables: int = 1) -> Sample:
    """Events with `variables` independent variables, in each a normal peak over a falling exponential."""
    data, events = settings["data"], settings["data"]["events"]
    keys = jax.random.split(prng.key(settings["seed"], prng.CUTS_EVENTS))
    peak, falling = data["signal"], data["background"]
    drawn = _draw(keys, (variables, events), peak["mean"], peak["width"], falling["scale"])
    return Sample(*drawn, peak["yield"] / events, falling["yield"] / events)


@partial(jax.jit, static_argnums=1)
def _draw(keys, shape: tuple[int, int], mean, width, scale) -> tuple[Array, Array]:
    return mean + width * jax.random.normal(keys[0], shape), scale * jax.random.exponential(keys[1], shape)


def significance(sample: Sample, cuts: Float[Array, " variable"], weigh: Cut) -> Float[Array, ""]:
    """Asimov significance of what passes the cuts on all variables; `weigh` turns values and a cut into weights."""
    passed = [jnp.prod(jax.vmap(weigh)(events, cuts), axis=0).sum() for events in (sample.signal, sample.background)]
    return asimov_significance(passed[0] * sample.signal_weight, passed[1] * sample.background_weight)


def _smooth(slope: ArrayLike) -> Cut:
    return lambda values, cut: sigmoid_cut(values, cut, slope)


def scan(settings: dict) -> xr.Dataset:
    """Significance over the cut, hard and smooth.

    Returns:
        `hard` (cut) and `smooth` (slope, cut); `best` and `best_smooth` (slope), where each is largest, and
        `offset_smooth` (slope), how far these lie apart; `weight`
        (slope, distance), the sigmoids; `signal` and `background` (bin), events in bins of `edges` (edge); and
        `significance_...` of the hard cut at `none`, `guess` and `best`.
    """
    chosen, sample = settings["scan"], draw(settings)
    cuts = np.linspace(*chosen["range"], chosen["points"])
    at = {slope: _scan_cuts(cuts, sample, slope) for slope in chosen["slopes"]}
    hard = _scan_cuts(cuts, sample)
    best, best_smooth = cuts[np.argmax(hard)], np.array([cuts[np.argmax(values)] for values in at.values()])
    distance = np.linspace(-1, 1, 401)
    edges = np.linspace(0, np.ceil(float(sample.background.max()) / 2), chosen["histogram_bins"] + 1)
    spectra = {
        name: ("bin", np.histogram(events[0], edges)[0] * weight)
        for name, events, weight in zip(("signal", "background"), sample[:2], sample[2:], strict=True)
    }
    at_hard = partial(np.interp, xp=cuts, fp=hard)
    return xr.Dataset(
        {
            "hard": ("cut", hard),
            "smooth": (("slope", "cut"), np.stack(list(at.values()))),
            "weight": (("slope", "distance"), np.stack([sigmoid_cut(distance, 0.0, slope) for slope in at])),
            "best": best,
            "best_smooth": ("slope", best_smooth),
            "offset_smooth": ("slope", best_smooth - best),
            "guess": chosen["guess"],
            "significance_none": _scan_cuts(np.zeros(1), sample)[0],
            "significance_guess": at_hard(chosen["guess"]),
            "significance_best": hard.max(),
            **spectra,
        },
        coords={"cut": cuts, "slope": chosen["slopes"], "distance": distance, "edges": ("edge", edges)},
    )


def _scan_cuts(cuts: np.ndarray, sample: Sample, slope: float | None = None) -> np.ndarray:
    """Significance at each cut, hard or of some slope, one after the other, for memory's sake."""
    return np.asarray(_significances(cuts, sample, slope))


@jax.jit
def _significances(cuts, sample, slope) -> Array:
    weigh = hard_cut if slope is None else _smooth(slope)
    return jax.lax.map(lambda cut: significance(sample, cut[None], weigh), cuts)


def descend(settings: dict, scan: xr.Dataset) -> xr.Dataset:
    """Adam on 1/Z_A of the smooth cut: `cut`, `smooth` and `hard` significance over step.

    `found` is the last cut, `significance_found` the hard significance there, and `share` that over the best of the
    scan.
    """
    chosen, sample = settings["descent"], draw(settings)
    way = _descend(sample, chosen["slope"], np.array([chosen["start"]]), chosen["learning_rate"], chosen["steps"])
    cuts = np.asarray(way[:, 0])
    hard = _scan_cuts(cuts, sample)
    return xr.Dataset(
        {
            "cut": ("step", cuts),
            "smooth": ("step", _scan_cuts(cuts, sample, chosen["slope"])),
            "hard": ("step", hard),
            "found": cuts[-1],
            "significance_found": hard[-1],
            "share": hard[-1] / scan["significance_best"].item(),
        }
    )


def _descend(sample, slope, start, learning_rate, steps):
    def loss(cuts):
        return 1 / significance(sample, cuts, _smooth(slope))

    return steps_downhill(loss, start, learning_rate=learning_rate, steps=steps)


def compare(settings: dict) -> xr.Dataset:
    """Best hard significance found after so many evaluations: Bayesian optimisation, and Adam with gradients (ours).

    An evaluation of Adam is one of the smooth significance with its gradient.

    Returns:
        `bayesian` (cuts, seed, evaluation), `gradient` (cuts, rate, step), and `best` (cuts), the largest of all.
    """
    chosen = settings["comparison"]
    found = [_compare(settings, number) for number in chosen["cuts"]]
    bayesian, gradient = (np.stack(list(results)) for results in zip(*found, strict=True))
    return xr.Dataset(
        {
            "bayesian": (("cuts", "seed", "evaluation"), bayesian),
            "gradient": (("cuts", "rate", "step"), gradient),
            "best": ("cuts", np.maximum(bayesian.max(axis=(1, 2)), gradient.max(axis=(1, 2)))),
        },
        coords={
            "cuts": chosen["cuts"],
            "rate": chosen["learning_rates"],
            "evaluation": 1 + np.arange(chosen["evaluations"]),
            "step": 1 + np.arange(chosen["steps"] + 1),
        },
    )


def _compare(settings: dict, number: int) -> tuple[np.ndarray, np.ndarray]:
    chosen, sample = settings["comparison"], draw(settings, number)
    hard = jax.jit(lambda cuts: significance(sample, cuts, hard_cut))
    seeds = range(settings["seed"], settings["seed"] + chosen["seeds"])
    bayesian = [_bayesian(hard, number, settings["scan"]["range"], chosen["evaluations"], seed) for seed in seeds]
    start, along = np.full(number, settings["descent"]["start"]), jax.jit(partial(jax.lax.map, hard))
    ways = [
        _descend(sample, settings["descent"]["slope"], start, rate, chosen["steps"])
        for rate in chosen["learning_rates"]
    ]
    reached = [np.maximum.accumulate(along(way)) for way in ways]
    return np.stack(bayesian), np.stack(reached)


def _bayesian(target: Callable[[Array], Array], number: int, limits, evaluations: int, seed: int) -> np.ndarray:
    """Best value after each evaluation of a Gaussian process optimisation that knows nothing of the function."""
    names = [f"cut_{place}" for place in range(number)]
    optimiser = BayesianOptimization(
        f=lambda **cuts: float(target(jnp.array([cuts[name] for name in names]))),
        pbounds=dict.fromkeys(names, tuple(limits)),
        random_state=seed,
        verbose=0,
        allow_duplicate_points=True,  # it sees no sense in going on once it is sure
    )
    optimiser.maximize(init_points=FIRST_GUESSES, n_iter=evaluations - FIRST_GUESSES)
    return np.maximum.accumulate([result["target"] for result in optimiser.res])
