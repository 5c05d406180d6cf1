"""Figures of the study of VBF HH -> 4b: what an optimisation goes through, step by step."""

from collections.abc import Iterator
from operator import itemgetter

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from scipy.stats import norm

from diffhep.figures.painters import style
from diffhep.figures.painters.style import BACKGROUND, CURVE, DOWN, HARD, SIGNAL, SMOOTH, TRUTH, UP

LABELS = {
    "m_hh": r"$m_{HH}$ [GeV]",
    "m_jj": r"$m_{jj}$ [GeV]",
    "deta_jj": r"$|\Delta\eta_{jj}|$",
    "pt_j1": r"$p_T(j_1)$ [GeV]",
    "pt_j2": r"$p_T(j_2)$ [GeV]",
    "pt_h1": r"$p_T(H_1)$ [GeV]",
    "pt_h2": r"$p_T(H_2)$ [GeV]",
    "network": "score of the network",
}
CLS = r"expected CL$_s$"
STEP = "step"
CUTS = ("m_jj", "deta_jj")
PARTS = {"train": (SMOOTH, "training"), "valid": (SIGNAL, "validation"), "test": (CURVE, "test")}


@style.with_style
def inputs(events: xr.Dataset) -> Figure:
    """Density of every variable, of each sample and systematic variation."""
    figure, axes = style.grid(events.sizes["variable"], columns=4, size=(2.9, 2.5))
    looks = [(SIGNAL, "signal"), (UP, "signal, jet $p_T$ up"), (DOWN, "signal, jet $p_T$ down")]
    for axis, name in zip(axes, events["variable"].values, strict=True):
        signal, background = (events[sample].sel(variable=name).values for sample in ("signal", "background"))
        high = max(np.quantile(background, 0.998), np.quantile(signal, 0.985))
        edges = np.linspace(background.min(), high, 41)
        for (colour, label), values, weights in zip(looks, signal, events["signal_weight"].values, strict=True):
            heights = np.histogram(values, edges, weights=weights, density=True)[0]
            axis.stairs(heights, edges, color=colour, label=label)
        heights = np.histogram(background, edges, weights=events["background_weight"].values, density=True)[0]
        axis.stairs(heights, edges, color=BACKGROUND, fill=True, alpha=0.4, label="background", zorder=0)
        axis.set(xlabel=LABELS[name], yticks=[], xlim=(edges[0], edges[-1]))
    for axis in axes[::4]:
        axis.set_ylabel("density")
    style.legend_above(figure, axes[0], columns=4)
    return figure


@style.with_style
def losses(m_hh: xr.Dataset, network: xr.Dataset) -> Figure:
    """Expected CLs of training, validation and test events against step, and the smooth one that is trained on."""
    figure, axes = style.panels(1, 2, size=(4.2, 3.2))
    for axis, run, title in zip(axes.flat, (m_hh, network), ("$m_{HH}$", "network"), strict=True):
        for part, (colour, label) in PARTS.items():
            axis.plot(run["step"], run[f"cls_{part}"].mean("seed"), color=colour, label=f"{label}, hard")
        axis.plot(run["step"], run["cls_smooth"].mean("seed"), "--", color=TRUTH, label="training, smooth")
        axis.set(xlabel=STEP, yscale="log", title=title)
    axes[0, 0].set_ylabel(CLS)
    style.legend_above(figure, axes[0, 0], columns=4)
    return figure


@style.with_style
def bandwidths(runs: dict[str, xr.Dataset], named: dict[str, str]) -> Figure:
    """Bandwidth against step for several least ones, and the CLs of validation events with it."""
    figure, axes = style.panels(1, 2, size=(4.2, 3.2))
    ordered = sorted(named.items(), key=itemgetter(1))  # by what is told of them
    for colour, (name, label) in zip(style.ordered_colours(len(named)), ordered, strict=True):
        run = runs[name]
        axes[0, 0].plot(run["step"], run["bandwidth"].isel(seed=0), color=colour, label=label)
        axes[0, 1].plot(run["step"], run["cls_train"].isel(seed=0), color=colour)
        axes[0, 1].plot(run["step"], run["cls_valid"].isel(seed=0), color=colour, linestyle="--")
    axes[0, 0].set(xlabel=STEP, ylabel="bandwidth [range of $m_{HH}$]", yscale="log")
    axes[0, 1].set(xlabel=STEP, ylabel=CLS, yscale="log", title="solid: training, dashed: validation")
    style.legend_above(figure, axes[0, 0], columns=4)
    return figure


