"""Figures of the signal strength of H -> tau tau with nuisance parameters."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from diffhep.figures.painters import style

PROCESSES = {
    "ztautau": (r"$Z\to\tau\tau$", style.BACKGROUND),
    "ttbar": (r"$t\bar{t}$", style.DOWN),
    "diboson": ("diboson", style.UP),
    "htautau": (r"$H\to\tau\tau$", style.SIGNAL),
}
STRATEGIES = {
    "cnf": ("CNF + DNN", style.CURVE),
    "nuisance_conditioned": (r"MLE with $\nu$", style.SMOOTH),
    "baseline": (r"baseline, MLE for $\mu$ only", style.TRUTH),
    "profile_cnf": ("CNF + DNN, profile likelihood", style.SIGNAL),
    "profile_inferno": (r"trained on $\sigma_\mu$, profile likelihood", style.UP),
    "cnf_high_statistics": ("CNF + DNN, many pseudo-experiments", style.CURVE),
}
OURS = ("profile_cnf", "profile_inferno")
MU = r"signal strength $\mu$"
MASS = r"visible mass $m_\mathrm{vis}$ [GeV]"


@style.with_style
def masses_and_intervals(marginal: xr.Dataset, intervals: xr.Dataset, *, n_intervals: int = 100) -> Figure:
    """A marginal distribution, and intervals of some pseudo-experiments (contrastive flows Fig. 4)."""
    figure, (left, right) = style.grid(2, size=(4.4, 3.7))
    edges = marginal["edges"].values
    for name, (label, colour) in PROCESSES.items():
        left.stairs(marginal["expected"].sel(process=name), edges, baseline=None, color=colour, label=label)
    left.set(
        ylim=(0.3, None),
        yscale="log",
        xlabel=MASS,
        ylabel=f"events / {edges[1] - edges[0]:g} GeV, 10/fb",
        xlim=(edges[0], edges[-1]),
    )
    left.legend(fontsize="small")
    few = intervals.isel(toy=slice(n_intervals // intervals.sizes["set"]))
    low, high, truth = (np.ravel(each) for each in (few["low"], few["high"], few["truth"].broadcast_like(few["low"])))
    inside = (low <= truth) & (truth <= high)
    place = np.arange(len(low))
    for chosen, colour, label in ((inside, style.SMOOTH, "holds"), (~inside, style.CURVE, "misses")):
        right.vlines(place[chosen], low[chosen], high[chosen], color=colour, label=f"{label} the truth: {chosen.sum()}")
    right.plot(place, truth, ".", color=style.TRUTH, markersize=2, label=r"true $\mu$")
    right.set(xlabel="pseudo-experiment", ylabel=MU, ylim=(None, 1.32 * high.max()))
    right.legend(fontsize="small", loc="upper left", ncols=2)
    return figure


@style.with_style
def method_overview(marginal: xr.Dataset, templates: xr.Dataset, belt: xr.Dataset) -> Figure:
    """Flows, scores and the confidence belt (contrastive flows Fig. 6)."""
    figure, axes = style.grid(4, columns=2, size=(4.4, 3.4))
    _flows(axes[0], marginal)
    for axis, signal in zip(axes[1:3], (True, False), strict=True):
        _scores(axis, templates, signal=signal)
    _belt(axes[3], belt)
    return figure


def _flows(axis: Axes, marginal: xr.Dataset) -> None:
    edges, here = marginal["edges"].values, marginal.sel(category="one_jet")
    for label, colour in (("signal", style.SIGNAL), ("background", style.BACKGROUND)):
        axis.stairs(here["truth"].sel(label=label), edges, fill=True, color=colour, alpha=0.3, label=label)
    strengths = np.sort(here["strength"].values)
    for strength, colour in zip(strengths, style.ordered_colours(len(strengths)), strict=True):
        learned = here["learned"].sel(strength=strength)
        axis.stairs(learned, edges, baseline=None, color=colour, label=f"flow, c = {strength:g}")
    axis.set(xlabel=MASS, ylabel="density, one jet", xlim=(edges[0], edges[-1]))
    axis.legend(fontsize="small")


def _scores(axis: Axes, templates: xr.Dataset, *, signal: bool) -> None:
    """Scores at every node of tes, that of jes being the middle one."""
    shifts = templates["shift"].values
    grid = shifts[:, 2] == 0  # behind them stand those of the profile likelihood, with soft missing momentum
    counts, nodes = templates["counts"].sel(network="cnf").values[grid], round(np.sqrt(grid.sum()))
    shifts = shifts[grid, 0].reshape(nodes, nodes)
    counts = (counts[:, :1] if signal else counts[:, 1:]).sum(axis=1).reshape(nodes, nodes, -1)[:, nodes // 2]
    edges = np.linspace(0, 1, counts.shape[-1] + 1)
    for row, shift, colour in zip(counts, shifts[:, 0], style.ordered_colours(nodes), strict=True):
        density = row / row.sum() / np.diff(edges)
        axis.stairs(density, edges, baseline=None, color=colour, label=f"{shift:.3f}")
    name = "signal" if signal else "background"
    axis.set(yscale="log", xlabel="score", ylabel=f"density of the {name}", xlim=(0, 1))
    axis.legend(title=r"$\alpha_\mathrm{tes}$", fontsize="x-small", title_fontsize="small", ncols=2, loc="upper center")


def _belt(axis: Axes, belt: xr.Dataset) -> None:
    truth = belt["truth"].values
    axis.fill_between(truth, belt["low"], belt["high"], color=style.CURVE, alpha=0.25, label="68.27 % belt")
    low, middle, high = np.quantile(belt["estimate"], [0.1587, 0.5, 0.8413], axis=1)
    errors = [middle - low, high - middle]
    axis.errorbar(belt["strength"], middle, errors, fmt="o", color=style.TRUTH, markersize=3, label="estimates")
    axis.plot(truth, truth, color=style.SMOOTH, linestyle="--", label=r"$\hat\mu = \mu$")
    axis.set(xlabel=r"true $\mu$", ylabel=r"estimate $\hat\mu$", xlim=(truth[0], truth[-1]))
    axis.legend(fontsize="small")


@style.with_style
def table(table: xr.Dataset) -> Figure:
    """Score, interval, coverage, RMSE and run time of every strategy (contrastive flows Table 2)."""
    names = [str(name) for name in table["strategy"].values]
    rows = [_row(table.sel(strategy=name)) for name in names]
    labels = [STRATEGIES[name][0] + (" (ours)" if name in OURS else "") for name in names]
    figure = Figure(figsize=(9.4, 0.28 * (len(names) + 2)), layout="constrained")
    axis = figure.subplots()
    heads = ["pseudo-\nexperiments", "score", "interval", "coverage", "window", "RMSE", "minutes\nfor 1000"]
    drawn = axis.table(rows, rowLabels=labels, colLabels=heads, loc="center", cellLoc="center")
    drawn.scale(1, 1.3)
    for column in range(len(heads)):
        drawn[0, column].set_height(1.9 * drawn[1, column].get_height())
    for row, name in enumerate(names):
        if float(table["distance"].sel(strategy=name)) > 0:
            drawn[row + 1, 3].set_facecolor("#F6C9B0")
    axis.axis("off")
    return figure


def _row(here: xr.Dataset) -> list[str]:
    low, high = here["window"].values

    def told(name: str, digits: int) -> str:
        return f"{float(here[name]):.{digits}f} ± {float(here[name + '_error']):.{digits}f}"

    return [
        f"{int(here['n_toys'])}",
        *(told("score", 2), told("width", 3), told("coverage", 3)),
        f"{low:.3f} … {high:.3f}",
        f"{float(here['rmse']):.3f}",
        f"{float(here['minutes']):.1f}",
    ]  # fmt: skip


@style.with_style
def coverage(table: xr.Dataset) -> Figure:
    """Coverage of every strategy at each true strength (ours)."""
    names = [str(name) for name in table["set_strategy"].values]
    figure, axes = style.grid(len(names), columns=3, size=(3.2, 2.7))
    for axis, name in zip(axes, names, strict=True):
        here, (label, colour) = table.sel(set_strategy=name), STRATEGIES[name]
        axis.axhspan(*here["set_window"].values, color=style.HARD, alpha=0.4, linewidth=0, label="challenge's window")
        axis.axhline(0.6827, color=style.TRUTH, linestyle=":", linewidth=1)
        axis.plot(here["truth"], here["set_coverage"], "o", color=colour, markersize=4)
        axis.set(ylim=(0, 1.03))
        axis.set_title(label, fontsize="small")
    style.label_outer(axes, r"true $\mu$", "coverage")
    for axis in axes[-3:]:  # those with none below
        axis.tick_params(labelbottom=True)
        axis.set_xlabel(r"true $\mu$")
    style.legend_above(figure, axes[0], columns=1)
    return figure


@style.with_style
def response_surface(check: xr.Dataset, *, n_panels: int = 3) -> Figure:
    """Histograms of the response surface beside those of all events (ours)."""
    figure = Figure(figsize=(3.3 * n_panels, 4.0), layout="constrained")
    axes = figure.subplots(2, n_panels, sharex=True, height_ratios=[2, 1], squeeze=False)
    edges = np.linspace(0, 1, check.sizes["bin"] + 1)
    for n, (top, below) in enumerate(axes.T):
        here = check.isel(point=min(n, check.sizes["point"] - 1))
        top.stairs(here["direct"], edges, color=style.HARD, fill=True, label="all events")
        top.stairs(here["surface"], edges, color=style.CURVE, label="response surface")
        tes, jes, soft = here["shift"].values
        top.set(yscale="log", xlim=(0, 1))
        top.set_title(f"tes {tes:.3f}, jes {jes:.3f}\nsoft met {soft:.2f} GeV", fontsize="small")
        below.stairs(here["pull"], edges, baseline=0, color=style.CURVE)
        below.set(xlabel="score", ylim=(-1.2, 1.2))
        below.axhline(0, color=style.TRUTH, linewidth=0.8)
    axes[0, 0].set_ylabel("expected events")
    axes[1, 0].set_ylabel("difference /\nPoisson σ")
    style.legend_above(figure, axes[0, 0], columns=2)
    return figure
