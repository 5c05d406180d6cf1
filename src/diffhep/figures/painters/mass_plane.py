"""Painters of the plane of the masses of X and S in the search for X -> SH."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection, QuadMesh
from matplotlib.colors import LogNorm, Normalize

from diffhep.figures.painters import style
from diffhep.figures.painters.conditioning_points import PARTS, UNSEEN_COLOUR, in_part

M_X, M_S = "$m_X$ [GeV]", "$m_S$ [GeV]"
M_BBGG, M_BB = r"$m_{bb\gamma\gamma}$ [GeV]", r"$m_{bb}$ [GeV]"
HIGGS_MASS = 125.0  # GeV; X decays into S and H only where m_X > m_S + m_H
EDGE_COLOUR = "#595959"


def set_limits(axes: Sequence[Axes], masses: Float[np.ndarray, "point 2"]) -> None:
    """Set the limits of panels to hold all points (m_X, m_S), label the outer axes, and shade the forbidden region."""
    high = masses.max(axis=0) * 1.06
    for axis in axes:
        axis.set(xlim=(min(100.0, 0.9 * masses[:, 0].min()), high[0]), ylim=(0, high[1]))
        m_x = np.array(axis.get_xlim())
        axis.fill_between(m_x, m_x - HIGGS_MASS, high[1] + 1, color=style.HARD, alpha=0.35, linewidth=0, zorder=0)
        axis.grid(visible=False)
    style.label_outer(axes, M_X, M_S)


def label_forbidden_region(axis: Axes) -> None:
    """Label the region in which X cannot decay into S and H."""
    axis.text(0.04, 0.94, r"$m_X < m_S + m_H$", transform=axis.transAxes, va="top", color=EDGE_COLOUR)


def mark_points(axis: Axes, masses: Float[np.ndarray, "point 2"], held_out: Bool[np.ndarray, " point"]) -> None:
    """Mark training points and unseen points, each with its legend entry."""
    for part, (label, colour) in PARTS.items():
        axis.plot(*masses[in_part(~held_out, part)].T, "o", color=colour, markersize=5, label=label)


def scatter_values(
    axis: Axes,
    masses: Float[np.ndarray, "point 2"],
    values: Float[np.ndarray, " point"],
    held_out: Bool[np.ndarray, " point"],
    norm: Normalize,
    cmap: str,
    edge: str = EDGE_COLOUR,
) -> PathCollection:
    """Draw points coloured by a value: squares for training points, circles for unseen points.

    Points whose value is not finite are hollow.

    Args:
        axis: Axes to draw on.
        masses: Coordinates (m_X, m_S) in GeV.
        values: Values that give the colours.
        held_out: True for points that were not used in training.
        norm: Range of the colours.
        cmap: Colour map.
        edge: Colour of the frame of the squares.

    Returns:
        Artist for a colour bar.
    """
    for part, marker in (("trained", "s"), ("unseen", "o")):
        selected = in_part(~held_out, part)
        finite = selected & np.isfinite(values)
        frame = (edge, 0.5) if part == "trained" else (UNSEEN_COLOUR, 1.3)
        look = {"marker": marker, "s": 26, "edgecolors": frame[0], "linewidths": frame[1]}
        axis.scatter(*masses[selected & ~finite].T, facecolors="none", **look)
        drawn = axis.scatter(*masses[finite].T, c=values[finite], norm=norm, cmap=cmap, **look)
    return drawn


def mesh_table(
    masses: Float[np.ndarray, "point 2"], values: Float[np.ndarray, " point"]
) -> tuple[Float[np.ndarray, " x"], Float[np.ndarray, " y"], Float[np.ndarray, "y x"]]:
    """Return the coordinates x and y of a mesh and its values as a table (y, x), NaN where the mesh has no point."""
    x, y = (np.unique(column) for column in masses.T)
    table = np.full((len(y), len(x)), np.nan)
    table[np.searchsorted(y, masses[:, 1]), np.searchsorted(x, masses[:, 0])] = values
    return x, y, table


def share_histogram(
    axis: Axes,
    x: Float[np.ndarray, " x"],
    y: Float[np.ndarray, " y"],
    shares: Float[np.ndarray, "y x"],
    norm: LogNorm,
) -> QuadMesh:
    """Draw the shares of events in bins of two masses; bins without events stay white.

    Args:
        axis: Axes to draw on.
        x: Centres of the bins in m_bbγγ [GeV].
        y: Centres of the bins in m_bb [GeV].
        shares: Share of the events in each bin.
        norm: Range of the colours.

    Returns:
        Artist for a colour bar.
    """
    axis.grid(visible=False)
    return axis.pcolormesh(x, y, np.where(shares > 0, shares, np.nan), norm=norm, rasterized=True)


def point_label(masses: Float[np.ndarray, "2"]) -> str:
    """Return the label of a point (m_X, m_S)."""
    return f"$m_X$ = {masses[0]:g}, $m_S$ = {masses[1]:g} GeV"
