"""Painters of distributions at the points of a plane on which a flow is conditioned, and of pulls."""

from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import Normalize
from matplotlib.lines import Line2D
from matplotlib.patches import Ellipse
from scipy import stats

from diffhep.figures.painters import style

SIGMAS = (1, 2, 3)
SIGMA_COLOURS = ("#084594", "#4292c6", "#9ecae1")
TRAINING_COLOUR, UNSEEN_COLOUR = style.SMOOTH, style.CURVE
PARTS = {"trained": ("training points", TRAINING_COLOUR), "unseen": ("unseen points", UNSEEN_COLOUR)}
MARGIN = 3.2  # around the outermost means: room for three standard deviations of unit width


def in_part(trained: Bool[np.ndarray, " point"], part: str) -> Bool[np.ndarray, " point"]:
    """Select the points of a part.

    Args:
        trained: True for points that were used in training.
        part: `trained` or `unseen`.
    """
    return trained == (part == "trained")


def covariance_ellipses(
    axis: Axes, means: Float[np.ndarray, "point 2"], covariances: Float[np.ndarray, "point 2 2"]
) -> None:
    """Draw the ellipses of one, two and three standard deviations around each mean."""
    for mean, covariance in zip(means, covariances, strict=True):
        variances, axes = np.linalg.eigh(covariance)
        angle = np.degrees(np.arctan2(axes[1, 0], axes[0, 0]))
        for sigma, colour in zip(SIGMAS, SIGMA_COLOURS, strict=True):
            size = 2 * sigma * np.sqrt(variances)
            axis.add_patch(Ellipse(mean, *size, angle=angle, fill=False, edgecolor=colour))


def mark_means(
    axis: Axes, means: Float[np.ndarray, "point 2"], trained: Bool[np.ndarray, " point"] | None = None
) -> None:
    """Mark each mean with a cross, in the colour of its part where `trained` is given."""
    if trained is None:
        axis.plot(*means.T, "x", color=TRAINING_COLOUR, markersize=5)
        return
    for part, (_, colour) in PARTS.items():
        axis.plot(*means[in_part(trained, part)].T, "x", color=colour, markersize=5, markeredgewidth=1.5)


def set_limits(axis: Axes, means: Float[np.ndarray, "point 2"]) -> None:
    """Set equal limits and scales on both axes, with room for the distributions around the means."""
    low, high = float(means.min()) - MARGIN, float(means.max()) + MARGIN
    axis.set(xlim=(low, high), ylim=(low, high), xlabel="$x$", ylabel="$y$", aspect="equal")
    axis.grid(visible=False)


def legend_handles() -> list[Line2D]:
    """Return legend handles of `mark_means` and `covariance_ellipses`."""
    crosses = [
        Line2D([], [], linestyle="", marker="x", color=colour, markeredgewidth=1.5, label=label)
        for label, colour in PARTS.values()
    ]
    contours = [
        Line2D([], [], color=colour, label=f"{sigma} σ of the true distribution")
        for sigma, colour in zip(SIGMAS, SIGMA_COLOURS, strict=True)
    ]
    return [*crosses, *contours]


def scatter_values(
    axis: Axes,
    means: Float[np.ndarray, "point 2"],
    values: Float[np.ndarray, " point"],
    trained: Bool[np.ndarray, " point"],
    norm: Normalize,
) -> PathCollection:
    """Draw points coloured by a value: squares for training points, framed circles for unseen points.

    Args:
        axis: Axes to draw on.
        means: Coordinates of the points.
        values: Values that give the colours.
        trained: True for points that were used in training.
        norm: Range of the colours.

    Returns:
        Artist for a colour bar.
    """
    for part, marker in (("trained", "s"), ("unseen", "o")):
        selected = in_part(trained, part)
        frame = {"edgecolors": UNSEEN_COLOUR, "linewidths": 1.6} if part == "unseen" else {}
        look = {"norm": norm, "marker": marker, "s": 90, "cmap": "viridis", **frame}
        drawn = axis.scatter(*means[selected].T, c=values[selected], **look)
    axis.set_aspect("equal")
    axis.margins(0.1)
    axis.grid(visible=False)
    return drawn


def scatter_handles(noun: str = "points") -> list[Line2D]:
    """Return legend handles of `scatter_values`.

    Args:
        noun: Name of the points in the labels.
    """
    plain = {"linestyle": "", "markersize": 8, "markerfacecolor": "#bdbdbd"}
    return [
        Line2D([], [], marker="s", markeredgecolor="none", label=f"training {noun}", **plain),
        Line2D([], [], marker="o", markeredgecolor=UNSEEN_COLOUR, label=f"unseen {noun}", **plain),
    ]


def draw_normal(axis: Axes, mean: float, width: float, reach: float, **line: Any) -> None:
    """Draw the density of a normal distribution between -reach and reach; nothing if its width is 0 or NaN."""
    if width > 0:
        x = np.linspace(-reach, reach, 401)
        axis.plot(x, stats.norm.pdf(x, mean, width), **line)


def density_histogram(
    values: Float[np.ndarray, "..."], edges: Float[np.ndarray, " edge"]
) -> Float[np.ndarray, " edge-1"]:
    """Return the histogram of the finite values, normalised to all of them, including those outside the edges."""
    finite = values[np.isfinite(values)]
    return np.histogram(finite, edges)[0] / max(len(finite), 1) / np.diff(edges)
