"""Figures of the study of a counting experiment."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from diffhep.figures.painters import style
from diffhep.figures.painters.style import BACKGROUND, SIGNAL

P_VALUE = r"expected discovery $p_0$"


@style.with_style
def counts(scan: xr.Dataset) -> Figure:
    """Expected counts at a few values of phi, one panel each (thesis Fig. 7.1)."""
    figure, axes = style.panels(1, scan.sizes["example"], size=(2.3, 2.9))
    for axis, example in zip(axes.flat, scan["example"].values, strict=True):
        here = scan.sel(example=example)
        _stack(axis, *(float(here[f"example_{name}"]) for name in ("signal", "background", "uncertainty")))
        axis.set_title(rf"$\varphi = {example:g}$")
    top = max(axis.get_ylim()[1] for axis in axes.flat)
    for axis in axes.flat:
        axis.set_ylim(0, top)
        axis.label_outer()
    axes[0, 0].set_ylabel("expected events")
    style.legend_above(figure, axes[0, 0], columns=3)
    return figure


@style.with_style
def p_values(scan: xr.Dataset) -> Figure:
    """Discovery p-value over phi with and without the uncertainty of the background (thesis Fig. 7.2)."""
    figure, axes = style.panels(1, 1, size=(4.8, 3.4))
    axis = axes[0, 0]
    _curve(axis, scan, "p0", "best", color=style.CURVE, label="with uncertainty")
    _curve(axis, scan, "p0_certain", "best_certain", color=style.SMOOTH, label="without uncertainty")
    axis.set(xlabel=r"$\varphi$", ylabel=P_VALUE, yscale="log")
    axis.legend()
    return figure


@style.with_style
def descent(scan: xr.Dataset, descent: xr.Dataset) -> Figure:
    """Gradient descent on the p-value, and the model that it finds (thesis Fig. 7.16)."""
    figure, axes = style.panels(1, 2, size=(3.8, 3.2))
    left, right = axes.flat
    left.plot(scan["phi"], scan["p0"], color=style.TRUTH, label=P_VALUE)
    colours = style.ordered_colours(descent.sizes["start"])
    for colour, start in zip(colours, descent["start"].values, strict=True):
        way = descent.sel(start=start).isel(step=slice(None, None, 5))
        left.plot(way["phi"], way["p0"], ".", color=colour, markersize=5, label=rf"from $\varphi = {start:g}$")
    found = float(descent["found"])
    left.plot(found, np.interp(found, scan["phi"], scan["p0"]), "*", color=style.CURVE, markersize=12, zorder=3)
    left.set(xlabel=r"$\varphi$", ylabel=P_VALUE, yscale="log")
    left.legend(fontsize="small")
    left.set_title(rf"found: $\varphi = {found:.2f}$, best of the scan: ${float(scan['best']):.2f}$")
    _stack(right, *(float(descent[name]) for name in ("signal", "background", "uncertainty")))
    right.set(ylabel="expected events", title="the analysis it finds")
    right.set_ylim(top=1.35 * right.get_ylim()[1])  # room for the legend
    right.legend(fontsize="small", loc="upper center", ncols=2)
    return figure


def _curve(axis: Axes, scan: xr.Dataset, name: str, best: str, **look: str) -> None:
    axis.plot(scan["phi"], scan[name], **look)
    axis.axvline(float(scan[best]), color=look["color"], linestyle=":", linewidth=1.2)
    axis.annotate(
        rf"${float(scan[best]):.2f}$",
        (float(scan[best]), 0.03),
        xycoords=("data", "axes fraction"),
        xytext=(-3, 0),
        textcoords="offset points",
        ha="right",
        color=look["color"],
    )


def _stack(axis: Axes, signal: float, background: float, uncertainty: float) -> None:
    """Signal on top of background, whose uncertainty is hatched."""
    axis.bar(0, background, width=1, color=BACKGROUND, label="background")
    axis.bar(0, signal, width=1, bottom=background, color=SIGNAL, label="signal")
    axis.bar(
        0,
        2 * uncertainty,
        width=1,
        bottom=background - uncertainty,
        fill=False,
        hatch="////",
        linewidth=0,
        label=r"$b \pm \sigma_b$",
    )
    axis.set_xticks([])
    axis.set_ylim(0, 1.15 * (signal + background))
    axis.grid(visible=False, axis="x")
