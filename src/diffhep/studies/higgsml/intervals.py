"""The signal strength of H -> tau tau with honest intervals: pseudo-experiments, fits, belts (sections 6.2 and 6.3)."""

import dataclasses
import time
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import jax
import numpy as np
import xarray as xr
from jaxtyping import Float

from diffhep import prng
from diffhep.data.htautau import shifts as htautau_shifts
from diffhep.data.htautau.shifts import NORMALISATIONS, NUISANCES, PROCESSES
from diffhep.histogramming import response_surface
from diffhep.histogramming.response_surface import ResponseSurface
from diffhep.inference import neyman, profile_intervals
from diffhep.inference.batched_mle import fit_all
from diffhep.inference.mle import FitResult
from diffhep.models import histfactory, spline_morphing
from diffhep.models.likelihood import Data, Model
from diffhep.studies.higgsml.templates import SHIFTS

MIN_SIMULATED_EVENTS = 0.5
"""Simulated events that a background template holds at least in each bin: none would make any signal certain."""


def fit_surface(chunks: Mapping[str, xr.Dataset], method: str, order: int) -> ResponseSurface:
    """Expected histograms (process, bin) of a method as a function of the `surface_coordinates` of shifts."""
    chosen = [chunk.sel(network=method) for chunk in chunks.values()]
    counts, shifts = (np.concatenate([each[name].values for each in chosen]) for name in ("counts", "shift"))
    return response_surface.fit(surface_coordinates(shifts), counts, order)


def surface_coordinates(shifts: Float[np.ndarray, "point 3"]) -> Float[np.ndarray, "point 3"]:
    """tes, jes and the square of soft_met: the square, for noise is added in quadrature."""
    return shifts ** np.array([1, 1, 2])


class PseudoExperiments(NamedTuple):
    """Pseudo-experiments of one true strength after the other.

    Attributes:
        truth: signal strength of each.
        nuisances: six of each.
        expected: contents of its histogram.
        observed: contents that were drawn.
    """

    truth: Float[np.ndarray, " toy"]
    nuisances: Float[np.ndarray, "toy 6"]
    expected: Float[np.ndarray, "toy bin"]
    observed: Float[np.ndarray, "toy bin"]


def draw_experiments(
    settings: Mapping, surface: ResponseSurface, strengths: Float[np.ndarray, " value"], number: int, purpose: int
) -> PseudoExperiments:
    """Pseudo-experiments, all six nuisance parameters drawn for each.

    Args:
        settings: `luminosity`, the share of the full one; `seed`.
        surface: Of expected histograms at full luminosity.
        strengths: True ones.
        number: Of pseudo-experiments of each.
        purpose: Of the randomness.
    """
    truth, key = np.repeat(strengths, number), jax.random.fold_in(prng.key(settings["seed"], purpose), number)
    nuisances = np.asarray(htautau_shifts.draw_nuisances(key, len(truth)))
    rng = np.random.default_rng([settings["seed"], purpose])
    factors = np.asarray(jax.jit(jax.vmap(htautau_shifts.yield_factors))(truth, nuisances))
    expected = settings["luminosity"] * np.einsum("tp,tpb->tb", factors, surface(surface_coordinates(nuisances[:, :3])))
    return PseudoExperiments(truth, nuisances, expected, rng.poisson(expected).astype(float))


def spline_model(settings: Mapping, templates: xr.Dataset, method: str, *, shifts: bool) -> Model:
    """The paper's fit: templates over tes and jes with splines between, free in normalisation.

    Args:
        settings: `nodes`, `luminosity`.
        templates: Result of `templates.expected_histograms` on the grid.
        method: Whose scores.
        shifts: Whether tes and jes are fitted, or taken to be as without systematic uncertainties.
    """
    number = len(settings["nodes"])
    here = templates["counts"].sel(network=method).values[: number**2]
    background = np.maximum(here[:, 1:].sum(axis=1), MIN_SIMULATED_EVENTS * float(templates["weight"]))
    both = settings["luminosity"] * np.stack([here[:, 0], background], axis=1)
    model = spline_morphing.spline_morphing_model(
        np.asarray(settings["nodes"]), both.reshape(number, number, *both.shape[1:])
    )
    parameters = dataclasses.replace(model.parameters, fixed=(False, not shifts, not shifts, False))
    return dataclasses.replace(model, parameters=parameters)


