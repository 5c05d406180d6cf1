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
from diffhep.learning.model_selection import TrainedParameters
from diffhep.studies.flow_interpolation.pull_summaries import summarise_pulls


def generate(settings: dict) -> xr.Dataset:
    """Generate events of the normal distribution at every conditioning point of the grid.

    Args:
        settings: `points` along each side of the grid of means, and its `range`; `covariance`, a name in
            `gaussian_grid.COVARIANCES`; `events` of each distribution; `held_out`, rows and columns at whose crossings
            a point is held out; `seed`.

    Returns:
        `events` (context, event, axis); `mean` (context, axis), `covariance` (context, axis, other_axis) and `held_out`
        (context) of each conditioning point.
    """
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
    """Train an ensemble on some of the conditioning points (thesis 8.3).

    The validation sample contains the last events of these points, and all events of the other points.

    Args:
        settings: Settings of `flows.training.train`; `valid_fraction` of the events of trained points that validates;
            optionally `without`, the one point to leave out instead of those held out.
        sample: Result of `generate`.
        checkpoint: File of the checkpoint, see `learning.training.train`.

    Returns:
        Result of `flows.training.train`; `trained` (context), true for points of the training sample; `train_entropy`
        and `valid_entropy`, the losses of the true densities.
    """
    left_out, events = settings.get("without"), sample["events"].values
    trained = ~sample["held_out"].values if left_out is None else np.arange(len(events)) != left_out
    context = np.broadcast_to(sample["mean"].values[:, None], events.shape)
    validates = np.arange(events.shape[1]) >= round(events.shape[1] * (1 - settings["valid_fraction"]))
    seen, valid = (
        samples.conditional_events(events[part], context[part])
        for part in (trained[:, None] & ~validates, ~trained[:, None] | validates)
    )
    entropy = np.log(2 * np.pi * np.e) + np.linalg.slogdet(sample["covariance"].values)[1] / 2
    return training.train(settings, seen, valid, checkpoint=checkpoint).assign(
        trained=("context", trained),
        train_entropy=entropy[trained].mean(),
        valid_entropy=np.average(entropy, weights=np.where(trained, settings["valid_fraction"], 1.0)),
    )


def predict(settings: dict, sample: xr.Dataset, trained: xr.Dataset) -> xr.Dataset:
    """Compare the ensemble with the data and with the true distribution at every conditioning point.

    Args:
        settings: `flow` (settings of `autoregressive_flow`); `samples` from each member at each point; `bins` along
            each side of the square of half side `half_width` around the mean in which they are counted; `points` along
            each side of the square of half side `reach` at which densities are evaluated; `divergence_events`, the
            fresh events on which KL divergences are measured; `pulls`, settings of `pull_summaries.summarise_pulls`;
            `seed`.
        sample: Result of `generate`.
        trained: Result of `train`.

    Returns:
        `counts` (context, member, y, x) of the flows, scaled to the number of events in `data` (context, y, x);
        `expected` (context, y, x), the counts expected from the true distribution; `density` (context, v, u), mean
        over the members; `kl` (context, member) and `kl_ensemble` (context), KL divergences of the true from the
        learned densities, with `kl_ensemble_error`; `mean`, `covariance` and `trained` of each point; and the variables
        of `pull_summaries.summarise_pulls`.
    """
    flow, ensemble = restore(settings["flow"], trained)
    means, covariances = (sample[name].values for name in ("mean", "covariance"))
    points = np.linspace(-settings["reach"], settings["reach"], settings["points"])
    square = np.stack(np.meshgrid(points, points), axis=-1)
    density = ensembles.mean_densities(flow, ensemble, means.astype(np.float32), square)
    key = prng.key(settings["seed"], prng.FLOW_INTERPOLATION_DIVERGENCE)
    fresh = gaussian_grid.draw(key, means, covariances, settings["divergence_events"])
    predicted = _histograms(settings, sample, flow, ensemble).assign(
        {
            "density": (("context", "v", "u"), np.asarray(density)),
            "trained": trained["trained"],
            **_divergences(flow, ensemble, means, covariances, fresh),
            "mean": sample["mean"],
            "covariance": sample["covariance"],
        }
    )
    predicted = predicted.assign_coords({"member": trained["member"], "v": points, "u": points})
    return predicted.merge(summarise_pulls(predicted, settings["pulls"]))


