"""Figures of the study of a cut on one variable."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from diffhep.figures.painters import style as painters_style
from diffhep.figures.painters.style import BACKGROUND, CURVE, SIGNAL, SMOOTH, TRUTH

SIGNIFICANCE = "$Z_A$"


@painters_style.with_style
def spectrum(scan: xr.Dataset) -> Figure:
    """Signal peak on a falling background (thesis Fig. 7.3)."""
    figure, axes = painters_style.panels(1, 1, size=(4.8, 3.2))
    _spectra(axes[0, 0], scan)
    axes[0, 0].legend()
    return figure


@painters_style.with_style
def guessed_cut(scan: xr.Dataset) -> Figure:
    """Significance without a cut, and with a guessed one (thesis Fig. 7.4)."""
    figure, axes = painters_style.panels(1, 2, size=(3.6, 3.0))
    value = float(scan["guess"])
    titles = ("no cut", f"cut at $x = {value:g}$")
    for axis, place, name, title in zip(axes.flat, (None, value), ("none", "guess"), titles, strict=True):
        _spectra(axis, scan, place)
        axis.set_title(f"{title}: {SIGNIFICANCE} = {float(scan[f'significance_{name}']):.2f}")
        axis.label_outer()
    axes[0, 1].legend()
    return figure


@painters_style.with_style
def sigmoids(scan: xr.Dataset) -> Figure:
    """Weights of events under a hard cut and under sigmoids of several slopes (thesis Fig. 7.5)."""
    figure, axes = painters_style.panels(1, 1, size=(4.8, 3.2))
    axis = axes[0, 0]
    for colour, slope in zip(painters_style.ordered_colours(scan.sizes["slope"]), scan["slope"].values, strict=True):
        axis.plot(scan["distance"], scan["weight"].sel(slope=slope), color=colour, label=f"slope {slope:g}")
    axis.plot(scan["distance"], scan["distance"] > 0, "--", color=TRUTH, linewidth=1.2, label="hard cut")
    axis.set(xlabel="$x$ − cut", ylabel="weight of an event")
    axis.legend()
    return figure


@painters_style.with_style
def significances(scan: xr.Dataset) -> Figure:
    """Significance over the cut, hard and smooth, with the best of each marked (thesis Fig. 7.6)."""
    figure, axes = painters_style.panels(1, 1, size=(4.8, 3.4))
    axis = axes[0, 0]
    for colour, slope in zip(painters_style.ordered_colours(scan.sizes["slope"]), scan["slope"].values, strict=True):
        here = scan.sel(slope=slope)
        axis.plot(scan["cut"], here["smooth"], color=colour, label=f"slope {slope:g}")
        axis.plot(here["best_smooth"], here["smooth"].max(), "o", color=colour)
    axis.plot(scan["cut"], scan["hard"], "--", color=TRUTH, linewidth=1.2, label="hard cut")
    best = float(scan["best"])
    axis.plot(best, scan["significance_best"], "*", color=CURVE, markersize=11)
    axis.set(xlabel="cut on $x$", ylabel=SIGNIFICANCE, title=f"best hard cut at $x = {best:.2f}$")
    axis.legend(loc="lower left")
    return figure


@painters_style.with_style
def learned_cut(scan: xr.Dataset, descent: xr.Dataset) -> Figure:
    """The cut that gradient descent finds beside the best one, on the way and in the spectrum (thesis Fig. 7.7)."""
    figure, axes = painters_style.panels(1, 2, size=(3.9, 3.2))
    steps, spectrum_ = axes.flat
    steps.plot(descent["cut"], color=SMOOTH)
    steps.axhline(float(scan["best"]), color=CURVE, linestyle="--", linewidth=1.2)
    steps.set(xlabel="step of Adam", ylabel="cut on $x$")
    _spectra(spectrum_, scan)
    for place, significance, colour, style, name in (
        (descent["found"], descent["significance_found"], SMOOTH, "-", "learned"),
        (scan["best"], scan["significance_best"], CURVE, "--", "best"),
    ):
        label = f"{name}: $x = {float(place):.2f}$, {SIGNIFICANCE} = {float(significance):.3f}"
        spectrum_.axvline(float(place), color=colour, linestyle=style, label=label)
    painters_style.legend_above(figure, spectrum_, columns=2)
    return figure


@painters_style.with_style
def evaluations(comparison: xr.Dataset) -> Figure:
    """Best significance found against number of evaluations, one panel a number of cuts (ours)."""
    figure, axes = painters_style.panels(1, comparison.sizes["cuts"], size=(3.8, 3.1))
    for axis, cuts in zip(axes.flat, comparison["cuts"].values, strict=True):
        here = comparison.sel(cuts=cuts)
        best = float(here["best"])
        painters_style.band(
            axis, here["evaluation"].values, here["bayesian"].values / best, color=CURVE, label="Bayesian optimisation"
        )
        for colour, rate in zip(painters_style.ordered_colours(here.sizes["rate"]), here["rate"].values, strict=True):
            values = here["gradient"].sel(rate=rate) / best
            axis.plot(here["step"], values, color=colour, label=f"Adam, learning rate {rate:g}")
        axis.set(xscale="log", xlabel="evaluations", title=f"{cuts} cut" + "s" * int(cuts > 1))
        axis.set_ylim(0.5, 1.02)
        axis.label_outer()
    axes[0, 0].set_ylabel(f"best hard {SIGNIFICANCE} so far / best of all")
    painters_style.legend_above(figure, axes[0, 0], columns=3, note="band: ±1 standard deviation over seeds")
    return figure


def _spectra(axis: Axes, scan: xr.Dataset, cut: float | None = None) -> None:
    """Expected events of signal, in front, and background; what a cut removes is faint."""
    edges = scan["edges"].values
    kept = edges[:-1] >= (-np.inf if cut is None else cut - 1e-9)
    for name, colour in (("background", BACKGROUND), ("signal", SIGNAL)):
        events = scan[name].values
        axis.stairs(events, edges, fill=True, color=colour, alpha=0.25)
        axis.stairs(np.where(kept, events, 0.0), edges, fill=True, color=colour, label=name)
    if cut is not None:
        axis.axvline(cut, color=TRUTH, linestyle="--", linewidth=1.2)
    axis.set(xlabel="$x$", ylabel=f"events / {edges[1] - edges[0]:.2g}", yscale="log", xlim=(0, edges[-1]))
    axis.set_ylim(bottom=0.5)
