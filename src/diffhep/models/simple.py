"""Ready-made statistical models of yields, which may be traced by `jax.jit`."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Real

from diffhep.models.constraints import unit_normal
from diffhep.models.interpolation import HISTOSYS_CODES, HistoSysCode
from diffhep.models.likelihood import Model, Parameters
from diffhep.models.modifiers import HistoSys, NormFactor
from diffhep.models.traced_arrays import is_traced


def signal_background(
    signal: Real[ArrayLike, " bin"],
    background: Real[ArrayLike, " bin"],
    up: Real[ArrayLike, "*shift bin"],
    down: Real[ArrayLike, "*shift bin"],
    *,
    interpolation: HistoSysCode = "code4p",
) -> Model:
    """Build the model of the neos paper: a signal over a background with correlated shape shifts (arXiv:2203.05570).

    The rate is mu signal + background(gamma), with a unit normal constraint on each gamma. The bounds are those of
    pyhf: mu in (0, 10), gamma in (-5, 5).

    Args:
        signal: Signal events in each bin at mu = 1.
        background: Background events in each bin at gamma = 0.
        up: Background at gamma = +1, shape (bin,), or (shift, bin) for parameters gamma_0, gamma_1 and so on.
        down: Background at gamma = -1, in the shape of `up`.
        interpolation: "code4p" (the default of pyhf) or "code0".

    Raises:
        ValueError: Shapes differ, or a yield is negative or not finite (traced yields are not checked).

    Example:
        >>> model = dh.signal_background(*np.array([[5.0, 10.0], [50.0, 60.0], [55.0, 62.0], [45.0, 58.0]]))
        >>> model.parameters.names
        ('mu', 'gamma')
        >>> dh.expected_data(model, dh.nominal_parameters(model, 1.0)).main.tolist()
        [55.0, 70.0]
    """
    if interpolation not in HISTOSYS_CODES:
        raise ValueError(f"interpolation is {interpolation!r}: choose 'code0' or 'code4p'")
    yields = {"signal": signal, "background": background, "up": up, "down": down}
    signal, background, up, down = (_check_yields(name, value) for name, value in yields.items())
    _check_shapes(signal, background, up, down)
    names = _shift_names(up)
    indices = tuple(range(1, 1 + len(names)))
    templates = (_with_signal(signal, template) for template in (up, down))
    return Model(
        nominal=jnp.stack([signal, background]),
        modifiers=(HistoSys(indices, interpolation, *templates), NormFactor(0, ((True,), (False,)))),
        constraints=unit_normal(indices),
        parameters=_parameters(names),
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
    """Return the model of `signal_background` as a pyhf workspace.

    Args:
        signal: Signal events in each bin at mu = 1.
        background: Background events in each bin at gamma = 0.
        up: Background at gamma = +1, shape (bin,), or (shift, bin) for parameters gamma_0, gamma_1 and so on.
        down: Background at gamma = -1, in the shape of `up`.
        observed: Observed events in each bin, by default the expected background.
        channels: Number of channels, into which the bins are split evenly.
    """
    shifts = _shift_names(np.asarray(up))
    arrays = signal, background, np.atleast_2d(up), np.atleast_2d(down), background if observed is None else observed
    parts = list(zip(*(np.split(np.asarray(array, float), channels, axis=-1) for array in arrays), strict=True))
    names = ["observable"] if channels == 1 else [f"observable_{number:03}" for number in range(channels)]
    return {
        "channels": [
            {"name": name, "samples": _samples(shifts, *yields)}
            for name, (*yields, _) in zip(names, parts, strict=True)
        ],
        "observations": [
            {"name": name, "data": counts.tolist()} for name, (*_, counts) in zip(names, parts, strict=True)
        ],
        "measurements": [{"name": "measurement", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }


def _samples(shift_names, signal, background, up, down):
    shifts = [
        {"name": name, "type": "histosys", "data": {"hi_data": high.tolist(), "lo_data": low.tolist()}}
        for name, high, low in zip(shift_names, up, down, strict=True)
    ]
    strength = {"name": "mu", "type": "normfactor", "data": None}
    return [
        {"name": "signal", "data": signal.tolist(), "modifiers": [strength]},
        {"name": "background", "data": background.tolist(), "modifiers": shifts},
    ]


def _shift_names(up):
    return ("gamma",) if up.ndim == 1 else tuple(f"gamma_{shift}" for shift in range(up.shape[0]))


def _parameters(shift_names):
    """Signal strength and shifts, with the start values and bounds of pyhf."""
    return Parameters(
        names=("mu", *shift_names),
        modifiers=("mu", *shift_names),
        initial=(1.0,) + (0.0,) * len(shift_names),
        bounds=((0.0, 10.0),) + ((-5.0, 5.0),) * len(shift_names),
        fixed=(False,) * (1 + len(shift_names)),
        poi=0,
    )


def _with_signal(signal, template):
    """Stack the unshifted signal and the shifted background, shape (shift, 2, bin)."""
    template = jnp.atleast_2d(template)
    return jnp.stack([jnp.broadcast_to(signal, template.shape), template], axis=1)


def _check_yields(name, values):
    """Convert yields to float64 arrays; raise if they are known and negative or not finite."""
    values = jnp.asarray(values, jnp.float64)
    if not is_traced(values):
        known = np.asarray(values)
        for index in np.argwhere(~(np.isfinite(known) & (known >= 0)))[:1]:
            place = f"bin {index[-1]}" + (f" of shift {index[0]}" if len(index) > 1 else "")
            raise ValueError(f"{name} is {known[tuple(index)]} in {place}: yields must be finite and not negative")
    return values


def _check_shapes(signal, background, up, down):
    for name, values in {"signal": signal, "background": background}.items():
        if values.ndim != 1:
            raise ValueError(f"{name} has shape {values.shape}: give one number per bin, shape (bin,)")
    bins = background.shape[0]
    for name, values in {"signal": signal, "up": up, "down": down}.items():
        if values.ndim not in (1, 2) or values.shape[-1] != bins:
            raise ValueError(f"{name} has shape {values.shape} but background has {bins} bins: give both the same bins")
    if up.shape != down.shape:
        raise ValueError(f"up has shape {up.shape} but down has {down.shape}: give both templates of every shift")
