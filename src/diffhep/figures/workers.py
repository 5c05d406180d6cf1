"""Wall time of a build against its number of cores; drawn by `snakemake workers`, not part of the manifest."""

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from diffhep.figures.painters import style

MEASURED = {"label": "measured", "color": "black", "marker": "o", "linestyle": "none", "zorder": 3}
BOUND = {"label": "lower bound: the larger of both", "color": "#D55E00"}
WORK = {"label": "work / cores", "color": "#757575", "linestyle": "--"}
CHAIN = {"label": "longest chain of jobs", "color": "#757575", "linestyle": ":"}


@style.with_style
def wall_time(workers: xr.Dataset) -> Figure:
    """Draw the measured wall time of a build and its two lower bounds, and the bounds for all results.

    Args:
        workers: Result of `benchmarks.workers.measure`.
    """
    figure, ((built, full),) = style.panels(1, 2, size=(4.0, 3.3))
    for axis, graph, title in (
        (built, "built", f"{workers.attrs['target']} at quick scale"),
        (full, "full", "all results"),
    ):
        _draw_bounds(axis, workers, graph)
        axis.set(title=f"{title}, {int(workers[f'{graph}_jobs'])} jobs", xlabel="cores", ylabel="wall time / minutes")
    for seconds in workers["seconds"].values:
        built.plot(workers["workers"], seconds / 60, **MEASURED)
    for axis in (built, full):
        _use_logarithmic_axes(axis)
    handles = {artist.get_label(): artist for artist in built.lines}
    startup = float(workers["startup"].median())
    note = f"measured times include {startup:.0f} s of Snakemake before the first job, the bounds do not"
    style.legend_above(figure, list(handles.values()), columns=2, note=note)
    return figure


def _draw_bounds(axis: Axes, workers: xr.Dataset, graph: str) -> None:
    axis.plot(workers["cores"], workers[f"{graph}_bound"] / 60, **BOUND)
    axis.plot(workers["cores"], workers[f"{graph}_work_per_core"] / 60, **WORK)
    axis.axhline(float(workers[f"{graph}_longest_chain"]) / 60, **CHAIN)


def _use_logarithmic_axes(axis: Axes) -> None:
    """Set logarithmic axes with ticks in plain numbers."""
    axis.set_xscale("log", base=2)
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    for side in (axis.xaxis, axis.yaxis):
        side.set_major_formatter(FuncFormatter(lambda number, _: f"{number:g}"))
        side.set_minor_formatter(NullFormatter())
