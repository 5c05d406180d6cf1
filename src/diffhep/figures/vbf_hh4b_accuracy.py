"""Figures of the study of VBF HH -> 4b: smooth stand-ins for cuts and histograms, and where they fail."""

import xarray as xr
from matplotlib.figure import Figure

from diffhep.figures.painters import style as painters_style
from diffhep.figures.painters.style import BACKGROUND, CURVE, SIGNAL, SMOOTH, TRUTH


@painters_style.with_style
def sigmoids(data: xr.Dataset) -> Figure:
    """Sigmoids around a cut, with the lines between which they turn on (Fig. B.12)."""
    figure, axes = painters_style.panels(1, 1, size=(5.2, 3.4))
    axis = axes[0, 0]
    for slope, colour in zip(data["slope"].values, (SMOOTH, CURVE), strict=False):
        width = float(data["width"].sel(slope=slope))
        label = f"slope {slope:.0f}: {width:.6f} from 5 % to 95 %"
        axis.plot(data["distance"], data["weight"].sel(slope=slope), color=colour, label=label)
        for side in (-0.5, 0.5):
            axis.axvline(side * width, color=colour, linestyle=":", linewidth=1.2)
    for efficiency in (0.05, 0.95):
        axis.axhline(efficiency, color=TRUTH, linestyle=":", linewidth=1.0)
    axis.set(xlabel="scaled variable − cut", ylabel="weight of an event")
    axis.ticklabel_format(axis="x", scilimits=(-4, -4))
    painters_style.legend_above(figure, axis, columns=1)
    return figure


@painters_style.with_style
def pitfalls(data: xr.Dataset) -> Figure:
    """Draw the cuts at which the written formula has no gradient, and events that are lost at open outer edges."""
    figure, axes = painters_style.panels(1, 2, size=(4.3, 3.3))
    left, right = axes.flat
    looks = (("o-", CURVE), ("s--", SMOOTH))
    sigmoids = {"formula": "formula", "safe": "jax.nn.sigmoid"}
    for (name, label), (style, colour) in zip(sigmoids.items(), looks, strict=True):
        left.plot(data["steep"], data["last"].sel(sigmoid=name), style, color=colour, label=label)
    left.set(xscale="log", yscale="log", xlabel="slope", ylabel="farthest cut with a gradient [range]", ylim=(3e-3, 2))
    left.legend(loc="lower left")
    for name, (style, colour) in zip(("open", "closed"), looks, strict=True):
        leaked = 100 * data["leaked"].sel(outer=name)
        right.plot(data["bandwidth"], leaked, style, color=colour, label=f"{name} outer edges")
    right.set(xscale="log", xlabel="bandwidth [range]", ylabel="events lost [%]")
    right.legend(loc="upper left")
    return figure


@painters_style.with_style
def accuracy(data: xr.Dataset) -> Figure:
    """Largest deviation of a bin of the smooth stand-ins: cuts alone, bandwidth alone, and both together."""
    figure, axes = painters_style.panels(1, 3, size=(3.5, 3.1))
    slopes, widths, both = axes.flat
    for sample, colour in (("signal", SIGNAL), ("background", BACKGROUND)):
        here = 100 * data.sel(sample=sample)
        slopes.plot(data["slope"], here["cuts"], "o-", color=colour, label=sample)
        widths.plot(data["width"], here["bandwidth"], "o-", color=colour)
        steepest = here["both"].sel(slope=20000.0, method="nearest")
        both.plot(data["width"], steepest, "o-", color=colour)
        both.plot(data["width"], here["both"].sel(slope=100.0, method="nearest"), "s--", color=colour)
    slopes.set(xlabel="slope of the cuts", title="cuts alone")
    widths.set(xlabel="bandwidth [range of $m_{HH}$]", title="bandwidth alone")
    both.set(xlabel="bandwidth [range of $m_{HH}$]", title="both; slope 20 000 (solid), 100 (dashed)")
    for axis in axes.flat:
        axis.set(xscale="log", yscale="log")
        axis.axhline(1, color=TRUTH, linestyle=":", linewidth=1.2)
    slopes.set_ylabel("largest deviation of a bin [%]")
    painters_style.share_range(list(axes.flat))
    painters_style.legend_above(figure, slopes, columns=2)
    return figure
