"""Signal strength of H -> tau tau: pseudo-experiments, fits, belts and intervals (contrastive flows 6.2 and 6.3)."""

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
from diffhep.histogramming import response_surface
from diffhep.histogramming.response_surface import ResponseSurface
from diffhep.inference import neyman, profile_intervals
from diffhep.inference.batched_mle import fit_all
from diffhep.inference.mle import FitResult
from diffhep.models.likelihood import Data, Model
from diffhep.studies.higgsml.statistical_models import merge_bins, profile_model, spline_model


def fit_surface(chunks: Mapping[str, xr.Dataset], method: str, order: int) -> ResponseSurface:
    """Fit the expected histograms (process, bin) of a method as a function of the `surface_coordinates` of shifts.

    Args:
        chunks: Results of `templates.expected_histograms` at the design points.
        method: Method whose scores are used.
        order: Order of the polynomial.
    """
    selected = [chunk.sel(network=method) for chunk in chunks.values()]
    counts, shifts = (np.concatenate([chunk[name].values for chunk in selected]) for name in ("counts", "shift"))
    return response_surface.fit(surface_coordinates(shifts), counts, order)


def surface_coordinates(shifts: Float[np.ndarray, "point 3"]) -> Float[np.ndarray, "point 3"]:
    """Return tes, jes and the square of soft_met; the square, because noise adds in quadrature."""
    return shifts ** np.array([1, 1, 2])


class PseudoExperiments(NamedTuple):
    """Pseudo-experiments, ordered by their true signal strength.

    Attributes:
        truth: True signal strength.
        nuisances: Nuisance parameters, in the order of `NUISANCES`.
        expected: Expected contents of the histogram.
        observed: Poisson-distributed contents of the histogram.
    """

    truth: Float[np.ndarray, " toy"]
    nuisances: Float[np.ndarray, "toy 6"]
    expected: Float[np.ndarray, "toy bin"]
    observed: Float[np.ndarray, "toy bin"]


def draw_experiments(
    settings: Mapping, surface: ResponseSurface, strengths: Float[np.ndarray, " value"], number: int, stream: int
) -> PseudoExperiments:
    """Draw pseudo-experiments, each with its own six nuisance parameters.

    Args:
        settings: `luminosity`, as a fraction of the full one; `seed`.
        surface: Expected histograms at full luminosity.
        strengths: True signal strengths.
        number: Number of pseudo-experiments for each strength.
        stream: Random stream, a constant of `prng`.
    """
    truth, key = np.repeat(strengths, number), jax.random.fold_in(prng.key(settings["seed"], stream), number)
    nuisances = np.asarray(htautau_shifts.draw_nuisances(key, len(truth)))
    rng = np.random.default_rng([settings["seed"], stream])
    factors = np.asarray(jax.jit(jax.vmap(htautau_shifts.yield_factors))(truth, nuisances))
    expected = settings["luminosity"] * np.einsum("tp,tpb->tb", factors, surface(surface_coordinates(nuisances[:, :3])))
    return PseudoExperiments(truth, nuisances, expected, rng.poisson(expected).astype(float))


def fit_toys(model: Model, observed: Float[np.ndarray, "toy bin"]) -> tuple[Data, FitResult]:
    """Fit pseudo-experiments whose auxiliary measurements are at the medians of the nuisance parameters.

    Args:
        model: Statistical model.
        observed: Observed bin contents.

    Returns:
        Data and best fits.
    """
    auxiliary = np.asarray(model.constraints.auxiliary)
    data = Data(np.asarray(observed, float), np.broadcast_to(auxiliary, (len(observed), len(auxiliary))))
    return data, jax.tree.map(np.asarray, fit_all(model, data))


def build_belt(settings: dict, templates: xr.Dataset, chunks: dict[str, xr.Dataset]) -> xr.Dataset:
    """Build the Neyman confidence belt of a method, with all nuisance parameters drawn from their priors.

    Args:
        settings: Settings of `spline_model`; `method`; whether its fit has `shifts`; `order` of the response surface;
            `strengths` and the number of `toys` for each; `belt_order`; `seed`.
        templates: Result of `templates.expected_histograms` on the grid.
        chunks: Results of `templates.expected_histograms` at the design points, of events independent of the test
            events.

    Returns:
        `estimate` (strength, toy); `low` and `high` (truth), the belt; and `converged`, the fraction of converged fits.
    """
    method, strengths = settings["method"], np.asarray(settings["strengths"], float)
    model = spline_model(settings, templates, method, shifts=settings["shifts"])
    surface = fit_surface(chunks, method, settings["order"])
    toys = draw_experiments(settings, surface, strengths, settings["toys"], prng.HIGGSML_BELT)
    _, fits = fit_toys(model, toys.observed)
    belt = belt_from_estimates(settings, fits.parameters[:, 0].reshape(len(strengths), -1))
    return belt.assign(converged=np.asarray(fits.converged).mean())


