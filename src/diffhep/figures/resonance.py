"""Figures of the study of the search for X -> SH -> bb gamma gamma (thesis chapter 9)."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from diffhep.figures.painters import conditioning_points, mass_plane, score_panels, style
from diffhep.histogramming.pulls import fit_normal, pulls

SIGMAS = {
    "ensemble": r"$\sigma_{\rm flow}$ of the ensemble",
    "statistical": "statistical σ of the data",
    "larger": r"larger of $\sigma_{\rm flow}$ and statistical σ",
}


@style.with_style
def mass_points(signal: xr.Dataset, *, split: bool) -> Figure:
    """Mass points at which the signal is simulated, and which of them are held out (thesis Figs. 9.4 and 9.9)."""
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
    """The plane of both masses for background and for signals (thesis Figs. 9.5 to 9.7)."""
    drawn = {"background": background["weighted"]} if "background" in panels else {}
    if "signals" in panels:
        for number in np.flatnonzero(predicted["in_figure"]):
            here = predicted.isel(context=number)
            drawn[mass_plane.point_label(here["mean"].values)] = here["data"]
    size = (4.6, 3.6) if len(drawn) == 1 else (3.2, 2.7)
    figure, axes = style.grid(len(drawn), columns=4 if len(drawn) == 7 else 3, size=size)
    norm = LogNorm(1e-5, 0.1)
    for axis, (name, counts) in zip(axes, drawn.items(), strict=True):
        image = mass_plane.share_histogram(axis, counts / counts.sum(), norm)
        axis.set_title(name, fontsize="medium")
    style.label_outer(axes, mass_plane.M_BBGG, mass_plane.M_BB)
    figure.colorbar(image, ax=axes, label="share of events in a bin", shrink=0.8, extend="min")
    return figure


@style.with_style
def losses(**trained: xr.Dataset) -> Figure:
    """Validation loss of every member of what was trained; arguments name the panels (ours)."""
    figure, axes = style.grid(len(trained))
    for axis, (name, runs) in zip(axes, trained.items(), strict=True):
        chosen = runs.isel(iteration=slice(max(len(runs["iteration"]) // 50, 1), None))
        for member in range(runs.sizes["member"]):
            one = chosen.isel(member=member)
            axis.plot(one["iteration"], one["valid"], color=style.ordered_colours(runs.sizes["member"])[member], lw=1)
            kept = int(one["selected"])
            if kept in one["iteration"].values:
                axis.plot(kept, one["valid"].sel(iteration=kept), "o", color=style.TRUTH, markersize=4)
        axis.set_title(name.replace("_", " ").replace("pnn", "pNN"))
        axis.set(xlabel="iteration")
    axes[0].set_ylabel("validation loss")
    handles = [
        Line2D([], [], color=style.TRUTH, lw=1, label="one member each"),
        Line2D([], [], linestyle="", marker="o", markersize=4, color=style.TRUTH, label="kept"),
    ]
    style.legend_above(figure, handles, columns=2)
    return figure


@style.with_style
def pnn_score(found: xr.Dataset) -> Figure:
    """How the pNN is distributed in signal and background at one mass point (thesis Fig. 9.8)."""
    figure, axes = style.panels(1, 1, size=(5.0, 3.6))
    (here,) = mass_plane.selected_points(found, "pNN")
    score_panels.score_histogram(axes[0, 0], here)
    axes[0, 0].set(xlabel="pNN score", ylabel="share of events")
    axes[0, 0].set_title(
        f"{mass_plane.point_label(here['masses'].values)}: AUC = {float(here['auc']):.3f}", fontsize="medium"
    )
    axes[0, 0].legend()
    return figure


@style.with_style
def pull_distributions(predicted: xr.Dataset, *, sigma: str, reach: float = 8.0, at_least: int = 10) -> Figure:
    """Pulls of all bins of trained and of unseen points (thesis Figs. 9.10, 9.12 and 9.14)."""
    figure, axes = style.grid(2, size=(4.2, 3.4))
    edges = np.linspace(-reach, reach, 65)
    found = pulls(predicted, at_least=at_least, sigma=sigma)
    for axis, (name, (part, colour)) in zip(axes, conditioning_points.PARTS.items(), strict=True):
        here = found.sel(context=predicted["trained"] == part)
        axis.stairs(conditioning_points.density(here, edges), edges, fill=True, color=colour, alpha=0.4)
        told = conditioning_points.normal_curve(axis, here, reach, color=style.TRUTH)
        axis.set_title(f"{name.replace('contexts', 'points')}: {told}", fontsize="medium")
        axis.set_xlabel("(flow - data) / σ")
    axes[0].set_ylabel("density of bins")
    style.share_range(axes)
    handles = [
        Patch(color=style.HARD, label=f"bins with at least {at_least} events, σ: {SIGMAS[sigma]}"),
        Line2D([], [], color=style.TRUTH, label="normal of median and central 68 %"),
    ]
    style.legend_above(figure, handles, columns=1)
    return figure


@style.with_style
def pull_maps(predicted: xr.Dataset, *, sigma: str, at_least: int = 10) -> Figure:
    """Mean and width of the pulls of each mass point (thesis Figs. 9.11, 9.13 and 9.15)."""
    figure, axes = style.grid(2, size=(5.8, 4.0))
    found = pulls(predicted, at_least=at_least, sigma=sigma)
    normals = np.array([fit_normal(found.isel(context=n)) for n in range(found.sizes["context"])])
    masses, held_out = predicted["mean"].values, ~predicted["trained"].values
    ranges = {"mean of the pulls": ("RdBu_r", Normalize(-2, 2)), "width of the pulls": ("viridis", Normalize(0, 3))}
    for axis, of_points, (name, (cmap, norm)) in zip(axes, normals.T, ranges.items(), strict=True):
        drawn = mass_plane.scatter_values(axis, masses, of_points, held_out, norm, cmap)
        figure.colorbar(drawn, ax=axis, label=name, extend="both" if norm.vmin else "max", shrink=0.9)
    mass_plane.set_limits(axes, masses)
    style.legend_above(figure, conditioning_points.scatter_handles("points"), columns=2, note=f"σ: {SIGMAS[sigma]}")
    return figure


@style.with_style
def yields(found: xr.Dataset) -> Figure:
    """Yields as a Gaussian process interpolates them, and how well it knows them (thesis Fig. 9.16)."""
    figure, axes = style.grid(2, size=(5.0, 3.6))
    masses, mean = found["mesh_masses"].values, found["mesh_yield"].values
    relative = np.where(mean > 0, found["mesh_error"].values / np.where(mean > 0, mean, 1.0), np.nan)
    maps = (
        (np.where(mean > 0, mean, np.nan), "yield [events]", "viridis", Normalize(0, mean.max())),
        (relative, "relative uncertainty of the yield", "magma_r", LogNorm(0.01, 1)),
    )
    for axis, (shown, label, cmap, norm) in zip(axes, maps, strict=True):
        x, y, table = mass_plane.mesh_table(masses, shown)
        drawn = axis.pcolormesh(x, y, table, norm=norm, cmap=cmap, rasterized=True)
        figure.colorbar(drawn, ax=axis, label=label, extend="both" if isinstance(norm, LogNorm) else "neither")
        simulated = found["point_masses"].values
        axis.plot(*simulated.T, "o", color=style.TRUTH, markerfacecolor="none", markersize=3, markeredgewidth=0.7)
    mass_plane.set_limits(axes, masses)
    figure.suptitle(found.attrs["fitted"], fontsize="small")
    return figure


@style.with_style
def kernels(found: xr.Dataset) -> Figure:
    """What cross-validation says of each kernel of the Gaussian process, by two rules (ours)."""
    figure, axes = style.grid(2, size=(4.4, 3.0))
    order = np.argsort(found["pull"].values)[::-1]
    names = found["kernel"].values[order]
    for axis, (variable, label) in zip(
        axes, {"pull": "mean |error| / σ", "log_density": "mean log density"}.items(), strict=True
    ):
        axis.plot(found[variable].values[order], np.arange(len(names)), "o", color=style.SMOOTH)
        axis.set(yticks=np.arange(len(names)), yticklabels=names, xlabel=f"{label} of yields left out")
        axis.set_ylim(-0.5, len(names) - 0.5)
        axis.minorticks_off()
    axes[1].tick_params(labelleft=False)
    axes[0].axvline(np.sqrt(2 / np.pi), color=style.TRUTH, linestyle=":", label="right uncertainties")
    style.legend_above(figure, axes[0], columns=1)
    return figure


@style.with_style
def background_histograms(found: xr.Dataset) -> Figure:
    """The background with and without weights, and as the flows have learned it (thesis Fig. 9.17)."""
    names = {"weighted": "events with weights", "learned": "flows", "unweighted": "events without weights"}
    figure, axes = style.grid(3)
    for axis, (name, title) in zip(axes, names.items(), strict=True):
        drawn = mass_plane.share_histogram(axis, found[name], LogNorm(1e-6, 1e-2))
        axis.set_title(title)
    style.label_outer(axes, mass_plane.M_BBGG, mass_plane.M_BB)
    figure.colorbar(drawn, ax=axes, label="share of events in a bin", shrink=0.8, extend="min")
    return figure


@style.with_style
def s_flow(found: xr.Dataset) -> Figure:
    """Distributions of s_flow at unseen points, and its mean uncertainty in each bin below (thesis Fig. 9.18)."""
    points = mass_plane.selected_points(found, "s_flow")
    figure, pairs = score_panels.paired_panels(len(points))
    for (upper, lower), here in zip(pairs, points, strict=True):
        score_panels.score_histogram(upper, here)
        upper.set_title(
            f"{mass_plane.point_label(here['masses'].values)}\nAUC = {float(here['auc']):.3f}", fontsize="small"
        )
        score_panels.score_uncertainty(lower, here)
    style.label_outer([upper for upper, _ in pairs], "", "share of events")
    style.label_outer([lower for _, lower in pairs], r"$s_{\rm flow}$", r"$\sigma_s$")
    style.legend_above(figure, pairs[0][0], columns=2)
    return figure


@style.with_style
def limit_maps(limits: xr.Dataset) -> Figure:
    """Expected limits: interpolated ones as a map, those of the simulated signal as points on it (ours)."""
    figure, axes = style.grid(limits.sizes["strategy"], size=(3.9, 3.2))
    finite = limits["limit"].where(np.isfinite(limits["limit"]))
    norm = LogNorm(float(finite.min()), float(finite.max()))
    parts = [finite.isel(context=limits["simulated"].values == there) for there in (False, True)]
    masses, on_mesh = limits["masses"].values, ~limits["simulated"].values
    held_out = limits["held_out"].values[~on_mesh]
    for axis, strategy in zip(axes, limits["strategy"].values, strict=True):
        mesh, points = (
            part.sel(strategy=strategy, source=source).values
            for part, source in zip(parts, ("interpolated", "simulated"), strict=True)
        )
        axis.pcolormesh(*mass_plane.mesh_table(masses[on_mesh], mesh), norm=norm, rasterized=True)
        drawn = mass_plane.scatter_values(axis, masses[~on_mesh], points, held_out, norm, "viridis", edge="white")
        axis.set_title(strategy)
    mass_plane.set_limits(axes, masses)
    figure.colorbar(drawn, ax=axes, label="expected limit on σ × B [fb]", shrink=0.9)
    style.legend_above(figure, conditioning_points.scatter_handles("points, simulated"), columns=2)
    return figure


@style.with_style
def limit_ratios(limits: xr.Dataset, *, over: str, reach: float) -> Figure:
    """Limits at the simulated points over others (ours).

    Args:
        limits: Expected limits by strategy and source.
        over: `simulated`: interpolated limits of each strategy over those of its simulated signal; or the name of a
            strategy, over whose limits those of the others are shown, both of simulated signals.
        reach: Largest ratio that has a colour of its own; the lowest is its inverse.
    """
    here = limits.isel(context=limits["simulated"].values)
    of = here["limit"].sel(source="simulated")
    if over == "simulated":
        ratios = here["limit"].sel(source="interpolated") / of
    else:
        ratios = (of / of.sel(strategy=over)).drop_sel(strategy=over)
    figure, axes = style.grid(ratios.sizes["strategy"], size=(3.9, 3.2))
    norm = LogNorm(1 / reach, reach)
    for axis, strategy in zip(axes, ratios["strategy"].values, strict=True):
        found = ratios.sel(strategy=strategy).values
        drawn = mass_plane.scatter_values(axis, here["masses"].values, found, here["held_out"].values, norm, "RdBu_r")
        axis.set_title(strategy if over == "simulated" else f"{strategy} over {over}")
    mass_plane.set_limits(axes, here["masses"].values)
    label = "interpolated / simulated" if over == "simulated" else "ratio of limits"
    ticks = np.geomspace(1 / reach, reach, 5)
    bar = figure.colorbar(drawn, ax=axes, label=label, shrink=0.9, extend="both", ticks=ticks)
    bar.ax.set_yticklabels([f"{tick:.2f}" for tick in ticks])
    bar.ax.minorticks_off()
    style.legend_above(figure, conditioning_points.scatter_handles("points"), columns=2)
    return figure
