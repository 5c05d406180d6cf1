"""Painters of the plane of the masses of X and S."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection, QuadMesh
from matplotlib.colors import LogNorm, Normalize

from diffhep.data.mass_grid import HIGGS_MASS
from diffhep.figures.painters import style
from diffhep.figures.painters.conditioning_points import PARTS, UNSEEN_COLOUR

M_X, M_S = "$m_X$ [GeV]", "$m_S$ [GeV]"
M_BBGG, M_BB = r"$m_{bb\gamma\gamma}$ [GeV]", r"$m_{bb}$ [GeV]"


def set_limits(axes: Sequence[Axes], masses: np.ndarray) -> None:
    """Axes that hold all points, labelled at the outer sides, with the forbidden part in grey."""
    high = masses.max(axis=0) * 1.06
    for axis in axes:
        axis.set(xlim=(min(100.0, 0.9 * masses[:, 0].min()), high[0]), ylim=(0, high[1]))
        left = np.array(axis.get_xlim())
        axis.fill_between(left, left - HIGGS_MASS, high[1] + 1, color=style.HARD, alpha=0.35, linewidth=0, zorder=0)
        axis.grid(visible=False)
    style.label_outer(axes, M_X, M_S)


def label_forbidden_region(axis: Axes) -> None:
    """Say what the grey part is."""
    axis.text(0.04, 0.94, r"$m_X < m_S + m_H$", transform=axis.transAxes, va="top", color="#595959")


def mark_points(axis: Axes, masses: np.ndarray, held_out: np.ndarray) -> None:
    """Points that are trained on, and those that are not."""
    for name, (trained, colour) in PARTS.items():
        label = name.replace("contexts", "points")
        axis.plot(*masses[held_out != trained].T, "o", color=colour, markersize=5, label=label)


def scatter_values(
    axis: Axes,
    masses: np.ndarray,
    found: np.ndarray,
    held_out: np.ndarray,
    norm: Normalize,
    cmap: str,
    edge: str = "#595959",
) -> PathCollection:
    """Points coloured by a value, squares where they are trained on and circles where not; hollow without a value."""
    for trained, marker in ((True, "s"), (False, "o")):
        here = held_out != trained
        told = here & np.isfinite(found)
        line = {"edgecolors": edge, "linewidths": 0.5} if trained else {"edgecolors": UNSEEN_COLOUR, "linewidths": 1.3}
        look = {"marker": marker, "s": 26, **line}
        axis.scatter(*masses[here & ~told].T, facecolors="none", **look)
        drawn = axis.scatter(*masses[told].T, c=found[told], norm=norm, cmap=cmap, **look)
    return drawn


def mesh_table(masses: np.ndarray, found: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Axes and values of a mesh as a table (y, x), with nothing where the mesh has no point."""
    x, y = (np.unique(column) for column in masses.T)
    table = np.full((len(y), len(x)), np.nan)
    table[np.searchsorted(y, masses[:, 1]), np.searchsorted(x, masses[:, 0])] = found
    return x, y, table


def share_histogram(axis: Axes, shares: xr.DataArray, norm: LogNorm) -> QuadMesh:
    """Shares (y, x) of the events in bins of m_bbgg and m_bb."""
    axis.grid(visible=False)
    return axis.pcolormesh(shares["x"], shares["y"], shares.where(shares > 0), norm=norm, rasterized=True)


def point_label(masses: np.ndarray) -> str:
    """What a point is called."""
    return f"$m_X$ = {masses[0]:g}, $m_S$ = {masses[1]:g} GeV"


def selected_points(found: xr.Dataset, observable: str) -> list[xr.Dataset]:
    """What is known of an observable at each point at which it shall be drawn."""
    here = found.sel(observable=observable)
    return [here.isel(context=number) for number in np.flatnonzero(here["in_figure"])]
