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
from diffhep.samples import ConditionalEvents
from diffhep.samples import conditional_events as unlabelled

LABELS = ["signal", "background"]

BOX_HALF_WIDTHS = (10.0, 40.0, 200.0)
"""Half sides of squares around the origin over which densities are summed."""


def generate(settings: dict) -> xr.Dataset:
    """Events of both classes.

    Args:
        settings: `gaussians` (`means` and `covariances`, eq. 11), `events` of each, `validation`, the share that
            validates; `seed`.

    Returns:
        `events` (label, event, axis), and `valid` (event).
    """
    rng = np.random.default_rng([settings["seed"], prng.CONTRASTIVE_GAUSSIANS])
    events = gaussian_classes.draw(rng, gaussian_classes.build_classes(settings["gaussians"]), settings["events"])
    valid = np.arange(settings["events"]) < round(settings["validation"] * settings["events"])
    return xr.Dataset(
        {"events": (("label", "event", "axis"), events.astype(np.float32)), "valid": ("event", valid)},
        coords={"label": LABELS},
    )


def split_pairs(
    events: Float[np.ndarray, "2 event axis"], valid: np.ndarray, seed: int
) -> tuple[ConditionalEvents, ConditionalEvents]:
    """What is trained on and what validates, without contexts."""
    rng = np.random.default_rng([seed, prng.CONTRASTIVE_SPLIT])
    split = ([each[chosen] for each in events] for chosen in (~valid, valid))
    return tuple(
        classifiers.combine_classes(*(unlabelled(each, np.zeros((len(each), 0))) for each in both), rng)
        for both in split
    )


def train_flow(settings: dict, sample: xr.Dataset, checkpoint: Path | None = None) -> xr.Dataset:
    """Train a flow of the signal that shuns the background.

    Args:
        settings: As for `gaussian_classes.train`.
        sample: Result of `generate`.
        checkpoint: As in `training.train`.
    """
    return contrastive.train(settings, *_parts(settings, sample), checkpoint=checkpoint)


def train_classifier(settings: dict, sample: xr.Dataset, checkpoint: Path | None = None) -> xr.Dataset:
    """Train a classifier on an equal mixture of both classes; arguments as of `train_flow`."""
    return classifiers.train(settings, *_parts(settings, sample), checkpoint=checkpoint)


def _parts(settings: dict, sample: xr.Dataset) -> tuple[ConditionalEvents, ConditionalEvents]:
    return split_pairs(sample["events"].values, sample["valid"].values, settings["seed"])


def variants(settings: Mapping) -> dict[str, dict]:
    """Settings of the flow of each variant."""
    return {name: merge(settings["flow"], changes) for name, changes in settings["variants"].items()}


def surfaces(settings: dict, sample: xr.Dataset, flows: dict[str, xr.Dataset], classifier: xr.Dataset) -> xr.Dataset:
    """Densities over the plane: as flows learned them, and the best ones.

    Args:
        settings: `gaussians`, `strengths`, `flow`, `classifier`; `points` along each side from `low` to `high`; `shown`
            events; `cut` on the density.
        sample: Result of `generate`.
        flows: Results of `train_flow`, one for each strength in their order.
        classifier: Result of `train_classifier`.

    Returns:
        `learned` and `best` (strength, y, x), `score` (y, x) of the classifier, some `events` (label, event, axis);
        `norm` (strength), lambda_c; `distance` (strength), the total variation between both densities. Of the
        validating events: `kept` (strength, label), and `best_kept`, the share where the density is above the cut;
        `sharper` (label), the least by which that share falls from a strength to the next; and `agreement`, the share
        of those that the classifier, cut at 1/2, and the flow of strength 1 call the same; and the `cut`.
    """
    strengths, cut, ends = settings["strengths"], settings["cut"], zip(settings["low"], settings["high"], strict=True)
    x, y = (np.linspace(*each, settings["points"]) for each in ends)
    grid, area = np.stack(np.meshgrid(x, y), axis=-1), (x[1] - x[0]) * (y[1] - y[0])
    events = sample["events"].values[:, sample["valid"].values]
    evaluated = contrastive.log_density_function(settings["flow"]["flow"], events.shape[-1])
    learned, inside = (
        np.stack([_density(evaluated(flow, each)) for flow in flows.values()]) for each in (grid, events)
    )
    best, best_inside = (_unnormalised(settings, each) for each in (grid, events))
    norm = best.sum(axis=(1, 2)) * area
    best = best / norm[:, None, None]
    score, called = (expit(logits(settings["classifier"]["network"], classifier, each)) for each in (grid, events))
    kept, best_kept = ((each > cut).mean(axis=-1) for each in (inside, best_inside / norm[:, None, None]))
    found = {
        "learned": (("strength", "y", "x"), learned),
        "best": (("strength", "y", "x"), best),
        "score": (("y", "x"), score),
        "norm": ("strength", norm),
        "distance": ("strength", np.abs(learned - best).sum(axis=(1, 2)) * area / 2),
        "kept": (("strength", "label"), kept),
        "best_kept": (("strength", "label"), best_kept),
        "sharper": ("label", -np.diff(kept[np.argsort(strengths)], axis=0).max(axis=0)),
        "agreement": np.mean((inside[strengths.index(1.0)] > cut) == (called > 0.5)),
        "events": (("label", "event", "axis"), events[:, : settings["shown"]]),
        "cut": cut,
    }
    return xr.Dataset(found, coords={"strength": strengths, "label": LABELS, "x": x, "y": y})


