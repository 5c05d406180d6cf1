"""Figures of the study of a loss landscape over the shifts of two bins."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from diffhep.figures.painters import style as painters_style


@painters_style.with_style
def landscape(landscape: xr.Dataset) -> Figure:
    """Every metric over the shifts u and d, one panel each; the cross marks no uncertainty (thesis Fig. 7.20)."""
    figure, axes = painters_style.panels(2, 3, size=(3.1, 2.7))
    u, d = landscape["u"].values, landscape["d"].values
    for axis, metric in zip(axes.flat, landscape["metric"].values, strict=True):
        values = landscape["landscape"].sel(metric=metric).values.T  # rows are d
        mesh = axis.pcolormesh(u, d, values, cmap="viridis", shading="nearest", rasterized=True)
        axis.contour(u, d, values, levels=8, colors="white", linewidths=0.5, alpha=0.7)
        axis.plot(0, 0, "x", color="#E31A1C", markersize=9, markeredgewidth=2)
        axis.set(title=painters_style.METRICS[metric], xlabel="$u$", ylabel="$d$", aspect="equal")
        axis.grid(visible=False)
        axis.label_outer()
        figure.colorbar(mesh, ax=axis)
    return figure


@painters_style.with_style
def diagonal(landscape: xr.Dataset, *, offset: float = 0.02) -> Figure:
    """Every metric along u = d over its largest value there (thesis Fig. 7.21).

    Args:
        landscape: Result of `studies.two_bins.landscape`.
        offset: By how much curves are drawn below each other, for many coincide.
    """
    figure, axes = painters_style.panels(1, 1, size=(5.4, 3.6))
    axis = axes[0, 0]
    for place, metric in enumerate(landscape["metric"].values):
        line = landscape["diagonal"].sel(metric=metric).values
        style = {"color": painters_style.METRIC_COLOURS[place], "label": painters_style.METRICS[metric]}
        axis.plot(landscape["u"], line / line.max() - offset * place, **style)
    axis.set(xlabel="$u = d$", ylabel="metric / its largest value")
    axis.set_xlim(np.min(landscape["u"]), np.max(landscape["u"]))
    painters_style.legend_above(figure, axis, columns=3, note=f"curves are {offset:g} apart")
    return figure
