"""Stages of the study of Gaussian blobs (neos 3.1, thesis 7.4 and 7.6)."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from diffhep import experiments, hypotests, information, losses, toys, training
from diffhep.data import blobs
from diffhep.histograms import binned_kde, hard_histogram
from diffhep.likelihood import Model, nominal_parameters, unbounded_poi
from diffhep.losses import Outcome
from diffhep.models import signal_background
from diffhep.networks import Observable

EVENTS, TOYS = 10, 11  # purposes of the suite's seed, beyond those of `training`
HYPOTHESES = (0.0, 1.0)  # strengths under which toys are thrown
Q_GRID = np.geomspace(1e-3, 200, 400)  # where asymptotic densities are drawn
METRICS = ("cls", "p0", "poi_uncertainty", "nuisance_deviation", "generalised_variance")
FINE_BINS = 60  # a multiple of every number of bins that `evaluate` is asked for


def generate(settings: dict) -> xr.Dataset:
    """Generated events, parted into those to train on and those held out."""
    key = training.key(settings["seed"], EVENTS)
    drawn = blobs.blobs(key, settings["means"], settings["events"])
    train_part, test_part = blobs.split(drawn, settings["test_fraction"])
    dims = ("sample", "{}_event", "feature")
    return xr.Dataset(
        {
            part: ([dim.format(part) for dim in dims], np.asarray(values.features))
            for part, values in {"train": train_part, "test": test_part}.items()
        },
        coords={"sample": list(blobs.SAMPLES)},
    )


def train(settings: dict, events: xr.Dataset, checkpoint: Path | None = None) -> xr.Dataset:
    """Train one observable from every seed; its metrics on the held-out events after every epoch."""
    seeds = range(settings["seed"], settings["seed"] + settings["seeds"])
    history, _ = training.train(problem(settings, events), _schedule(settings), seeds, checkpoint=checkpoint)
    dims = {"yields": ("sample", "bin"), "counts": ("sample", "fine_bin")}
    return xr.Dataset(
        {name: (("seed", "epoch", *dims.get(name, ())), values) for name, values in history.items()},
        coords={"seed": list(seeds), "epoch": np.arange(settings["epochs"] + 1), "sample": list(blobs.SAMPLES)},
    )


def _schedule(settings: dict) -> training.Schedule:
    at_once = settings["seeds_at_once"]
    if at_once == "auto":
        at_once = 1 if jax.default_backend() == "cpu" else settings["seeds"]
    return training.Schedule(settings["epochs"], settings["batch_size"], settings["learning_rate"], at_once)


def problem(settings: dict, events: xr.Dataset) -> training.Problem:
    """What a run of these settings trains, and what it is judged by."""
    terms = settings["objective"]
    samples = 2 if set(terms) == {"bce"} else len(blobs.SAMPLES)  # the shifts are of no use to it
    train_part, test_part = (_weighted(events[part].values) for part in ("train", "test"))
    network, objective = Observable(settings["network"]), losses.objective(terms)

    def loss(parameters, batch):
        logits = network.apply(parameters, batch.features)
        model = _smooth_model(settings, logits, batch.weights) if samples > 2 else None
        return objective(Outcome(logits, batch.weights, model))

    return training.Problem(
        name=" + ".join(f"{weight:g} {name}" for name, weight in terms.items()),
        initialise=lambda key: network.init(key, test_part.features[0, 0]),
        loss=loss,
        evaluate=lambda parameters: _evaluate(settings, network.apply(parameters, test_part.features), test_part),
        events=blobs.Events(*(array[:samples] for array in train_part)),
    )


def _weighted(features: np.ndarray) -> blobs.Events:
    return blobs.Events(jnp.asarray(features), jnp.ones(features.shape[:2], jnp.float32))


def _edges(bins: int) -> np.ndarray:
    return np.linspace(0, 1, bins + 1)


def _smooth_model(settings: dict, logits: Float[Array, "sample event"], weights: Float[Array, "sample event"]) -> Model:
    """The statistical model of smooth histograms: what is trained on."""
    bandwidth, mode = settings["bandwidth"], settings["outer_edges"]
    histogram = partial(binned_kde, edges=_edges(settings["bins"]), bandwidth=bandwidth, edges_mode=mode)
    counts = jax.vmap(lambda scores, weights: histogram(scores, weights=weights))(jax.nn.sigmoid(logits), weights)
    shares = counts / jnp.sum(weights, axis=1, keepdims=True)
    return signal_background(*_yields(settings["yields"], shares), interpolation=settings["interpolation"])


def _yields(scales: Mapping[str, float], shares: ArrayLike) -> ArrayLike:
    """Expected events (..., sample, bin) from the share of each sample's events in each bin (neos Appendix A)."""
    sample = np.array([scales["signal"]] + [scales["background"]] * (len(blobs.SAMPLES) - 1))
    return shares * (sample * scales["overall"])[:, None] + scales["floor"]


