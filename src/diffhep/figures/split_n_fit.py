"""Figures of the study of Split-N-Fit."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from scipy import stats

from diffhep.figures.painters import style

NETWORKS = {
    "wrong": ("trained on the wrong background", style.SIGNAL),
    "tuned": ("the same, fine-tuned by Split-N-Fit", style.CURVE),
    "correct": ("trained on the correct background", style.SMOOTH),
}
KINDS = {
    "before": ("before fine-tuning", style.SIGNAL),
    "folded": ("fine-tuned in folds", style.CURVE),
    "unfolded": ("fine-tuned on all the data", style.UP),
}
MASS = r"$m_{\gamma\gamma}$ [GeV]"
SIGNIFICANCE = r"significance [σ], $\pm\sqrt{2\,\Delta\log L}$"


@style.with_style
def fits(experiments: xr.Dataset) -> Figure:
    """One pseudo-experiment of each network with its fits (Split-N-Fit Fig. 2)."""
    figure, axes = style.grid(3, size=(3.7, 3.4))
    edges = experiments["edges"].values
    for axis, (name, (title, _)) in zip(axes, NETWORKS.items(), strict=True):
        here = experiments.sel(network=name)
        _spectrum(axis, edges, here["counts"].values)
        for fit, (colour, line, label) in {
            "alone": (style.SMOOTH, "--", "fit of background"),
            "both": (style.CURVE, "-", "fit of signal + background"),
        }.items():
            axis.stairs(here[fit], edges, baseline=None, color=colour, linestyle=line, label=label, linewidth=1.4)
        axis.set_title(f"{title}\n{float(here['significance'][0]):.1f} σ", fontsize="small")
        axis.set(xlabel=MASS, xlim=(edges[0], edges[-1]), ylim=(0, None))
    axes[0].set_ylabel(f"events / {edges[1] - edges[0]:g} GeV")
    style.legend_above(figure, axes[0], columns=3)
    return figure


def _spectrum(axis: Axes, edges: np.ndarray, counts: np.ndarray) -> None:
    """Counts with their Poisson errors."""
    middle = (edges[1:] + edges[:-1]) / 2
    axis.errorbar(
        middle,
        counts,
        np.sqrt(counts),
        fmt="o",
        color=style.TRUTH,
        markersize=2.5,
        linewidth=0.8,
        label="pseudo-data",
    )


@style.with_style
def score_and_mass(spectra: xr.Dataset, *, network: str = "tuned") -> Figure:
    """Score and mass of the expected events, and both projections (Split-N-Fit Fig. 3, left)."""
    figure = Figure(figsize=(6.4, 5.4), layout="constrained")
    axes = figure.subplots(2, 2, width_ratios=[3, 1], height_ratios=[1, 3])
    top, corner, axis, right = axes.flat
    corner.set_visible(False)
    here, edges = spectra.sel(network=network), spectra["edges"].values
    total, rows = here["plane"].sum("sample"), np.linspace(0, 1, spectra.sizes["score"] + 1)
    norm = LogNorm(max(float(total.where(total > 0).min()), 1e-2), float(total.max()))
    drawn = axis.pcolormesh(edges, rows, total.where(total > 0), norm=norm, rasterized=True)
    axis.set(xlabel=MASS, ylabel="score")
    axis.grid(visible=False)
    axis.axhline(float(spectra["cut"]), color="white", linestyle="--", linewidth=1)
    for name, colour, factor in (("background", style.BACKGROUND, 1), ("signal", style.SIGNAL, 10)):
        one, label = factor * here.sel(sample=name), name if factor == 1 else f"{name} × {factor}"
        top.stairs(one["passed"], edges, color=colour, label=label)
        right.stairs(one["plane"].sum("bin"), rows, orientation="horizontal", color=colour)
    top.set(xlim=(edges[0], edges[-1]), ylabel=f"score > {float(spectra['cut']):g}")
    top.tick_params(labelbottom=False)
    right.set(ylim=(0, 1), xscale="log", xlabel="events")
    right.tick_params(labelleft=False)
    top.legend(fontsize="small")
    figure.colorbar(drawn, ax=right, label="expected events in a bin")
    return figure


@style.with_style
def significances(experiments: xr.Dataset) -> Figure:
    """Significance in many pseudo-experiments, with medians (Split-N-Fit Fig. 3, right)."""
    figure, axes = style.panels(1, 1, size=(5.6, 3.8))
    axis, values = axes[0, 0], experiments["significance"]
    edges = np.linspace(float(values.min()), float(values.max()), 36)
    for name, (label, colour) in NETWORKS.items():
        here = values.sel(network=name).values
        axis.hist(here, edges, histtype="stepfilled", color=colour, alpha=0.25)
        axis.hist(here, edges, histtype="step", color=colour, label=f"{label}: {np.median(here):.2f}")
        axis.axvline(np.median(here), color=colour, linestyle="--")
    axis.set(xlabel=SIGNIFICANCE, ylabel="pseudo-experiments")
    style.legend_above(figure, axis, columns=1)
    return figure


@style.with_style
def cuts(spectra: xr.Dataset) -> Figure:
    """Expected significance by the cut on the score (ours)."""
    figure, axes = style.panels(1, 1, size=(5.4, 3.6))
    axis, number = axes[0, 0], spectra.sizes["score"]
    for name, (label, colour) in NETWORKS.items():
        values = spectra["by_cut"].sel(network=name).values
        axis.plot(np.arange(number) / number, values, color=colour, label=label)
        axis.plot(values.argmax() / number, values.max(), "o", color=colour, markersize=5)
    axis.axvline(float(spectra["cut"]), color=style.TRUTH, linestyle=":", linewidth=1.2)
    axis.set(xlabel="cut on the score", ylabel="expected significance [σ]", ylim=(0, None), xlim=(0, 1))
    style.legend_above(figure, axis, columns=1)
    return figure


@style.with_style
def fine_tuned_data_sets(sets: dict[str, xr.Dataset]) -> Figure:
    """Fine-tuning on single data sets with more and less signal: what is seen there, and what it is worth (ours)."""
    figure, axes = style.grid(2, size=(4.2, 3.5))
    names = sorted(sets, key=float)
    strengths = np.array([float(name) for name in names])
    for axis, (variable, title) in zip(
        axes,
        {"observed": "seen in the data fine-tuned on", "true": "expected at the expected signal"}.items(),
        strict=True,
    ):
        for kind, (label, colour) in KINDS.items():
            values = np.array([sets[name][variable].sel(kind=kind).values for name in names])
            style.band(axis, strengths, values.T, color=colour, label=label)
        axis.set(xlabel="signal in the data / expected signal", title=title)
    axes[0].set_ylabel(SIGNIFICANCE)
    style.legend_above(figure, axes[0], columns=3, note="lines: mean over data sets, bands: ±1 standard deviation")
    return figure


@style.with_style
def spurious_significances(nothing: xr.Dataset) -> Figure:
    """Significance of a signal that is not there, after fine-tuning on the data (ours)."""
    figure, axes = style.panels(1, 1, size=(5.6, 3.6))
    axis, values = axes[0, 0], nothing["observed"]
    low, high = min(float(values.min()), -3.0), max(float(values.max()), 3.0)
    edges, x = np.linspace(low, high, 17), np.linspace(low, high, 300)
    for kind, (label, colour) in KINDS.items():
        here = values.sel(kind=kind).values
        axis.hist(here, edges, histtype="step", density=True, color=colour, label=f"{label}: {np.abs(here).mean():.2f}")
    axis.plot(x, stats.norm.pdf(x), color=style.TRUTH, linestyle=":", label=f"normal: {np.sqrt(2 / np.pi):.2f}")
    axis.set(xlabel=SIGNIFICANCE, ylabel="density of data sets without signal")
    style.legend_above(figure, axis, columns=2, note="numbers: mean size of the significance")
    return figure


@style.with_style
def background_sculpting(**spectra: xr.Dataset) -> Figure:
    """Background alone above the cut, which looks like a signal if inputs know the mass; arguments name rows (ours)."""
    figure, axes = style.panels(len(spectra), 3, size=(3.5, 2.8))
    for row, (inputs, found) in zip(axes, spectra.items(), strict=True):
        edges = found["edges"].values
        for axis, (name, (title, colour)) in zip(row, NETWORKS.items(), strict=True):
            here = found.sel(network=name)
            axis.stairs(here["passed"].sel(sample="background"), edges, baseline=None, color=colour, linewidth=1.5)
            axis.set_title(f"{title}\n{inputs} inputs: {float(here['spurious']):+.1f} σ", fontsize="small")
            axis.set(xlim=(edges[0], edges[-1]), ylim=(0, None))
        row[0].set_ylabel(f"background / {edges[1] - edges[0]:g} GeV")
    for axis in axes[-1]:
        axis.set_xlabel(MASS)
    return figure
