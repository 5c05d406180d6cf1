"""Figures of the study of how training on a whole analysis scales."""

import xarray as xr
from matplotlib.figure import Figure

from diffhep import plotting

PANELS = {
    "bias": "bias of the gradient",
    "spread": "spread of the gradient",
    "cosine": "cosine with the full gradient",
}


@plotting.styled
def gradient_noise(noise: xr.Dataset) -> Figure:
    """Bias, spread and direction of the gradients of batches against their size, one colour an objective (ours).

    Where the bias is below what so few batches can tell, it is drawn faint.
    """
    figure, axes = plotting.panels(1, len(PANELS), size=(3.4, 3.1))
    for axis, (name, label) in zip(axes.flat, PANELS.items(), strict=True):
        for objective in noise["objective"].values:
            here, look = noise.sel(objective=objective), plotting.look(str(objective))
            if name == "bias":
                axis.plot(here["batch_size"], here["bias"], **look, alpha=0.3)
                told = here["bias"].where(here["bias"] > 2 * here["bias_error"])
                axis.plot(here["batch_size"], told, **look)
            else:
                axis.plot(here["batch_size"], here[name], **look)
        axis.set(xscale="log", xlabel="events of each sample in a batch", ylabel=label)
        if name != "cosine":
            axis.set_yscale("log")
    handles = [plotting.line_handle(plotting.look(str(objective))) for objective in noise["objective"].values]
    note = "in units of the gradient of all events; faint: not told from zero by so many batches"
    plotting.legend_above(figure, handles, columns=len(handles), note=note)
    return figure
