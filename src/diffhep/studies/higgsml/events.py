"""Events of the HiggsML Uncertainty Challenge, and the samples that networks are trained on."""

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
import xarray as xr
from jaxtyping import Array, Float, Int

from diffhep import prng
from diffhep.data.htautau import challenge_files, generator, shifts
from diffhep.data.htautau.features import PRIMARY
from diffhep.data.htautau.inputs import event_category, prepare_columns
from diffhep.data.htautau.shifts import PROCESSES, select_events, shift_energies
from diffhep.learning import classifiers
from diffhep.samples import ConditionalEvents, conditional_events

NO_SHIFT = (1.0, 1.0, 0.0)
"""tes, jes and soft_met without a shift."""


def build_pool(settings: dict, file: Path | None = None) -> xr.Dataset:
    """Events of one process that have a jet, for training, templates and tests.

    Args:
        settings: As for `generator.generate`; `process`; `yields` of all processes at full luminosity; `events` of each
            that pass the selection; `shares` of the parts; `seed`.
        file: Of the challenge, to take them from.

    Returns:
        `primaries` (event, column), standard normal `noise` (event, axis) for the soft missing momentum, `part`
        (event), a number in the order of the shares, and `weights` (event), which add up in each part to the process's
        yield less that of events without jets.
    """
    process = settings["process"]
    number, key = settings["events"][process], prng.key(settings["seed"], prng.HIGGSML_POOLS)
    key = jax.random.fold_in(key, PROCESSES.index(process))
    if file is None:
        primaries = np.asarray(generator.generate(key, settings, process, number))
        weights, total = np.ones(number), settings["yields"][process]
    else:
        primaries, weights, total = map(np.asarray, challenge_files.read(file, process, number))
    part = np.searchsorted(
        np.cumsum(list(settings["shares"].values()))[:-1], np.arange(number) % 100 / 100, side="right"
    )
    sums = np.bincount(part, weights, minlength=len(settings["shares"]))
    kept = primaries[:, PRIMARY.index("PRI_jet_leading_pt")] > 0
    noise = np.random.default_rng([settings["seed"], prng.HIGGSML_POOLS, PROCESSES.index(process)]).normal(
        size=(number, 2)
    )
    return xr.Dataset({
        "primaries": (("event", "column"), primaries[kept]),
        "noise": (("event", "axis"), noise[kept].astype(np.float32)),
        "part": ("event", part[kept].astype(np.int8)),
        "weights": ("event", (weights * total / sums[part])[kept]),
    }, coords={"column": list(PRIMARY)}).assign_attrs(parts=list(settings["shares"]))  # fmt: skip


class PoolSample(NamedTuple):
    """Events of one process and part of its pool."""

    primaries: Float[np.ndarray, "event 16"]
    noise: Float[np.ndarray, "event 2"]
    weights: Float[np.ndarray, " event"]


def pool_samples(pools: Mapping[str, xr.Dataset], part: str) -> list[PoolSample]:
    """One part of all pools, in the order of `PROCESSES`."""
    found = []
    for process in PROCESSES:
        of = pools[process]
        rows = of["part"].values == list(of.attrs["parts"]).index(part)
        found.append(PoolSample(*(of[name].values[rows] for name in ("primaries", "noise", "weights"))))
    return found


def concatenate_samples(parts: list[PoolSample]) -> PoolSample:
    """Several samples as one, the events of the first of them first."""
    return PoolSample(*map(np.concatenate, zip(*parts, strict=True)))


def draw_rows(rng: np.random.Generator, weights: Float[np.ndarray, " event"], number: int) -> Int[np.ndarray, " row"]:
    """Rows of so many events, drawn with replacement in proportion to their weights."""
    return rng.choice(len(weights), number, p=weights / weights.sum())


class NominalEvents(NamedTuple):
    """What is seen of events without shifts that pass the selection: prepared columns, category and weight of each."""

    columns: Float[np.ndarray, "event 28"]
    event_category: Int[np.ndarray, " event"]
    weights: Float[np.ndarray, " event"]


class PerturbedEvents(NamedTuple):
    """What is seen of shifted events that pass the selection: prepared columns, category and six nuisance parameters.

    All of them weigh the same.
    """

    columns: Float[np.ndarray, "event 28"]
    event_category: Int[np.ndarray, " event"]
    nuisances: Float[np.ndarray, "event 6"]


def reconstruction(logarithms: list[str]) -> Callable[..., tuple[Array, Array, Array]]:
    """What makes (columns, category, passes) of primaries, shifts and noise: compiled once."""
    return _looked_at(tuple(logarithms))


