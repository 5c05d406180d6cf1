"""Figures of the search for X -> SH -> bb gamma gamma (thesis chapter 9)."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from diffhep.figures.painters import mass_plane, score_panels, style


@style.with_style
def mass_points(signal: xr.Dataset, *, split: bool) -> Figure:
    """Draw the mass points of the simulated signal (thesis Figs. 9.4 and 9.9).

    Args:
        signal: `masses` (point, mass) in GeV and `held_out` (point).
        split: Draw training points and unseen points in different colours.
    """
    figure, axes = style.panels(1, 1, size=(6.0, 3.8))
    axis, masses = axes[0, 0], signal["masses"].values
    if split:
        mass_plane.mark_points(axis, masses, signal["held_out"].values)
        style.legend_above(figure, axis, columns=2)
    else:
        axis.plot(*masses.T, "o", color=style.TRUTH, markersize=5)
    mass_plane.set_limits([axis], masses)
    mass_plane.label_forbidden_region(axis)
    return figure


@style.with_style
def mass_histograms(predicted: xr.Dataset, background: xr.Dataset, *, panels: Sequence[str]) -> Figure:
    """Draw the histograms of both masses, of the background and of signals (thesis Figs. 9.5 to 9.7).

    Args:
        predicted: `data` (context, y, x), `mean` (context, axis), both masses in GeV, and `in_figure` (context).
        background: `weighted` (y, x).
        panels: `background`, `signals` or both.
    """
    histograms = {"background": background["weighted"]} if "background" in panels else {}
    if "signals" in panels:
        for point in _selected(predicted):
            histograms[mass_plane.point_label(point["mean"].values)] = point["data"]
    size = (4.6, 3.6) if len(histograms) == 1 else (3.2, 2.7)
    figure, axes = style.grid(len(histograms), columns=4 if len(histograms) == 7 else 3, size=size)
    norm = LogNorm(1e-5, 0.1)
    for axis, (name, counts) in zip(axes, histograms.items(), strict=True):
        image = _share_histogram(axis, counts / counts.sum(), norm)
        axis.set_title(name, fontsize="medium")
    style.label_outer(axes, mass_plane.M_BBGG, mass_plane.M_BB)
    figure.colorbar(image, ax=axes, label="share of events in a bin", shrink=0.8, extend="min")
    return figure


def _selected(data: xr.Dataset) -> list[xr.Dataset]:
    """Points that the settings select for figures."""
    return [data.isel(context=number) for number in np.flatnonzero(data["in_figure"])]


def _share_histogram(axis: Axes, shares: xr.DataArray, norm: LogNorm) -> QuadMesh:
    return mass_plane.share_histogram(axis, shares["x"].values, shares["y"].values, shares.values, norm)


@style.with_style
def losses(**trained: xr.Dataset) -> Figure:
    """Draw the validation loss of every member of several ensembles (ours).

    Args:
        **trained: `valid` (member, iteration) and `selected` (member) of each ensemble, by the name of its panel.
    """
    figure, axes = style.grid(len(trained))
    for axis, (name, ensemble) in zip(axes, trained.items(), strict=True):
        later = ensemble.isel(
            iteration=slice(max(len(ensemble["iteration"]) // 50, 1), None)
        )  # the first are far above
        for member, colour in enumerate(style.ordered_colours(ensemble.sizes["member"])):
            run = later.isel(member=member)
            axis.plot(run["iteration"], run["valid"], color=colour, lw=1)
            selected = int(run["selected"])
            if selected in run["iteration"].values:
                axis.plot(selected, run["valid"].sel(iteration=selected), "o", color=style.TRUTH, markersize=4)
        axis.set_title(name.replace("_", " ").replace("pnn", "pNN"))
        axis.set(xlabel="iteration")
    axes[0].set_ylabel("validation loss")
    handles = [
        Line2D([], [], color=style.TRUTH, lw=1, label="member of the ensemble"),
        Line2D([], [], linestyle="", marker="o", markersize=4, color=style.TRUTH, label="selected iteration"),
    ]
    style.legend_above(figure, handles, columns=2)
    return figure


@style.with_style
def pnn_score(observables: xr.Dataset) -> Figure:
    """Draw the pNN score of signal and background at one mass point (thesis Fig. 9.8).

    Args:
        observables: `share` (context, observable, sample, bin), `edges`, `auc` (context, observable), `masses`
            (context, mass) and `in_figure` (context, observable), which is true at one point.
    """
    figure, axes = style.panels(1, 1, size=(5.0, 3.6))
    (point,) = _selected(observables.sel(observable="pNN"))
    score_panels.score_histogram(axes[0, 0], point["edges"].values, _by_sample(point["share"]))
    axes[0, 0].set(xlabel="pNN score", ylabel="share of events")
    title = f"{mass_plane.point_label(point['masses'].values)}: AUC = {float(point['auc']):.3f}"
    axes[0, 0].set_title(title, fontsize="medium")
    axes[0, 0].legend()
    return figure


def _by_sample(values: xr.DataArray) -> dict[str, np.ndarray]:
    return {str(sample): values.sel(sample=sample).values for sample in values["sample"].values}


@style.with_style
def yields(interpolation: xr.Dataset) -> Figure:
    """Draw the yields that a Gaussian process interpolates, and their relative uncertainty (thesis Fig. 9.16).

    Args:
        interpolation: `mesh_masses` (mesh, mass), `mesh_yield` and `mesh_error` (mesh), `point_masses` (point, mass)
            of the simulated signal; the attribute `fitted` names the fitted kernel.
    """
    figure, axes = style.grid(2, size=(5.0, 3.6))
    masses, mean = interpolation["mesh_masses"].values, interpolation["mesh_yield"].values
    positive = np.where(mean > 0, mean, np.nan)
    maps = (
        (positive, "yield [events]", "viridis", Normalize(0, mean.max())),
        (
            interpolation["mesh_error"].values / positive,
            "relative uncertainty of the yield",
            "magma_r",
            LogNorm(0.01, 1),
        ),
    )
    for axis, (values, label, cmap, norm) in zip(axes, maps, strict=True):
        x, y, table = mass_plane.mesh_table(masses, values)
        drawn = axis.pcolormesh(x, y, table, norm=norm, cmap=cmap, rasterized=True)
        figure.colorbar(drawn, ax=axis, label=label, extend="both" if isinstance(norm, LogNorm) else "neither")
        simulated = interpolation["point_masses"].values
        axis.plot(*simulated.T, "o", color=style.TRUTH, markerfacecolor="none", markersize=3, markeredgewidth=0.7)
    mass_plane.set_limits(axes, masses)
    figure.suptitle(interpolation.attrs["fitted"], fontsize="small")
    return figure


@style.with_style
def kernels(interpolation: xr.Dataset) -> Figure:
    """Draw two cross-validation scores of each kernel of the Gaussian process (ours).

    Args:
        interpolation: `pull` and `log_density` (kernel), means over the yields that were left out.
    """
    figure, axes = style.grid(2, size=(4.4, 3.0))
    order = np.argsort(interpolation["pull"].values)[::-1]
    names = interpolation["kernel"].values[order]
    scores = {"pull": "mean |residual| / σ", "log_density": "mean log density"}
    for axis, (variable, label) in zip(axes, scores.items(), strict=True):
        axis.plot(interpolation[variable].values[order], np.arange(len(names)), "o", color=style.SMOOTH)
        axis.set(yticks=np.arange(len(names)), yticklabels=names, xlabel=f"{label} of left-out yields")
        axis.set_ylim(-0.5, len(names) - 0.5)
        axis.minorticks_off()
    axes[1].tick_params(labelleft=False)
    axes[0].axvline(np.sqrt(2 / np.pi), color=style.TRUTH, linestyle=":", label="expected if σ is right")
    style.legend_above(figure, axes[0], columns=1)
    return figure


@style.with_style
def background_histograms(background: xr.Dataset) -> Figure:
    """Draw the background with and without weights, and as the flows learned it (thesis Fig. 9.17).

    Args:
        background: `weighted`, `learned` and `unweighted` (y, x), shares of all events.
    """
    names = {"weighted": "weighted events", "learned": "flows", "unweighted": "unweighted events"}
    figure, axes = style.grid(3)
    for axis, (name, title) in zip(axes, names.items(), strict=True):
        drawn = _share_histogram(axis, background[name], LogNorm(1e-6, 1e-2))
        axis.set_title(title)
    style.label_outer(axes, mass_plane.M_BBGG, mass_plane.M_BB)
    figure.colorbar(drawn, ax=axes, label="share of events in a bin", shrink=0.8, extend="min")
    return figure


@style.with_style
def s_flow(observables: xr.Dataset) -> Figure:
    """Draw s_flow at unseen points, and its mean uncertainty in each bin (thesis Fig. 9.18).

    Args:
        observables: Variables as for `pnn_score`, and `error` (context, sample, bin).
    """
    points = _selected(observables.sel(observable="s_flow"))
    figure, pairs = score_panels.paired_panels(len(points))
    for (upper, lower), point in zip(pairs, points, strict=True):
        edges = point["edges"].values
        score_panels.score_histogram(upper, edges, _by_sample(point["share"]))
        title = f"{mass_plane.point_label(point['masses'].values)}\nAUC = {float(point['auc']):.3f}"
        upper.set_title(title, fontsize="small")
        score_panels.score_uncertainty(lower, edges, _by_sample(point["error"]))
    style.label_outer([upper for upper, _ in pairs], "", "share of events")
    style.label_outer([lower for _, lower in pairs], r"$s_{\rm flow}$", r"$\sigma_s$")
    style.legend_above(figure, pairs[0][0], columns=2)
    return figure