def _histograms(settings: dict, sample: xr.Dataset, flow: Flow, ensemble: TrainedParameters) -> xr.Dataset:
    """Events of the flows, of the data and expected from the truth, in bins around the mean of each distribution."""
    means, covariances, events = (sample[name].values for name in ("mean", "covariance", "events"))
    centres, half_width = means.astype(np.float32), settings["half_width"]
    edges = np.linspace(-half_width, half_width, settings["bins"] + 1)
    count = partial(ensembles.histogram_2d, edges=(edges, edges))
    key = prng.key(settings["seed"], prng.FLOW_INTERPOLATION_SAMPLES)
    counts = ensembles.sample_histograms(
        flow, ensemble, centres, settings["samples"], lambda events, mean: count(events - mean), key=key
    )
    probabilities = jax.jit(jax.vmap(partial(gaussian_grid.bin_probabilities, edges=edges)))(means, covariances)
    data = jax.jit(lambda relative: jax.lax.map(count, relative))(events - centres[:, None])
    dims, middle = ("context", "y", "x"), (edges[1:] + edges[:-1]) / 2
    return xr.Dataset(
        {
            "counts": (("context", "member", "y", "x"), len(events[0]) / settings["samples"] * np.asarray(counts)),
            "data": (dims, np.asarray(data)),
            "expected": (dims, len(events[0]) * np.asarray(probabilities)),
        },
        coords={"y": middle, "x": middle},
    )


def _divergences(
    flow: Flow, ensemble: TrainedParameters, means: np.ndarray, covariances: np.ndarray, events: ArrayLike
) -> dict:
    """KL divergences of the true densities from the learned ones: means over fresh events of log p - log q."""
    members, joint, error = map(np.asarray, _divergences_at(flow, ensemble, events, means, covariances))
    return {
        "kl": (("context", "member"), members),
        "kl_ensemble": ("context", joint),
        "kl_ensemble_error": ("context", error),
    }


@partial(jax.jit, static_argnums=0)
def _divergences_at(flow: Flow, ensemble: TrainedParameters, *contexts: Array) -> tuple[Array, Array, Array]:
    def divergence(distribution):
        events, mean, covariance = distribution
        learned = ensembles.log_densities(flow, ensemble, events, mean.astype(jnp.float32))
        true = gaussian_grid.log_density(events, mean, covariance)
        joint = true - (jax.nn.logsumexp(learned, axis=0) - jnp.log(len(learned)))
        return jnp.mean(true - learned, axis=1), joint.mean(), joint.std() / jnp.sqrt(len(joint))

    return jax.lax.map(divergence, contexts)


def cross_validate(settings: dict, sample: xr.Dataset, folds: dict[str, xr.Dataset]) -> xr.Dataset:
    """Compute the KL divergence at each conditioning point of the flows trained without that point.

    Args:
        settings: `flow` (settings of `autoregressive_flow`); `divergence_events`, the fresh events on which divergences
            are measured; `seed`.
        sample: Result of `generate`.
        folds: Results of `train` by the number of the point that was left out.

    Returns:
        `kl` (context, member) and `mean` (context, axis) of the points that were left out.
    """
    key, kl = prng.key(settings["seed"], prng.FLOW_INTERPOLATION_DIVERGENCE), {}
    means, covariances = (sample[name].values for name in ("mean", "covariance"))
    events = np.asarray(gaussian_grid.draw(key, means, covariances, settings["divergence_events"]))
    for name, trained in folds.items():
        left_out = slice(int(name), int(name) + 1)
        flow, ensemble = restore(settings["flow"], trained)
        divergences = _divergences(flow, ensemble, means[left_out], covariances[left_out], events[left_out])
        kl[int(name)] = divergences["kl"][1][0]
    contexts = sorted(kl)
    return xr.Dataset(
        {
            "kl": (("context", "member"), np.stack([kl[context] for context in contexts])),
            "mean": sample["mean"].isel(context=contexts),
        },
        coords={"context": contexts},
    )


def simulate_firework(settings: dict) -> xr.Dataset:
    """Histogram events of normal distributions on a grid symmetric about the origin (thesis Fig. 8.10).

    Args:
        settings: `range` of the means, and their number `points` along each axis (even, as the covariance is singular
            at the origin); `ellipses`, the number of distributions along each axis that are drawn as ellipses; `events`
            of each distribution; `bins` along each axis; `seed`.

    Returns:
        `counts` (y, x) of all events with their `edges` (edge); `mean` (context, axis) and `covariance` (context, axis,
        other_axis) of the distributions drawn as ellipses.
    """
    few, many = (gaussian_grid.grid_means(*settings["range"], settings[name]) for name in ("ellipses", "points"))
    covariances = gaussian_grid.firework_covariances(many)
    events = gaussian_grid.draw(
        prng.key(settings["seed"], prng.FLOW_INTERPOLATION_EVENTS), many, covariances, settings["events"]
    )
    reach = np.abs(settings["range"]).max() + 3
    counts, edges, _ = np.histogram2d(
        *np.asarray(events).reshape(-1, 2).T, bins=settings["bins"], range=[[-reach, reach]] * 2
    )
    return xr.Dataset(
        {
            "mean": (("context", "axis"), few),
            "covariance": (("context", "axis", "other_axis"), gaussian_grid.firework_covariances(few)),
            "counts": (("y", "x"), counts.T),
            "edges": ("edge", edges),
        }
    )
