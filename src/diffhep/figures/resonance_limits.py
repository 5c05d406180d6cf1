"""Figures of the expected limits of the search for X -> SH -> bb gamma gamma (thesis chapter 9)."""

import numpy as np
import xarray as xr
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from diffhep.figures.painters import conditioning_points, mass_plane, style


@style.with_style
def limit_maps(limits: xr.Dataset) -> Figure:
    """Draw the expected limits of each strategy: interpolated signal as a map, simulated signal as points (ours).

    Args:
        limits: `limit` (context, strategy, source) in fb, `masses` (context, mass), `simulated` and `held_out`
            (context).
    """
    figure, axes = style.grid(limits.sizes["strategy"], size=(3.9, 3.2))
    finite = limits["limit"].where(np.isfinite(limits["limit"]))
    norm = LogNorm(float(finite.min()), float(finite.max()))
    simulated, masses = limits["simulated"].values, limits["masses"].values
    for axis, strategy in zip(axes, limits["strategy"].values, strict=True):
        mesh, points = (finite.sel(strategy=strategy, source=source).values for source in ("interpolated", "simulated"))
        axis.pcolormesh(*mass_plane.mesh_table(masses[~simulated], mesh[~simulated]), norm=norm, rasterized=True)
        held_out = limits["held_out"].values[simulated]
        drawn = mass_plane.scatter_values(
            axis, masses[simulated], points[simulated], held_out, norm, "viridis", edge="white"
        )
        axis.set_title(strategy)
    mass_plane.set_limits(axes, masses)
    figure.colorbar(drawn, ax=axes, label="expected limit on σ × B [fb]", shrink=0.9)
    handles = conditioning_points.scatter_handles("points, simulated signal")
    style.legend_above(figure, handles, columns=2, note="map: interpolated signal")
    return figure


@style.with_style
def limit_ratios(limits: xr.Dataset, *, over: str, reach: float) -> Figure:
    """Draw ratios of expected limits at the simulated points (ours).

    Args:
        limits: Variables as for `limit_maps`.
        over: Denominator. `simulated`: limits with interpolated signal over those with simulated signal, of each
            strategy. Name of a strategy: limits of the other strategies over its limits, all with simulated signal.
        reach: Largest ratio of the colour scale; the lowest is its inverse.
    """
    points = limits.isel(context=limits["simulated"].values)
    simulated = points["limit"].sel(source="simulated")
    if over == "simulated":
        ratios = points["limit"].sel(source="interpolated") / simulated
    else:
        ratios = (simulated / simulated.sel(strategy=over)).drop_sel(strategy=over)
    figure, axes = style.grid(ratios.sizes["strategy"], size=(3.9, 3.2))
    masses, held_out, norm = points["masses"].values, points["held_out"].values, LogNorm(1 / reach, reach)
    for axis, strategy in zip(axes, ratios["strategy"].values, strict=True):
        values = ratios.sel(strategy=strategy).values
        drawn = mass_plane.scatter_values(axis, masses, values, held_out, norm, "RdBu_r")
        axis.set_title(strategy if over == "simulated" else f"{strategy} / {over}")
    mass_plane.set_limits(axes, masses)
    label = "limit: interpolated / simulated signal" if over == "simulated" else "ratio of limits"
    ticks = np.geomspace(1 / reach, reach, 5)
    bar = figure.colorbar(drawn, ax=axes, label=label, shrink=0.9, extend="both", ticks=ticks)
    bar.ax.set_yticklabels([f"{tick:.2f}" for tick in ticks])
    bar.ax.minorticks_off()
    style.legend_above(figure, conditioning_points.scatter_handles(), columns=2)
    return figure
