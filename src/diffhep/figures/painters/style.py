"""Style of all figures: one look for each training objective, labels, and painters."""

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

STYLE = Path(__file__).with_name("style.mplstyle")
BAND_NOTE = "lines: mean over initialisations, bands: ±1 standard deviation"
# a histogram of events, its binned stand-in, a curve behind that, and what all of them estimate
HARD, SMOOTH, CURVE, TRUTH = "#bdbdbd", "#0072B2", "#D55E00", "black"
# samples of events
SIGNAL, BACKGROUND, UP, DOWN = "#009E73", "#E69F00", "#CC79A7", "#56B4E9"

# Okabe and Ito's colours, which the colour-blind tell apart; markers for those who print in grey.
OBJECTIVES: dict[str, dict[str, str]] = {
    "bce": {"label": "cross-entropy", "color": "#0072B2", "marker": "o"},
    "bce_augmented": {"label": "cross-entropy, augmented", "color": "#56B4E9", "marker": "s"},
    "inferno": {"label": r"INFERNO ($\sigma_\mu$)", "color": "#009E73", "marker": "^"},
    "cls": {"label": r"CL$_s$ (neos)", "color": "#D55E00", "marker": "D"},
    "log_cls": {"label": r"log CL$_s$", "color": "#E69F00", "marker": "v"},
    "p0": {"label": r"$p_0$", "color": "#882255", "marker": "P"},
    "log_p0": {"label": r"log $p_0$", "color": "#CC79A7", "marker": "X"},
    "cls_p0": {"label": r"CL$_s + p_0$", "color": "black", "marker": "p"},
    "poi_uncertainty": {"label": r"$\sigma_\mu$", "color": "#009E73", "marker": "<"},
}
METRICS: dict[str, str] = {
    "cls": r"expected CL$_s$",
    "p0": r"expected $p_0$",
    "poi_uncertainty": r"$\sigma_\mu$",
    "nuisance_deviation": r"$(1-\sigma_\gamma)^2$",
    "generalised_variance": r"$\det\,\mathrm{cov}(\mu,\gamma)$",
    "bce": "cross-entropy",
    "gaussianity": "Gaussianity",
    "cls_p0": r"CL$_s + p_0$",
}
METRIC_COLOURS = ("#D55E00", "#882255", "#009E73", "#E69F00", "#0072B2", "black")


def with_style(plot: Callable[..., Figure]) -> Callable[..., Figure]:
    """A plot function that draws in the suite's style and leaves everybody else's as it is."""

    @functools.wraps(plot)
    def drawn(*args: Any, **options: Any) -> Figure:
        with mpl.rc_context(fname=STYLE):
            return plot(*args, **options)

    return drawn


def objective_style(objective: str) -> dict[str, Any]:
    """Label, colour, marker and line style of a training objective, the same in every figure.

    The variants named `<objective>_code0`, with the kinked interpolation, are dashed.

    Raises:
        ValueError: No look is defined for the objective.
    """
    name = objective.removesuffix("_code0")
    if name not in OBJECTIVES:
        raise ValueError(f"{objective!r} has no look: add it to plotting.OBJECTIVES or use {', '.join(OBJECTIVES)}")
    if name == objective:
        return OBJECTIVES[name] | {"linestyle": "-"}
    return OBJECTIVES[name] | {"label": f"{OBJECTIVES[name]['label']}, code0", "linestyle": "--"}


def panels(rows: int, columns: int, *, size: tuple[float, float] = (3.4, 2.9)) -> tuple[Figure, np.ndarray]:
    """A figure with a grid of panels of the given size in inches, and its axes (row, column)."""
    figure = Figure(figsize=(columns * size[0], rows * size[1]), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def grid(number: int, *, columns: int = 3, size: tuple[float, float] = (3.4, 2.9)) -> tuple[Figure, list[Axes]]:
    """A figure with so many panels, row by row, and their axes in that order."""
    columns = min(columns, number)
    figure, axes = panels(-(-number // columns), columns, size=size)
    for unused in axes.flat[number:]:
        unused.set_visible(False)
    return figure, list(axes.flat[:number])


def label_outer(axes: Sequence[Axes], x: str, y: str) -> None:
    """Label the axes of a grid of panels that show the same, at its left and its lower side."""
    for axis in axes:
        axis.set(xlabel=x, ylabel=y)
        axis.label_outer()


def share_range(axes: Sequence[Axes]) -> None:
    """Give all axes the same range of y, with tick labels at the left only."""
    limits = np.array([axis.get_ylim() for axis in axes])
    for axis in axes:
        axis.set_ylim(limits[:, 0].min(), limits[:, 1].max())
    for axis in axes[1:]:
        axis.set_ylabel("")
        axis.tick_params(which="both", labelleft=False)


def band(axis: Axes, x: np.ndarray, values: np.ndarray, **line: Any) -> None:
    """Draw the mean over seeds with a band of one standard deviation to either side.

    The band stays within the values themselves, so that it never reaches zero on a logarithmic axis. Seeds
    without a finite value at a point are left out there.

    Args:
        axis: Where to draw.
        x: Positions (point).
        values: One row a seed (seed, point).
        line: How the line looks, for instance `objective_style(objective)`.
    """
    values = np.ma.masked_invalid(values)
    mean, spread = values.mean(axis=0), values.std(axis=0)
    low, high = (
        np.ma.maximum(mean - spread, values.min(axis=0)),
        np.ma.minimum(mean + spread, values.max(axis=0)),
    )
    axis.plot(x, mean.filled(np.nan), **line)
    axis.fill_between(x, low.filled(np.nan), high.filled(np.nan), color=line.get("color"), alpha=0.2, linewidth=0)


def ordered_colours(number: int) -> np.ndarray:
    """Colours (number, rgba) for values that have an order, dark to light, as the colour-blind see them too."""
    return mpl.colormaps["viridis"](np.linspace(0, 0.85, number))


def legend_above(
    figure: Figure, entries: Axes | Sequence[Any], *, columns: int, note: str | None = None, markerscale: float = 1.0
) -> None:
    """A legend over all panels, outside the data, with a note below them if there is one.

    Args:
        figure: Where to draw.
        entries: What the legend explains: the labelled artists of one panel, or handles.
        columns: How many entries stand side by side.
        note: Said below the panels.
        markerscale: How much larger markers are in the legend.
    """
    handles = entries.get_legend_handles_labels()[0] if isinstance(entries, Axes) else entries
    figure.legend(handles=handles, loc="outside upper center", ncols=columns, markerscale=markerscale)
    if note:
        figure.supxlabel(note, fontsize="small", color="#595959")


def line_handle(look: Mapping[str, Any]) -> Line2D:
    """Handle of a line with this look, for a legend."""
    return Line2D([], [], **look)
