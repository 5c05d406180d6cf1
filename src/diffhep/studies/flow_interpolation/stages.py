"""Stages of the study of interpolation with normalizing flows (thesis chapter 8)."""

from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.typing import ArrayLike
from jaxtyping import Array

from diffhep import prng, samples
from diffhep.data import gaussian_grid
from diffhep.flows import ensembles, training
from diffhep.flows.flow import Flow
from diffhep.flows.training import restore
from diffhep.histogramming.pulls import fit_normal, pulls, rebin, width_uncertainty
from diffhep.learning.model_selection import TrainedParameters
from diffhep.studies.flow_interpolation.pull_summaries import summarise_pulls


def generate(settings: dict) -> xr.Dataset:
    """Events of every distribution of the grid, and which of them are held out."""
    points = settings["points"]
    means = gaussian_grid.grid_means(*settings["range"], points)
    covariances = gaussian_grid.COVARIANCES[settings["covariance"]](means)
    events = gaussian_grid.draw(
        prng.key(settings["seed"], prng.FLOW_INTERPOLATION_EVENTS), means, covariances, settings["events"]
    )
    row, column = np.divmod(np.arange(points**2), points)
    return xr.Dataset(
        {
            "mean": (("context", "axis"), means),
            "covariance": (("context", "axis", "other_axis"), covariances),
            "events": (("context", "event", "axis"), np.asarray(events)),
            "held_out": ("context", np.isin(row, settings["held_out"]) & np.isin(column, settings["held_out"])),
        }
    )


def train(settings: dict, sample: xr.Dataset, checkpoint: Path | None = None) -> xr.Dataset:
    """Train an ensemble on some contexts; it is validated on their last events and on all other contexts (thesis 8.3).

    Args:
        settings: Keys of `training.train`, and `valid_fraction`; `without`: the one context to leave out, instead
            of those held out.
        sample: Result of `generate`.
        checkpoint: As in `training.train`.

    Returns:
        Result of `training.train`; which contexts were `trained` on; `train_entropy` and `valid_entropy`, the
        losses of the truth.
    """
    left_out, events = settings.get("without"), sample["events"].values
    trained = ~sample["held_out"].values if left_out is None else np.arange(len(events)) != left_out
    context = np.broadcast_to(sample["mean"].values[:, None], events.shape)
    held_back = np.arange(events.shape[1]) >= round(events.shape[1] * (1 - settings["valid_fraction"]))
    seen, valid = (
        samples.conditional_events(events[part], context[part])
        for part in (trained[:, None] & ~held_back, ~trained[:, None] | held_back)
    )
    entropy = np.log(2 * np.pi * np.e) + np.linalg.slogdet(sample["covariance"].values)[1] / 2
    return training.train(settings, seen, valid, checkpoint=checkpoint).assign(
        trained=("context", trained),
        train_entropy=entropy[trained].mean(),
        valid_entropy=np.average(entropy, weights=np.where(trained, settings["valid_fraction"], 1.0)),
    )


