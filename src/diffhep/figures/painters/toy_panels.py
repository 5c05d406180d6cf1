"""Painters of pseudo-experiments: points with errors beside asymptotic lines, one colour for each objective.

All arguments named `Mapping[str, ...]` are by the names of `style.OBJECTIVES`.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from diffhep.figures.painters import style

Array = Float[np.ndarray, "..."]
ONE_SIGMA = 0.6827  # probability of a normal distribution within one standard deviation
STRENGTHS = ({"fillstyle": "none"}, {"fillstyle": "full"})  # markers of the true strengths 0 and 1


class StatisticToys(NamedTuple):
    """Test statistic of pseudo-experiments, and its asymptotic distribution.

    Attributes:
        values: Test statistic of each pseudo-experiment; NaN where the fit failed.
        root: Square roots of the test statistic at which the density is given, ascending.
        density: Asymptotic density of the root.
    """

    values: Array
    root: Array
    density: Array


class ClsToys(NamedTuple):
    """CLs values at several tested signal strengths.

    Attributes:
        tested: Tested signal strengths.
        toys: CLs from pseudo-experiments; 0 where none is as extreme.
        error: Statistical error of `toys`.
        asymptotic: CLs from the asymptotic formulae.
    """

    tested: Array
    toys: Array
    error: Array
    asymptotic: Array


class CoverageToys(NamedTuple):
    """Coverage of the interval of one standard deviation.

    Attributes:
        share: Share of pseudo-experiments whose interval contains the true strength, for true strengths 0 and 1.
        error: Statistical error of `share`.
        failed: Largest share of failed fits.
    """

    share: Array
    error: Array
    failed: float


def density_points(axis: Axes, objective: str, values: Array, edges: Float[np.ndarray, " edge"], number: int) -> None:
    """Draw a histogram as points with Poisson errors, as a density; empty bins have no point.

    Args:
        axis: Axes to draw on.
        objective: Training objective, which gives colour and marker.
        values: Values to count.
        edges: Edges of the bins.
        number: Number of values to which the density is normalised.
    """
    counts, _ = np.histogram(values, edges)
    filled, scale = counts > 0, number * np.diff(edges)
    centres = (edges[1:] + edges[:-1]) / 2
    _points(axis, objective, centres[filled], (counts / scale)[filled], (np.sqrt(counts) / scale)[filled])


def test_statistic(axis: Axes, toys: Mapping[str, StatisticToys], bins: int) -> None:
    """Draw the density of the root of a test statistic; pseudo-experiments at zero are left out.

    Args:
        axis: Axes to draw on.
        toys: Pseudo-experiments of each objective.
        bins: Number of bins of the histograms.
    """
    largest = max(float(np.nanmax(toy.values)) for toy in toys.values())
    edges = np.linspace(0, np.sqrt(max(largest, 1.0)), bins + 1)
    for objective, (values, root, density) in toys.items():
        inside = root <= edges[-1]
        axis.plot(root[inside], density[inside], color=style.objective_style(objective)["color"], linewidth=1.2)
        density_points(axis, objective, np.sqrt(values[values > 0]), edges, int(np.isfinite(values).sum()))
    rarest = max(toy.values.size for toy in toys.values())
    axis.set(yscale="log", ylim=(0.2 / rarest / np.diff(edges)[0], 2), xlim=(0, edges[-1]))


def pulls(axis: Axes, toys: Mapping[str, Array], bins: int) -> None:
    """Draw the density of the pulls of the fitted signal strength beside a unit normal distribution.

    Args:
        axis: Axes to draw on.
        toys: Pull of each pseudo-experiment, of each objective; NaN where the fit failed.
        bins: Number of bins of the histograms.
    """
    edges, fine = np.linspace(-5, 5, bins + 1), np.linspace(-5, 5, 201)
    axis.plot(fine, np.exp(-(fine**2) / 2) / np.sqrt(2 * np.pi), color=style.TRUTH, linewidth=1.2)
    for objective, values in toys.items():
        density_points(axis, objective, values, edges, int(np.isfinite(values).sum()))
    axis.set(xlabel=r"$(\hat\mu - \mu)\,/\,\sigma_\mu$", xlim=(-5, 5), ylim=(0, None))


def cls(axis: Axes, toys: Mapping[str, ClsToys]) -> None:
    """Draw CLs against the tested signal strength, from pseudo-experiments (points) and asymptotic (lines)."""
    for objective, (tested, values, error, asymptotic) in toys.items():
        axis.plot(tested, asymptotic, color=style.objective_style(objective)["color"], linewidth=1.2)
        seen = values > 0  # no pseudo-experiment is as extreme elsewhere: an upper limit at most
        _points(axis, objective, tested[seen], values[seen], error[seen])
    lowest = min(float(toy.asymptotic.min()) for toy in toys.values())
    axis.set(xlabel=r"tested $\mu$", ylabel=style.METRICS["cls"], yscale="log", ylim=(lowest / 10, 2))


def coverage(axis: Axes, toys: Mapping[str, CoverageToys]) -> None:
    """Draw the coverage of one row for each objective, with the failed fits at its left."""
    for position, (objective, toy) in enumerate(toys.items()):
        for offset, share, error, marker in zip((-0.15, 0.15), toy.share, toy.error, STRENGTHS, strict=True):
            look = style.objective_style(objective) | {"linestyle": "none"} | marker
            axis.errorbar(share, position + offset, xerr=error, **look)
    axis.axvline(ONE_SIGMA, color=style.TRUTH, linewidth=1.2)
    axis.set_yticks(range(len(toys)), [f"{1e4 * toy.failed:.1f}" for toy in toys.values()])
    axis.set(xlabel=r"coverage of $\hat\mu \pm \sigma_\mu$", ylabel="failed fits in 10 000")
    axis.set_ylim(len(toys) - 0.5, -0.5)
    axis.set_title(r"generated with $\mu = 0$ (open), $1$ (filled)")


def _points(axis: Axes, objective: str, x: Array, y: Array, error: Array) -> None:
    look = style.objective_style(objective) | {"linestyle": "none"}
    axis.errorbar(x, y, yerr=error, **look, markersize=3, elinewidth=0.8)
