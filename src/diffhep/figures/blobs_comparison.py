"""Figures that compare the trainings of an experiment: at sweep points, and in tables (thesis 7.6; ours)."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from diffhep.figures.painters import style


@style.with_style
def sweep(
    comparison: xr.Dataset,
    *,
    metrics: Sequence[str] = ("cls", "poi_uncertainty", "nuisance_deviation"),
    logarithmic: Sequence[str] = ("cls", "nuisance_deviation"),
) -> Figure:
    """Metrics after the last epoch at every point of a sweep, one panel a metric, one colour an objective.

    Args:
        comparison: Metrics (point, run, seed, epoch); NaN where a point has fewer seeds.
        metrics: Variables to draw, in this order.
        logarithmic: Those of them that span decades.
    """
    figure, axes = style.panels(1, len(metrics), size=(3.4, 3.6))
    last, places = comparison.isel(epoch=-1), np.arange(comparison.sizes["point"])
    runs = list(comparison["run"].values)
    for axis, metric in zip(axes.flat, metrics, strict=True):
        for number, run in enumerate(runs):
            look = style.objective_style(run) | {"linestyle": "none"}
            values = last[metric].sel(run=run).transpose("point", "seed").values
            x = places + 0.16 * (number - (len(runs) - 1) / 2)
            axis.plot(x, values, **look, alpha=0.35, markersize=3)
            axis.plot(x, np.nanmean(values, axis=1), **look | {"marker": "_"}, markersize=11, markeredgewidth=2)
        axis.set_yscale("log" if metric in logarithmic else "linear")
        axis.set(ylabel=style.METRICS[metric], xlim=(-0.6, len(places) - 0.4))
        axis.set_xticks(
            places, [name.replace(", bandwidth ", "\n") for name in comparison["point"].values], fontsize="x-small"
        )
        axis.set_xlabel("bins, and below them the bandwidth")
    handles = [style.line_handle(style.objective_style(run) | {"linestyle": "none"}) for run in runs]
    note = "points: single initialisations, bars: their mean; left: as Figure 3"
    style.legend_above(figure, handles, columns=len(runs), note=note)
    return figure


@style.with_style
def comparison_table(
    *,
    metrics: Sequence[str] = ("bce", "cls", "p0", "poi_uncertainty", "nuisance_deviation", "generalised_variance"),
    **comparisons: xr.Dataset,
) -> Figure:
    """Draw tables of the mean metrics at the selected epoch, with the best of each marked (ours).

    Args:
        metrics: Metrics, in the order of the columns.
        **comparisons: `selected_mean` (metric, run) and `point` of each comparison, by the name of the experiment.
    """
    rows = [2 + comparison.sizes["run"] for comparison in comparisons.values()]
    figure = Figure(figsize=(7.6, 0.27 * sum(rows)), layout="constrained")
    axes = figure.subplots(len(rows), 1, squeeze=False, height_ratios=rows)
    for axis, (name, comparison) in zip(axes.flat, comparisons.items(), strict=True):
        runs = [str(run) for run in comparison["run"].values]
        values = comparison["selected_mean"].sel(metric=list(metrics)).transpose("run", "metric").values
        best = values.argmin(axis=0)
        text = [[f"{value:.2g}" for value in row] for row in values]
        table = axis.table(
            text,
            rowLabels=[style.objective_style(run)["label"] for run in runs],
            colLabels=[style.METRICS[metric] for metric in metrics],
            loc="upper center",
            cellLoc="center",
        )
        table.scale(1, 1.25)
        for column, row in enumerate(best):
            table[row + 1, column].set_facecolor("#FFE9B8")
            table[row + 1, column].get_text().set_weight("bold")
        axis.set_title(str(comparison["point"].values[0]) + (", learned edges" if "learned" in name else ""))
        axis.axis("off")
    return figure
