"""Panels of pseudo-experiments: points with errors beside asymptotic lines, one colour an objective."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from diffhep.figures.painters import style

ONE_SIGMA = 0.6827  # of a normal distribution lies within one standard deviation
MARKERS = {0.0: {"fillstyle": "none"}, 1.0: {"fillstyle": "full"}}  # of the true signal strength


def _points(axis: Axes, run: str, x: np.ndarray, y: np.ndarray, error: np.ndarray) -> None:
    look = style.objective_style(run) | {"linestyle": "none"}
    axis.errorbar(x, y, yerr=error, **look, markersize=3, elinewidth=0.8)


def _histogram(axis: Axes, run: str, values: np.ndarray, edges: np.ndarray, number: int) -> None:
    """Density of values as points with Poisson errors, normalised to `number` of them; no empty bins."""
    counts, _ = np.histogram(values, edges)
    filled, scale = counts > 0, number * np.diff(edges)
    centres = (edges[1:] + edges[:-1]) / 2
    _points(axis, run, *(array[filled] for array in (centres, counts / scale, np.sqrt(counts) / scale)))


def test_statistic(axis: Axes, runs: dict[str, xr.Dataset], name: str, bins: int) -> None:
    """The root of a test statistic: density of toys, and the asymptotic one; toys at zero are left out."""
    largest = max(float(np.nanmax(data[name])) for data in runs.values())
    edges = np.linspace(0, np.sqrt(max(largest, 1.0)), bins + 1)
    for run, data in runs.items():
        values = data[name].values
        root = np.sqrt(data["q"].values)
        inside = root <= edges[-1]
        density = 2 * root * data[f"density_{name}"].values  # of the root
        axis.plot(root[inside], density[inside], color=style.objective_style(run)["color"], linewidth=1.2)
        _histogram(axis, run, np.sqrt(values[values > 0]), edges, int(np.isfinite(values).sum()))
    rarest = max(data.sizes["toy"] for data in runs.values())
    axis.set(yscale="log", ylim=(0.2 / rarest / np.diff(edges)[0], 2), xlim=(0, edges[-1]))


def pulls(axis: Axes, runs: dict[str, xr.Dataset], bins: int) -> None:
    """Pulls of the fitted strength beside a unit normal distribution."""
    edges = np.linspace(-5, 5, bins + 1)
    fine = np.linspace(-5, 5, 201)
    axis.plot(fine, np.exp(-(fine**2) / 2) / np.sqrt(2 * np.pi), color=style.TRUTH, linewidth=1.2)
    for run, data in runs.items():
        values = data["pull"].values
        _histogram(axis, run, values, edges, int(np.isfinite(values).sum()))
    axis.set(xlabel=r"$(\hat\mu - \mu)\,/\,\sigma_\mu$", xlim=(-5, 5), ylim=(0, None))


def cls(axis: Axes, runs: dict[str, xr.Dataset]) -> None:
    """CLs over the tested strength, of toys and asymptotic."""
    for run, data in runs.items():
        axis.plot(data["tested_mu"], data["cls_asymptotic"], color=style.objective_style(run)["color"], linewidth=1.2)
        points = data[["cls_toys", "cls_toys_error"]]
        seen = points.where(points["cls_toys"] > 0, drop=True)  # no toy that far out: an upper limit at most
        _points(axis, run, seen["tested_mu"].values, seen["cls_toys"].values, seen["cls_toys_error"].values)
    lowest = min(float(data["cls_asymptotic"].min()) for data in runs.values())
    axis.set(xlabel=r"tested $\mu$", ylabel=style.METRICS["cls"], yscale="log", ylim=(lowest / 10, 2))


def coverage(axis: Axes, runs: dict[str, xr.Dataset]) -> None:
    """Share of pseudo-experiments within one sigma_mu of the truth, and of those whose fit failed."""
    for position, (run, data) in enumerate(runs.items()):
        for offset, true_mu in zip((-0.15, 0.15), MARKERS, strict=True):
            share = float(data["coverage"].sel(true_mu=true_mu))
            error = np.sqrt(share * (1 - share) / data.sizes["toy"])
            look = style.objective_style(run) | {"linestyle": "none"} | MARKERS[true_mu]
            axis.errorbar(share, position + offset, xerr=error, **look)
    axis.axvline(ONE_SIGMA, color=style.TRUTH, linewidth=1.2)
    failed = [f"{1e4 * float(data['failed'].max()):.1f}" for data in runs.values()]
    axis.set_yticks(range(len(runs)), failed)
    axis.set(xlabel=r"coverage of $\hat\mu \pm \sigma_\mu$", ylabel="failed fits of 10 000")
    axis.set_ylim(len(runs) - 0.5, -0.5)
    axis.set_title(r"thrown with $\mu = 0$ (open), $1$ (filled)")