def profile_model(settings: Mapping, templates: xr.Dataset, method: str) -> Model:
    """A HistFactory model of the same scores, with all six nuisance parameters (ours).

    tes, jes and the logarithm of soft_met move every process between templates at one standard deviation to either
    side; the other three scale processes.

    Args:
        settings: `nodes`, `luminosity`; `profile_bins`, into which so many bins are merged.
        templates: Result of `templates.expected_histograms` on the grid, with what stands behind it.
        method: Whose scores.
    """
    counts = settings["luminosity"] * templates["counts"].sel(network=method).values[len(settings["nodes"]) ** 2 :]
    counts = np.maximum(
        merge_bins(settings, method, counts), MIN_SIMULATED_EVENTS * settings["luminosity"] * float(templates["weight"])
    )
    median, shifted = counts[0], counts[1:].reshape(2, len(SHIFTS), *counts.shape[1:])
    samples = []
    for n, process in enumerate(PROCESSES):
        modifiers = [
            {"name": name, "type": "histosys", "data": {"lo_data": shifted[0, k, n], "hi_data": shifted[1, k, n]}}
            for k, name in enumerate(SHIFTS)
        ]
        modifiers += [
            {
                "name": name,
                "type": "normsys",
                "data": {"lo": 1 - NUISANCES[name].width, "hi": 1 + NUISANCES[name].width},
            }
            for name in NORMALISATIONS[process]
        ]
        strength = [] if n else [{"name": "mu", "type": "normfactor", "data": None}]
        samples.append({"name": process, "data": median[n], "modifiers": modifiers + strength})
    parameters = [{"name": "mu", "bounds": [[-10.0, 20.0]], "inits": [1.0]}]
    return histfactory.build_model([{"name": "scores", "samples": samples}], poi="mu", parameters=parameters)


def merge_bins(
    settings: Mapping, method: str, contents: Float[np.ndarray, "*axis bin"]
) -> Float[np.ndarray, "*axis wide"]:
    """Histograms of a method with as many bins as `profile_bins` says, each the sum of neighbours.

    Raises:
        ValueError: The bins cannot be shared out evenly.
    """
    wide, bins = settings["profile_bins"][method], contents.shape[-1]
    if bins % wide:
        raise ValueError(f"profile_bins of {method} is {wide}: choose a divisor of the {bins} bins of its scores")
    return contents.reshape(*contents.shape[:-1], wide, -1).sum(axis=-1)


def fit_toys(model: Model, observed: Float[np.ndarray, "toy bin"]) -> tuple[Data, FitResult]:
    """Data sets and their best fits; what is known of nuisance parameters was measured to be their medians."""
    measured = np.asarray(model.constraints.auxiliary)
    data = Data(np.asarray(observed, float), np.broadcast_to(measured, (len(observed), len(measured))))
    return data, jax.tree.map(np.asarray, fit_all(model, data))


def build_belt(settings: dict, templates: xr.Dataset, chunks: dict[str, xr.Dataset]) -> xr.Dataset:
    """The Neyman belt of a method: where its estimates are for every true strength, whatever the nuisance parameters.

    Args:
        settings: As for `spline_model`; `method` and whether its fit has `shifts`; `order` of the response surface;
            `strengths` and `toys` of each; `belt_order`; `seed`.
        templates: Result of `templates.expected_histograms` on the grid.
        chunks: Results of it on the design, of events that are independent of those of tests.

    Returns:
        `estimate` (strength, toy); `low` and `high` (truth), the belt; and `converged`, the share of fits that did.
    """
    method, strengths = settings["method"], np.asarray(settings["strengths"], float)
    model = spline_model(settings, templates, method, shifts=settings["shifts"])
    drawn = draw_experiments(
        settings, fit_surface(chunks, method, settings["order"]), strengths, settings["toys"], prng.HIGGSML_BELT
    )
    _, found = fit_toys(model, drawn.observed)
    return belt_from_estimates(settings, found.parameters[:, 0].reshape(len(strengths), -1)).assign(
        converged=np.asarray(found.converged).mean()
    )


