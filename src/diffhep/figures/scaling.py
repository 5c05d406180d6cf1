"""Figures of the study of how training on a whole analysis scales."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from diffhep.figures.painters import style

PANELS = {
    "bias": "bias of the gradient",
    "spread": "spread of the gradient",
    "cosine": "cosine with the full gradient",
}

PEERS = {
    "diffhep": {"label": "diffhep", "color": "#D55E00", "marker": "D"},
    "pyhf": {"label": "pyhf", "color": "#0072B2", "marker": "o"},
    "relaxed": {"label": "relaxed", "color": "#009E73", "marker": "^"},
    "everwillow": {"label": "everwillow and evermore", "color": "#CC79A7", "marker": "s"},
    "cross_entropy": {"label": "cross-entropy alone", "color": "#757575", "marker": "v", "linestyle": "--"},
}
AXES = {
    "nuisance_parameters": "nuisance parameters",
    "bins": "bins",
    "channels": "channels",
    "batch_size": "events of each sample in a batch",
}
COSTS = {"seconds": (1e3, "milliseconds"), "bytes": (1e-6, "megabytes")}


@style.with_style
def cost(cost: xr.Dataset) -> Figure:
    """Time and memory of a piece of work, one row each, against each size, one column each (ours)."""
    axes_of = [axis for axis in AXES if (cost["axis"] == axis).any()]
    figure, axes = style.panels(len(COSTS), len(axes_of), size=(3.4, 2.6))
    for row, (name, (scale, label)) in zip(axes, COSTS.items(), strict=True):
        for axis, size in zip(row, axes_of, strict=True):
            here = cost.isel(point=np.flatnonzero(cost["axis"] == size))
            for peer in cost["peer"].values:
                axis.plot(here["size"], scale * here[name].sel(peer=peer), **PEERS[str(peer)])
            axis.set(xscale="log", yscale="log", xlabel=AXES[size], ylabel=label)
        style.share_range(list(row))
    style.legend_above(figure, axes[0, 0], columns=cost.sizes["peer"])
    return figure


@style.with_style
def gradient_noise(noise: xr.Dataset) -> Figure:
    """Bias, spread and direction of the gradients of batches against their size, one colour an objective (ours).

    Where the bias is below what so few batches can tell, it is drawn faint.
    """
    figure, axes = style.panels(1, len(PANELS), size=(3.4, 3.1))
    for axis, (name, label) in zip(axes.flat, PANELS.items(), strict=True):
        for objective in noise["objective"].values:
            here, look = noise.sel(objective=objective), style.objective_style(str(objective))
            if name == "bias":
                axis.plot(here["batch_size"], here["bias"], **look, alpha=0.3)
                told = here["bias"].where(here["bias"] > 2 * here["bias_error"])
                axis.plot(here["batch_size"], told, **look)
            else:
                axis.plot(here["batch_size"], here[name], **look)
        axis.set(xscale="log", xlabel="events of each sample in a batch", ylabel=label)
        axis.xaxis.set_minor_formatter(NullFormatter())
        if name != "cosine":
            axis.set_yscale("log")
    handles = [style.line_handle(style.objective_style(str(objective))) for objective in noise["objective"].values]
    note = "in units of the gradient of all events; faint: not told from zero by so many batches"
    style.legend_above(figure, handles, columns=len(handles), note=note)
    return figure
