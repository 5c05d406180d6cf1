"""Stages of the study of a loss landscape over the shifts of two bins (thesis 7.5.1)."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array, Float

from diffhep.inference.fisher import gaussianity
from diffhep.learning import losses
from diffhep.models.likelihood import Model, nominal_parameters
from diffhep.models.simple import signal_background

METRICS = ("cls", "p0", "poi_uncertainty", "generalised_variance", "gaussianity", "cls_p0")
OBJECTIVES = ("cls", "p0", "poi_uncertainty", "generalised_variance")


def model(settings: dict, u: Float[Array, ""], d: Float[Array, ""]) -> Model:
    """Two bins whose background goes to b + (u, -u) and b + (d, -d) at one standard deviation up and down."""
    signal, background = (jnp.asarray(settings[name]) for name in ("signal", "background"))
    tilt = jnp.array([1.0, -1.0])
    return signal_background(
        signal, background, background + u * tilt, background + d * tilt, interpolation=settings["interpolation"]
    )


def metrics(settings: dict, u: Float[Array, ""], d: Float[Array, ""]) -> dict[str, Float[Array, ""]]:
    """Metrics of one model."""
    built = model(settings["model"], u, d)
    found = {name: losses.MODEL_OBJECTIVES[name](built) for name in OBJECTIVES}
    found["gaussianity"] = gaussianity(built, nominal_parameters(built, 1.0), **settings["gaussianity"])
    found["cls_p0"] = found["cls"] + found["p0"]
    return found


def landscape(settings: dict) -> xr.Dataset:
    """Metrics over the shifts and along u = d.

    Returns:
        `landscape` (metric, u, d) and `diagonal` (metric, u), both for the same shifts u and d; `spread` (metric), how
        much the metric varies along the diagonal, as a share of its largest value there; and `asymmetry` (metric),
        the logarithm of its mean over u + d < 0 by that over u + d > 0: negative if it prefers negative shifts; and
        `excess` (metric), the lowest value on the diagonal over that of the plane, less one: 0 if it is lowest there.
    """
    shifts = np.linspace(*settings["landscape"]["range"], settings["landscape"]["points"])
    u, d = (grid.ravel() for grid in np.meshgrid(shifts, shifts, indexing="ij"))
    found = jax.jit(partial(jax.lax.map, lambda both: metrics(settings, *both)))((u, d))
    plane = np.stack([np.reshape(found[name], (shifts.size, shifts.size)) for name in METRICS])
    diagonal = np.diagonal(plane, axis1=1, axis2=2)
    below, above = (plane[:, side].mean(axis=1) for side in _half_planes(shifts))
    return xr.Dataset(
        {
            "landscape": (("metric", "u", "d"), plane),
            "diagonal": (("metric", "u"), diagonal),
            "spread": ("metric", np.ptp(diagonal, axis=1) / diagonal.max(axis=1)),
            "asymmetry": ("metric", np.log(below / above)),
            "excess": ("metric", diagonal.min(axis=1) / plane.min(axis=(1, 2)) - 1),
        },
        coords={"metric": list(METRICS), "u": shifts, "d": shifts},
    )


def _half_planes(shifts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Masks of u + d below and above 0."""
    total = np.add.outer(shifts, shifts)
    rounding = 1e-9 * np.abs(shifts).max()
    return total < -rounding, total > rounding