@lru_cache
def _looked_at(logarithms: tuple[str, ...]) -> Callable[..., tuple[Array, Array, Array]]:
    def of(primaries, shift, noise):
        found, passes = select_events(shift_energies(primaries, *shift, noise))
        return prepare_columns(found, logarithms), event_category(found), passes

    return jax.jit(of)


def nominal_events(
    settings: Mapping, pools: Mapping[str, xr.Dataset], part: str
) -> tuple[NominalEvents, NominalEvents]:
    """Signal and background without shifts, as they are weighted."""
    look, every, found = reconstruction(settings["columns"]["logarithms"]), pool_samples(pools, part), []
    for sample in (every[0], concatenate_samples(every[1:])):
        columns, categories, passes = map(np.asarray, look(sample.primaries, NO_SHIFT, sample.noise))
        kept = passes & (categories >= 0)
        found.append(NominalEvents(columns[kept], categories[kept], sample.weights[kept]))
    return tuple(found)


def draw_perturbed_events(
    settings: Mapping, pools: Mapping[str, xr.Dataset]
) -> tuple[list[PerturbedEvents], list[PerturbedEvents]]:
    """Signal and background, as many drawn of each, in many subsets with nuisance parameters of their own.

    Args:
        settings: `draw_perturbed_events`: number of `subsets`, events in each (`per_subset`, of both classes together), share of
            subsets for `validation`; `columns`, `seed`.
        pools: Results of `build_pool`.

    Returns:
        What is trained on, and what validates: both classes of each.
    """
    number, rng = settings["perturbed"]["subsets"], np.random.default_rng([settings["seed"], prng.HIGGSML_PERTURBED])
    nuisances = np.asarray(shifts.draw_nuisances(prng.key(settings["seed"], prng.HIGGSML_PERTURBED), number))
    last = number - max(round(settings["perturbed"]["validation"] * number), 1)
    of, halves = pool_samples(pools, "train"), (np.arange(number) < last, np.arange(number) >= last)
    factors = np.asarray(jax.vmap(partial(shifts.yield_factors, 1.0))(nuisances))
    shares = np.array([sample.weights.sum() for sample in of]) * factors
    found = []
    for chosen in (shares * (np.arange(len(PROCESSES)) == 0), shares * (np.arange(len(PROCESSES)) > 0)):
        drawn = _drawn(of, chosen, settings["perturbed"]["per_subset"] // 2, rng)
        found.append(_seen(settings["columns"]["logarithms"], drawn, nuisances, halves, rng))
    return tuple(map(list, zip(*found, strict=True)))


def _drawn(of: list[PoolSample], shares: Float[np.ndarray, "subset process"], each: int, rng) -> np.ndarray:
    """So many events for each subset, of the processes in proportion to their shares in it."""
    odds = np.cumsum(shares, axis=1) / shares.sum(axis=1, keepdims=True)
    process = (rng.random((len(shares), each, 1)) >= odds[:, None, :-1]).sum(axis=-1)
    primaries = np.empty((*process.shape, len(PRIMARY)), np.float32)
    for n, sample in enumerate(of):
        here = process == n
        primaries[here] = sample.primaries[draw_rows(rng, sample.weights, int(here.sum()))]
    return primaries


def _seen(logarithms, primaries, nuisances, halves, rng) -> list[PerturbedEvents]:
    """What is seen of events (subset, event, column), shifted by the nuisance parameters of their subset."""
    noise = rng.normal(size=(*primaries.shape[:2], 2)).astype(np.float32)
    look = jax.vmap(reconstruction(logarithms))
    columns, categories, passes = map(np.asarray, look(primaries, tuple(nuisances[:, :3].T), noise))
    told = np.broadcast_to(nuisances[:, None], (*primaries.shape[:2], nuisances.shape[1]))
    kept = [passes & (categories >= 0) & half[:, None] for half in halves]
    return [PerturbedEvents(columns[each], categories[each], told[each]) for each in kept]


def label_classes(classes: list[PerturbedEvents], inputs: list[np.ndarray], seed: int) -> ConditionalEvents:
    """Both classes with these inputs, as `classifiers.train` wants them: the category comes last."""
    rng = np.random.default_rng([seed, prng.HIGGSML_NOMINAL])
    both = [
        conditional_events(np.column_stack([columns, seen.category]), np.zeros((len(columns), 0)))
        for seen, columns in zip(classes, inputs, strict=True)
    ]
    return classifiers.combine_classes(*both, rng)
