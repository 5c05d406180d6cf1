"""Figures of the study of Gaussian blobs."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from diffhep import plotting

ONE_SIGMA = 0.6827  # of a normal distribution lies within one standard deviation
MARKS = {0.0: {"fillstyle": "none"}, 1.0: {"fillstyle": "full"}}  # of the true signal strength


@plotting.styled
def training_history(
    *,
    metrics: Sequence[str] = ("cls", "poi_uncertainty", "nuisance_deviation"),
    logarithmic: Sequence[str] = ("cls", "p0", "nuisance_deviation"),
    **runs: xr.Dataset,
) -> Figure:
    """Metrics on held-out events against epoch, one panel a metric, one colour an objective (neos Fig. 3).

    Args:
        metrics: Variables to draw, in this order.
        logarithmic: Those of them that span decades.
        runs: History (seed, epoch) of each objective, by the names of `plotting.OBJECTIVES`; epoch 0 is
            before training.
    """
    figure, axes = plotting.panels(1, len(metrics))
    for axis, metric in zip(axes.flat, metrics, strict=True):
        for objective, history in runs.items():
            values = history[metric].transpose("seed", "epoch").values
            if metric in logarithmic:
                values = np.where(values > 0, values, np.nan)  # exactly zero where nothing depends on the nuisance
            plotting.band(axis, history["epoch"].values, values, **plotting.look(objective))
        axis.set(xlabel="epoch", ylabel=plotting.METRICS[metric])
        axis.set_yscale("log" if metric in logarithmic else "linear")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    handles = [plotting.line_handle(plotting.look(objective)) for objective in runs]
    plotting.legend_above(figure, handles, columns=min(len(runs), 4), note=plotting.BAND)
    return figure


@plotting.styled
def toys(*, bins: int = 30, **runs: xr.Dataset) -> Figure:
    """Pseudo-experiments beside the asymptotic formulae: test statistics, pulls, CLs and coverage.

    Points are pseudo-experiments with their statistical errors, lines are asymptotic. Distributions of q are
    drawn over its root, where they are parts of a normal distribution; the pile-up at q = 0 is left out of
    both.

    Args:
        bins: Bins of each histogram.
        runs: For each trained objective, by the names of `plotting.OBJECTIVES`: `q_mu`, `q_0` and `pull`
            (true_mu, toy); `density_q_mu` and `density_q_0` (true_mu, q); `coverage` and `failed` (true_mu);
            `cls_toys`, `cls_toys_error` and `cls_asymptotic` (tested_mu).
    """
    figure, axes = plotting.panels(2, 4, size=(3.3, 2.8))
    for row, (name, symbol, hypotheses) in enumerate((("q_mu", "q_1", (1.0, 0.0)), ("q_0", "q_0", (0.0, 1.0)))):
        for axis, true_mu in zip(axes[row], hypotheses, strict=False):
            _statistic(axis, {run: data.sel(true_mu=true_mu) for run, data in runs.items()}, name, bins)
            axis.set(title=rf"thrown with $\mu = {true_mu:g}$", xlabel=rf"$\sqrt{{{symbol}}}$")
        axes[row, 0].set_ylabel("density")
        true_mu = hypotheses[0]
        _pulls(axes[row, 2], {run: data.sel(true_mu=true_mu) for run, data in runs.items()}, bins)
        axes[row, 2].set_title(rf"thrown with $\mu = {true_mu:g}$")
    _cls(axes[0, 3], runs)
    _coverage(axes[1, 3], runs)
    handles = [plotting.line_handle(plotting.look(run)) for run in runs]
    note = "points: pseudo-experiments, lines: asymptotic formulae"
    plotting.legend_above(figure, handles, columns=len(runs), note=note)
    return figure


def _points(axis: Axes, run: str, x: np.ndarray, y: np.ndarray, error: np.ndarray) -> None:
    look = plotting.look(run) | {"linestyle": "none"}
    axis.errorbar(x, y, yerr=error, **look, markersize=3, elinewidth=0.8)


def _histogram(axis: Axes, run: str, values: np.ndarray, edges: np.ndarray, number: int) -> None:
    """Density of values as points with Poisson errors, normalised to `number` of them; no empty bins."""
    counts, _ = np.histogram(values, edges)
    filled, scale = counts > 0, number * np.diff(edges)
    centres = (edges[1:] + edges[:-1]) / 2
    _points(axis, run, *(array[filled] for array in (centres, counts / scale, np.sqrt(counts) / scale)))


def _statistic(axis: Axes, runs: dict[str, xr.Dataset], name: str, bins: int) -> None:
    largest = max(float(np.nanmax(data[name])) for data in runs.values())
    edges = np.linspace(0, np.sqrt(max(largest, 1.0)), bins + 1)
    for run, data in runs.items():
        values = data[name].values
        root = np.sqrt(data["q"].values)
        inside = root <= edges[-1]
        density = 2 * root * data[f"density_{name}"].values  # of the root
        axis.plot(root[inside], density[inside], color=plotting.look(run)["color"], linewidth=1.2)
        _histogram(axis, run, np.sqrt(values[values > 0]), edges, int(np.isfinite(values).sum()))
    rarest = max(data.sizes["toy"] for data in runs.values())
    axis.set(yscale="log", ylim=(0.2 / rarest / np.diff(edges)[0], 2), xlim=(0, edges[-1]))


def _pulls(axis: Axes, runs: dict[str, xr.Dataset], bins: int) -> None:
    edges = np.linspace(-5, 5, bins + 1)
    fine = np.linspace(-5, 5, 201)
    axis.plot(fine, np.exp(-(fine**2) / 2) / np.sqrt(2 * np.pi), color=plotting.TRUTH, linewidth=1.2)
    for run, data in runs.items():
        values = data["pull"].values
        _histogram(axis, run, values, edges, int(np.isfinite(values).sum()))
    axis.set(xlabel=r"$(\hat\mu - \mu)\,/\,\sigma_\mu$", xlim=(-5, 5), ylim=(0, None))


def _cls(axis: Axes, runs: dict[str, xr.Dataset]) -> None:
    for run, data in runs.items():
        axis.plot(data["tested_mu"], data["cls_asymptotic"], color=plotting.look(run)["color"], linewidth=1.2)
        points = data[["cls_toys", "cls_toys_error"]]
        seen = points.where(points["cls_toys"] > 0, drop=True)  # no toy that far out: an upper limit at most
        _points(axis, run, seen["tested_mu"].values, seen["cls_toys"].values, seen["cls_toys_error"].values)
    axis.set(xlabel=r"tested $\mu$", ylabel=plotting.METRICS["cls"], yscale="log")


def _coverage(axis: Axes, runs: dict[str, xr.Dataset]) -> None:
    """Share of pseudo-experiments within one sigma_mu of the truth, and of those whose fit failed."""
    for position, (run, data) in enumerate(runs.items()):
        for offset, true_mu in zip((-0.15, 0.15), MARKS, strict=True):
            share = float(data["coverage"].sel(true_mu=true_mu))
            error = np.sqrt(share * (1 - share) / data.sizes["toy"])
            look = plotting.look(run) | {"linestyle": "none"} | MARKS[true_mu]
            axis.errorbar(share, position + offset, xerr=error, **look)
    axis.axvline(ONE_SIGMA, color=plotting.TRUTH, linewidth=1.2)
    failed = [f"{float(data['failed'].max()):.1%}" for data in runs.values()]
    axis.set_yticks(range(len(runs)), failed)
    axis.set(xlabel=r"coverage of $\hat\mu \pm \sigma_\mu$", ylabel="failed fits", ylim=(len(runs) - 0.5, -0.5))
    axis.set_title(r"thrown with $\mu = 0$ (open), $1$ (filled)")


@plotting.styled
def sweep(
    comparison: xr.Dataset,
    *,
    metrics: Sequence[str] = ("cls", "poi_uncertainty", "nuisance_deviation"),
    logarithmic: Sequence[str] = ("cls", "nuisance_deviation"),
) -> Figure:
    """Metrics after the last epoch at every point of a sweep, one panel a metric, one colour an objective.

    Args:
        comparison: Metrics (point, run, seed, epoch); NaN where a point has fewer seeds.
        metrics: Variables to draw, in this order.
        logarithmic: Those of them that span decades.
    """
    figure, axes = plotting.panels(1, len(metrics), size=(3.4, 3.6))
    last, places = comparison.isel(epoch=-1), np.arange(comparison.sizes["point"])
    runs = list(comparison["run"].values)
    for axis, metric in zip(axes.flat, metrics, strict=True):
        for number, run in enumerate(runs):
            look = plotting.look(run) | {"linestyle": "none"}
            values = last[metric].sel(run=run).transpose("point", "seed").values
            x = places + 0.16 * (number - (len(runs) - 1) / 2)
            axis.plot(x, values, **look, alpha=0.35, markersize=3)
            axis.plot(x, np.nanmean(values, axis=1), **look | {"marker": "_"}, markersize=11, markeredgewidth=2)
        axis.set_yscale("log" if metric in logarithmic else "linear")
        axis.set(ylabel=plotting.METRICS[metric], xlim=(-0.6, len(places) - 0.4))
        axis.set_xticks(
            places, [name.replace(", bandwidth ", "\n") for name in comparison["point"].values], fontsize="x-small"
        )
        axis.set_xlabel("bins, and below them the bandwidth")
    handles = [plotting.line_handle(plotting.look(run) | {"linestyle": "none"}) for run in runs]
    note = "points: single initialisations, bars: their mean; left: as Figure 3"
    plotting.legend_above(figure, handles, columns=len(runs), note=note)
    return figure
