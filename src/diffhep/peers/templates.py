"""A binned analysis of any size: what costs are measured on."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float


class Templates(NamedTuple):
    """Expected events of a signal over a background with correlated shape uncertainties.

    Attributes:
        signal: at strength one; channels, if there are several, one after the other.
        background: without any shift.
        up: background with each shift at +1 standard deviation.
        down: and at -1.
    """

    signal: Float[Array | np.ndarray, " bin"]
    background: Float[Array | np.ndarray, " bin"]
    up: Float[Array | np.ndarray, "shift bin"]
    down: Float[Array | np.ndarray, "shift bin"]


def make_templates(
    nuisance_parameters: int, bins: int, channels: int, seed: int
) -> tuple[Templates, Float[np.ndarray, " bin"]]:
    """A peak over a falling background in every channel, and events observed if the signal is there.

    Each channel expects 2000 background and 100 signal events, however many its bins. A shift moves the background by
    a wave of random phase in each channel; all of them together by 5 % in quadrature.
    """
    rng = np.random.default_rng(seed)
    x = (np.arange(bins) + 0.5) / bins
    falling, peak = np.exp(-2 * x), np.exp(-(((x - 0.6) / 0.1) ** 2) / 2)
    background = np.tile(2000 * falling / falling.sum(), channels)
    signal = np.tile(100 * peak / peak.sum(), channels)
    phases = rng.uniform(0, 2 * np.pi, (nuisance_parameters, channels, 1))
    waves = np.sin(np.pi * x + phases).reshape(nuisance_parameters, -1)
    shifts = np.sqrt(2) * 0.05 / np.sqrt(nuisance_parameters) * waves
    made = Templates(signal, background, background * (1 + shifts), background * (1 - 0.8 * shifts))
    return made, rng.poisson(signal + background).astype(float)
