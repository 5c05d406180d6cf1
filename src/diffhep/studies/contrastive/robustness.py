"""Accuracy of classifiers on distorted events in ten dimensions (contrastive flows section 5)."""

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
from diffhep.studies.contrastive.gaussians import LABELS, logits, split_samples

CLASSIFIERS = ("plain", "flow", "perturbed", "perturbed_flow", "perturbed_printed")
PREDICTIONS = ("likelihood_ratio", "optimum", "averaged")


def _embedding(settings: Mapping) -> Embedding:
    rng = np.random.default_rng([settings["seed"], prng.CONTRASTIVE_SPACE])
    return gaussian_classes.draw_embedding(rng, settings["dimension"])


def _distorted_classes(settings: Mapping, amount: float, kind: str = "rotation") -> Classes:
    classes = gaussian_classes.build_classes(settings["gaussians"])
    return gaussian_classes.distort(classes, _embedding(settings), kind, amount)


def _undistorted_events(settings: Mapping) -> tuple[np.ndarray, np.ndarray]:
    """Events of both classes without distortion, and a mask of those that validate."""
    rng = np.random.default_rng([settings["seed"], prng.CONTRASTIVE_UNDISTORTED])
    events = gaussian_classes.draw(rng, _distorted_classes(settings, 0.0), settings["events"])
    return events, np.arange(settings["events"]) < round(settings["validation"] * settings["events"])


def train_flow(settings: dict, checkpoint: Path | None = None) -> xr.Dataset:
    """Train a contrastive flow of one class on events without distortion.

    Args:
        settings: Settings of `flows.contrastive.train`; `gaussians`, `dimension`, `events` of each class, and
            `validation`, the share of events that validates; `label` of the class that the flow learns.
        checkpoint: File of the checkpoint, see `learning.training.train`.

    Returns:
        Result of `flows.contrastive.train`, and `centre` and `spread`, the median and the interquartile range of
        log p of the events.
    """
    events, valid = _undistorted_events(settings)
    learned = LABELS.index(settings["label"])
    ordered = events[[learned, 1 - learned]]
    trained = contrastive.train(settings, *split_samples(ordered, valid, settings["seed"]), checkpoint=checkpoint)
    log_density = contrastive.log_density_function(settings["flow"], settings["dimension"])(trained, events)
    low, middle, high = np.quantile(log_density, [0.25, 0.5, 0.75])
    return trained.assign(centre=middle, spread=high - low)


def train_classifier(settings: dict, checkpoint: Path | None = None) -> xr.Dataset:
    """Train a classifier on events without distortion.

    Args:
        settings: Settings of `classifiers.train`; `gaussians`, `dimension`, `events` of each class, and `validation`,
            the share of events that validates.
        checkpoint: File of the checkpoint, see `learning.training.train`.

    Returns:
        Result of `classifiers.train`.
    """
    samples = split_samples(*_undistorted_events(settings), settings["seed"])
    return classifiers.train(settings, *samples, checkpoint=checkpoint)


def measure_accuracy(settings: dict, signal: xr.Dataset, background: xr.Dataset, plain: xr.Dataset) -> xr.Dataset:
    """Measure the accuracy of all classifiers on events of known distortion, which is not among their inputs.

    Args:
        settings: `gaussians` and `dimension`; `kind` of the distortion, from `low` to `high`; `angles`, the
            number of amounts of distortion in the perturbed training sample, `per_angle` events at each of both classes
            together, and `validation`, the share of events that validates; `classifier` and `flow`; `test_angles`, the
            number of amounts of distortion in tests, with `test_events` of each class; `cut` on the flow's density;
            `seed`.
        signal: Result of `train_flow` for the signal.
        background: Result of `train_flow` for the background.
        plain: Result of `train_classifier`.

    Returns:
        `accuracy` (classifier, phi) of the classifiers: `plain`, trained without distortion; `flow`, a cut on the
        density of the signal's flow; `perturbed`, trained on perturbed events; `perturbed_flow`, trained on perturbed
        events with the scaled discrimination functions of both flows as further inputs; `perturbed_printed`, with the
        discrimination functions as printed. And of the best possible decisions: `likelihood_ratio` at phi = 0;
        `optimum`, a cut on the density of eq. 10; `averaged`, the likelihood ratio of densities averaged over phi.
    """
    inputs = _input_function(settings, signal, background)
    training = settings["classifier"] | {"seed": settings["seed"]}
    events, valid = _perturbed_events(settings)
    trained = {"plain": plain} | {
        name: classifiers.train(training, *split_samples(features, valid, settings["seed"]))
        for name, features in inputs(events).items()
        if name.startswith("perturbed")
    }
    amounts, rows = np.linspace(settings["low"], settings["high"], settings["test_angles"]), []
    for n, amount in enumerate(amounts):
        rng = np.random.default_rng([settings["seed"], prng.CONTRASTIVE_TEST, n])
        classes = _distorted_classes(settings, amount, settings["kind"])
        events = gaussian_classes.draw(rng, classes, settings["test_events"])
        decisions = _decisions(settings, trained, inputs(events)) | _optimal_decisions(settings, events)
        rows.append([_accuracy(decisions[name]) for name in CLASSIFIERS + PREDICTIONS])
    return xr.Dataset(
        {"accuracy": (("classifier", "phi"), np.array(rows).T)},
        coords={"classifier": list(CLASSIFIERS + PREDICTIONS), "phi": amounts},
    )


