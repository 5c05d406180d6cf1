"""Points in the plane of the masses of X and S at which a signal is simulated, and at which it is asked for."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

HIGGS_MASS = 125.0
"""Mass of H in GeV: X decays into S and H only where m_X > m_S + 125 GeV."""

Axis = Sequence[float | int] | np.ndarray


def mass_points(parts: Mapping[str, Mapping[str, Axis]]) -> Float[np.ndarray, "point mass"]:
    """Masses (m_X, m_S) in GeV at the crossings of several grids, where the decay is allowed; sorted.

    Args:
        parts: `m_x` and `m_s` of each grid.

    Raises:
        ValueError: There are none.
    """
    crossings = {(m_x, m_s) for part in parts.values() for m_x in part["m_x"] for m_s in part["m_s"]}
    allowed = sorted(pair for pair in crossings if pair[0] > pair[1] + HIGGS_MASS)
    if not allowed:
        raise ValueError(f"nowhere is m_x more than m_s + {HIGGS_MASS:g} GeV: give larger m_x")
    return np.array(allowed, float)


def select_points(masses: Float[np.ndarray, "point mass"], wanted: Sequence[Axis]) -> Bool[np.ndarray, " point"]:
    """Which points are wanted.

    Raises:
        ValueError: One that is wanted is no point.
    """
    there = {tuple(pair) for pair in masses.tolist()}
    for pair in wanted:
        if tuple(map(float, pair)) not in there:
            raise ValueError(f"m_X = {pair[0]:g}, m_S = {pair[1]:g} GeV is no point of the grid: name one that is")
    return np.array([list(pair) in [list(map(float, each)) for each in wanted] for pair in masses.tolist()], bool)


def mass_mesh(settings: Mapping[str, Any]) -> Float[np.ndarray, "point mass"]:
    """An even mesh over the plane, where the decay is allowed.

    Args:
        settings: `m_x` and `m_s`, each with the first and the last mass and a step.
    """
    axes = {name: np.arange(low, high + step / 2, step) for name, (low, high, step) in settings.items()}
    return mass_points({"mesh": axes})
