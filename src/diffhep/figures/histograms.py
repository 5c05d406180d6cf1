"""Figures of the study of smooth histograms."""

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from diffhep import plotting

TRUTH = {"color": plotting.TRUTH, "linestyle": "--", "linewidth": 1.2, "label": "true density"}
HARD = {"color": plotting.HARD, "label": "histogram"}
BINNED = {"color": plotting.SMOOTH, "linewidth": 2.0, "label": "binned KDE"}
CURVE = {"color": plotting.CURVE, "linewidth": 1.6, "label": "KDE"}
KERNEL = {"color": plotting.CURVE, "linewidth": 0.5, "alpha": 0.15}


@plotting.styled
def bandwidth_tradeoff(data: xr.Dataset, *, kernel_height: float = 0.15) -> Figure:
    """Bias against smoothness of a binned KDE, one panel a bandwidth (neos Fig. 2, thesis Fig. 7.12).

    Args:
        data: Result of `studies.histograms.bandwidth_tradeoff`.
        kernel_height: Height of the kernels as drawn, as a share of that of the panel.
    """
    figure, axes = plotting.panels(1, data.sizes["bandwidth"], size=(2.9, 2.9))
    height = 1.1 * max(float(data[name].max()) for name in ("hard", "binned", "curve", "truth"))
    for number, axis in enumerate(axes.flat):
        _panel(axis, data.isel(bandwidth=number), kernel_height * height)
        axis.set(xlabel="$x$", ylim=(0, height), xlim=tuple(data["edges"].values[[0, -1]]))
        axis.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axis.label_outer()
    axes[0, 0].set_ylabel("density")
    kernels = KERNEL | {"alpha": 1.0, "label": "its kernels (scaled down)"}
    lines = [Line2D([], [], **look) for look in (BINNED, CURVE, kernels, TRUTH)]
    plotting.legend_above(figure, [Patch(**HARD), *lines], columns=5)
    return figure


def _panel(axis: Axes, data: xr.Dataset, kernel_height: float) -> None:
    edges, x = data["edges"].values, data["x"].values
    axis.stairs(data["hard"].values, edges, fill=True, **HARD)
    kernels = data["kernels"].values
    axis.plot(x, kernels.T * (kernel_height / kernels.max()), **KERNEL)
    axis.plot(x, data["curve"].values, **CURVE)
    axis.stairs(data["binned"].values, edges, **BINNED)
    axis.plot(x, data["truth"].values, **TRUTH)
    axis.set_title(f"bandwidth {float(data['bandwidth']):g} × bin width")