@style.with_style
def bins(run: xr.Dataset) -> Figure:
    """Draw the bin edges against step."""
    figure, axes = style.panels(1, 1, size=(4.8, 3.6))
    axis, edges = axes[0, 0], run["edges"].isel(seed=0)
    for place, colour in enumerate(style.ordered_colours(run.sizes["edge"] - 2)):
        axis.plot(edges.isel(edge=place + 1), run["step"], color=colour)
    for place in (0, -1):
        axis.axvline(float(edges[0, place]), color=TRUTH, linewidth=1.2)
    axis.set(xlabel=LABELS["m_hh"], ylabel=STEP, ylim=(0, float(run["step"][-1])))
    return figure


@style.with_style
def cuts(steep: xr.Dataset, annealed: xr.Dataset, landscape: xr.Dataset) -> Figure:
    """Both cuts against step, at the document's slope and with a slope that grows; dashed: the best pair of a scan."""
    figure, axes = style.panels(1, 2, size=(4.2, 3.2))
    for axis, name in zip(axes.flat, CUTS, strict=True):
        for run, colour, label in ((steep, CURVE, "slope 20 000"), (annealed, SMOOTH, "slope 20 to 20 000 (ours)")):
            axis.plot(run["step"], run["cuts"].sel(cut=name).isel(seed=0), color=colour, label=label)
        best = float(landscape["best"].sel(binning="five", cut=name))
        axis.axhline(best, color=TRUTH, linestyle="--", linewidth=1.2, label="best pair in fixed bins")
        axis.set(xlabel=STEP, ylabel=f"cut on {LABELS[name]}")
    style.legend_above(figure, axes[0, 0], columns=3)
    return figure


@style.with_style
def evolution(run: xr.Dataset, shares: list[float], observable: str) -> Figure:
    """Histograms of signal and background at chosen steps, hard and smooth, with the smooth curve behind them."""
    steps = [round(share * (run.sizes["step"] - 1)) for share in shares]
    figure, axes = style.panels(2, len(steps), size=(2.9, 2.4))
    for column, step in zip(axes.T, steps, strict=True):
        _histograms(column, run.isel(seed=0, step=step), observable)
        column[0].set_title(f"step {int(run['step'][step])}")
        column[1].set_xlabel(LABELS[observable])
    style.legend_above(figure, axes[0, 0], columns=3)
    return figure


@style.with_style
def frame(run: xr.Dataset, step: int, observable: str) -> Figure:
    """One picture of the animation: histograms at a step beside the CLs and the bandwidth up to it."""
    figure = Figure(figsize=(8.4, 4.4), layout="constrained")
    left, right = figure.subplots(2, 2, width_ratios=(3, 2)).T
    here = run.isel(seed=0)
    _histograms(left, here.isel(step=step), observable)
    for axis, name in zip(left, ("signal", "background"), strict=True):
        highest = max(_densities(here.isel(step=n), name)["train"].max() for n in range(run.sizes["step"]))
        axis.set_ylim(top=1.15 * float(highest))
    left[1].set_xlabel(LABELS[observable])
    left[0].set_title(f"step {int(run['step'][step])}", loc="left")
    left[0].legend(loc="upper right")
    for axis, name, label in zip(right, ("cls_valid", "bandwidth"), (f"{CLS}, validation", "bandwidth"), strict=True):
        axis.plot(run["step"], here[name], color=HARD)
        axis.plot(run["step"][: step + 1], here[name][: step + 1], color=CURVE)
        axis.set(ylabel=label, yscale="log")
    right[1].set_xlabel(STEP)
    return figure


def animation(run: xr.Dataset, observable: str) -> Iterator[Figure]:
    """The histograms as they change from step to step."""
    for step in range(run.sizes["step"]):
        yield frame(run, step, observable)


def _densities(here: xr.Dataset, name: str) -> dict[str, np.ndarray]:
    """Hard and smooth histogram of one step, in events for each width that the bins have on average."""
    widths = np.diff(here["edges"].values)
    values = {kind: here[f"{name}_{kind}"] for kind in ("train", "smooth")}
    nominal = {kind: each.isel(variation=0) if name == "signal" else each for kind, each in values.items()}
    return {kind: each.values * widths.mean() / widths for kind, each in nominal.items()}


