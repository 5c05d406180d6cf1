"""Stages of the study: events, trainings, their comparison, pseudo-experiments (neos 3.1, thesis 7.4 and 7.6)."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import jax
import numpy as np
import xarray as xr

from diffhep import prng
from diffhep.data import blobs
from diffhep.learning import losses, tasks, training
from diffhep.learning.summary_statistic import METRICS, expected_yields, metrics
from diffhep.models.simple import signal_background_workspace
from diffhep.studies.blobs import plan
from diffhep.studies.blobs.observable import FINE_BINS, build_task, plane_axis
from diffhep.studies.blobs.settings import Experiment, Generation, Rebinning, Run, TimedRuns, Workspaces

P_VALUES = ("cls", "p0")


def generate(settings: Generation) -> xr.Dataset:
    """Generate events, and split them into those to train on and those held out."""
    key = prng.key(settings.seed, prng.BLOBS_EVENTS)
    drawn = blobs.draw_blobs(key, dict(settings.means), settings.events)
    train_part, test_part = blobs.split_events(jax.device_get(drawn), settings.test_fraction)
    dims = ("sample", "{}_event", "feature")
    return xr.Dataset(
        {
            part: ([dim.format(part) for dim in dims], np.asarray(values.features))
            for part, values in {"train": train_part, "test": test_part}.items()
        },
        coords={"sample": list(blobs.SAMPLES)},
    )


def train(settings: Run, events: xr.Dataset, checkpoint: Path | None = None) -> xr.Dataset:
    """Train one observable from every seed, and evaluate it on the held-out events after every epoch.

    Returns:
        Every objective (seed, epoch), evaluated with hard histograms; `loss`, the mean training loss of the epoch;
        `objective`, the training objective with hard histograms; `selected` (seed), the epoch of its lowest value;
        `yields` (seed, epoch, sample, bin) and `edges` (seed, epoch, edge) of the bins, `counts` (seed, epoch, sample,
        fine_bin); and `logits` (seed, y, x), the trained network over the plane of the data at the selected epoch.
    """
    seeds = range(settings.seed, settings.seed + settings.seeds)
    history, _ = training.train(*build_task(settings, events), _schedule(settings), seeds, checkpoint=checkpoint)
    history["objective"] = sum(weight * history[name] for name, weight in settings.objective.items())
    selected = 1 + np.argmin(history["objective"][:, 1:], axis=1)
    logits = np.stack([by_epoch[epoch] for by_epoch, epoch in zip(history.pop("logits"), selected, strict=True)])
    dims = {"yields": ("sample", "bin"), "counts": ("sample", "fine_bin"), "edges": ("edge",)}
    axis = plane_axis(settings.plane)
    return xr.Dataset(
        {name: (("seed", "epoch", *dims.get(name, ())), values) for name, values in sorted(history.items())}
        | {"selected": ("seed", selected), "logits": (("seed", "y", "x"), logits)},
        coords={
            "seed": list(seeds),
            "epoch": np.arange(settings.epochs + 1),
            "sample": list(blobs.SAMPLES),
            "x": axis,
            "y": axis,
        },
    )


def _schedule(settings: Run) -> tasks.Schedule:
    at_once = training.parallel_seeds(settings.seeds_at_once, settings.seeds)
    return tasks.Schedule(settings.epochs, settings.batch_size, settings.learning_rate, at_once)


def evaluate(settings: Rebinning, trained: xr.Dataset) -> xr.Dataset:
    """Evaluate trained observables with other numbers of bins than they were trained for."""
    shape, most = tuple(trained.sizes[dim] for dim in ("seed", "epoch")), max(settings.bins)
    fine = trained["counts"].values.reshape(-1, len(blobs.SAMPLES), FINE_BINS)
    evaluate_all = jax.jit(partial(jax.lax.map, partial(metrics, interpolation=settings.interpolation)))
    metrics_by_bins = []
    for bins in settings.bins:
        counts = fine.reshape(*fine.shape[:2], bins, -1).sum(axis=-1)
        yields = expected_yields(counts / counts.sum(axis=-1, keepdims=True), **dict(settings.yields))
        # bins without events do not change the metrics: one shape, compiled once, serves all numbers of bins
        metrics_by_bins.append(evaluate_all(np.pad(yields, ((0, 0), (0, 0), (0, most - bins)))))
    values = {
        name: np.stack([np.reshape(values[name], shape) for values in metrics_by_bins], axis=-1) for name in METRICS
    }
    coords = {dim: trained[dim] for dim in ("seed", "epoch")} | {"bins": list(settings.bins)}
    return xr.Dataset({name: (tuple(coords), array) for name, array in values.items()}, coords=coords)


def workspaces(settings: Workspaces, trained: dict[str, xr.Dataset]) -> dict[str, dict]:
    """Write the analysis of every trained observable at its selected epoch as a pyhf workspace, by name.

    The observed data are the expected background, so that the median expected CLs is the reported `cls`. Runs with
    code0 must be read with that interpolation.
    """
    by_name = {}
    for run, results in trained.items():
        for seed in results["seed"].values:
            of_seed = results.sel(seed=seed)
            yields = of_seed["yields"].sel(epoch=int(of_seed["selected"]))
            name = f"{settings.experiment}_{run}_seed_{seed}"
            by_name[name] = signal_background_workspace(*yields.transpose("sample", "bin").values)
    return by_name


def compare(settings: Experiment, trained: dict[str, xr.Dataset], evaluated: dict[str, xr.Dataset]) -> xr.Dataset:
    """Metrics of the compared runs (point, run, seed, epoch), at the document's settings and at sweep points.

    A run whose training does not depend on the bins is trained once and evaluated with each number of bins. `selected`
    (run) is the epoch of the lowest mean objective, and `edge_shift`, at the first point, the mean distance of the
    inner edges from those of equal bins, in units of the bin width. `selected_mean` (metric, run) is the mean over
    seeds at the first point and the selected epoch, geometric for p-values.
    """
    places = [settings.defaults, *settings.sweep.points]
    points = [_at_home(settings, trained)]
    for point in places[1:]:
        runs = {}
        for run in settings.compare:
            swept = trained.get(f"{run}_{plan.point_name(point)}")
            metrics_there = evaluated[run].sel(bins=point.bins, drop=True) if swept is None else swept
            runs[run] = metrics_there[list(METRICS)]
        points.append(xr.concat(runs.values(), xr.Variable("run", list(runs)), join="outer"))
    names = [f"{point.bins} bins, bandwidth {point.bandwidth:g}" for point in places]
    selected = {run: _selected_epoch(trained[run]) for run in settings.compare}
    joined = xr.concat(points, xr.Variable("point", names), join="outer")
    joined = joined.assign(selected=("run", list(selected.values())))
    return joined.assign(selected_mean=_selected_means(joined))


def _selected_means(comparison: xr.Dataset) -> xr.DataArray:
    """Mean over seeds (metric, run) at the first point and the selected epoch; geometric for p-values."""
    last = comparison.isel(point=0).sel(epoch=comparison["selected"])
    metrics = [*METRICS, *losses.SCORE_OBJECTIVES]
    means = [
        np.exp(np.log(last[name]).mean("seed")) if name in P_VALUES else last[name].mean("seed") for name in metrics
    ]
    return xr.concat(means, xr.Variable("metric", metrics))


def _selected_epoch(trained: xr.Dataset) -> int:
    """The epoch after the first with the lowest mean objective (seed, epoch) over seeds."""
    return int(trained["objective"].mean("seed").isel(epoch=slice(1, None)).idxmin("epoch"))


def _at_home(settings: Experiment, trained: dict[str, xr.Dataset]) -> xr.Dataset:
    """Metrics at the document's settings, with cross-entropies and the shift of the edges."""
    runs = {}
    for run in settings.compare:
        bins = trained[run].sizes["edge"] - 1
        shift = np.abs(trained[run]["edges"] - np.linspace(0, 1, bins + 1)).isel(edge=slice(1, -1))
        runs[run] = trained[run][[*METRICS, *losses.SCORE_OBJECTIVES]].assign(edge_shift=shift.mean("edge") * bins)
    return xr.concat(runs.values(), xr.Variable("run", list(runs)), join="outer")


def step_cost(settings: TimedRuns, events: xr.Dataset) -> xr.Dataset:
    """Measure the seconds of a training step of each run, in turns on the same events."""
    clocks = {name: _clock(run, events) for name, run in settings.runs.items()}
    seconds = [[clock() for clock in clocks.values()] for _ in range(settings.repeats)]
    return xr.Dataset({"seconds": (("repeat", "run"), np.array(seconds))}, coords={"run": list(clocks)})


def _clock(settings: Run, events: xr.Dataset) -> Callable[[], float]:
    """Return a compiled function that trains one seed for one epoch and returns the seconds of a step."""
    (task, data), schedule = build_task(settings, events), _schedule(settings)
    start, advance, _ = training.compile_programs(task, data, schedule, [settings.seed])
    state = start()
    jax.block_until_ready(advance(state, 1))

    def seconds() -> float:
        begin = time.perf_counter()
        jax.block_until_ready(advance(state, 1))
        return (time.perf_counter() - begin) / training.steps_per_epoch(data, schedule)

    return seconds
