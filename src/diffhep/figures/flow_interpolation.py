"""Figures of the study of interpolation with normalizing flows (thesis chapter 8)."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from scipy import stats

from diffhep.figures.painters import conditioning_points, style
from diffhep.histogramming.pulls import pulls, rebin

SOLID = {"color": style.TRUTH}
DASHED = {"color": style.TRUTH, "linestyle": "--", "linewidth": 1.2}
TITLES = {"mean": "following the mean", "firework": "Gaussian firework"}


@style.with_style
def conditioning_grid(predicted: xr.Dataset) -> Figure:
    """The distributions of the grid, and which of them are held out (thesis Figs. 8.1 and 8.7)."""
    figure, axes = style.panels(1, 1, size=(5.6, 5.8))
    conditioning_points.covariance_ellipses(axes[0, 0], predicted)
    conditioning_points.mark_means(axes[0, 0], predicted)
    conditioning_points.set_limits(axes[0, 0], predicted)
    style.legend_above(figure, conditioning_points.legend_handles(), columns=3)
    return figure


@style.with_style
def densities(predicted: xr.Dataset) -> Figure:
    """True and learned densities in all contexts, contours at the same heights (thesis Figs. 8.3 and 8.12)."""
    figure, axes = style.panels(1, 2, size=(5.2, 5.4))
    for axis, title in zip(axes[0], ("truth", "flow, mean of the ensemble"), strict=True):
        conditioning_points.set_limits(axis, predicted)
        axis.set_title(title)
    conditioning_points.covariance_ellipses(axes[0, 0], predicted)
    for number in range(predicted.sizes["context"]):
        here = predicted.isel(context=number)
        x, y = here["mean"].values
        peak = 1 / (2 * np.pi * np.sqrt(np.linalg.det(here["covariance"].values)))
        levels = [peak * np.exp(-(sigma**2) / 2) for sigma in reversed(conditioning_points.SIGMAS)]
        shades = conditioning_points.SIGMA_COLOURS[::-1]
        axes[0, 1].contour(x + here["u"], y + here["v"], here["density"], levels, colors=shades, linewidths=1.0)
    for axis in axes[0]:
        conditioning_points.mark_means(axis, predicted)
    axes[0, 1].set_ylabel("")
    style.legend_above(figure, conditioning_points.legend_handles(), columns=3)
    return figure


@style.with_style
def losses(trained: xr.Dataset, *, member: int = 0) -> Figure:
    """Loss of one member in training and validation (thesis Figs. 8.2 and 8.11)."""
    figure, axes = style.panels(1, 1, size=(5.2, 3.6))
    axis, one = axes[0, 0], trained.isel(member=member)
    for name, colour in (("train", conditioning_points.TRAINING_COLOUR), ("valid", conditioning_points.UNSEEN_COLOUR)):
        axis.plot(one["iteration"], one[name], color=colour, label=name)
        axis.axhline(float(one[f"{name}_entropy"]), color=colour, linestyle=":", linewidth=1.2)
    selected = int(one["selected"])
    axis.plot(
        selected, one["valid"].sel(iteration=selected), "o", color=conditioning_points.UNSEEN_COLOUR, label="kept"
    )
    axis.plot([], [], ":", color=style.TRUTH, label="the true densities")
    spread = one[["train", "valid"]].isel(iteration=slice(len(one["iteration"]) // 6, None)).to_array()
    lowest = min(float(one["train_entropy"]), float(one["valid_entropy"]), float(spread.min()))
    height = float(spread.max()) - lowest
    axis.set(xlabel="iteration", ylabel="negative log-likelihood of an event")
    axis.set_ylim(lowest - 0.1 * height, lowest + 1.5 * height)
    axis.legend(ncols=2)
    return figure


@style.with_style
def differences(predicted: xr.Dataset, *, trained: bool, bins: int = 25) -> Figure:
    """Data less flow in bins around the mean of each context (thesis Figs. 8.4, 8.5, 8.13 and 8.14)."""
    chosen = rebin(predicted, bins).sel(context=predicted["trained"] == trained)
    left = (chosen["data"] - chosen["counts"].mean("member")).values
    columns = 8 if len(left) > 10 else 3
    figure, axes = style.grid(len(left), columns=columns, size=(1.25, 1.25) if columns == 8 else (2.0, 2.0))
    edge = np.linspace(-1, 1, bins + 1) * _half_width(predicted)
    most = np.abs(left).max()
    means = predicted["mean"].values[predicted["trained"].values == trained]
    for axis, values, mean in zip(axes, left, means, strict=True):
        drawn = axis.pcolormesh(edge, edge, values, cmap="BrBG", vmin=-most, vmax=most, rasterized=True)
        axis.plot(0, 0, "+", color="red", markersize=6)
        axis.set_title(f"({mean[0]:g}, {mean[1]:g})", fontsize="x-small", pad=2)
        axis.set(xticks=[], yticks=[], aspect="equal")
    figure.colorbar(drawn, ax=axes, label="events: data - flow", shrink=0.6, aspect=30)
    return figure


def _half_width(predicted: xr.Dataset) -> float:
    x = predicted["x"].values
    return float(x[-1] + (x[1] - x[0]) / 2)


@style.with_style
def pull_distributions(predicted: xr.Dataset, *, bins: int = 25, reach: float = 8.0, at_least: int = 10) -> Figure:
    """Pulls of all bins of trained and of unseen contexts (thesis Figs. 8.6 and 8.15)."""
    figure, axes = style.grid(2, size=(4.2, 3.6))
    counts, edges = rebin(predicted, bins), np.linspace(-reach, reach, 65)
    for axis, (name, (part, colour)) in zip(axes, conditioning_points.PARTS.items(), strict=True):
        here = counts.sel(context=counts["trained"] == part)
        enough, everywhere = pulls(here, at_least=at_least), pulls(here)
        axis.stairs(conditioning_points.density(enough, edges), edges, fill=True, color=colour, alpha=0.4)
        told = [f"at least {at_least} events: {conditioning_points.normal_curve(axis, enough, reach, **SOLID)}"]
        highest = axis.get_ylim()[1]
        axis.stairs(conditioning_points.density(everywhere, edges), edges, color=colour)
        told.append(f"all: {conditioning_points.normal_curve(axis, everywhere, reach, **DASHED)}")
        axis.set(xlabel="(flow - data) / σ of the ensemble", ylim=(0, highest))
        axis.set_title("\n".join([name, *told]), fontsize="small")
    axes[0].set_ylabel("density of bins")
    style.share_range(axes)
    handles = [
        Patch(color=style.HARD, label=f"bins with at least {at_least} events"),
        Line2D([], [], color=style.HARD, label="all bins"),
        Line2D([], [], label="normal, of these", **SOLID),
        Line2D([], [], label="normal, of all", **DASHED),
    ]
    style.legend_above(figure, handles, columns=2)
    return figure


@style.with_style
def firework(shown: xr.Dataset, *, panels: Sequence[str] = ("few", "many")) -> Figure:
    """Distributions symmetric about the origin, and many of their events (thesis Figs. 8.8 to 8.10)."""
    figure, axes = style.grid(len(panels), size=(5.0, 4.8))
    for axis, panel in zip(axes, panels, strict=True):
        if panel == "few":
            conditioning_points.covariance_ellipses(axis, shown)
            conditioning_points.mark_means(axis, shown)
            conditioning_points.set_limits(axis, shown)
        else:
            edges = shown["edges"].values
            norm = LogNorm(1, float(shown["counts"].max()))
            drawn = axis.pcolormesh(
                edges, edges, shown["counts"].where(shown["counts"] > 0), norm=norm, rasterized=True
            )
            axis.set(xlabel="$x$", ylabel="$y$", aspect="equal")
            axis.grid(visible=False)
            figure.colorbar(drawn, ax=axis, label="events", shrink=0.8)
    return figure


def _title(name: str) -> str:
    return ", ".join(TITLES.get(word, word) for word in name.split("_"))


@style.with_style
def divergences(**predicted: xr.Dataset) -> Figure:
    """KL divergence of the truth from the ensemble's density in every context (ours); arguments name the panels."""
    figure, axes = style.grid(len(predicted), columns=2, size=(3.9, 3.3))
    values = np.concatenate([data["kl_ensemble"].values for data in predicted.values()])
    norm = LogNorm(max(values.min(), 1e-4), values.max())
    for axis, (name, data) in zip(axes, predicted.items(), strict=True):
        drawn = conditioning_points.scatter_values(
            axis, data["mean"].values, data["kl_ensemble"].values, norm, data["trained"].values
        )
        axis.set_title(_title(name))
    style.label_outer(axes, "$x$ of the mean", "$y$ of the mean")
    figure.colorbar(drawn, ax=axes, label="KL divergence", shrink=0.8)
    style.legend_above(figure, conditioning_points.scatter_handles(), columns=2)
    return figure