def predict(settings: dict, sample: xr.Dataset, trained: xr.Dataset) -> xr.Dataset:
    """What the ensemble says of every context, beside the data and the truth.

    Args:
        settings: `flow`; `samples` to draw from each member in each context; `bins` along each side of the square of
            `half_width` around the mean in which they are counted; `points` along each side of another one, of half
            the side `reach`, at which densities are evaluated; `judges`, fresh events on which divergences are
            measured; `seed`.
        sample: Result of `generate`.
        trained: Result of `train`.

    Returns:
        `counts` (member, context, y, x), scaled to the number of events in `data` (context, y, x), and `expected`, what
        the true distribution has there; `density` (context, v, u), mean over the members; `kl` (member, context) and
        `kl_ensemble` (context), divergences of the true from the learned densities, with `kl_ensemble_error`; and
        `mean`, `covariance` (context), `trained`; and the variables of `pull_summaries.summarise_pulls`.
    """
    flow, ensemble = restore(settings["flow"], trained)
    means, covariances = (sample[name].values for name in ("mean", "covariance"))
    centres, half_width, events = means.astype(np.float32), settings["half_width"], sample["events"].values
    edges = np.linspace(-half_width, half_width, settings["bins"] + 1)
    points = np.linspace(-settings["reach"], settings["reach"], settings["points"])
    drawn, judges = (
        prng.key(settings["seed"], purpose)
        for purpose in (prng.FLOW_INTERPOLATION_SAMPLES, prng.FLOW_INTERPOLATION_DIVERGENCE)
    )
    square = np.stack(np.meshgrid(points, points), axis=-1)
    shares = jax.jit(jax.vmap(partial(gaussian_grid.bin_probabilities, edges=edges)))(means, covariances)
    count = partial(ensembles.histogram_2d, edges=(edges, edges))
    counts = ensembles.sample_histograms(
        flow, ensemble, centres, settings["samples"], lambda drawn, mean: count(drawn - mean), key=drawn
    )
    data = jax.jit(lambda each: jax.lax.map(count, each))(events - centres[:, None])
    bins, place = ("context", "y", "x"), (edges[1:] + edges[:-1]) / 2
    predicted = xr.Dataset(
        {
            "counts": (("context", "member", "y", "x"), len(events[0]) / settings["samples"] * np.asarray(counts)),
            "data": (bins, np.asarray(data)),
            "expected": (bins, len(events[0]) * np.asarray(shares)),
            "density": (("context", "v", "u"), np.asarray(ensembles.mean_densities(flow, ensemble, centres, square))),
            "trained": trained["trained"],
        }
        | _divergences(
            flow, ensemble, means, covariances, gaussian_grid.draw(judges, means, covariances, settings["judges"])
        )
        | {name: sample[name] for name in ("mean", "covariance")},
        coords={"member": trained["member"], "y": place, "x": place, "v": points, "u": points},
    )
    return predicted.merge(summarise_pulls(predicted, settings["pulls"]))


def _divergences(
    flow: Flow, ensemble: TrainedParameters, means: np.ndarray, covariances: np.ndarray, events: ArrayLike
) -> dict:
    """KL divergences of the true densities from the learned ones: means over fresh events of log p - log q."""
    each, joint, error = map(np.asarray, _everywhere(flow, ensemble, events, means, covariances))
    return {
        "kl": (("context", "member"), each),
        "kl_ensemble": ("context", joint),
        "kl_ensemble_error": ("context", error),
    }


@partial(jax.jit, static_argnums=0)
def _everywhere(flow: Flow, ensemble: TrainedParameters, *contexts: Array) -> tuple[Array, Array, Array]:
    def at(job):
        drawn, mean, covariance = job
        learned = ensembles.log_densities(flow, ensemble, drawn, mean.astype(jnp.float32))
        true = gaussian_grid.log_density(drawn, mean, covariance)
        joint = true - (jax.nn.logsumexp(learned, axis=0) - jnp.log(len(learned)))
        return jnp.mean(true - learned, axis=1), joint.mean(), joint.std() / jnp.sqrt(len(joint))

    return jax.lax.map(at, contexts)


def compare(settings: dict, trained: dict[str, xr.Dataset], predicted: dict[str, xr.Dataset]) -> xr.Dataset:
    """What the claims are checked on: pulls at several binnings, when training stopped, and how losses differ.

    Args:
        settings: `home`, the results that stand for `mean` and `firework` at the first point, and those `elsewhere`, by
            the name of a point; `bins` of these and of further points; `at_least`, events in the data of a bin for one
            more point; `far`: pulls beyond are far from 0.
        trained: Results of `train` by example.
        predicted: Results of `predict` by example.

    Returns:
        Of each run, an example's trained or unseen contexts: `centre`, `width`, `width_error`, `bias` = centre / width
        (point, run) of the pulls; `far`, the share of far pulls in every context, and `kl` there, as `claims.ordering`
        takes them (point, run, seed, epoch). Of each example: `gap` and `gap_error` (point, run) of the losses, and
        `selected` iterations of the members (point, run, seed, epoch).
    """
    (bins, *others), home, at_least = settings["bins"], settings["home"], settings["at_least"]
    places = {
        f"{bins} bins": (home, bins, 0),
        **{f"{other} bins": (home, other, 0) for other in others},
        f"{bins} bins of at least {at_least} events": (home, bins, at_least),
        **{f"{bins} bins, {point}": (names, bins, 0) for point, names in settings["elsewhere"].items()},
    }
    found = [
        _at_point(names, trained, predicted, partial(_judged, bins=bins, at_least=at_least, far=settings["far"]))
        for names, bins, at_least in places.values()
    ]
    return xr.concat(found, xr.Variable("point", list(places)), join="outer")