def _unnormalised(settings: Mapping, points: Float[np.ndarray, "*point axis"]) -> np.ndarray:
    """The best density of each strength, up to its norm."""
    truth = np.exp(gaussian_classes.log_densities(gaussian_classes.build_classes(settings["gaussians"]), points))
    return np.stack([contrastive.optimal_density(*truth, strength) for strength in settings["strengths"]])


def _density(log_density: Float[np.ndarray, "*point"]) -> Float[np.ndarray, "*point"]:
    # a quadratic of a quadratic overflows float32 far away, where its density is none
    return np.exp(np.nan_to_num(log_density, nan=-np.inf))


def logits(
    network: Mapping, trained: xr.Dataset, points: Float[np.ndarray, "*point axis"]
) -> Float[np.ndarray, "*point"]:
    """What a trained classifier says of points, without a context."""
    flat = np.asarray(points.reshape(-1, points.shape[-1]), np.float32)
    found = classifiers.logit(network, trained_parameters(trained), flat, np.zeros(0))
    return np.asarray(found).reshape(points.shape[:-1])


def compare(settings: dict, sample: xr.Dataset, flows: dict[str, xr.Dataset]) -> xr.Dataset:
    """What kinds of couplings and clamps are worth, at c = 1.

    Args:
        settings: `gaussians`, `flow` and `variants`; `cut` on the density.
        sample: Result of `generate`.
        flows: Results of `train_flow`, by `<variant>_1.0`.

    Returns:
        Of each variant: `mass` (variant, box), the integral of the "density" over squares, which is one for a density;
        `distance` (variant), the total variation to the best density within the second; `accuracy` (variant) of the
        cut on the validating events; `valid` (variant, iteration), the loss.
    """
    classes, events = (
        gaussian_classes.build_classes(settings["gaussians"]),
        sample["events"].values[:, sample["valid"].values],
    )
    # nodes that lie close where the densities are and reach far: x = sinh(t)
    t = np.linspace(-np.arcsinh(BOX_HALF_WIDTHS[-1]), np.arcsinh(BOX_HALF_WIDTHS[-1]), 801)
    grid, spans = np.stack(np.meshgrid(np.sinh(t), np.sinh(t)), axis=-1), np.cosh(t) * (t[1] - t[0])
    area, far = np.outer(spans, spans), np.abs(grid).max(axis=-1)
    best = contrastive.optimal_density(*np.exp(gaussian_classes.log_densities(classes, grid)), 1.0)
    best, rows = best / (best * area).sum(), {}
    for name, changed in variants(settings).items():
        trained = flows[f"{name}_1.0"]
        evaluated = contrastive.log_density_function(changed["flow"], events.shape[-1])
        learned, inside = (_density(evaluated(trained, each)) for each in (grid, events))
        right = np.stack([inside[0] > settings["cut"], inside[1] <= settings["cut"]])
        rows[name] = {
            "mass": [(learned * area)[far <= box].sum() for box in BOX_HALF_WIDTHS],
            "distance": (np.abs(learned - best) * area)[far <= BOX_HALF_WIDTHS[1]].sum() / 2,
            "accuracy": right.mean(),
            "valid": trained["valid"].values[0],
        }
    dims = {"mass": ("variant", "box"), "distance": "variant", "accuracy": "variant", "valid": ("variant", "iteration")}
    values = {name: (dim, np.array([row[name] for row in rows.values()])) for name, dim in dims.items()}
    iterations = trained["iteration"].values
    return xr.Dataset(values, coords={"variant": list(rows), "box": list(BOX_HALF_WIDTHS), "iteration": iterations})