def _evaluate(settings: dict, logits: Float[Array, "sample event"], events: blobs.Events) -> dict[str, Array]:
    """Metrics of the hard analysis, its yields, and counts in bins fine enough to make other binnings from."""
    scores = jax.nn.sigmoid(logits)
    counts, fine = (jax.vmap(partial(hard_histogram, edges=_edges(n)))(scores) for n in (settings["bins"], FINE_BINS))
    yields = _yields(settings["yields"], counts / logits.shape[1])
    cross_entropy = losses.bce(Outcome(logits, events.weights, None))
    return {"bce": cross_entropy, **_metrics(yields, settings["interpolation"]), "yields": yields, "counts": fine}


def _metrics(yields: Float[Array, "sample bin"], interpolation: str) -> dict[str, Float[Array, ""]]:
    outcome = Outcome(None, None, signal_background(*yields, interpolation=interpolation))
    return {name: losses.OBJECTIVES[name](outcome) for name in METRICS}


def evaluate(settings: dict, trained: xr.Dataset) -> xr.Dataset:
    """Metrics of trained observables in other binnings than they were trained for."""
    shape, most = tuple(trained.sizes[dim] for dim in ("seed", "epoch")), max(settings["bins"])
    fine = trained["counts"].values.reshape(-1, len(blobs.SAMPLES), FINE_BINS)
    metrics = jax.jit(jax.vmap(partial(_metrics, interpolation=settings["interpolation"])))
    found = []
    for bins in settings["bins"]:
        counts = fine.reshape(*fine.shape[:2], bins, -1).sum(axis=-1)
        yields = _yields(settings["yields"], counts / counts.sum(axis=-1, keepdims=True))
        # bins without yields tell nothing of any parameter: one shape, compiled once, for all binnings
        found.append(metrics(np.pad(yields, ((0, 0), (0, 0), (0, most - bins)))))
    values = {name: np.stack([np.reshape(at[name], shape) for at in found], axis=-1) for name in METRICS}
    coords = {dim: trained[dim] for dim in ("seed", "epoch")} | {"bins": settings["bins"]}
    return xr.Dataset({name: (tuple(coords), array) for name, array in values.items()}, coords=coords)


def compare(settings: dict, trained: dict[str, xr.Dataset], evaluated: dict[str, xr.Dataset]) -> xr.Dataset:
    """Metrics of the compared runs, (point, run, seed, epoch), where the document is and at every point of the sweep.

    A run whose training knows nothing of the bins was trained once and is evaluated at each of them.
    """
    home = {key: settings["defaults"][key] for key in ("bins", "bandwidth")}
    places = [home, *settings["sweep"]["points"]]
    points = []
    for point in places:
        runs = {}
        for run in settings["compare"]:
            swept = trained.get(f"{run}_{experiments.point_name(point)}", trained[run] if point == home else None)
            found = evaluated[run].sel(bins=point["bins"], drop=True) if swept is None else swept
            runs[run] = found[list(METRICS)]
        points.append(xr.concat(runs.values(), xr.Variable("run", list(runs)), join="outer"))
    names = [f"{point['bins']} bins, bandwidth {point['bandwidth']:g}" for point in places]
    return xr.concat(points, xr.Variable("point", names), join="outer")