def _at_point(names: dict[str, str], trained: dict, predicted: dict, judged) -> xr.Dataset:
    """Trained and unseen contexts of both examples, and their trainings, as runs."""
    runs = {}
    for example, name in names.items():
        losses = trained[name].sel(iteration=trained[name]["selected"])
        gap = losses["valid"] - losses["train"]
        runs[example] = xr.Dataset({
            "gap": gap.mean(),
            "gap_error": gap.std(ddof=1) / np.sqrt(gap.size),
            "selected": _by_seed(trained[name]["selected"]),
        })  # fmt: skip
        for part, chosen in (("trained", True), ("unseen", False)):
            here = predicted[name]
            runs[f"{example}_{part}"] = judged(here.sel(context=here["trained"] == chosen))
    return xr.concat(runs.values(), xr.Variable("run", list(runs)), join="outer", data_vars="all")


def _by_seed(values: xr.DataArray) -> xr.DataArray:
    """What a claim is checked on: as if members, or contexts, were seeds of one epoch."""
    return xr.DataArray(values.values[:, None], dims=("seed", "epoch"), coords={"seed": np.arange(values.size)})


def _judged(predicted: xr.Dataset, *, bins: int, at_least: float | int, far: float) -> xr.Dataset:
    """Pulls of some contexts in one binning."""
    found = pulls(rebin(predicted, bins), at_least=at_least)
    centre, width = fit_normal(found)
    share = (np.abs(found) > far).sum(("y", "x")) / found.notnull().sum(("y", "x"))
    return xr.Dataset({
        "centre": centre,
        "bias": centre / width if width else np.nan,
        "width": width,
        "width_error": width_uncertainty(found),
        "far": _by_seed(share),
        "kl": _by_seed(predicted["kl_ensemble"]),
    })  # fmt: skip


def cross_validate(settings: dict, sample: xr.Dataset, folds: dict[str, xr.Dataset]) -> xr.Dataset:
    """KL divergence in each context of flows trained on all contexts but this one.

    Args:
        settings: `flow`, `judges`, `seed`.
        sample: Result of `generate`.
        folds: Results of `train` by the number of the context that was left out.
    """
    key, kl = prng.key(settings["seed"], prng.FLOW_INTERPOLATION_DIVERGENCE), {}
    means, covariances = (sample[name].values for name in ("mean", "covariance"))
    events = np.asarray(gaussian_grid.draw(key, means, covariances, settings["judges"]))
    for name, trained in folds.items():
        left_out = slice(int(name), int(name) + 1)
        flow, ensemble = restore(settings["flow"], trained)
        found = _divergences(flow, ensemble, means[left_out], covariances[left_out], events[left_out])
        kl[int(name)] = found["kl"][1][0]
    contexts = sorted(kl)
    return xr.Dataset(
        {
            "kl": (("context", "member"), np.stack([kl[context] for context in contexts])),
            "mean": sample["mean"].isel(context=contexts),
        },
        coords={"context": contexts},
    )


def simulate_firework(settings: dict) -> xr.Dataset:
    """Distributions on a grid symmetric about the origin, and a histogram of many of their events (thesis Fig. 8.10).

    Args:
        settings: `range` of the means and how many (`points`, an even number, for none may be at the origin) along each
            axis; `few`, as many of which are shown one by one; `events` of each, counted in `bins` along each axis.
    """
    few, many = (gaussian_grid.grid_means(*settings["range"], settings[name]) for name in ("few", "points"))
    covariances = gaussian_grid.firework_covariances(many)
    drawn = gaussian_grid.draw(
        prng.key(settings["seed"], prng.FLOW_INTERPOLATION_EVENTS), many, covariances, settings["events"]
    )
    reach = np.abs(settings["range"]).max() + 3
    counts, edges, _ = np.histogram2d(
        *np.asarray(drawn).reshape(-1, 2).T, bins=settings["bins"], range=[[-reach, reach]] * 2
    )
    return xr.Dataset(
        {
            "mean": (("context", "axis"), few),
            "covariance": (("context", "axis", "other_axis"), gaussian_grid.firework_covariances(few)),
            "counts": (("y", "x"), counts.T),
            "edges": ("edge", edges),
        }
    )
