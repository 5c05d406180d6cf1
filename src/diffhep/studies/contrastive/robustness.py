"""How classifiers fare where events are distorted: ten dimensions, four classifiers (contrastive flows section 5)."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import xarray as xr
from jaxtyping import Float

from diffhep import prng
from diffhep.data import gaussian_classes
from diffhep.data.gaussian_classes import Classes, Embedding
from diffhep.flows import contrastive
from diffhep.learning import classifiers
from diffhep.studies.contrastive.gaussians import LABELS, logits, split_pairs

CLASSIFIERS = ("plain", "flow", "perturbed", "perturbed_flow", "perturbed_printed")
PREDICTIONS = ("likelihood_ratio", "optimum", "averaged")


def _space(settings: Mapping) -> Embedding:
    return gaussian_classes.draw_embedding(
        np.random.default_rng([settings["seed"], prng.CONTRASTIVE_SPACE]), settings["dimension"]
    )


def _distorted(settings: Mapping, amount: float, kind: str = "rotation") -> Classes:
    return gaussian_classes.distort(
        gaussian_classes.build_classes(settings["gaussians"]), _space(settings), kind, amount
    )


def _training(settings: Mapping):
    """Events without distortion: what is trained on and what validates."""
    rng = np.random.default_rng([settings["seed"], prng.CONTRASTIVE_UNDISTORTED])
    events = gaussian_classes.draw(rng, _distorted(settings, 0.0), settings["events"])
    return events, np.arange(settings["events"]) < round(settings["validation"] * settings["events"])


def train_flow(settings: dict, checkpoint: Path | None = None) -> xr.Dataset:
    """Train a flow of one class, `label`, that shuns the other, on events without distortion.

    Args:
        settings: As for `gaussian_classes.train`; `gaussians`, `dimension`, `events` of each class, `validation`; `label`.
        checkpoint: As in `training.train`.

    Returns:
        As of `gaussian_classes.train`, and `centre` and `spread`: median and interquartile range of log p of the events.
    """
    events, valid = _training(settings)
    wanted = LABELS.index(settings["label"])
    ordered = events[[wanted, 1 - wanted]]
    trained = contrastive.train(settings, *split_pairs(ordered, valid, settings["seed"]), checkpoint=checkpoint)
    log_density = contrastive.log_density_function(settings["flow"], settings["dimension"])(trained, events)
    low, middle, high = np.quantile(log_density, [0.25, 0.5, 0.75])
    return trained.assign(centre=middle, spread=high - low)


def train_classifier(settings: dict, checkpoint: Path | None = None) -> xr.Dataset:
    """Train a classifier on events without distortion.

    Args:
        settings: As for `classifiers.train`; otherwise as of `train_flow`.
        checkpoint: As in `training.train`.
    """
    return classifiers.train(settings, *split_pairs(*_training(settings), settings["seed"]), checkpoint=checkpoint)


def measure_accuracy(settings: dict, signal: xr.Dataset, background: xr.Dataset, plain: xr.Dataset) -> xr.Dataset:
    """Accuracy of all classifiers on events that are distorted by a known amount, which they do not know.

    Args:
        settings: `gaussians`, `dimension`, `kind` of distortion and its range from `low` to `high`; `angles`, at each
            of which `per_angle` perturbed events, of both classes together, are trained on, `validation`; `classifier`
            and `flow`; `tested` angles with `test_events` of each class; `cut` on the flow's density; `seed`.
        signal: Result of `train_flow` for the signal.
        background: Likewise, of the background.
        plain: Result of `train_classifier`.

    Returns:
        `accuracy` (classifier, phi): `plain`, trained without distortion; the `flow`, cut in its density; `perturbed`,
        trained on perturbed events; `perturbed_flow`, the same with both flows' discrimination functions, and
        `perturbed_printed` with those as printed; and what is best: the `likelihood_ratio` at phi = 0, the `optimum`
        (eq. 10) cut like the flow, and the likelihood ratio of densities `averaged` over phi.
    """
    inputs, training = _inputs(settings, signal, background), settings["classifier"] | {"seed": settings["seed"]}
    events, valid = _perturbed(settings)
    trained = {"plain": plain} | {
        name: classifiers.train(training, *split_pairs(each, valid, settings["seed"]))
        for name, each in inputs(events).items()
        if name.startswith("perturbed")
    }
    amounts, rows = np.linspace(settings["low"], settings["high"], settings["tested"]), []
    for n, amount in enumerate(amounts):
        rng = np.random.default_rng([settings["seed"], prng.CONTRASTIVE_TEST, n])
        events = gaussian_classes.draw(rng, _distorted(settings, amount, settings["kind"]), settings["test_events"])
        told, network = inputs(events), settings["classifier"]["network"]
        chosen = {name: logits(network, each, told[name]) > 0 for name, each in trained.items()}
        chosen |= {"flow": told["flow"] > settings["cut"], **_predictions(settings, events)}
        rows.append([_accuracy(chosen[name]) for name in CLASSIFIERS + PREDICTIONS])
    return xr.Dataset(
        {"accuracy": (("classifier", "phi"), np.array(rows).T)},
        coords={"classifier": list(CLASSIFIERS + PREDICTIONS), "phi": amounts},
    )


def _inputs(settings: Mapping, *flows: xr.Dataset) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """What says what each classifier is told of events; that of the flow is its density."""
    evaluated = contrastive.log_density_function(settings["flow"], settings["dimension"])
    trained = [(flow["centre"].item(), flow["spread"].item()) for flow in flows]
    scales = {"perturbed_flow": trained, "perturbed_printed": [(0.0, 1.0)] * len(flows)}

    def of(events):
        found = [evaluated(flow, events) for flow in flows]
        told = {"plain": events, "flow": np.exp(found[0]), "perturbed": events}
        for name, each in scales.items():
            pairs = zip(found, each, strict=True)
            features = [contrastive.discrimination(log_density, *scale) for log_density, scale in pairs]
            told[name] = np.concatenate([events, np.stack(features, axis=-1)], axis=-1)
        return told

    return of


def _perturbed(settings: Mapping) -> tuple[np.ndarray, np.ndarray]:
    """Events at all angles, and which of them validate."""
    rng = np.random.default_rng([settings["seed"], prng.CONTRASTIVE_PERTURBED])
    amounts, each = np.linspace(settings["low"], settings["high"], settings["angles"]), settings["per_angle"] // 2
    drawn = [gaussian_classes.draw(rng, _distorted(settings, amount, settings["kind"]), each) for amount in amounts]
    events = np.concatenate(drawn, axis=1)
    return events, rng.random(events.shape[1]) < settings["validation"]


def _predictions(settings: Mapping, events: Float[np.ndarray, "2 event axis"]) -> dict[str, np.ndarray]:
    """What the true densities would choose."""
    classes, rng = _distorted(settings, 0.0), np.random.default_rng([settings["seed"], prng.CONTRASTIVE_TEST])
    nominal = gaussian_classes.log_densities(classes, events)
    norm = _norm(
        gaussian_classes.log_densities(classes, gaussian_classes.draw(rng, classes, settings["test_events"])[0])
    )
    amounts = np.linspace(settings["low"], settings["high"], settings["tested"])
    several = [_distorted(settings, amount, settings["kind"]) for amount in amounts]
    averaged = gaussian_classes.averaged_log_densities(several, events)
    best = contrastive.optimal_density(*np.exp(nominal), 1.0) / norm
    return {
        "likelihood_ratio": nominal[0] > nominal[1],
        "optimum": best > settings["cut"],
        "averaged": averaged[0] > averaged[1],
    }


def _norm(nominal: Float[np.ndarray, "2 event"]) -> float:
    """lambda_c of c = 1: E_s[max(1 - p_b / p_s, 0)], from events of the signal without distortion."""
    return float(np.maximum(1 - np.exp(nominal[1] - nominal[0]), 0).mean())


def _accuracy(chosen: np.ndarray) -> float:
    """Share of events called right, of as many of each class."""
    return float((chosen[0].mean() + 1 - chosen[1].mean()) / 2)


def join_seeds(settings: dict, trials: dict[str, xr.Dataset]) -> xr.Dataset:
    """Results of `measure_accuracy` in one: `accuracy` (seed, classifier, phi)."""
    del settings
    return xr.concat(trials.values(), xr.IndexVariable("seed", [int(trial) for trial in trials]))


def compare(settings: dict, scenarios: dict[str, xr.Dataset]) -> xr.Dataset:
    """What the claims are checked on.

    Args:
        settings: None.
        scenarios: Results of `join_seeds`, by name.

    Returns:
        `accuracy` (point, run, seed, epoch): of each scenario and classifier, without distortion (epoch 0), and the
        mean over the outer half of distortions (epoch 1); and how far the accuracy of `plain` and `flow` lies, at the
        most, from the best possible: `plain_misses` and `flow_misses` (point), means over seeds with their errors.
    """
    del settings
    values, misses = [], {"plain": [], "flow": []}
    for scenario in scenarios.values():
        accuracy = scenario["accuracy"].transpose("seed", "classifier", "phi")
        far = np.abs(accuracy["phi"]) > np.abs(accuracy["phi"]).max() / 2
        near = accuracy.sel(phi=0.0, method="nearest")
        values.append(np.stack([near, accuracy.sel(phi=far).mean("phi")], axis=-1))
        for name, best in (("plain", "likelihood_ratio"), ("flow", "optimum")):
            away = np.abs(accuracy.sel(classifier=name) - accuracy.sel(classifier=best))
            misses[name].append(away.max("phi").values)
    coords = {"point": list(scenarios), "run": accuracy["classifier"].values, "seed": accuracy["seed"].values}
    found = xr.Dataset({"accuracy": (("point", "seed", "run", "epoch"), np.array(values))}, coords=coords)
    for name, each in misses.items():
        found[f"{name}_misses"] = "point", np.mean(each, axis=1)
        found[f"{name}_misses_error"] = "point", np.std(each, axis=1, ddof=1) / np.sqrt(accuracy.sizes["seed"])
    return found.transpose("point", "run", "seed", "epoch")
