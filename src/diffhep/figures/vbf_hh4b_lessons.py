"""Figures of the study of VBF HH -> 4b: what works, what does not, and what it is worth."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from diffhep.figures.painters import style
from diffhep.figures.painters.style import BACKGROUND, CURVE, HARD, SIGNAL, SMOOTH, TRUTH, UP
from diffhep.figures.vbf_hh4b import CLS, CUTS, LABELS, STEP

STRATEGIES = {
    "traditional": "cuts scanned, fixed bins",
    "m_hh": "automated",
    "m_hh_annealed": "automated, annealed (ours)",
    "cross_entropy": "cross-entropy, equal bins",
    "network": "automated",
    "network_annealed": "automated, annealed (ours)",
}


@style.with_style
def cuts_by_slope(judged: xr.Dataset, comparison: xr.Dataset, runs: dict[str, xr.Dataset]) -> Figure:
    """Both cuts against step for several slopes, and how far from the best cuts they end."""
    figure, axes = style.panels(1, 3, size=(3.6, 3.1))
    ordered = [str(name) for name in judged["run"].values]
    for colour, name in zip(style.ordered_colours(len(ordered)), ordered, strict=True):
        for axis, cut in zip(axes.flat, CUTS, strict=False):
            run = runs[name]
            label = f"slope {name.removeprefix('slope_')}"
            axis.plot(run["step"], run["cuts"].sel(cut=cut).isel(seed=0), color=colour, label=label)
            axis.set(xlabel=STEP, ylabel=f"cut on {LABELS[cut]}")
        values = [float(name.removeprefix("slope_")), 100 * float(comparison["missed"].sel(slope_run=name))]
        axes[0, 2].plot(*values, "o", color=colour, markersize=7)
    axes[0, 2].axhline(0, color=TRUTH, linestyle="--", linewidth=1.2)
    axes[0, 2].set(xscale="log", xlabel="slope", ylabel="CL$_s$ above that of the scan [%]")
    style.legend_above(figure, axes[0, 0], columns=6)
    return figure


@style.with_style
def cls_landscape(landscape: xr.Dataset, gentle: xr.Dataset, steep: xr.Dataset) -> Figure:
    """Expected CLs over both cuts, with the ways that gradients of gentle and of steep sigmoids go."""
    figure, axes = style.panels(1, 1, size=(5.6, 4.4))
    here, axis = landscape.sel(binning="three"), axes[0, 0]
    _plane(figure, axis, here)
    for run, colour in ((gentle, SMOOTH), (steep, CURVE)):
        slope = float(run["slope"].isel(seed=0, step=-1))
        _path(axis, run["cuts"].isel(seed=0), colour, label=f"slope {slope:g}, from ● to ■")
    look = {"color": "white", "markeredgecolor": TRUTH, "markersize": 13, "linestyle": "none"}
    axis.plot(*here["best"].values, marker="*", label="best pair of the scan", **look)
    style.legend_above(figure, axis, columns=2)
    return figure


@style.with_style
def paths_from_starts(
    landscape: xr.Dataset, steep: xr.Dataset, annealed: xr.Dataset, comparison: xr.Dataset, plateau: float
) -> Figure:
    """Ways from many starts, at the document's slope and with one that grows; white: the plateau around the best."""
    figure, axes = style.panels(1, 2, size=(4.6, 3.9))
    here = landscape.sel(binning="three")
    for axis, run, name, title in zip(
        axes.flat,
        (steep, annealed),
        ("starts_steep", "starts_annealed"),
        ("slope 20 000", "slope 20 to 20 000 (ours)"),
        strict=True,
    ):
        _plane(figure if axis is axes[0, 1] else None, axis, here)
        level = (1 + plateau) * float(here["best_cls"])
        axis.contour(here["m_jj"], here["deta_jj"], here["cls"].T, levels=[level], colors="white", linewidths=1.6)
        for seed in run["seed"].values:
            _path(axis, run["cuts"].sel(seed=seed), CURVE)
        reached = int(comparison["reached"].sel(start_run=name))
        axis.set_title(f"{title}: {reached} of {int(comparison['starts'])} reach the plateau", fontsize="medium")
    axes[0, 1].set_ylabel("")
    return figure


def _plane(figure: Figure | None, axis: Axes, here: xr.Dataset) -> None:
    filled = axis.contourf(here["m_jj"], here["deta_jj"], np.log10(here["cls"].T), levels=24, cmap="viridis_r")
    if figure is not None:
        figure.colorbar(filled, ax=axis, label=r"$\log_{10}$ expected CL$_s$")
    axis.set(xlabel=f"cut on {LABELS[CUTS[0]]}", ylabel=f"cut on {LABELS[CUTS[1]]}")


def _path(axis: Axes, cuts: xr.DataArray, colour: str, label: str | None = None) -> None:
    way = cuts.sel(cut=list(CUTS)).transpose("step", "cut").values
    axis.plot(*way.T, "-", color="white", linewidth=2.6)
    axis.plot(*way.T, "-", color=colour, linewidth=1.4, label=label)
    axis.plot(*way[0], "o", color=colour, markeredgecolor="white", markersize=6)
    axis.plot(*way[-1], "s", color=colour, markeredgecolor="white", markersize=6)