@style.with_style
def cross_validation(folds: xr.Dataset, predicted: xr.Dataset) -> Figure:
    """KL divergence of single members where a context was left out of training, and where it was not (ours)."""
    figure, axes = style.grid(2, size=(3.9, 3.3))
    split = predicted["kl"].mean("member").isel(context=folds["context"].values)
    alone = folds["kl"].mean("member")
    norm = LogNorm(max(min(float(split.min()), float(alone.min())), 1e-4), max(float(split.max()), float(alone.max())))
    trained = predicted["trained"].isel(context=folds["context"].values).values
    drawn = conditioning_points.scatter_values(axes[0], folds["mean"].values, split.values, norm, trained)
    conditioning_points.scatter_values(axes[1], folds["mean"].values, alone.values, norm, np.zeros_like(trained))
    axes[0].set_title("the thesis's kind of split")
    axes[1].set_title("each left out in turn")
    style.label_outer(axes, "$x$ of the mean", "$y$ of the mean")
    figure.colorbar(drawn, ax=axes, label="KL divergence", shrink=0.8)
    style.legend_above(figure, conditioning_points.scatter_handles(), columns=2)
    return figure


@style.with_style
def coverage(*, at_least: int = 10, bins: int = 25, **predicted: xr.Dataset) -> Figure:
    """How often the true content of a bin lies within so many of the ensemble's standard deviations (ours)."""
    figure, axes = style.grid(len(predicted), size=(4.2, 3.6))
    k = np.linspace(0, 5, 101)
    for axis, (name, data) in zip(axes, predicted.items(), strict=True):
        counts, members = rebin(data, bins), data.sizes["member"]
        for part, (trained, colour) in conditioning_points.PARTS.items():
            found = np.abs(
                pulls(counts, of="expected", at_least=at_least).sel(context=data["trained"] == trained).values
            )
            found = found[np.isfinite(found)]
            axis.plot(k, [np.sum(found <= reach) / max(found.size, 1) for reach in k], color=colour, label=part)
        ideal = 2 * stats.t.cdf(k * np.sqrt(members), members - 1) - 1
        axis.plot(k, ideal, color=style.TRUTH, label=f"{members} members scattered about the truth")
        normal = 2 * stats.norm.cdf(k) - 1
        axis.plot(k, normal, color=style.TRUTH, linestyle=":", linewidth=1.2, label="normal with this σ")
        axis.set(title=_title(name), ylim=(0, 1.02))
    style.label_outer(axes, "k", "bins with |flow - truth| < k σ")
    style.legend_above(figure, axes[0], columns=2)
    return figure
