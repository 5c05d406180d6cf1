"""Figures of the study of smooth histograms."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from diffhep.figures.painters import style

TRUTH = {"color": style.TRUTH, "linestyle": "--", "linewidth": 1.2, "label": "true density"}
HARD = {"color": style.HARD, "label": "histogram"}
BINNED = {"color": style.SMOOTH, "linewidth": 2.0, "label": "binned KDE"}
CURVE = {"color": style.CURVE, "linewidth": 1.6, "label": "KDE"}
SOFTMAX = {"color": style.UP, "linewidth": 1.4, "linestyle": "-.", "label": "softmax histogram"}
KERNEL = {"color": style.CURVE, "linewidth": 0.5, "alpha": 0.15}


@style.with_style
def bandwidth_tradeoff(data: xr.Dataset, *, kernel_height: float = 0.15) -> Figure:
    """Bias against smoothness of a binned KDE, one panel a bandwidth (neos Fig. 2, thesis Fig. 7.12).

    Args:
        data: Result of `studies.histograms.bandwidth_tradeoff`.
        kernel_height: Height of the kernels as drawn, as a share of that of the panel.
    """
    figure, axes = style.panels(1, data.sizes["bandwidth"], size=(2.9, 2.9))
    height = 1.1 * max(float(data[name].max()) for name in ("hard", "binned", "curve", "truth"))
    for number, axis in enumerate(axes.flat):
        _panel(axis, data.isel(bandwidth=number), kernel_height * height)
        axis.set(xlabel="$x$", ylim=(0, height), xlim=tuple(data["edges"].values[[0, -1]]))
        axis.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axis.label_outer()
    axes[0, 0].set_ylabel("density")
    kernels = KERNEL | {"alpha": 1.0, "label": "its kernels (scaled down)"}
    lines = [Line2D([], [], **look) for look in (BINNED, CURVE, kernels, TRUTH)]
    style.legend_above(figure, [Patch(**HARD), *lines], columns=5)
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


@style.with_style
def moving_histogram(translation: xr.Dataset) -> Figure:
    """A histogram moving with the centre of the distribution it is drawn from (thesis Fig. 7.8)."""
    figure, axes = style.panels(1, translation.sizes["shown"], size=(2.6, 2.7))
    edges = translation["edges"].values
    centre = len(edges) // 2 - 1
    for axis, shown in zip(axes.flat, translation["shown"].values, strict=True):
        counts = translation["counts"].sel(shown=shown).values
        axis.stairs(counts, edges, fill=True, color=style.HARD)
        axis.stairs(counts[centre : centre + 1], edges[centre : centre + 2], fill=True, color=style.CURVE)
        axis.set(xlabel="$x$", title=rf"$\mu = {shown:g}$", ylim=(0, 1.08 * float(translation["counts"].max())))
        axis.label_outer()
    axes[0, 0].set_ylabel("events")
    return figure


@style.with_style
def central_bin(translation: xr.Dataset, *, smooth: bool = False) -> Figure:
    """Height of the central bin over mu, of a histogram and, if asked for, of a bKDE (thesis Figs. 7.9 and 7.11)."""
    figure, axes = style.panels(1, 1, size=(4.8, 3.2))
    axis = axes[0, 0]
    axis.plot(translation["mu"], translation["hard"], color=style.TRUTH, linewidth=1.0, label="histogram")
    if smooth:
        label = f"binned KDE, bandwidth {translation.attrs['bandwidth']:g}"
        axis.plot(translation["mu"], translation["binned"], **BINNED | {"label": label})
    axis.set(xlabel=r"$\mu$", ylabel="events in the bin at 0")
    axis.legend()
    return figure


@style.with_style
def yields_and_gradients(gradients: xr.Dataset, *, kind: str = "yield", softmax: bool = False) -> Figure:
    """Yield of one bin, or its derivative, over mu: rows are bandwidths, columns numbers of events.

    Thesis Figs. 7.13 (`kind` yield) and 7.14 (gradient); `softmax` adds the softmax histogram (ours).
    """
    figure, axes = style.panels(gradients.sizes["bandwidth"], gradients.sizes["events"], size=(2.7, 2.1))
    looks = {"hard": HARD | {"linewidth": 1.0}, "binned": BINNED, "softmax": SOFTMAX, "truth": TRUTH}
    looks = {name: look for name, look in looks.items() if softmax or name != "softmax"}
    for row, bandwidth in zip(axes, gradients["bandwidth"].values, strict=True):
        for axis, events in zip(row, gradients["events"].values, strict=True):
            here = gradients.sel(bandwidth=bandwidth, events=events)
            for name, look in looks.items():
                axis.plot(here["mu"], here[f"{kind}_{name}"], **look)
            axis.set_title(f"bandwidth {bandwidth:g}, {events} events")
    for axis in axes[-1]:
        axis.set_xlabel(r"$\mu$")
    for axis in axes[:, 0]:
        axis.set_ylabel("yield" if kind == "yield" else r"d yield / d$\mu$")
    handles = axes[0, 0].get_legend_handles_labels()[0]
    note = None if kind == "yield" else "histogram: finite differences between neighbouring μ"
    style.legend_above(figure, handles, columns=len(handles), note=note)
    return figure


@style.with_style
def error_map(gradient_map: xr.Dataset, *, error: str = "relative_error", best: str = "best_relative") -> Figure:
    """Error of the derivative over bandwidth and number of events, the lowest of each row marked (thesis Fig. 7.15).

    Args:
        gradient_map: Result of `studies.histograms.gradient_map`.
        error: Which error, (events, bandwidth).
        best: The bandwidths (events) to mark.
    """
    figure, axes = style.panels(1, 1, size=(5.6, 4.2))
    _map(axes[0, 0], gradient_map, error, best)
    axes[0, 0].legend(loc="upper right", frameon=True)
    return figure


@style.with_style
def rule_of_thumb(gradient_map: xr.Dataset) -> Figure:
    """The map with averages in numerator and denominator, and a power law through its minima (ours)."""
    figure, axes = style.panels(1, 1, size=(5.6, 4.2))
    axis = axes[0, 0]
    _map(axis, gradient_map, "error", "best")
    events = gradient_map["events"].values
    factor, exponent, error = (float(gradient_map[name]) for name in ("factor", "exponent", "exponent_error"))
    law = rf"${factor:.2f}\,n^{{{exponent:.2f}}}$ (exponent ± {error:.2f})"
    axis.plot(factor * events**exponent, events, color=style.TRUTH, linestyle="--", label=law)
    axis.legend(loc="upper right", frameon=True)
    return figure


def _map(axis: Axes, data: xr.Dataset, error: str, best: str) -> None:
    levels = LogNorm(*np.nanquantile(data[error], [0.0, 0.98]))
    mesh = axis.pcolormesh(data["bandwidth"], data["events"], data[error], norm=levels, cmap="viridis", rasterized=True)
    axis.plot(data[best], data["events"], "o", color="#FF8C00", markeredgecolor="white", label="lowest in the row")
    axis.set(xscale="log", yscale="log", xlabel="bandwidth (bin width 1)", ylabel="number of events $n$")
    axis.xaxis.set_major_formatter(ScalarFormatter())
    axis.grid(visible=False)
    axis.figure.colorbar(mesh, ax=axis, label="relative error of the gradient", extend="max")
