"""How yields between the templates at -1, 0 and +1 standard deviations are found: the codes of HistFactory and pyhf."""

from typing import Literal

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

HistoSysCode = Literal["code0", "code4p"]
NormSysCode = Literal["code1", "code4"]

HISTOSYS_CODES: tuple[HistoSysCode, ...] = ("code4p", "code0")
NORMSYS_CODES: tuple[NormSysCode, ...] = ("code4", "code1")
"""Codes by kind of modifier, pyhf's default first."""

KINKED_CODES = ("code0", "code1")
"""Codes whose derivative jumps at 0."""

# a_1 ... a_6 of code4 from f(1) - 1, f(-1) - 1 and first and second derivatives there
_CODE4 = np.array([
    [15, -15, -7, -7, 1, -1],
    [24, 24, -9, 9, 1, 1],
    [-10, 10, 10, 10, -2, 2],
    [-24, -24, 14, -14, -2, -2],
    [3, -3, -3, -3, 1, -1],
    [8, 8, -5, 5, 1, 1],
]) / 16  # fmt: skip


def asymmetry_weight(alpha: Float[Array, " shift"], code: HistoSysCode) -> Float[Array, " shift"]:
    """h(alpha) of `modifiers.HistoSys`: 8 |alpha|, for code4p within ±1 the even sextic that joins it smoothly."""
    line = 8 * jnp.where(alpha >= 0, alpha, -alpha)
    if code == "code0":
        return line
    square = alpha**2
    return jnp.where(square <= 1, square * (15 + square * (3 * square - 10)), line)


def normsys_factor(
    alpha: Float[Array, "shift 1 1"],
    up: Float[Array, "shift sample channel"],
    down: Float[Array, "shift sample channel"],
    code: NormSysCode,
) -> Float[Array, "shift sample channel"]:
    """Factor that is `up` at +1, `down` at -1 and one at 0.

    up^alpha for alpha >= 0 and down^-alpha below (code1); code4 replaces it within ±1 by the sextic that has the same
    value, slope and curvature at ±1 (CERN-OPEN-2012-016; pyhf).
    """
    log_up, log_down = jnp.log(up), jnp.log(down)
    exponential = jnp.exp(jnp.where(alpha >= 0, alpha * log_up, -alpha * log_down))
    if code == "code1":
        return exponential
    ends = jnp.stack([up - 1, down - 1, log_up * up, -log_down * down, log_up**2 * up, log_down**2 * down])
    polynomial = jnp.zeros_like(up)
    for coefficient in jnp.tensordot(_CODE4, ends, 1)[::-1]:
        polynomial = alpha * (polynomial + coefficient)
    return jnp.where(jnp.abs(alpha) <= 1, 1 + polynomial, exponential)
