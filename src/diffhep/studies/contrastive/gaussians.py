"""Contrastive flows of two normal classes in the plane (contrastive flows sections 4 and 5, Appendix B)."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import xarray as xr
from jaxtyping import Float
from scipy.special import expit

from diffhep import prng
from diffhep.data import gaussian_classes
from diffhep.flows import contrastive
from diffhep.learning import classifiers
from diffhep.learning.model_selection import trained_parameters
from diffhep.merging import merge
from diffhep.samples import ConditionalEvents, conditional_events

LABELS = ["signal", "background"]

BOX_HALF_WIDTHS = (10.0, 40.0, 200.0)
"""Half sides of the squares around the origin over which densities are integrated."""


def generate(settings: dict) -> xr.Dataset:
    """Generate events of both classes.

    Args:
        settings: `gaussians` (`means` and `covariances`, eq. 11); `events` of each class; `validation`, the share of
            events that validates; `seed`.

    Returns:
        `events` (label, event, axis), and `valid` (event), true for validation events.
    """
    rng = np.random.default_rng([settings["seed"], prng.CONTRASTIVE_GAUSSIANS])
    events = gaussian_classes.draw(rng, gaussian_classes.build_classes(settings["gaussians"]), settings["events"])
    valid = np.arange(settings["events"]) < round(settings["validation"] * settings["events"])
    return xr.Dataset(
        {"events": (("label", "event", "axis"), events.astype(np.float32)), "valid": ("event", valid)},
        coords={"label": LABELS},
    )


def split_samples(
    events: Float[np.ndarray, "2 event axis"], valid: np.ndarray, seed: int
) -> tuple[ConditionalEvents, ConditionalEvents]:
    """Split events into a training and a validation sample without conditioning variables.

    Args:
        events: Events of both classes.
        valid: True for validation events.
        seed: Seed of `classifiers.combine_classes`.

    Returns:
        Training and validation sample.
    """
    rng = np.random.default_rng([seed, prng.CONTRASTIVE_SPLIT])
    parts = ([sample[selected] for sample in events] for selected in (~valid, valid))
    return tuple(
        classifiers.combine_classes(
            *(conditional_events(sample, np.zeros((len(sample), 0))) for sample in classes), rng
        )
        for classes in parts
    )


def train_flow(settings: dict, sample: xr.Dataset, checkpoint: Path | None = None) -> xr.Dataset:
    """Train a contrastive flow of the signal.

    Args:
        settings: Settings of `flows.contrastive.train`.
        sample: Result of `generate`.
        checkpoint: File of the checkpoint, see `learning.training.train`.

    Returns:
        Result of `flows.contrastive.train`.
    """
    return contrastive.train(settings, *_split(settings, sample), checkpoint=checkpoint)


def train_classifier(settings: dict, sample: xr.Dataset, checkpoint: Path | None = None) -> xr.Dataset:
    """Train a classifier on an equal mixture of both classes.

    Args:
        settings: Settings of `classifiers.train`.
        sample: Result of `generate`.
        checkpoint: File of the checkpoint, see `learning.training.train`.

    Returns:
        Result of `classifiers.train`.
    """
    return classifiers.train(settings, *_split(settings, sample), checkpoint=checkpoint)


def _split(settings: dict, sample: xr.Dataset) -> tuple[ConditionalEvents, ConditionalEvents]:
    return split_samples(sample["events"].values, sample["valid"].values, settings["seed"])


def variants(settings: Mapping) -> dict[str, dict]:
    """Return the settings of the flow of each variant.

    Args:
        settings: `flow`, the settings of all variants; `variants`, the settings that each variant changes.
    """
    return {name: merge(settings["flow"], changes) for name, changes in settings["variants"].items()}


def surfaces(settings: dict, sample: xr.Dataset, flows: dict[str, xr.Dataset], classifier: xr.Dataset) -> xr.Dataset:
    """Evaluate the learned and the optimal densities, and the classifier, on a grid over the plane.

    Args:
        settings: `gaussians`, `strengths`, `flow`, `classifier`; `points` along each side of the grid from `low` to
            `high`; `figure_events`, the events of each class that figures show; `cut` on the density.
        sample: Result of `generate`.
        flows: Results of `train_flow`, one for each strength in the order of `strengths`.
        classifier: Result of `train_classifier`.

    Returns:
        `learned` and `best` (strength, y, x), the learned and the optimal density; `score` (y, x) of the classifier;
        `events` (label, event, axis) for figures; `norm` (strength), lambda_c; `distance` (strength), the total
        variation distance between both densities; and the `cut`. From the validation events: `accepted` and
        `best_accepted` (strength, label), the shares of events above the cut on the learned and on the optimal
        density; `min_accepted_decrease` (label), the smallest decrease of `accepted` from a strength to the next;
        `agreement`, the share of events that the classifier, cut at 1/2, and the flow of strength 1 classify equally.
    """
    strengths, cut, ends = settings["strengths"], settings["cut"], zip(settings["low"], settings["high"], strict=True)
    x, y = (np.linspace(*range_, settings["points"]) for range_ in ends)
    grid, area = np.stack(np.meshgrid(x, y), axis=-1), (x[1] - x[0]) * (y[1] - y[0])
    events = sample["events"].values[:, sample["valid"].values]
    log_density = contrastive.log_density_function(settings["flow"]["flow"], events.shape[-1])
    learned, learned_at_events = (
        np.stack([_density(log_density(flow, points)) for flow in flows.values()]) for points in (grid, events)
    )
    best, best_at_events = (_unnormalised(settings, points) for points in (grid, events))
    norm = best.sum(axis=(1, 2)) * area
    best, best_at_events = best / norm[:, None, None], best_at_events / norm[:, None, None]
    network = settings["classifier"]["network"]
    score, score_at_events = (expit(logits(network, classifier, points)) for points in (grid, events))
    accepted, best_accepted = ((density > cut).mean(axis=-1) for density in (learned_at_events, best_at_events))
    variables = {
        "learned": (("strength", "y", "x"), learned),
        "best": (("strength", "y", "x"), best),
        "score": (("y", "x"), score),
        "norm": ("strength", norm),
        "distance": ("strength", np.abs(learned - best).sum(axis=(1, 2)) * area / 2),
        "accepted": (("strength", "label"), accepted),
        "best_accepted": (("strength", "label"), best_accepted),
        "min_accepted_decrease": ("label", -np.diff(accepted[np.argsort(strengths)], axis=0).max(axis=0)),
        "agreement": np.mean((learned_at_events[strengths.index(1.0)] > cut) == (score_at_events > 0.5)),
        "events": (("label", "event", "axis"), events[:, : settings["figure_events"]]),
        "cut": cut,
    }
    return xr.Dataset(variables, coords={"strength": strengths, "label": LABELS, "x": x, "y": y})


def _unnormalised(settings: Mapping, points: Float[np.ndarray, "*point axis"]) -> np.ndarray:
    """The optimal density of each strength, before normalisation."""
    classes = gaussian_classes.build_classes(settings["gaussians"])
    truth = np.exp(gaussian_classes.log_densities(classes, points))
    return np.stack([contrastive.optimal_density(*truth, strength) for strength in settings["strengths"]])


def _density(log_density: Float[np.ndarray, "*point"]) -> Float[np.ndarray, "*point"]:
    # a quadratic of a quadratic overflows float32 far from the origin, where the density is zero
    return np.exp(np.nan_to_num(log_density, nan=-np.inf))


def logits(
    network: Mapping, trained: xr.Dataset, points: Float[np.ndarray, "*point axis"]
) -> Float[np.ndarray, "*point"]:
    """Evaluate the logits of a trained classifier without conditioning variables.

    Args:
        network: Architecture of the classifier.
        trained: Result of `classifiers.train`.
        points: Events.

    Returns:
        Logits of the events.
    """
    flat = np.asarray(points.reshape(-1, points.shape[-1]), np.float32)
    values = classifiers.logit(network, trained_parameters(trained), flat, np.zeros(0))
    return np.asarray(values).reshape(points.shape[:-1])


def compare(settings: dict, sample: xr.Dataset, flows: dict[str, xr.Dataset]) -> xr.Dataset:
    """Compare kinds of couplings and clamps at c = 1.

    Args:
        settings: `gaussians`, `flow` and `variants`; `cut` on the density.
        sample: Result of `generate`.
        flows: Results of `train_flow`, by `<variant>_1.0`.

    Returns:
        `mass` (variant, box), the integral of the "density" over squares, which is one for a density; `distance`
        (variant), the total variation distance to the optimal density in the second square; `accuracy` (variant) of
        the cut on the validation events; `valid` (variant, iteration), the validation loss.
    """
    classes = gaussian_classes.build_classes(settings["gaussians"])
    events = sample["events"].values[:, sample["valid"].values]
    # nodes x = sinh(t), dense where the densities are and reaching far out
    t = np.linspace(-np.arcsinh(BOX_HALF_WIDTHS[-1]), np.arcsinh(BOX_HALF_WIDTHS[-1]), 801)
    grid, spans = np.stack(np.meshgrid(np.sinh(t), np.sinh(t)), axis=-1), np.cosh(t) * (t[1] - t[0])
    area, distance_to_origin = np.outer(spans, spans), np.abs(grid).max(axis=-1)
    best = contrastive.optimal_density(*np.exp(gaussian_classes.log_densities(classes, grid)), 1.0)
    best, rows = best / (best * area).sum(), {}
    for name, variant in variants(settings).items():
        trained = flows[f"{name}_1.0"]
        log_density = contrastive.log_density_function(variant["flow"], events.shape[-1])
        learned, at_events = (_density(log_density(trained, points)) for points in (grid, events))
        correct = np.stack([at_events[0] > settings["cut"], at_events[1] <= settings["cut"]])
        rows[name] = {
            "mass": [(learned * area)[distance_to_origin <= half_width].sum() for half_width in BOX_HALF_WIDTHS],
            "distance": (np.abs(learned - best) * area)[distance_to_origin <= BOX_HALF_WIDTHS[1]].sum() / 2,
            "accuracy": correct.mean(),
            "valid": trained["valid"].values[0],
        }
    dims = {"mass": ("variant", "box"), "distance": "variant", "accuracy": "variant", "valid": ("variant", "iteration")}
    values = {name: (dim, np.array([row[name] for row in rows.values()])) for name, dim in dims.items()}
    iterations = trained["iteration"].values
    return xr.Dataset(values, coords={"variant": list(rows), "box": list(BOX_HALF_WIDTHS), "iteration": iterations})
