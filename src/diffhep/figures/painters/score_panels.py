"""Painters of observables between 0 (background) and 1 (signal)."""

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from diffhep.figures.painters import style

SAMPLES = {"signal": style.SIGNAL, "background": style.BACKGROUND}


def score_histogram(axis: Axes, found: xr.Dataset) -> None:
    """Shares of signal and background on a logarithmic scale."""
    for sample, colour in SAMPLES.items():
        share = found["share"].sel(sample=sample)
        axis.stairs(share, found["edges"], baseline=None, color=colour, label=sample, linewidth=1.5)
    axis.set_yscale("log")
    axis.set(xlim=(0, 1), ylim=(1e-5, 2))


def score_uncertainty(axis: Axes, found: xr.Dataset) -> None:
    """Mean uncertainty of the observable in each of its bins."""
    for sample, colour in SAMPLES.items():
        axis.stairs(found["error"].sel(sample=sample), found["edges"], baseline=None, color=colour, linewidth=1.2)
    axis.set(xlim=(0, 1), ylim=(0, max(axis.get_ylim()[1], float(found["error"].max()))))


def paired_panels(number: int, columns: int = 3) -> tuple[Figure, list[tuple[Axes, Axes]]]:
    """A figure with so many pairs of panels, a low one below each high one, row by row."""
    columns = min(columns, number)
    rows = -(-number // columns)
    figure = Figure(figsize=(3.4 * columns, 3.4 * rows), layout="constrained")
    axes = figure.subplots(2 * rows, columns, squeeze=False, height_ratios=[3, 1] * rows)
    found = axes.reshape(rows, 2, columns).swapaxes(1, 2).reshape(-1, 2)
    for _, lower in found[1:]:
        lower.sharey(found[0, 1])
    for unused in found[number:].flat:
        unused.set_visible(False)
    return figure, [tuple(pair) for pair in found[:number]]
