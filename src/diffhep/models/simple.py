"""Ready-made statistical models: yields in, a `likelihood.Model` out, inside `jax.jit` too."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Real

from diffhep.models.constraints import unit_normal
from diffhep.models.interpolation import HISTOSYS_CODES, HistoSysCode
from diffhep.models.likelihood import Model, Parameters
from diffhep.models.modifiers import HistoSys, NormFactor


def signal_background(
    signal: Real[ArrayLike, " bin"],
    background: Real[ArrayLike, " bin"],
    up: Real[ArrayLike, "*shift bin"],
    down: Real[ArrayLike, "*shift bin"],
    *,
    interpolation: HistoSysCode = "code4p",
) -> Model:
    """Signal of unknown strength mu over a background with correlated shape shifts: the model of the neos paper.

    rate = mu signal + background(gamma), with each gamma constrained by a unit normal (arXiv:2203.05570). Bounds are
    pyhf's: mu in (0, 10), gamma in (-5, 5).

    Args:
        signal: signal events in each bin at mu = 1.
        background: background events in each bin at gamma = 0.
        up: background at gamma = +1, shape (bin,), or (shift, bin) for parameters gamma_0, gamma_1 ...
        down: background at gamma = -1, in the same shape.
        interpolation: "code4p" (pyhf's default) or "code0".

    Raises:
        ValueError: shapes differ, or a yield known now (not traced) is negative or not finite.
    """
    if interpolation not in HISTOSYS_CODES:
        raise ValueError(f"interpolation is {interpolation!r}: choose 'code0' or 'code4p'")
    yields = {"signal": signal, "background": background, "up": up, "down": down}
    signal, background, up, down = (_checked(name, value) for name, value in yields.items())
    _check_shapes(signal, background, up, down)
    gammas = _gammas(up)
    places = tuple(range(1, 1 + len(gammas)))
    shifts = (_under(signal, template) for template in (up, down))
    return Model(
        nominal=jnp.stack([signal, background]),
        modifiers=(HistoSys(places, interpolation, *shifts), NormFactor(0, ((True,), (False,)))),
        constraints=unit_normal(places),
        parameters=_strength_and(gammas),
    )


def signal_background_workspace(
    signal: Real[ArrayLike, " bin"],
    background: Real[ArrayLike, " bin"],
    up: Real[ArrayLike, "*shift bin"],
    down: Real[ArrayLike, "*shift bin"],
    *,
    observed: Real[ArrayLike, " bin"] | None = None,
    channels: int = 1,
) -> dict[str, Any]:
    """The model of `signal_background` as a workspace that pyhf reads.

    Args:
        signal: as there.
        background: as there.
        up: as there.
        down: as there.
        observed: events found, by default the expected background.
        channels: into how many of as many bins each it is parted.
    """
    gammas = _gammas(np.asarray(up))
    arrays = signal, background, np.atleast_2d(up), np.atleast_2d(down), background if observed is None else observed
    parts = list(zip(*(np.split(np.asarray(array, float), channels, axis=-1) for array in arrays), strict=True))
    names = ["observable"] if channels == 1 else [f"observable_{number:03}" for number in range(channels)]
    return {
        "channels": [
            {"name": name, "samples": _samples(gammas, *part[:-1])} for name, part in zip(names, parts, strict=True)
        ],
        "observations": [
            {"name": name, "data": found.tolist()} for name, (*_, found) in zip(names, parts, strict=True)
        ],
        "measurements": [{"name": "measurement", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }


def _samples(gammas, signal, background, up, down):
    shifts = [
        {"name": gamma, "type": "histosys", "data": {"hi_data": high.tolist(), "lo_data": low.tolist()}}
        for gamma, high, low in zip(gammas, up, down, strict=True)
    ]
    strength = {"name": "mu", "type": "normfactor", "data": None}
    return [
        {"name": "signal", "data": signal.tolist(), "modifiers": [strength]},
        {"name": "background", "data": background.tolist(), "modifiers": shifts},
    ]


def _gammas(up):
    """Names of the shifts."""
    return ("gamma",) if up.ndim == 1 else tuple(f"gamma_{shift}" for shift in range(up.shape[0]))


def _strength_and(gammas):
    """A signal strength and constrained parameters, starting and ending as in pyhf."""
    return Parameters(
        names=("mu", *gammas),
        modifiers=("mu", *gammas),
        initial=(1.0,) + (0.0,) * len(gammas),
        bounds=((0.0, 10.0),) + ((-5.0, 5.0),) * len(gammas),
        fixed=(False,) * (1 + len(gammas)),
        poi=0,
    )


def _under(signal, template):
    """Templates of signal and background, shape (shift, 2, bin), where only the background is shifted."""
    template = jnp.atleast_2d(template)
    return jnp.stack([jnp.broadcast_to(signal, template.shape), template], axis=1)


def _checked(name, values):
    """Float64 yields; those known outside of jit must be finite and not negative."""
    values = jnp.asarray(values, jnp.float64)
    if not isinstance(values, jax.core.Tracer):
        known = np.asarray(values)
        for place in np.argwhere(~(np.isfinite(known) & (known >= 0)))[:1]:
            where = f"bin {place[-1]}" + (f" of shift {place[0]}" if len(place) > 1 else "")
            raise ValueError(f"{name} is {known[tuple(place)]} in {where}: yields must be finite and not negative")
    return values


def _check_shapes(signal, background, up, down):
    """The rules that also traced yields must keep."""
    for name, values in {"signal": signal, "background": background}.items():
        if values.ndim != 1:
            raise ValueError(f"{name} has shape {values.shape}: give one number for each bin, shape (bin,)")
    bins = background.shape[0]
    for name, values in {"signal": signal, "up": up, "down": down}.items():
        if values.ndim not in (1, 2) or values.shape[-1] != bins:
            raise ValueError(f"{name} has shape {values.shape} but background has {bins} bins: give them the same bins")
    if up.shape != down.shape:
        raise ValueError(f"up has shape {up.shape} but down has {down.shape}: give one of each for every shift")
