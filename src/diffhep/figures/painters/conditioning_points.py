"""Painters of contexts in a plane, the distributions there, values by context, and pulls."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import Normalize
from matplotlib.lines import Line2D
from matplotlib.patches import Ellipse
from scipy import stats

from diffhep.figures.painters import style
from diffhep.histogramming.pulls import fit_normal

SIGMAS = (1, 2, 3)
TRAINING_COLOUR, UNSEEN_COLOUR = style.SMOOTH, style.CURVE
SIGMA_COLOURS = ("#084594", "#4292c6", "#9ecae1")
PARTS = {"trained contexts": (True, TRAINING_COLOUR), "unseen contexts": (False, UNSEEN_COLOUR)}


def covariance_ellipses(axis: Axes, data: xr.Dataset) -> None:
    """Ellipses of one, two and three standard deviations."""
    for mean, covariance in zip(data["mean"].values, data["covariance"].values, strict=True):
        widths, axes = np.linalg.eigh(covariance)
        angle = np.degrees(np.arctan2(axes[1, 0], axes[0, 0]))
        for sigma, shade in zip(SIGMAS, SIGMA_COLOURS, strict=True):
            axis.add_patch(Ellipse(mean, *(2 * sigma * np.sqrt(widths)), angle=angle, fill=False, edgecolor=shade))


def mark_means(axis: Axes, data: xr.Dataset) -> None:
    """The means, by the set that they belong to."""
    if "trained" not in data:
        axis.plot(*data["mean"].values.T, "x", color=TRAINING_COLOUR, markersize=5)
        return
    for part, colour in PARTS.values():
        chosen = data["trained"].values == part
        axis.plot(*data["mean"].values[chosen].T, "x", color=colour, markersize=5, markeredgewidth=1.5)


def set_limits(axis: Axes, data: xr.Dataset) -> None:
    """Axes that hold all distributions, in the same units along both."""
    low, high = float(data["mean"].min()) - 3.2, float(data["mean"].max()) + 3.2
    axis.set(xlim=(low, high), ylim=(low, high), xlabel="$x$", ylabel="$y$", aspect="equal")
    axis.grid(visible=False)


def legend_handles() -> list[Line2D]:
    """What a legend says of crosses and ellipses."""
    crosses = [
        Line2D([], [], linestyle="", marker="x", color=colour, markeredgewidth=1.5, label=name)
        for name, (_, colour) in PARTS.items()
    ]
    contours = [
        Line2D([], [], color=shade, label=f"{sigma} σ of the truth")
        for sigma, shade in zip(SIGMAS, SIGMA_COLOURS, strict=True)
    ]
    return [*crosses, *contours]


def scatter_values(
    axis: Axes, means: np.ndarray, values: np.ndarray, norm: Normalize, trained: np.ndarray
) -> PathCollection:
    """Contexts coloured by a value, squares where they were trained on and circles where not."""
    for part, marker in ((True, "s"), (False, "o")):
        here = trained == part
        look = {"edgecolors": UNSEEN_COLOUR, "linewidths": 1.6} if not part else {}
        drawn = axis.scatter(*means[here].T, c=values[here], norm=norm, marker=marker, s=90, cmap="viridis", **look)
    axis.set_aspect("equal")
    axis.margins(0.1)
    axis.grid(visible=False)
    return drawn


def scatter_handles(what: str = "contexts") -> list[Line2D]:
    """What a legend says of a map."""
    plain = {"linestyle": "", "markersize": 8, "markerfacecolor": "#bdbdbd"}
    return [
        Line2D([], [], marker="s", markeredgecolor="none", label=f"trained {what}", **plain),
        Line2D([], [], marker="o", markeredgecolor=UNSEEN_COLOUR, label=f"unseen {what}", **plain),
    ]


def normal_curve(axis: Axes, found: xr.DataArray, reach: float, **look: Any) -> str:
    """Draw the normal distribution of some pulls, and tell its mean and width."""
    centre, width = fit_normal(found)
    if width > 0:
        x = np.linspace(-reach, reach, 401)
        axis.plot(x, stats.norm.pdf(x, centre, width), **look)
    return f"{centre:.2f} ± {width:.2f}"


def density(found: xr.DataArray, edges: np.ndarray) -> np.ndarray:
    """Histogram of the finite values, normalised to all of them, also those outside."""
    values = found.values[np.isfinite(found.values)]
    return np.histogram(values, edges)[0] / max(len(values), 1) / np.diff(edges)
