"""Interpolation codes of HistFactory and pyhf between templates at -1, 0 and +1 standard deviations."""

from typing import Literal

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

HistoSysCode = Literal["code0", "code4p"]
NormSysCode = Literal["code1", "code4"]

HISTOSYS_CODES: tuple[HistoSysCode, ...] = ("code4p", "code0")
"""Interpolation codes of histosys, the default of pyhf first."""

NORMSYS_CODES: tuple[NormSysCode, ...] = ("code4", "code1")
"""Interpolation codes of normsys, the default of pyhf first."""

KINKED_CODES = ("code0", "code1")
"""Codes with a discontinuous derivative at 0."""

# coefficients a_1 ... a_6 of code4 from f(1) - 1, f(-1) - 1, f'(1), f'(-1), f''(1) and f''(-1)
_CODE4 = np.array([
    [15, -15, -7, -7, 1, -1],
    [24, 24, -9, 9, 1, 1],
    [-10, 10, 10, 10, -2, 2],
    [-24, -24, 14, -14, -2, -2],
    [3, -3, -3, -3, 1, -1],
    [8, 8, -5, 5, 1, 1],
]) / 16  # fmt: skip


def asymmetry_weight(alpha: Float[Array, " shift"], code: HistoSysCode) -> Float[Array, " shift"]:
    """Weight h(alpha) of the asymmetric part of `modifiers.HistoSys`.

    h = 8 |alpha| (code0). Within ±1, code4p replaces it by the even sextic 3 alpha^6 - 10 alpha^4 + 15 alpha^2, which
    has equal value, slope and curvature at ±1.

    Args:
        alpha: Nuisance parameters in standard deviations.
        code: Interpolation code.
    """
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
    """Normalisation factor that is `up` at +1, `down` at -1 and 1 at 0.

    The factor is up^alpha for alpha >= 0 and down^-alpha below (code1). Within ±1, code4 replaces it by the sextic
    with equal value, slope and curvature at ±1 (CERN-OPEN-2012-016; pyhf).

    Args:
        alpha: Nuisance parameters in standard deviations.
        up: Factors at +1.
        down: Factors at -1.
        code: Interpolation code.
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
