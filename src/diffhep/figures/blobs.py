"""Figures of the study of Gaussian blobs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from diffhep.figures.painters import style, toy_panels

SAMPLES = {  # label and colour of each
    "signal": ("signal", style.SIGNAL),
    "background": ("background", style.BACKGROUND),
    "up": ("background, up", style.UP),
    "down": ("background, down", style.DOWN),
}


@style.with_style
def training_history(
    *,
    metrics: Sequence[str] = ("cls", "poi_uncertainty", "nuisance_deviation"),
    logarithmic: Sequence[str] = ("cls", "p0", "nuisance_deviation"),
    selected: bool = False,
    **runs: xr.Dataset,
) -> Figure:
    """Metrics on held-out events against epoch, one panel a metric, one colour an objective (neos Fig. 3).

    Args:
        metrics: Variables to draw, in this order.
        logarithmic: Those of them that span decades.
        selected: Mark only the epoch where the mean of what was trained on is lowest (thesis Fig. 7.22).
        runs: History (seed, epoch) of each objective, by the names of `style.OBJECTIVES`; epoch 0 is
            before training.
    """
    figure, axes = style.grid(len(metrics))
    for axis, metric in zip(axes, metrics, strict=True):
        for objective, history in runs.items():
            values = history[metric].transpose("seed", "epoch").values
            if metric in logarithmic:
                values = np.where(values > 0, values, np.nan)  # exactly zero where nothing depends on the nuisance
            every = [_selected_epoch(history)] if selected else None
            style.band(axis, history["epoch"].values, values, **style.objective_style(objective), markevery=every)
        axis.set(xlabel="epoch", ylabel=style.METRICS[metric])
        if metric in logarithmic:
            axis.set_yscale("log")
            axis.set_ylim(bottom=min(np.nanmin(line.get_ydata()) for line in axis.lines) / 10)  # bands reach far down
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    handles = [style.line_handle(style.objective_style(objective)) for objective in runs]
    note = style.BAND_NOTE + (", markers: the epoch of the lowest mean objective" if selected else "")
    style.legend_above(figure, handles, columns=min(len(runs), 4), note=note)
    return figure


def _selected_epoch(history: xr.Dataset) -> int:
    """The epoch after the first with the lowest mean objective (seed, epoch) over seeds."""
    return int(history["objective"].mean("seed").isel(epoch=slice(1, None)).idxmin("epoch"))


@style.with_style
def toys(*, bins: int = 30, **runs: xr.Dataset) -> Figure:
    """Draw pseudo-experiments beside the asymptotic formulae: test statistics, pulls, CLs and coverage.

    Points are pseudo-experiments with their statistical errors, lines are asymptotic. Distributions of q are drawn
    over its root, where they are parts of a normal distribution; both leave out the pile-up at q = 0.

    Args:
        bins: Number of bins of each histogram.
        **runs: Pseudo-experiments of each objective, by the names of `style.OBJECTIVES`: `q_mu`, `q_0` and `pull`
            (true_mu, toy); `root_q` (q), `root_density_q_mu` and `root_density_q_0` (true_mu, q); `coverage`,
            `coverage_error` and `failed` (true_mu); `cls_toys`, `cls_toys_error` and `cls_asymptotic` (tested_mu).
    """
    figure, axes = style.panels(2, 4, size=(3.3, 2.8))
    for row, (name, symbol, hypotheses) in enumerate((("q_mu", "q_1", (1.0, 0.0)), ("q_0", "q_0", (0.0, 1.0)))):
        for axis, true_mu in zip(axes[row], hypotheses, strict=False):
            statistics = {run: _statistic(data.sel(true_mu=true_mu), name) for run, data in runs.items()}
            toy_panels.test_statistic(axis, statistics, bins)
            axis.set(title=rf"generated with $\mu = {true_mu:g}$", xlabel=rf"$\sqrt{{{symbol}}}$")
        axes[row, 0].set_ylabel("density")
        true_mu = hypotheses[0]
        pulls = {run: data["pull"].sel(true_mu=true_mu).values for run, data in runs.items()}
        toy_panels.pulls(axes[row, 2], pulls, bins)
        axes[row, 2].set_title(rf"generated with $\mu = {true_mu:g}$")
    toy_panels.cls(axes[0, 3], {run: _cls(data) for run, data in runs.items()})
    toy_panels.coverage(axes[1, 3], {run: _coverage(data) for run, data in runs.items()})
    handles = [style.line_handle(style.objective_style(run)) for run in runs]
    note = "points: pseudo-experiments, lines: asymptotic formulae"
    style.legend_above(figure, handles, columns=len(runs), note=note)
    return figure


def _statistic(data: xr.Dataset, name: str) -> toy_panels.StatisticToys:
    return toy_panels.StatisticToys(*(data[key].values for key in (name, "root_q", f"root_density_{name}")))


def _cls(data: xr.Dataset) -> toy_panels.ClsToys:
    values = (data[name].values for name in ("cls_toys", "cls_toys_error", "cls_asymptotic"))
    return toy_panels.ClsToys(data["tested_mu"].values, *values)


def _coverage(data: xr.Dataset) -> toy_panels.CoverageToys:
    ordered = data.sel(true_mu=[0.0, 1.0])
    share, error = (ordered[name].values for name in ("coverage", "coverage_error"))
    return toy_panels.CoverageToys(share, error, float(data["failed"].max()))


@style.with_style
def samples(events: xr.Dataset, *, number: int = 2000) -> Figure:
    """Events of the four blobs in the plane of the data (thesis Fig. 7.18).

    Args:
        events: `train` and `test` (sample, event, feature).
        number: Points drawn of each sample, so that all can be seen.
    """
    figure, axes = style.panels(1, 1, size=(4.4, 4.2))
    _scatter(axes[0, 0], events, number, markersize=3)
    axes[0, 0].set(xlabel="$x$", ylabel="$y$", aspect="equal")
    axes[0, 0].legend(loc="upper left", bbox_to_anchor=(1, 1), markerscale=4)
    return figure


@style.with_style
def selected_yields(run: xr.Dataset, *, seeds: int = 6) -> Figure:
    """Expected events in each bin of the best network of several seeds (thesis Figs. 7.23-7.27, 7.34-7.38).

    Args:
        run: A training; its `selected` epoch of each seed is shown.
        seeds: How many, the first ones.
    """
    figure, axes = style.grid(min(seeds, run.sizes["seed"]), size=(2.5, 2.1))
    for axis in axes[1:]:
        axis.sharey(axes[0])
    for axis, seed in zip(axes, run["seed"].values, strict=False):
        best = _best(run, int(seed))
        for sample, (label, colour) in SAMPLES.items():
            look = {"color": colour, "label": label, "linewidth": 1.6}
            axis.stairs(best["yields"].sel(sample=sample).values, best["edges"].values, **look)
        axis.set(title=_title(best), yscale="log", xlim=(0, 1))
    style.label_outer(axes, "network output", "expected events")
    style.legend_above(figure, axes[0], columns=min(4, len(axes)))
    return figure


@style.with_style
def contours(run: xr.Dataset, events: xr.Dataset, *, seeds: int = 6, number: int = 300) -> Figure:
    """Edges of the bins in the plane of the data, for the best network of several seeds (thesis Figs. 7.28 ff.).

    Args:
        run: A training, with `logits` (seed, y, x) of the `selected` epoch.
        events: Held-out events are drawn over the contours.
        seeds: How many, the first ones.
        number: Events drawn of each sample.
    """
    figure, axes = style.grid(min(seeds, run.sizes["seed"]), size=(2.3, 2.3))
    for axis, seed in zip(axes, run["seed"].values, strict=False):
        best = _best(run, int(seed))
        inner = best["edges"].values[1:-1]
        levels = np.log(inner / (1 - inner))  # of the logit, which varies more evenly than the score
        logits = best["logits"].values
        which = np.digitize(logits, levels)
        axis.pcolormesh(
            run["x"], run["y"], which, cmap="Greys", vmax=2.5 * len(levels), shading="nearest", rasterized=True
        )
        _scatter(axis, events, number, markersize=2)
        width = 0.9 if len(levels) < 10 else 0.4
        axis.contour(run["x"], run["y"], logits, levels=levels, colors="black", linestyles="solid", linewidths=width)
        axis.set(title=_title(best), aspect="equal")
        axis.grid(visible=False)
    style.label_outer(axes, "$x$", "$y$")
    style.legend_above(figure, axes[0], columns=min(4, len(axes)), markerscale=4.0)
    return figure


def _best(run: xr.Dataset, seed: int) -> xr.Dataset:
    of_seed = run.sel(seed=seed)
    return of_seed.sel(epoch=int(of_seed["selected"]))


def _title(best: xr.Dataset) -> str:
    return f"seed {int(best['seed'])}, epoch {int(best['epoch'])}"


def _scatter(axis: Axes, events: xr.Dataset, number: int, **look: Any) -> None:
    for sample, (label, colour) in SAMPLES.items():
        x, y = events["test"].sel(sample=sample).values[:number].T
        axis.plot(x, y, ".", color=colour, label=label, alpha=0.6, markeredgewidth=0, rasterized=True, **look)
