"""Stages of the study of a counting experiment with one parameter to choose (thesis 7.1.1, 7.3)."""

from collections.abc import Mapping, Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from diffhep.inference.hypotests import expected_p0
from diffhep.learning.optimisers import adam_trajectory as steps_downhill
from diffhep.models.likelihood import Model
from diffhep.models.simple import signal_background

Coefficients = Mapping[str, Sequence[float]]
COUNTS = ("signal", "background", "uncertainty")


def counts(analysis: Coefficients, phi: Float[ArrayLike, "*phi"]) -> dict[str, Float[Array, "*phi"]]:
    """Expected signal s, background b and its uncertainty sigma_b at phi: polynomials (thesis 7.1.1)."""
    coefficients = [np.asarray(analysis[name][::-1], float) for name in COUNTS]
    return dict(zip(COUNTS, _polynomials(coefficients, phi), strict=True))


@jax.jit
def _polynomials(coefficients, x):
    return [jnp.polyval(each, x) for each in coefficients]


def model(analysis: Coefficients, phi: Float[Array, ""], interpolation: str, *, uncertain: bool = True) -> Model:
    """One bin, with the background known or known to sigma_b (thesis eq. 7.2)."""
    s, b, sigma = counts(analysis, phi).values()
    shift = sigma if uncertain else jnp.zeros_like(sigma)
    return signal_background(s[None], b[None], (b + shift)[None], (b - shift)[None], interpolation=interpolation)


def p_value(settings: dict, phi: Float[Array, ""], *, uncertain: bool = True) -> Float[Array, ""]:
    """Expected discovery p-value at phi."""
    return expected_p0(model(settings["analysis"], phi, settings["interpolation"], uncertain=uncertain))


def scan(settings: dict) -> xr.Dataset:
    """Counts and p-values over phi, with and without uncertainty.

    Returns:
        `p0` and `p0_certain`, and the counts, over `phi`; the counts again, named `example_...`, over `example`; `best`
        and `best_certain`, where each p-value is lowest, and `rank_of_certain`, the share of the scan that has a lower
        p-value with uncertainty than `best_certain` has.
    """
    phi = np.linspace(*settings["scan"]["range"], settings["scan"]["points"])
    with_, without = (
        np.asarray(jax.jit(partial(jax.lax.map, partial(p_value, settings, uncertain=uncertain)))(phi))
        for uncertain in (True, False)
    )
    examples = np.asarray(settings["scan"]["examples"])
    values = {"p0": with_, "p0_certain": without, **counts(settings["analysis"], phi)}
    shown = {f"example_{name}": ("example", v) for name, v in counts(settings["analysis"], examples).items()}
    best, certain = np.argmin(with_), np.argmin(without)
    found = {
        "best": phi[best],
        "best_certain": phi[certain],
        "rank_of_certain": np.mean(with_ < with_[certain]),
    }
    return xr.Dataset(
        {name: ("phi", np.asarray(v)) for name, v in values.items()} | shown | found,
        coords={"phi": phi, "example": examples},
    )


def descend(settings: dict, scan: xr.Dataset) -> xr.Dataset:
    """Gradient descent on the p-value: `phi` and `p0` over (start, step), and the counts at the end.

    `found` is where it ends, averaged over the starts, and `miss` its distance from the best of the scan.
    """
    descent = settings["descent"]
    loss = partial(p_value, settings)
    walk = partial(steps_downhill, loss, learning_rate=descent["learning_rate"], steps=descent["steps"])
    phi = np.asarray(jax.jit(partial(jax.lax.map, walk))(np.asarray(descent["starts"])))
    found = phi[:, -1].mean()
    return xr.Dataset(
        {
            "phi": (("start", "step"), phi),
            "p0": (("start", "step"), jax.jit(partial(jax.lax.map, loss))(phi.ravel()).reshape(phi.shape)),
            "found": found,
            "miss": found - scan["best"].item(),
            **counts(settings["analysis"], found),
        },
        coords={"start": descent["starts"]},
    )
