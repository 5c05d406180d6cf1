"""Figures of the pulls and the coverage of the flows of the interpolation study (thesis chapter 8)."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from scipy import stats

from diffhep.figures.flow_interpolation import example_title
from diffhep.figures.painters import conditioning_points, style

SOLID = {"color": style.TRUTH}
DASHED = {"color": style.TRUTH, "linestyle": "--", "linewidth": 1.2}


@style.with_style
def differences(predicted: xr.Dataset, *, trained: bool) -> Figure:
    """Draw data minus flow in bins around the mean of each point (thesis Figs. 8.4, 8.5, 8.13 and 8.14).

    Args:
        predicted: `difference` (context, coarse_y, coarse_x) in bins of the square around the mean, `x`, the centres of
            the fine bins of this square, `mean` (context, axis) and `trained` (context).
        trained: Draw training points if true, unseen points otherwise.
    """
    selected = predicted["trained"].values == trained
    values, means = predicted["difference"].values[selected], predicted["mean"].values[selected]
    columns = 8 if len(values) > 10 else 3
    figure, axes = style.grid(len(values), columns=columns, size=(1.25, 1.25) if columns == 8 else (2.0, 2.0))
    edges = np.linspace(-1, 1, values.shape[-1] + 1) * _half_width(predicted)
    largest = np.abs(values).max()
    for axis, difference, mean in zip(axes, values, means, strict=True):
        drawn = axis.pcolormesh(edges, edges, difference, cmap="BrBG", vmin=-largest, vmax=largest, rasterized=True)
        axis.plot(0, 0, "+", color="red", markersize=6)
        axis.set_title(f"({mean[0]:g}, {mean[1]:g})", fontsize="x-small", pad=2)
        axis.set(xticks=[], yticks=[], aspect="equal")
    figure.colorbar(drawn, ax=axes, label="events: data - flow", shrink=0.6, aspect=30)
    return figure


def _half_width(predicted: xr.Dataset) -> float:
    x = predicted["x"].values
    return float(x[-1] + (x[1] - x[0]) / 2)


@style.with_style
def pull_distributions(predicted: xr.Dataset, *, reach: float = 8.0) -> Figure:
    """Draw the pulls of all bins, of training points and of unseen points (thesis Figs. 8.6 and 8.15).

    Args:
        predicted: `pull` and `coarse_data` (context, coarse_y, coarse_x), `pull_centre` and `pull_width` (part,
            min_events) and `trained` (context); see `studies.flow_interpolation.pull_summaries`.
        reach: Largest pull of the histogram, in either direction.
    """
    figure, axes = style.grid(2, size=(4.2, 3.6))
    edges, (min_events, _) = np.linspace(-reach, reach, 65), predicted["min_events"].values.tolist()
    for axis, (part, (label, colour)) in zip(axes, conditioning_points.PARTS.items(), strict=True):
        selected = conditioning_points.in_part(predicted["trained"].values, part)
        pull, data = predicted["pull"].values[selected], predicted["coarse_data"].values[selected]
        heights = conditioning_points.density_histogram(pull[data >= min_events], edges)
        axis.stairs(heights, edges, fill=True, color=colour, alpha=0.4)
        first = _normal(axis, predicted.sel(part=part, min_events=min_events), reach, **SOLID)
        highest = axis.get_ylim()[1]
        axis.stairs(conditioning_points.density_histogram(pull, edges), edges, color=colour)
        second = _normal(axis, predicted.sel(part=part, min_events=0), reach, **DASHED)
        axis.set(xlabel="(flow - data) / σ of the ensemble", ylim=(0, highest))
        axis.set_title(f"{label}\nat least {min_events:g} events: {first}\nall bins: {second}", fontsize="small")
    axes[0].set_ylabel("density of bins")
    style.share_range(axes)
    handles = [
        Patch(color=style.HARD, label=f"bins with at least {min_events:g} events"),
        Line2D([], [], color=style.HARD, label="all bins"),
        Line2D([], [], label="normal distribution of the filled histogram", **SOLID),
        Line2D([], [], label="normal distribution of all bins", **DASHED),
    ]
    style.legend_above(figure, handles, columns=2)
    return figure


def _normal(axis: Axes, pulls: xr.Dataset, reach: float, **line: Any) -> str:
    """Draw the normal distribution of pulls, and return its mean and width."""
    centre, width = float(pulls["pull_centre"]), float(pulls["pull_width"])
    conditioning_points.draw_normal(axis, centre, width, reach, **line)
    return f"{centre:.2f} ± {width:.2f}"


@style.with_style
def coverage(**predicted: xr.Dataset) -> Figure:
    """Draw the share of bins whose true content is within k standard deviations of the ensemble, against k (ours).

    Args:
        **predicted: `pull_of_truth` and `coarse_data` (context, coarse_y, coarse_x), `trained` (context), `min_events`
            and `member`, by the name of the panel. Bins with fewer than `min_events` events of data are left out.
    """
    figure, axes = style.grid(len(predicted), size=(4.2, 3.6))
    k = np.linspace(0, 5, 101)
    for axis, (name, data) in zip(axes, predicted.items(), strict=True):
        enough, members = data["coarse_data"].values >= int(data["min_events"][0]), data.sizes["member"]
        for part, (label, colour) in conditioning_points.PARTS.items():
            selected = conditioning_points.in_part(data["trained"].values, part)
            distances = np.abs(data["pull_of_truth"].values[selected][enough[selected]])
            distances = distances[np.isfinite(distances)]
            shares = [np.sum(distances <= reach) / max(distances.size, 1) for reach in k]
            axis.plot(k, shares, color=colour, label=label)
        ideal = 2 * stats.t.cdf(k * np.sqrt(members), members - 1) - 1
        axis.plot(k, ideal, color=style.TRUTH, label=f"{members} unbiased members (Student's t)")
        normal = 2 * stats.norm.cdf(k) - 1
        axis.plot(k, normal, color=style.TRUTH, linestyle=":", linewidth=1.2, label="normal distribution")
        axis.set(title=example_title(name), ylim=(0, 1.02))
    style.label_outer(axes, "k", "share of bins with |flow - truth| < k σ")
    style.legend_above(figure, axes[0], columns=2)
    return figure
