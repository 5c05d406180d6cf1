"""How long a build takes with how many workers. Not in the manifest: `snakemake workers` measures it and draws it."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from diffhep.figures.painters import style
from diffhep.pipeline import wall_time_bounds

MEASURED = {"label": "measured", "color": "black", "marker": "o", "linestyle": "none", "zorder": 3}
MACHINE = {"label": "one machine, model", "color": "#D55E00"}
BUSY = {"label": "no core ever idle", "color": "#757575", "linestyle": "--"}
CHAIN = {"label": "longest chain of jobs", "color": "#757575", "linestyle": ":"}
NODES = ("#56B4E9", "#0072B2", "#CC79A7")
MOST_CORES = 128


@style.with_style
def wall_time(workers: xr.Dataset, nodes: Sequence[int], cluster: Mapping[str, float]) -> Figure:
    """Wall time of a build against its cores: measured and modelled; of all, modelled; and the memory that it needs.

    The model is `schedule_model`; its one number that is not from single jobs is Snakemake's own seconds a job,
    from the build with one worker.

    Args:
        workers: As `benchmarks.workers.measure` returns it.
        nodes: Cores of each node, one curve each.
        cluster: `overhead`, `poll` and `places` of a batch system, see `wall_time_bounds.System`.
    """
    figure, ((built, full, memory),) = style.panels(1, 3, size=(3.4, 3.3))
    small, large, system = jobs_of(workers, "built"), jobs_of(workers, "full"), local(workers)
    _draw(built, small, system)
    for seconds in workers["seconds"].values:
        built.plot(workers["workers"], seconds / 60, **MEASURED)
    _draw(full, large, system)
    for size, colour in zip(nodes, NODES, strict=False):
        cores, batch = doublings(size), wall_time_bounds.System(begin=system.begin, **cluster)
        times = [wall_time_bounds.schedule(large, [size] * (number // size), batch).seconds for number in cores]
        full.plot(cores, np.array(times) / 60, color=colour, marker=".", label=f"nodes of {size} cores, model")
    spans = [(number, wall_time_bounds.schedule(large, [number], system).spans) for number in doublings(1)]
    memory.plot(
        *np.transpose([(number, wall_time_bounds.megabytes(large, of) / 1e3) for number, of in spans]), **MACHINE
    )
    built.set_title(f"{workers.attrs['target']} at quick scale, {len(small)} jobs")
    full.set_title(f"everything, {len(large)} jobs")
    memory.set(title="everything, on one machine", xlabel="cores", ylabel="memory of all jobs at once / GB")
    for axis in (built, full, memory):
        _in_ratios(axis)
    handles = {artist.get_label(): artist for axis in (built, full) for artist in axis.lines}
    note = (
        f"Snakemake: {system.begin:.0f} s before the first job and {system.overhead:.1f} s a job on one machine; "
        f"on nodes {cluster['overhead']:.0f} s a job, ends seen every {cluster['poll']:.0f} s or later, "
        f"{cluster['places']:.0f} jobs at once"
    )
    style.legend_above(figure, list(handles.values()), columns=3, note=note)
    return figure


def jobs_of(workers: xr.Dataset, graph: str) -> list[wall_time_bounds.Job]:
    """The jobs of a graph that `benchmarks.workers.tabulated` has made arrays of; their names are numbers."""
    seconds, cores, memory, before, after = (
        workers[f"{graph}_{what}"].values for what in ("seconds", "cores", "megabytes", "before", "after")
    )
    return [
        wall_time_bounds.Job(
            str(number), float(seconds[number]), int(cores[number]), tuple(map(str, needs)), float(memory[number])
        )
        for number in range(len(seconds))
        for needs in [before[after == number]]
    ]


def local(workers: xr.Dataset) -> wall_time_bounds.System:
    """Snakemake on the machine that was measured: what a build with one worker takes beyond its jobs."""
    begin = float(workers["begin"].median())
    alone = float(workers["seconds"].sel(workers=1).median())
    rest = alone - begin - float(workers["built_seconds"].sum())
    return wall_time_bounds.System(begin=begin, overhead=max(rest, 0.0) / workers.sizes["built_job"])


def doublings(first: int) -> list[int]:
    """Numbers of cores that are asked about."""
    return [first * 2**power for power in range(MOST_CORES.bit_length()) if first * 2**power <= MOST_CORES]


def _draw(axis: Axes, jobs: Iterable[wall_time_bounds.Job], system: wall_time_bounds.System) -> None:
    """What the model says of one machine, and the two bounds."""
    cores = doublings(1)
    times = [wall_time_bounds.schedule(jobs, [number], system).seconds for number in cores]
    axis.plot(cores, np.array(times) / 60, **MACHINE)
    axis.plot(cores, [wall_time_bounds.work_per_core(jobs, number) / 60 for number in cores], **BUSY)
    axis.axhline(wall_time_bounds.longest_chain(jobs) / 60, **CHAIN)
    axis.set(xlabel="cores", ylabel="wall time / minutes")


def _in_ratios(axis: Axes) -> None:
    """Logarithmic axes, told in plain numbers."""
    axis.set_xscale("log", base=2)
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    for part in (axis.xaxis, axis.yaxis):
        part.set_major_formatter(FuncFormatter(lambda number, _: f"{number:g}"))
        part.set_minor_formatter(NullFormatter())
