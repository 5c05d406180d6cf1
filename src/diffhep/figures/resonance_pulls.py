"""Figures of the pulls of the signal flows in the search for X -> SH -> bb gamma gamma (thesis 9.5)."""

import numpy as np
import xarray as xr
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from diffhep.figures.painters import conditioning_points, mass_plane, style

SIGMAS = {
    "ensemble": r"$\sigma_{\rm flow}$ of the ensemble",
    "statistical": "statistical uncertainty of the data",
    "larger": r"larger of $\sigma_{\rm flow}$ and the statistical uncertainty",
}


@style.with_style
def pull_distributions(predicted: xr.Dataset, *, sigma: str, reach: float = 8.0) -> Figure:
    """Draw the pulls of all bins, of training points and of unseen points (thesis Figs. 9.10, 9.12 and 9.14).

    Args:
        predicted: `pull` (sigma, context, y, x), `pull_centre` and `pull_width` (sigma, part), `trained` (context); see
            `studies.resonance.pull_summaries`.
        sigma: Uncertainty in the denominator: `ensemble`, `statistical` or `larger`.
        reach: Largest pull of the histogram, in either direction.
    """
    figure, axes = style.grid(2, size=(4.2, 3.4))
    edges, pulls = np.linspace(-reach, reach, 65), predicted.sel(sigma=sigma)
    for axis, (part, (label, colour)) in zip(axes, conditioning_points.PARTS.items(), strict=True):
        selected = conditioning_points.in_part(predicted["trained"].values, part)
        heights = conditioning_points.density_histogram(pulls["pull"].values[selected], edges)
        axis.stairs(heights, edges, fill=True, color=colour, alpha=0.4)
        centre, width = (float(pulls[name].sel(part=part)) for name in ("pull_centre", "pull_width"))
        conditioning_points.draw_normal(axis, centre, width, reach, color=style.TRUTH)
        axis.set_title(f"{label}: {centre:.2f} ± {width:.2f}", fontsize="medium")
        axis.set_xlabel("(flow - data) / σ")
    axes[0].set_ylabel("density of bins")
    style.share_range(axes)
    handles = [
        Patch(color=style.HARD, label=f"pulls of bins, σ: {SIGMAS[sigma]}"),
        Line2D([], [], color=style.TRUTH, label="normal distribution with their median and central 68 %"),
    ]
    style.legend_above(figure, handles, columns=1)
    return figure


@style.with_style
def pull_maps(predicted: xr.Dataset, *, sigma: str) -> Figure:
    """Draw mean and width of the pulls of each mass point (thesis Figs. 9.11, 9.13 and 9.15).

    Args:
        predicted: `point_pull_centre` and `point_pull_width` (sigma, context), `mean` (context, axis), both masses in
            GeV, and `trained` (context).
        sigma: Uncertainty in the denominator: `ensemble`, `statistical` or `larger`.
    """
    figure, axes = style.grid(2, size=(5.8, 4.0))
    masses, held_out, pulls = predicted["mean"].values, ~predicted["trained"].values, predicted.sel(sigma=sigma)
    maps = {
        "mean of the pulls": ("point_pull_centre", "RdBu_r", Normalize(-2, 2)),
        "width of the pulls": ("point_pull_width", "viridis", Normalize(0, 3)),
    }
    for axis, (label, (name, cmap, norm)) in zip(axes, maps.items(), strict=True):
        drawn = mass_plane.scatter_values(axis, masses, pulls[name].values, held_out, norm, cmap)
        figure.colorbar(drawn, ax=axis, label=label, extend="both" if norm.vmin else "max", shrink=0.9)
    mass_plane.set_limits(axes, masses)
    handles = conditioning_points.scatter_handles()
    style.legend_above(figure, handles, columns=2, note=f"σ of the pulls: {SIGMAS[sigma]}")
    return figure
