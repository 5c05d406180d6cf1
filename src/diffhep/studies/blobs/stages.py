"""Stages of the study: events, trainings, their comparison, pseudo-experiments (neos 3.1, thesis 7.4 and 7.6)."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array, Key

from diffhep import prng
from diffhep.data import blobs
from diffhep.inference import fisher, test_statistics, toys
from diffhep.learning import losses, tasks, training
from diffhep.learning.summary_statistic import METRICS, expected_yields, metrics
from diffhep.models.likelihood import Model, nominal_parameters, with_unbounded_poi
from diffhep.models.simple import signal_background, signal_background_workspace
from diffhep.studies.blobs import plan
from diffhep.studies.blobs.observable import FINE_BINS, build_task, plane_axis
from diffhep.studies.blobs.settings import (
    Experiment,
    Generation,
    PseudoExperiments,
    Rebinning,
    Run,
    Scan,
    TimedRuns,
    Workspaces,
)

HYPOTHESES = (0.0, 1.0)  # strengths under which toys are thrown
Q_GRID = np.geomspace(1e-3, 200, 400)  # where asymptotic densities are drawn
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


def scan(settings: Scan, trained: xr.Dataset) -> xr.Dataset:
    """CLs from toys of the typical trained observable, for the signal strengths `first` to `last` of `tested_mu`."""
    (model, seed), first = _typical(settings, trained), settings.first
    tested, key = settings.tested_mu[first : settings.last + 1], _toy_key(settings, len(HYPOTHESES))
    cls_scan = toys.scan_cls(model, tested, settings.number, key=key, first_index=first)
    return xr.Dataset(
        {f"cls_{name}": ("tested_mu", np.asarray(values)) for name, values in cls_scan._asdict().items()},
        coords={"tested_mu": list(tested), "seed": seed},
    )


def pseudo_experiments(settings: PseudoExperiments, trained: xr.Dataset, scan: xr.Dataset) -> xr.Dataset:
    """Throw toys of the typical trained observable, and add the result of `scan`."""
    model, _ = _typical(settings, trained)
    thrown = [
        _distributions(model, mu, settings.number, _toy_key(settings, number)) for number, mu in enumerate(HYPOTHESES)
    ]
    return xr.merge([scan, xr.concat(thrown, xr.Variable("true_mu", list(HYPOTHESES)))])


def _typical(settings: PseudoExperiments, trained: xr.Dataset) -> tuple[Model, xr.DataArray]:
    """Model and seed of the trained observable with the median CLs after the last epoch."""
    last = trained.isel(epoch=-1)
    typical = last.isel(seed=int(np.argsort(last["cls"].values)[last.sizes["seed"] // 2]))
    model = signal_background(*typical["yields"].values, interpolation=settings.interpolation)
    return with_unbounded_poi(model), typical["seed"]


def _toy_key(settings: PseudoExperiments, number: int) -> Key[Array, ""]:
    """Random key of a hypothesis, or of the scan, which comes after them."""
    return jax.random.fold_in(prng.key(settings.seed, prng.BLOBS_TOYS), number)


def _distributions(model: Model, true_mu: float, number: int, key: Array) -> xr.Dataset:
    """Test statistics of mu = 1 and mu = 0, pulls and coverage of toys of `true_mu`, and asymptotic densities."""
    pars = nominal_parameters(model, true_mu)
    statistics = toys.toy_statistics(model, toys.throw(model, pars, number, key=key), jnp.asarray(1.0))
    sigma, *shifts = jax.jit(_expectations)(model, jnp.asarray(true_mu))
    pulls = (np.asarray(statistics.mu_hat) - true_mu) / np.asarray(sigma)
    coverage, root = np.mean(np.abs(pulls) <= 1), np.sqrt(Q_GRID)
    densities = {
        f"density_{name}": ("q", np.asarray(toys.asymptotic_density(jnp.asarray(Q_GRID), shift)))
        for name, shift in zip(("q_mu", "q_0"), shifts, strict=True)
    }
    return xr.Dataset(
        {
            "q_mu": ("toy", np.asarray(statistics.q_mu, np.float32)),
            "q_0": ("toy", np.asarray(statistics.q_0, np.float32)),
            "pull": ("toy", np.asarray(pulls, np.float32)),
            "coverage": coverage,
            "coverage_error": np.sqrt(coverage * (1 - coverage) / number),
            "failed": np.mean(~np.asarray(statistics.converged)),
            **densities,
            **{f"root_{name}": ("q", 2 * root * density) for name, (_, density) in densities.items()},
            "root_q": ("q", root),
        },
        coords={"q": Q_GRID},
    )


def _expectations(model: Model, true_mu: Array) -> tuple[Array, Array, Array]:
    """Uncertainty sigma of the strength, and its distances from 1 and 0 in units of sigma, from Asimov data."""
    poi = model.parameters.poi
    sigma = jnp.sqrt(fisher.covariance(model, nominal_parameters(model, true_mu))[poi, poi])
    return sigma, *(jnp.sqrt(test_statistics.expected_q(model, tested, true_mu)) for tested in (1.0, 0.0))


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
