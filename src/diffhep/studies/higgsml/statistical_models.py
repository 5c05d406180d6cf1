"""Statistical models of score histograms: spline morphing, HistFactory and a mixture of templates."""

import dataclasses
from collections.abc import Mapping

import numpy as np
import xarray as xr
from jaxtyping import Float

from diffhep.data.htautau.shifts import NORMALISATIONS, NUISANCES, PROCESSES
from diffhep.models import histfactory, spline_morphing
from diffhep.models.constraints import Constraints
from diffhep.models.likelihood import Model, Parameters
from diffhep.models.modifiers import NormFactor
from diffhep.studies.higgsml.templates import SHIFTS

MIN_SIMULATED_EVENTS = 0.5
"""Smallest number of simulated events in a bin of a background template; none would make any signal certain."""


def spline_model(settings: Mapping, templates: xr.Dataset, method: str, *, shifts: bool) -> Model:
    """Build the model of the paper's fit: templates over tes and jes with splines between, free in normalisation.

    Args:
        settings: `nodes`, `luminosity`.
        templates: Result of `templates.expected_histograms` on the grid.
        method: Method whose scores are used.
        shifts: Whether tes and jes are fitted. Otherwise they are fixed to their nominal values.
    """
    number = len(settings["nodes"])
    counts = templates["counts"].sel(network=method).values[: number**2]
    background = np.maximum(counts[:, 1:].sum(axis=1), MIN_SIMULATED_EVENTS * float(templates["weight"]))
    both = settings["luminosity"] * np.stack([counts[:, 0], background], axis=1)
    model = spline_morphing.spline_morphing_model(
        np.asarray(settings["nodes"]), both.reshape(number, number, *both.shape[1:])
    )
    parameters = dataclasses.replace(model.parameters, fixed=(False, not shifts, not shifts, False))
    return dataclasses.replace(model, parameters=parameters)


def profile_model(settings: Mapping, templates: xr.Dataset, method: str) -> Model:
    """Build a HistFactory model with all six nuisance parameters (ours).

    tes, jes and the logarithm of soft_met interpolate every process between templates at -1 and +1 standard deviation;
    the other three scale processes.

    Args:
        settings: `nodes`, `luminosity`; `profile_bins`, the number of bins after merging.
        templates: Result of `templates.expected_histograms` on the grid.
        method: Method whose scores are used.
    """
    counts = settings["luminosity"] * templates["counts"].sel(network=method).values[len(settings["nodes"]) ** 2 :]
    floor = MIN_SIMULATED_EVENTS * settings["luminosity"] * float(templates["weight"])
    counts = np.maximum(merge_bins(settings, method, counts), floor)
    median, shifted = counts[0], counts[1:].reshape(2, len(SHIFTS), *counts.shape[1:])
    samples = []
    for n, process in enumerate(PROCESSES):
        modifiers = [
            {"name": name, "type": "histosys", "data": {"lo_data": shifted[0, k, n], "hi_data": shifted[1, k, n]}}
            for k, name in enumerate(SHIFTS)
        ]
        for name in NORMALISATIONS[process]:
            factors = {"lo": 1 - NUISANCES[name].width, "hi": 1 + NUISANCES[name].width}
            modifiers.append({"name": name, "type": "normsys", "data": factors})
        strength = [] if n else [{"name": "mu", "type": "normfactor", "data": None}]
        samples.append({"name": process, "data": median[n], "modifiers": modifiers + strength})
    parameters = [{"name": "mu", "bounds": [[-10.0, 20.0]], "inits": [1.0]}]
    return histfactory.build_model([{"name": "scores", "samples": samples}], poi="mu", parameters=parameters)


def merge_bins(
    settings: Mapping, method: str, contents: Float[np.ndarray, "*axis bin"]
) -> Float[np.ndarray, "*axis wide"]:
    """Merge neighbouring bins of histograms to the `profile_bins` of a method.

    Args:
        settings: `profile_bins`, by method.
        method: Method whose scores are histogrammed.
        contents: Bin contents.

    Raises:
        ValueError: The number of bins is no multiple of the number after merging.
    """
    wide, bins = settings["profile_bins"][method], contents.shape[-1]
    if bins % wide:
        raise ValueError(f"profile_bins of {method} is {wide}: choose a divisor of the {bins} bins of its scores")
    return contents.reshape(*contents.shape[:-1], wide, -1).sum(axis=-1)


def mixture_model(signal: Float[np.ndarray, " bin"], background: Float[np.ndarray, " bin"]) -> Model:
    """Build a model of signal and background templates with a common free normalisation, without nuisance parameters.

    Args:
        signal: Expected signal at a signal strength of 1.
        background: Expected background.
    """
    labels = ("mu", "scale")
    return Model(
        nominal=np.stack([signal, background]),
        modifiers=(NormFactor(0, ((True,), (False,))), NormFactor(1, ((True,), (True,)))),
        constraints=Constraints((), (), np.zeros(0), np.zeros(0), np.zeros(0)),
        parameters=Parameters(labels, labels, (1.0, 1.0), ((-10.0, 20.0), (0.0, 10.0)), (False, False), 0),
    )