def belt_from_estimates(settings: Mapping, estimates: Float[np.ndarray, "strength toy"]) -> xr.Dataset:
    """Build the confidence belt of estimates.

    Args:
        settings: `strengths`; `belt_order`, the order of the polynomial through the quantiles.
        estimates: Estimates at each strength.
    """
    strengths = np.asarray(settings["strengths"], float)
    belt = neyman.confidence_belt(strengths, estimates, order=settings["belt_order"])
    return xr.Dataset(
        {"estimate": (("strength", "toy"), estimates), "low": ("truth", belt.low), "high": ("truth", belt.high)},
        coords={"strength": strengths, "truth": belt.truth},
    )


def draw_true_strengths(settings: Mapping) -> Float[np.ndarray, " set"]:
    """Draw true signal strengths as the challenge does: uniformly in the range `truth`, one for each of the `sets`."""
    number = settings["sets"]
    rng = np.random.default_rng([settings["seed"], prng.HIGGSML_SETS, number])
    return np.sort(rng.uniform(*settings["truth"], number))


def compute_intervals(
    settings: dict, templates: xr.Dataset, chunks: dict[str, xr.Dataset], belt: xr.Dataset | None = None
) -> xr.Dataset:
    """Compute estimates and intervals of a method in test pseudo-experiments.

    Args:
        settings: Settings of `build_belt`, or of `profile_model` without a belt; `sets`, the number of true strengths
            in the range `truth`, and the number of `toys` for each.
        templates: Result of `templates.expected_histograms` on the grid.
        chunks: Results of `templates.expected_histograms` at the design points, of the test events.
        belt: Result of `build_belt`. Without it, intervals are those of the profile likelihood.

    Returns:
        `estimate`, `low` and `high` (set, toy); `truth` (set); `converged`, the fraction of converged fits; and
        `fit_seconds`, the time of one fit.
    """
    method, strengths = settings["method"], draw_true_strengths(settings)
    surface = fit_surface(chunks, method, settings["order"])
    toys = draw_experiments(settings, surface, strengths, settings["toys"], prng.HIGGSML_SETS)
    fit = partial(_fit_profile, settings, templates) if belt is None else partial(_fit_belt, settings, templates, belt)
    fit(toys.observed)  # compiles
    start = time.perf_counter()
    fits, ends = fit(toys.observed)
    seconds = (time.perf_counter() - start) / len(toys.truth)
    converged = np.asarray(fits.converged).mean()
    return interval_dataset(strengths, fits.parameters[:, 0], ends).assign(converged=converged, fit_seconds=seconds)


def _fit_belt(settings, templates, belt, observed) -> tuple[FitResult, np.ndarray]:
    model = spline_model(settings, templates, settings["method"], shifts=settings["shifts"])
    _, fits = fit_toys(model, observed)
    return fits, invert_belt(belt, fits.parameters[:, 0])


def _fit_profile(settings, templates, observed) -> tuple[FitResult, np.ndarray]:
    model = profile_model(settings, templates, settings["method"])
    data, fits = fit_toys(model, merge_bins(settings, settings["method"], observed))
    ends = np.array(profile_intervals.profile_intervals(model, data, fits))
    failed = np.isnan(ends).any(axis=1)
    ends[failed] = fits.parameters[failed, :1]  # an interval without a fit contains its estimate alone
    return fits, np.clip(ends, 0.0, model.parameters.bounds[0][1])  # no strength is negative


def invert_belt(belt: xr.Dataset, estimates) -> Float[np.ndarray, "toy side"]:
    """Return the confidence intervals of estimates.

    Args:
        belt: Result of `build_belt` or `belt_from_estimates`.
        estimates: Estimates of the signal strength.
    """
    stored = neyman.ConfidenceBelt(*(belt[name].values for name in ("truth", "low", "high")))
    return neyman.confidence_interval(stored, np.asarray(estimates))


def interval_dataset(strengths: np.ndarray, estimates: np.ndarray, ends: np.ndarray) -> xr.Dataset:
    """Arrange estimates and intervals by set.

    Args:
        strengths: True strength of each set.
        estimates: Estimates (toy,), ordered by set.
        ends: Intervals (toy, side), ordered by set.
    """
    values = {"estimate": estimates, "low": ends[:, 0], "high": ends[:, 1]}
    variables = {
        name: (("set", "toy"), np.asarray(array).reshape(len(strengths), -1)) for name, array in values.items()
    }
    return xr.Dataset({**variables, "truth": ("set", strengths)})