def pseudo_experiments(settings: dict, trained: xr.Dataset) -> xr.Dataset:
    """Toys of the typical trained observable: the seed whose CLs after the last epoch is the median."""
    last = trained.isel(epoch=-1)
    typical = last.isel(seed=int(np.argsort(last["cls"].values)[last.sizes["seed"] // 2]))
    model = unbounded_poi(signal_background(*typical["yields"].values, interpolation=settings["interpolation"]))
    keys = jax.random.split(training.key(settings["seed"], TOYS), len(HYPOTHESES) + 1)
    thrown = [_distributions(model, mu, settings["number"], key) for mu, key in zip(HYPOTHESES, keys, strict=False)]
    scan = toys.scan_cls(model, settings["tested_mu"], settings["number"], key=keys[-1])
    scanned = xr.Dataset(
        {f"cls_{name}": ("tested_mu", values) for name, values in scan._asdict().items()},
        coords={"tested_mu": settings["tested_mu"], "seed": typical["seed"]},
    )
    return xr.merge([scanned, xr.concat(thrown, xr.Variable("true_mu", list(HYPOTHESES)))])


def _distributions(model: Model, true_mu: float, number: int, key: Array) -> xr.Dataset:
    """Test statistics of mu = 1 and mu = 0, pulls and coverage if `true_mu` is true, and what is expected of them."""
    pars = nominal_parameters(model, true_mu)
    found = toys.statistics(model, toys.throw(model, pars, number, key=key), jnp.asarray(1.0))
    sigma, *shifts = jax.jit(_expectations)(model, jnp.asarray(true_mu))
    pulls = (found.mu_hat - true_mu) / sigma
    densities = {
        f"density_{name}": ("q", toys.asymptotic_density(jnp.asarray(Q_GRID), shift))
        for name, shift in zip(("q_mu", "q_0"), shifts, strict=True)
    }
    return xr.Dataset(
        {
            "q_mu": ("toy", np.asarray(found.q_mu, np.float32)),
            "q_0": ("toy", np.asarray(found.q_0, np.float32)),
            "pull": ("toy", np.asarray(pulls, np.float32)),
            "coverage": jnp.mean(jnp.abs(pulls) <= 1),
            "failed": jnp.mean(~found.converged),
            **densities,
        },
        coords={"q": Q_GRID},
    )


def _expectations(model: Model, true_mu: Array) -> tuple[Array, Array, Array]:
    """Uncertainty of the strength, and its distance from the tested 1 and 0 in units of it, as Asimov data have it."""
    poi = model.parameters.poi
    sigma = jnp.sqrt(information.covariance(model, nominal_parameters(model, true_mu))[poi, poi])
    return sigma, *(jnp.sqrt(hypotests.expected_q(model, tested, true_mu)) for tested in (1.0, 0.0))


def step_cost(settings: dict, events: xr.Dataset) -> xr.Dataset:
    """Seconds of a training step of each run, measured in turns on the same events."""
    clocks = {name: _clock(run, events) for name, run in settings["runs"].items()}
    seconds = [[clock() for clock in clocks.values()] for _ in range(settings["repeats"])]
    return xr.Dataset({"seconds": (("repeat", "run"), np.array(seconds))}, coords={"run": list(clocks)})


def _clock(settings: dict, events: xr.Dataset) -> Callable[[], float]:
    """A function that trains one seed for one epoch, already compiled, and tells the seconds a step took."""
    trained, schedule = problem(settings, events), _schedule(settings)
    start, advance, _ = training.programs(trained, schedule, [settings["seed"]])
    state = start()
    jax.block_until_ready(advance(state, 1))

    def seconds() -> float:
        begin = time.perf_counter()
        jax.block_until_ready(advance(state, 1))
        return (time.perf_counter() - begin) / training.steps_in_epoch(trained, schedule)

    return seconds
