"""Painters of scores between 0 (background) and 1 (signal)."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from diffhep.figures.painters import style

SAMPLES = {"signal": style.SIGNAL, "background": style.BACKGROUND}
Histograms = Mapping[str, Float[np.ndarray, " bin"]]


def score_histogram(axis: Axes, edges: Float[np.ndarray, " edge"], shares: Histograms) -> None:
    """Draw the shares of signal and background events in bins of the score, on a logarithmic scale.

    Args:
        axis: Axes to draw on.
        edges: Edges of the bins.
        shares: Share of the events in each bin, of `signal` and of `background`.
    """
    for sample, colour in SAMPLES.items():
        axis.stairs(shares[sample], edges, baseline=None, color=colour, label=sample, linewidth=1.5)
    axis.set_yscale("log")
    axis.set(xlim=(0, 1), ylim=(1e-5, 2))


def score_uncertainty(axis: Axes, edges: Float[np.ndarray, " edge"], uncertainties: Histograms) -> None:
    """Draw the mean uncertainty of the score of signal and background events in each bin.

    Args:
        axis: Axes to draw on; its upper limit grows where needed, so that panels may share it.
        edges: Edges of the bins.
        uncertainties: Mean uncertainty in each bin, of `signal` and of `background`.
    """
    for sample, colour in SAMPLES.items():
        axis.stairs(uncertainties[sample], edges, baseline=None, color=colour, linewidth=1.2)
    largest = max(np.nanmax(uncertainties[sample]) for sample in SAMPLES)
    axis.set(xlim=(0, 1), ylim=(0, max(axis.get_ylim()[1], float(largest))))


def paired_panels(number: int, columns: int = 3) -> tuple[Figure, list[tuple[Axes, Axes]]]:
    """Create a figure with pairs of panels, a low panel below each high one.

    Args:
        number: Number of pairs, row by row.
        columns: Pairs in a row, at most.

    Returns:
        The figure, and the upper and lower axes of each pair; the lower ones share their y axis.
    """
    columns = min(columns, number)
    rows = -(-number // columns)
    figure = Figure(figsize=(3.4 * columns, 3.4 * rows), layout="constrained")
    axes = figure.subplots(2 * rows, columns, squeeze=False, height_ratios=[3, 1] * rows)
    pairs = axes.reshape(rows, 2, columns).swapaxes(1, 2).reshape(-1, 2)
    for _, lower in pairs[1:]:
        lower.sharey(pairs[0, 1])
    for unused in pairs[number:].flat:
        unused.set_visible(False)
    return figure, [tuple(pair) for pair in pairs[:number]]
