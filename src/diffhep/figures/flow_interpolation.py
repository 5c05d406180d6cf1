"""Figures of the interpolation with normalizing flows (thesis chapter 8)."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from diffhep.figures.painters import conditioning_points, style

TITLES = {"mean": "following the mean", "firework": "Gaussian firework"}


@style.with_style
def conditioning_grid(predicted: xr.Dataset) -> Figure:
    """Draw the distributions at all conditioning points, and which are unseen (thesis Figs. 8.1 and 8.7).

    Args:
        predicted: `mean` (context, axis), `covariance` (context, axis, other_axis) and `trained` (context).
    """
    figure, axes = style.panels(1, 1, size=(5.6, 5.8))
    means = predicted["mean"].values
    conditioning_points.covariance_ellipses(axes[0, 0], means, predicted["covariance"].values)
    conditioning_points.mark_means(axes[0, 0], means, predicted["trained"].values)
    conditioning_points.set_limits(axes[0, 0], means)
    style.legend_above(figure, conditioning_points.legend_handles(), columns=3)
    return figure


@style.with_style
def densities(predicted: xr.Dataset) -> Figure:
    """Draw true and learned densities at all points, with contours at equal heights (thesis Figs. 8.3 and 8.12).

    Args:
        predicted: Variables as for `conditioning_grid`, and `density` (context, v, u), at offsets from the mean.
    """
    figure, axes = style.panels(1, 2, size=(5.2, 5.4))
    means, covariances = predicted["mean"].values, predicted["covariance"].values
    for axis, title in zip(axes[0], ("truth", "flow, mean of the ensemble"), strict=True):
        conditioning_points.set_limits(axis, means)
        axis.set_title(title)
    conditioning_points.covariance_ellipses(axes[0, 0], means, covariances)
    colours = conditioning_points.SIGMA_COLOURS[::-1]
    for (x, y), covariance, density in zip(means, covariances, predicted["density"].values, strict=True):
        peak = 1 / (2 * np.pi * np.sqrt(np.linalg.det(covariance)))
        levels = [peak * np.exp(-(sigma**2) / 2) for sigma in reversed(conditioning_points.SIGMAS)]
        axes[0, 1].contour(x + predicted["u"], y + predicted["v"], density, levels, colors=colours, linewidths=1.0)
    for axis in axes[0]:
        conditioning_points.mark_means(axis, means, predicted["trained"].values)
    axes[0, 1].set_ylabel("")
    style.legend_above(figure, conditioning_points.legend_handles(), columns=3)
    return figure


@style.with_style
def losses(trained: xr.Dataset, *, member: int = 0) -> Figure:
    """Draw training and validation loss of one member of the ensemble (thesis Figs. 8.2 and 8.11).

    Args:
        trained: `train` and `valid` (member, iteration), `selected` (member), `train_entropy` and `valid_entropy`, the
            losses of the true densities.
        member: Number of the member.
    """
    figure, axes = style.panels(1, 1, size=(5.2, 3.6))
    axis, run = axes[0, 0], trained.isel(member=member)
    colours = {"train": conditioning_points.TRAINING_COLOUR, "valid": conditioning_points.UNSEEN_COLOUR}
    for name, label in {"train": "training", "valid": "validation"}.items():
        axis.plot(run["iteration"], run[name], color=colours[name], label=label)
        axis.axhline(float(run[f"{name}_entropy"]), color=colours[name], linestyle=":", linewidth=1.2)
    selected = int(run["selected"])
    axis.plot(selected, run["valid"].sel(iteration=selected), "o", color=colours["valid"], label="selected iteration")
    axis.plot([], [], ":", color=style.TRUTH, label="true densities")
    later = run[["train", "valid"]].isel(iteration=slice(len(run["iteration"]) // 6, None)).to_array()
    lowest = min(float(run["train_entropy"]), float(run["valid_entropy"]), float(later.min()))
    height = float(later.max()) - lowest
    axis.set(xlabel="iteration", ylabel="negative log-likelihood per event")
    axis.set_ylim(lowest - 0.1 * height, lowest + 1.5 * height)  # the first losses are far above
    axis.legend(ncols=2)
    return figure


@style.with_style
def firework(distributions: xr.Dataset, *, panels: Sequence[str] = ("few", "many")) -> Figure:
    """Draw distributions symmetric about the origin, and a histogram of their events (thesis Figs. 8.8 to 8.10).

    Args:
        distributions: `mean` (context, axis) and `covariance` (context, axis, other_axis) of some distributions;
            `counts` (y, x) and `edges` of a histogram of events of many.
        panels: `few`, `many` or both.
    """
    figure, axes = style.grid(len(panels), size=(5.0, 4.8))
    for axis, panel in zip(axes, panels, strict=True):
        if panel == "few":
            means = distributions["mean"].values
            conditioning_points.covariance_ellipses(axis, means, distributions["covariance"].values)
            conditioning_points.mark_means(axis, means)
            conditioning_points.set_limits(axis, means)
        else:
            edges, counts = distributions["edges"].values, distributions["counts"]
            norm = LogNorm(1, float(counts.max()))
            drawn = axis.pcolormesh(edges, edges, counts.where(counts > 0), norm=norm, rasterized=True)
            axis.set(xlabel="$x$", ylabel="$y$", aspect="equal")
            axis.grid(visible=False)
            figure.colorbar(drawn, ax=axis, label="events", shrink=0.8)
    return figure


def example_title(name: str) -> str:
    """Return the title of a panel from the name of its result, such as `mean_affine`."""
    return ", ".join(TITLES.get(word, word) for word in name.split("_"))


@style.with_style
def divergences(**predicted: xr.Dataset) -> Figure:
    """Draw the KL divergence of the true density from the ensemble's at every point (ours).

    Args:
        **predicted: `kl_ensemble` and `trained` (context) and `mean` (context, axis), by the name of the panel.
    """
    figure, axes = style.grid(len(predicted), columns=2, size=(3.9, 3.3))
    values = np.concatenate([data["kl_ensemble"].values for data in predicted.values()])
    norm = LogNorm(max(values.min(), 1e-4), values.max())
    for axis, (name, data) in zip(axes, predicted.items(), strict=True):
        arrays = (data[variable].values for variable in ("mean", "kl_ensemble", "trained"))
        drawn = conditioning_points.scatter_values(axis, *arrays, norm)
        axis.set_title(example_title(name))
    style.label_outer(axes, "$x$ of the mean", "$y$ of the mean")
    figure.colorbar(drawn, ax=axes, label="KL divergence", shrink=0.8)
    style.legend_above(figure, conditioning_points.scatter_handles(), columns=2)
    return figure


@style.with_style
def cross_validation(folds: xr.Dataset, predicted: xr.Dataset) -> Figure:
    """Draw the KL divergence at points that were left out of training in turn, beside the thesis' split (ours).

    Args:
        folds: `kl` (context, member) and `mean` (context, axis) at the points that were left out.
        predicted: `kl` (context, member) and `trained` (context) of the thesis' split.
    """
    figure, axes = style.grid(2, size=(3.9, 3.3))
    split = predicted["kl"].mean("member").isel(context=folds["context"].values)
    left_out = folds["kl"].mean("member")
    low, high = min(float(split.min()), float(left_out.min())), max(float(split.max()), float(left_out.max()))
    norm, means = LogNorm(max(low, 1e-4), high), folds["mean"].values
    trained = predicted["trained"].isel(context=folds["context"].values).values
    drawn = conditioning_points.scatter_values(axes[0], means, split.values, trained, norm)
    conditioning_points.scatter_values(axes[1], means, left_out.values, np.zeros_like(trained), norm)
    axes[0].set_title("split of the thesis")
    axes[1].set_title("each point left out in turn")
    style.label_outer(axes, "$x$ of the mean", "$y$ of the mean")
    figure.colorbar(drawn, ax=axes, label="KL divergence", shrink=0.8)
    style.legend_above(figure, conditioning_points.scatter_handles(), columns=2)
    return figure
