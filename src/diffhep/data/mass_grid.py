"""Mass points (m_X, m_S) at which the signal X -> S H is simulated or predicted."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

HIGGS_MASS = 125.0
"""Mass of H in GeV: X decays into S and H only where m_X > m_S + 125 GeV."""

Axis = Sequence[float | int] | np.ndarray


def mass_points(parts: Mapping[str, Mapping[str, Axis]]) -> Float[np.ndarray, "point mass"]:
    """Return the points of several rectangular grids at which the decay is allowed.

    Args:
        parts: Masses `m_x` and `m_s` of each grid, in GeV.

    Returns:
        Sorted pairs (m_X, m_S) without duplicates, in GeV.

    Raises:
        ValueError: The decay is allowed at no point.
    """
    crossings = {(m_x, m_s) for part in parts.values() for m_x in part["m_x"] for m_s in part["m_s"]}
    allowed = sorted(pair for pair in crossings if pair[0] > pair[1] + HIGGS_MASS)
    if not allowed:
        raise ValueError(f"nowhere is m_x more than m_s + {HIGGS_MASS:g} GeV: give larger m_x")
    return np.array(allowed, float)


def select_points(masses: Float[np.ndarray, "point mass"], selection: Sequence[Axis]) -> Bool[np.ndarray, " point"]:
    """Return a mask that selects some of the mass points.

    Args:
        masses: Points of the grid.
        selection: Points to select.

    Raises:
        ValueError: A selected point is not on the grid.
    """
    grid = {tuple(pair) for pair in masses.tolist()}
    for pair in selection:
        if tuple(map(float, pair)) not in grid:
            raise ValueError(f"m_X = {pair[0]:g}, m_S = {pair[1]:g} GeV is no point of the grid: name one that is")
    selected = [list(map(float, pair)) for pair in selection]
    return np.array([list(pair) in selected for pair in masses.tolist()], bool)


def mass_mesh(settings: Mapping[str, Any]) -> Float[np.ndarray, "point mass"]:
    """Return an evenly spaced mesh over the mass plane, where the decay is allowed.

    Args:
        settings: For `m_x` and `m_s`: first mass, last mass and step, in GeV.
    """
    axes = {name: np.arange(low, high + step / 2, step) for name, (low, high, step) in settings.items()}
    return mass_points({"mesh": axes})