@style.with_style
def exploited_uncertainty(data: xr.Dataset) -> Figure:
    """Found over estimated events in the validation region: what was optimised on, and what other data would show."""
    figure, axes = style.panels(2, 2, size=(4.3, 2.7))
    titles = {"outside": "uncertainty outside the loss", "inside": "uncertainty inside the loss"}
    grid = np.geomspace(float(data["fresh"].min()), float(data["fresh"].max()), 40)
    for column, (run, title) in zip(axes.T, titles.items(), strict=True):
        here = data.sel(run=run)
        _ratios(column[0], here.isel(fold=0))
        column[0].set(title=title, ylim=(-0.1, 2.6))
        for fold, colour in enumerate(style.ordered_colours(data.sizes["fold"])):
            of_fold = here.isel(fold=fold)
            other = np.histogram(of_fold["fresh"], grid)[0]
            column[1].stairs(other, grid, color=colour, label=f"fold {fold + 1}: other data (steps), claimed (dashed)")
            column[1].axvline(float(of_fold["claimed"]), color=colour, linestyle="--")
        column[1].set(xscale="log", xlabel=CLS)
    style.share_range(list(axes[1]))
    axes[0, 0].set_ylabel("found / estimated")
    axes[1, 0].set_ylabel("sets of data")
    handles = [*axes[0, 0].get_legend_handles_labels()[0], *axes[1, 0].get_legend_handles_labels()[0]]
    style.legend_above(figure, handles, columns=2)
    return figure


def _ratios(axis: Axes, here: xr.Dataset) -> None:
    edges, estimated = here["edges"].values, here["estimated"].values
    centres, spread = (edges[1:] + edges[:-1]) / 2, 1 / np.sqrt(np.maximum(estimated, 1e-9))
    axis.stairs(
        1 + spread,
        edges,
        baseline=np.maximum(1 - spread, 0),
        fill=True,
        color=HARD,
        alpha=0.5,
        label="±1σ of such data",
    )
    axis.stairs(here["true_ratio"], edges, baseline=None, color=TRUTH, linestyle="--", label="expected")
    axis.plot(centres, here["found"] / estimated, "o", color=CURVE, label="optimised on")
    axis.set(xlabel=LABELS["m_hh"], xlim=(edges[0], edges[-1]))


@style.with_style
def comparison(judged: xr.Dataset, traditional: xr.Dataset, comparison: xr.Dataset) -> Figure:
    """Traditional analyses beside automated ones, of m_HH and of a network: histograms and limits on equal events."""
    figure, axes = style.panels(2, 3, size=(3.4, 2.7))
    rows = (("traditional", "m_hh", "m_hh_annealed"), ("cross_entropy", "network", "network_annealed"))
    for row, names, observable in zip(axes, rows, ("m_hh", "network"), strict=True):
        for axis, name in zip(row, names, strict=True):
            source = traditional if name == "traditional" else judged
            _spectrum(axis, source.sel(run=f"{name}_fold_0").isel(seed=0))
            limits = comparison["limit"].sel(strategy=name).values
            axis.set_title(
                f"{STRATEGIES[name]}\n95 % CL limit on $\\mu$: {limits.mean():.3f} ± {limits.std(ddof=1):.3f}",
                fontsize="small",
            )
            axis.set_xlabel(LABELS[observable])
        row[0].set_ylabel("events")
    style.legend_above(
        figure, axes[0, 0], columns=2, note="±: standard deviation over folds; pictures are of the first"
    )
    return figure


def _spectrum(axis: Axes, here: xr.Dataset) -> None:
    edges = here["edges"].values[np.isfinite(here["edges"].values)]
    for name, colour in (("background", BACKGROUND), ("signal", SIGNAL)):
        values = here[name].values[: len(edges) - 1]
        fill = {"fill": True, "alpha": 0.45} if name == "background" else {"linewidth": 2.0}
        axis.stairs(values, edges, color=colour, label=name, **fill)
    axis.set(yscale="log", xlim=(edges[0], edges[-1]))
    axis.set_ylim(bottom=1e-2)


@style.with_style
def fixed_bandwidths(comparison: xr.Dataset) -> Figure:
    """CLs after training with bandwidths that are held, beside the one that is trained, at both kinds of slopes."""
    figure, axes = style.panels(1, comparison.sizes["point"], size=(4.0, 3.1))
    for axis, point in zip(axes.flat, comparison["point"].values, strict=True):
        for place, (run, colour) in enumerate(zip(comparison["run"].values, (CURVE, HARD, SMOOTH, UP), strict=False)):
            values = comparison["held"].sel(point=point, run=run).isel(epoch=-1).values
            axis.plot(np.full(len(values), place), values, "o", color=colour, markersize=6)
            axis.plot([place - 0.25, place + 0.25], [values.mean()] * 2, color=TRUTH)
        emptiest = comparison["emptiest"].sel(point=point).values
        names = [str(run).replace("held_", "held at ") for run in comparison["run"].values]
        told = [f"{name}\n({events:.2f})" for name, events in zip(names, emptiest, strict=True)]
        axis.set_xticks(range(len(told)), told, fontsize="small")
        axis.set(title=str(point), yscale="log")
    axes[0, 0].set_ylabel(CLS)
    style.share_range(list(axes.flat))
    return figure


@style.with_style
def minimum_events(runs: dict[str, xr.Dataset], named: dict[str, str]) -> Figure:
    """Background in each bin, bandwidth and CLs against step for several numbers of least events in a bin."""
    figure, axes = style.panels(1, 3, size=(3.5, 3.0))
    for colour, (name, label) in zip(style.ordered_colours(len(named)), named.items(), strict=True):
        run = runs[name].isel(seed=0)
        axes[0, 0].plot(run["step"], run["background_train"].min("bin"), color=colour, label=label)
        axes[0, 1].plot(run["step"], run["bandwidth"], color=colour)
        axes[0, 2].plot(run["step"], run["cls_valid"], color=colour)
    for axis, label in zip(
        axes.flat, ("background in the emptiest bin", "bandwidth [range]", f"{CLS}, validation"), strict=True
    ):
        axis.set(xlabel=STEP, ylabel=label, yscale="log")
    style.legend_above(figure, axes[0, 0], columns=3)
    return figure
