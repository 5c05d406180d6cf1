"""Interpolation of the signal yield between mass points by Gaussian processes (thesis 9.6)."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import xarray as xr
from sklearn.model_selection import KFold

from diffhep.data import mass_grid
from diffhep.studies.resonance import gaussian_processes


def interpolate(settings: dict, signal: xr.Dataset) -> xr.Dataset:
    """Interpolate the yield with the kernel of the smallest mean absolute pull in cross-validation (thesis 9.6.1).

    Args:
        settings: `kernels`, lists of terms for `gaussian_processes.kernel`; `folds` of the cross-validation;
            `restarts` of each fit; `mesh` of masses for figures, and `limits_mesh` of masses for limits; `corner`, the
            largest m_X in GeV of the region where yields vary rapidly; `seed`.
        signal: Result of `events.select_signal`.

    Returns:
        For each kernel (kernel): `pull`, the mean of |error| / uncertainty over the points that were left out, and
        `log_density`, their mean log density. From a process fitted to all points, as in the thesis: `mesh_yield` and
        `mesh_error` (mesh) with `mesh_masses`; `corner_yield`, the smallest yield where m_X is at most `corner`;
        `corner_error`, the largest relative error there, and `corner_error_ratio`, its ratio to the largest relative
        error elsewhere. From a process fitted to the points that are not held out: `point_yield` and `point_error`
        (point) at all points, and `limit_yield` and `limit_error` (limit) on the mesh of the limits, with their masses.
        The attributes `chosen` and `fitted` are the kernel before and after the fit.
    """
    masses, yields, known = signal["masses"].values, signal["yield"].values, ~signal["held_out"].values
    options = {"restarts": settings["restarts"], "seed": settings["seed"]}
    folds = KFold(settings["folds"], shuffle=True, random_state=settings["seed"])
    fits = {" + ".join(terms): partial(gaussian_processes.fit, terms, **options) for terms in settings["kernels"]}
    scores = _cross_validate(fits, masses[known], yields[known], folds)
    best = list(fits)[int(np.argmin(scores["pull"].values))]
    all_points, known_points = fits[best](masses, yields), fits[best](masses[known], yields[known])
    places = {
        "mesh": (all_points, mass_grid.mass_mesh(settings["mesh"])),
        "limit": (known_points, mass_grid.mass_mesh(settings["limits_mesh"])),
        "point": (known_points, masses),
    }
    variables = {"held_out": ("point", ~known)}
    for name, (process, points) in places.items():
        mean, error = gaussian_processes.predict(process, points)
        variables[f"{name}_masses"] = (name, "mass"), points
        variables |= {f"{name}_yield": (name, mean), f"{name}_error": (name, error)}
    kernels = {"chosen": best, "fitted": str(all_points.kernel_)}
    return scores.assign(variables).pipe(_assign_corner, settings["corner"]).assign_attrs(kernels)


def _cross_validate(fits: Mapping[str, Callable], masses: np.ndarray, yields: np.ndarray, folds: KFold) -> xr.Dataset:
    """Mean absolute pull and mean log density of the points that were left out, for each kernel.

    The thesis selects the smallest mean of |error| / uncertainty, here `pull`, which favours overestimated
    uncertainties; the mean `log_density` does not (ours).
    """
    scores = []
    for fit_process in fits.values():
        prediction = gaussian_processes.cross_validate(fit_process, masses, yields, folds)
        pull = (yields - prediction.mean) / prediction.error
        density = -(pull**2) / 2 - np.log(prediction.error * np.sqrt(2 * np.pi))
        scores.append((np.abs(pull).mean(), density.mean()))
    pulls, densities = zip(*scores, strict=True)
    return xr.Dataset(
        {"pull": ("kernel", list(pulls)), "log_density": ("kernel", list(densities))},
        coords={"kernel": list(fits)},
    )


def _assign_corner(result: xr.Dataset, max_m_x: float) -> xr.Dataset:
    """Assign the variables of the corner of low m_X; yields that are not positive have no relative error."""
    mean = result["mesh_yield"]
    relative = (result["mesh_error"] / mean).where(mean > 0)
    corner = result["mesh_masses"].isel(mass=0) <= max_m_x
    largest = relative.where(corner).max()
    return result.assign(
        corner_yield=mean.where(corner).min(),
        corner_error=largest,
        corner_error_ratio=largest / relative.where(~corner).max(),
    )