def _input_function(settings: Mapping, *flows: xr.Dataset) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """Function from events to the inputs of each classifier; the input of `flow` is its density."""
    log_density = contrastive.log_density_function(settings["flow"], settings["dimension"])
    trained = [(flow["centre"].item(), flow["spread"].item()) for flow in flows]
    scales = {"perturbed_flow": trained, "perturbed_printed": [(0.0, 1.0)] * len(flows)}

    def inputs(events):
        logs = [log_density(flow, events) for flow in flows]
        features = {"plain": events, "flow": np.exp(logs[0]), "perturbed": events}
        for name, flow_scales in scales.items():
            pairs = zip(logs, flow_scales, strict=True)
            discriminations = [contrastive.discrimination(values, *scale) for values, scale in pairs]
            features[name] = np.concatenate([events, np.stack(discriminations, axis=-1)], axis=-1)
        return features

    return inputs


def _perturbed_events(settings: Mapping) -> tuple[np.ndarray, np.ndarray]:
    """Events of both classes at all amounts of distortion, and a mask of those that validate."""
    rng = np.random.default_rng([settings["seed"], prng.CONTRASTIVE_PERTURBED])
    amounts, number = np.linspace(settings["low"], settings["high"], settings["angles"]), settings["per_angle"] // 2
    distributions = (_distorted_classes(settings, amount, settings["kind"]) for amount in amounts)
    events = np.concatenate([gaussian_classes.draw(rng, classes, number) for classes in distributions], axis=1)
    return events, rng.random(events.shape[1]) < settings["validation"]


def _decisions(settings: Mapping, trained: Mapping, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Events that each trained classifier assigns to the signal."""
    network = settings["classifier"]["network"]
    decisions = {name: logits(network, classifier, inputs[name]) > 0 for name, classifier in trained.items()}
    return decisions | {"flow": inputs["flow"] > settings["cut"]}


def _optimal_decisions(settings: Mapping, events: Float[np.ndarray, "2 event axis"]) -> dict[str, np.ndarray]:
    """Events that the true densities assign to the signal."""
    classes, rng = _distorted_classes(settings, 0.0), np.random.default_rng([settings["seed"], prng.CONTRASTIVE_TEST])
    nominal = gaussian_classes.log_densities(classes, events)
    signal = gaussian_classes.draw(rng, classes, settings["test_events"])[0]
    norm = _norm(gaussian_classes.log_densities(classes, signal))
    amounts = np.linspace(settings["low"], settings["high"], settings["test_angles"])
    distributions = [_distorted_classes(settings, amount, settings["kind"]) for amount in amounts]
    averaged = gaussian_classes.averaged_log_densities(distributions, events)
    best = contrastive.optimal_density(*np.exp(nominal), 1.0) / norm
    return {
        "likelihood_ratio": nominal[0] > nominal[1],
        "optimum": best > settings["cut"],
        "averaged": averaged[0] > averaged[1],
    }


def _norm(log_densities: Float[np.ndarray, "2 event"]) -> float:
    """lambda_c of c = 1, E_s[max(1 - p_b / p_s, 0)], estimated with undistorted signal events."""
    return float(np.maximum(1 - np.exp(log_densities[1] - log_densities[0]), 0).mean())


def _accuracy(decisions: np.ndarray) -> float:
    """Share of events of equally large classes that are classified correctly."""
    return float((decisions[0].mean() + 1 - decisions[1].mean()) / 2)


def join_seeds(settings: dict, trials: dict[str, xr.Dataset]) -> xr.Dataset:
    """Concatenate results of several seeds.

    Args:
        settings: No settings.
        trials: Results of `measure_accuracy` by seed.

    Returns:
        `accuracy` (seed, classifier, phi).
    """
    del settings
    return xr.concat(trials.values(), xr.IndexVariable("seed", [int(trial) for trial in trials]))


def compare(settings: dict, scenarios: dict[str, xr.Dataset]) -> xr.Dataset:
    """Summarise the accuracies of all scenarios for the claims.

    Args:
        settings: No settings.
        scenarios: Results of `join_seeds`, by name.

    Returns:
        `accuracy` (point, run, seed, epoch) of each scenario and classifier: without distortion (epoch 0), and
        averaged over the outer half of distortions (epoch 1). `plain_misses` and `flow_misses` (point), the largest
        absolute differences of the accuracies of `plain` and `flow` from the best possible ones, averaged over seeds,
        with their errors.
    """
    del settings
    values, misses = [], {"plain": [], "flow": []}
    for scenario in scenarios.values():
        accuracy = scenario["accuracy"].transpose("seed", "classifier", "phi")
        outer = np.abs(accuracy["phi"]) > np.abs(accuracy["phi"]).max() / 2
        undistorted = accuracy.sel(phi=0.0, method="nearest")
        values.append(np.stack([undistorted, accuracy.sel(phi=outer).mean("phi")], axis=-1))
        for name, best in (("plain", "likelihood_ratio"), ("flow", "optimum")):
            difference = np.abs(accuracy.sel(classifier=name) - accuracy.sel(classifier=best))
            misses[name].append(difference.max("phi").values)
    coords = {"point": list(scenarios), "run": accuracy["classifier"].values, "seed": accuracy["seed"].values}
    result = xr.Dataset({"accuracy": (("point", "seed", "run", "epoch"), np.array(values))}, coords=coords)
    for name, by_scenario in misses.items():
        result[f"{name}_misses"] = "point", np.mean(by_scenario, axis=1)
        result[f"{name}_misses_error"] = (
            "point",
            np.std(by_scenario, axis=1, ddof=1) / np.sqrt(accuracy.sizes["seed"]),
        )
    return result.transpose("point", "run", "seed", "epoch")