def belt_from_estimates(settings: Mapping, estimates: Float[np.ndarray, "strength toy"]) -> xr.Dataset:
    """The belt of these estimates of the `strengths`, by a polynomial of `belt_order`."""
    strengths = np.asarray(settings["strengths"], float)
    made = neyman.confidence_belt(strengths, estimates, order=settings["belt_order"])
    return xr.Dataset(
        {"estimate": (("strength", "toy"), estimates), "low": ("truth", made.low), "high": ("truth", made.high)},
        coords={"strength": strengths, "truth": made.truth},
    )


def draw_true_strengths(settings: Mapping) -> Float[np.ndarray, " set"]:
    """As many as there are `sets`, as the challenge draws them: evenly between the ends of `truth`."""
    number = settings["sets"]
    return np.sort(
        np.random.default_rng([settings["seed"], prng.HIGGSML_SETS, number]).uniform(*settings["truth"], number)
    )


def compute_intervals(
    settings: dict, templates: xr.Dataset, chunks: dict[str, xr.Dataset], belt: xr.Dataset | None = None
) -> xr.Dataset:
    """Estimates and intervals of a method in pseudo-experiments that nobody has seen.

    Args:
        settings: As for `build_belt`, or for `profile_model` where there is none; `sets`, the number of true strengths, drawn
            from the range `truth`, and `toys` of each.
        templates: As for `build_belt`.
        chunks: As for `build_belt`, of the events for tests.
        belt: Result of `build_belt`; without it, intervals are those of the profile likelihood.

    Returns:
        `estimate`, `low` and `high` (set, toy), `truth` (set), `converged`, the share of fits that did; and
        `fit_seconds` of one of them.
    """
    method, strengths = settings["method"], draw_true_strengths(settings)
    drawn = draw_experiments(
        settings, fit_surface(chunks, method, settings["order"]), strengths, settings["toys"], prng.HIGGSML_SETS
    )
    find = partial(_profiled, settings, templates) if belt is None else partial(_belted, settings, templates, belt)
    find(drawn.observed)  # compiles
    start = time.perf_counter()
    found, ends = find(drawn.observed)
    seconds = (time.perf_counter() - start) / len(drawn.truth)
    converged = np.asarray(found.converged).mean()
    return interval_dataset(strengths, found.parameters[:, 0], ends).assign(converged=converged, fit_seconds=seconds)


def _belted(settings, templates, belt, observed) -> tuple[FitResult, np.ndarray]:
    _, found = fit_toys(spline_model(settings, templates, settings["method"], shifts=settings["shifts"]), observed)
    return found, invert_belt(belt, found.parameters[:, 0])


def _profiled(settings, templates, observed) -> tuple[FitResult, np.ndarray]:
    model = profile_model(settings, templates, settings["method"])
    data, found = fit_toys(model, merge_bins(settings, settings["method"], observed))
    ends = np.array(profile_intervals.profile_intervals(model, data, found))
    lost = np.isnan(ends).any(axis=1)
    ends[lost] = found.parameters[lost, :1]  # without a fit an interval holds its estimate alone
    return found, np.clip(ends, 0.0, model.parameters.bounds[0][1])  # no strength is negative


def invert_belt(belt: xr.Dataset, estimates) -> Float[np.ndarray, "toy side"]:
    """Intervals of estimates from a stored belt."""
    return neyman.confidence_interval(
        neyman.ConfidenceBelt(*(belt[name].values for name in ("truth", "low", "high"))), np.asarray(estimates)
    )


def interval_dataset(strengths: np.ndarray, estimates: np.ndarray, ends: np.ndarray) -> xr.Dataset:
    """Estimates (toy,) and intervals (toy, side), as many of each true strength, by set."""
    values = {"estimate": estimates, "low": ends[:, 0], "high": ends[:, 1]}
    shaped = {name: (("set", "toy"), np.asarray(each).reshape(len(strengths), -1)) for name, each in values.items()}
    return xr.Dataset({**shaped, "truth": ("set", strengths)})