def _histograms(axes: np.ndarray, here: xr.Dataset, observable: str) -> None:
    """Signal above background at one step, as densities."""
    edges = here["edges"].values
    reach, unit = edges[-1] - edges[0], np.diff(edges).mean()
    centres = edges[0] + (np.arange(here.sizes["fine_bin"]) + 0.5) / here.sizes["fine_bin"] * reach
    width = max(float(here["bandwidth"]) * reach, centres[1] - centres[0])
    for row, (axis, name, colour) in enumerate(zip(axes, ("signal", "background"), (SIGNAL, BACKGROUND), strict=True)):
        found = _densities(here, name)
        axis.stairs(found["train"], edges, fill=True, color=colour, alpha=0.45, label="hard")
        axis.stairs(found["smooth"], edges, color=TRUTH, label="smooth")
        fine = here["fine"].isel(sample=row).values
        fine = fine * (found["train"] @ np.diff(edges)) / unit / max(fine.sum(), 1e-12)  # one tag, not yet estimated
        curve = unit * norm.pdf(centres[:, None], centres, width) @ fine
        axis.plot(centres, curve, color=CURVE, linewidth=1.0, label="smeared events")
        told = f"{unit:.1f}" if observable == "network" else f"{unit:.0f} GeV"
        axis.set(ylabel=f"{name} / {told}", xlim=(edges[0], edges[-1]))
        if name == "background" or observable == "network":
            axis.set_yscale("log")
            axis.set_ylim(bottom=1e-2)


@style.with_style
def deviations(runs: dict[str, xr.Dataset], named: dict[str, str]) -> Figure:
    """Largest deviation of a bin of the smooth histogram from the hard one against step, of signal and background."""
    figure, axes = style.panels(1, 2, size=(4.2, 3.2))
    for axis, name in zip(axes.flat, ("signal", "background"), strict=True):
        for colour, (run, label) in zip(style.ordered_colours(len(named)), named.items(), strict=True):
            values = runs[run][f"{name}_smoothing_bias"].isel(seed=0)
            axis.plot(runs[run]["step"], values, color=colour, label=label)
        axis.axhline(1, color=TRUTH, linestyle="--", linewidth=1.2)
        axis.set(xlabel=STEP, yscale="log", title=name, ylim=(0.03, 300))
    axes[0, 0].set_ylabel("largest deviation of a bin [%]")
    style.share_range(list(axes.flat))
    style.legend_above(figure, axes[0, 0], columns=3)
    return figure


@style.with_style
def systematics(run: xr.Dataset) -> Figure:
    """Relative uncertainties against step: jet momenta in each bin of the signal, transfer factor and statistics."""
    figure, axes = style.panels(1, 2, size=(4.2, 3.2))
    here = run.isel(seed=0)
    colours = style.ordered_colours(run.sizes["bin"])
    for number, colour in enumerate(colours):
        signal = here["signal_train"].isel(bin=number)
        label = f"bin {number + 1}"
        axes[0, 0].plot(run["step"], signal.isel(variation=1) / signal.isel(variation=0), color=colour, label=label)
        axes[0, 0].plot(run["step"], signal.isel(variation=2) / signal.isel(variation=0), "--", color=colour)
        axes[0, 1].plot(run["step"], here["statistical"].isel(bin=number), color=colour)
    axes[0, 1].plot(run["step"], here["normalisation"], color=CURVE, linewidth=2.2, label="transfer factor")
    axes[0, 0].set(xlabel=STEP, ylabel="signal / nominal", title="jet $p_T$ up (solid), down (dashed)")
    axes[0, 1].set(xlabel=STEP, ylabel="relative uncertainty", yscale="log", title="background")
    handles = [*axes[0, 0].get_legend_handles_labels()[0], *axes[0, 1].get_legend_handles_labels()[0]]
    style.legend_above(figure, handles, columns=6)
    return figure


@style.with_style
def schedules(steep: xr.Dataset, annealed: xr.Dataset) -> Figure:
    """Learning rate, and slopes of the sigmoids, against step."""
    figure, axes = style.panels(1, 2, size=(3.8, 2.9))
    axes[0, 0].plot(steep["step"], steep["rate"], color=TRUTH)
    axes[0, 0].set(xlabel=STEP, ylabel="learning rate", yscale="log")
    for run, colour, label in ((steep, CURVE, "document's"), (annealed, SMOOTH, "ours")):
        axes[0, 1].plot(run["step"], run["slope"].isel(seed=0), color=colour, label=label)
    axes[0, 1].set(xlabel=STEP, ylabel="slope of the cuts' sigmoids", yscale="log")
    axes[0, 1].legend()
    return figure
