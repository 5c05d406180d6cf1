"""The yield of the signal X -> SH -> bb gamma gamma between mass points, by Gaussian processes (thesis 9.6)."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import xarray as xr
from sklearn.model_selection import KFold

from diffhep.data import mass_grid
from diffhep.studies.resonance import gaussian_processes


def interpolate(settings: dict, signal: xr.Dataset) -> xr.Dataset:
    """Gaussian processes of the yield over the masses; their kernel is chosen by cross-validation (thesis 9.6.1).

    Args:
        settings: `kernels`, lists of terms for `gaussian_processes.kernel`; `folds`, `restarts`, `seed`; `mesh`, where
            yields are drawn, and `limits_mesh`, where limits will be asked for; `corner`: yields vary fast where m_X is
            at most this, in GeV.
        signal: Result of `events.select_signal`.

    Returns:
        `pull` and `log_density` (kernel), as of `_validated`; with the kernel of the least `pull`, yields and errors of
        a process fitted to all points on the mesh (`mesh_yield`, `mesh_error`, as in the thesis), and of one fitted to
        those not held out, at all points (`point_yield`, `point_error`) and on the limits' mesh (`limit_yield`,
        `limit_error`); what `_corner` says of the first. The attributes `chosen` and `fitted` tell its kernel before
        and after the fit.
    """
    masses, yields, known = signal["masses"].values, signal["yield"].values, ~signal["held_out"].values
    options = {"restarts": settings["restarts"], "seed": settings["seed"]}
    folds = KFold(settings["folds"], shuffle=True, random_state=settings["seed"])
    fits = {" + ".join(terms): partial(gaussian_processes.fit, terms, **options) for terms in settings["kernels"]}
    judged = _validated(fits, masses[known], yields[known], folds)
    best = list(fits)[int(np.argmin(judged["pull"].values))]
    whole, part = fits[best](masses, yields), fits[best](masses[known], yields[known])
    places = {
        "mesh": (whole, mass_grid.mass_mesh(settings["mesh"])),
        "limit": (part, mass_grid.mass_mesh(settings["limits_mesh"])),
        "point": (part, masses),
    }
    found = {"held_out": ("point", ~known)}
    for name, (process, points) in places.items():
        mean, error = gaussian_processes.predict(process, points)
        found[f"{name}_masses"] = (name, "mass"), points
        found |= {f"{name}_yield": (name, mean), f"{name}_error": (name, error)}
    told = {"chosen": best, "fitted": str(whole.kernel_)}
    return judged.assign(found).pipe(_corner, settings["corner"]).assign_attrs(told)


def _validated(fits: Mapping[str, Callable], masses: np.ndarray, yields: np.ndarray, folds: KFold) -> xr.Dataset:
    """What cross-validation says of each kernel.

    The thesis's rule takes the least mean of |error| / uncertainty, here `pull`, which likes uncertainties that are too
    large; `log_density`, the mean log density of what was left out, does not (ours).
    """
    judged = []
    for fitted in fits.values():
        left_out = gaussian_processes.cross_validate(fitted, masses, yields, folds)
        pull = (yields - left_out.mean) / left_out.error
        density = -(pull**2) / 2 - np.log(left_out.error * np.sqrt(2 * np.pi))
        judged.append((np.abs(pull).mean(), density.mean()))
    pulls, densities = zip(*judged, strict=True)
    return xr.Dataset(
        {"pull": ("kernel", list(pulls)), "log_density": ("kernel", list(densities))},
        coords={"kernel": list(fits)},
    )


def _corner(found: xr.Dataset, highest: float) -> xr.Dataset:
    """Add `corner_yield`, the lowest yield in the corner of low masses; `corner_error`, the largest relative error.

    And `corner_over_rest`, its ratio to the largest elsewhere. Yields that are not positive have no relative error.
    """
    mean = found["mesh_yield"]
    relative = (found["mesh_error"] / mean).where(mean > 0)
    corner = found["mesh_masses"].isel(mass=0) <= highest
    most = relative.where(corner).max()
    return found.assign(
        corner_yield=mean.where(corner).min(),
        corner_error=most,
        corner_over_rest=most / relative.where(~corner).max(),
    )
