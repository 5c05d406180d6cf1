"""Settings of the study's jobs, for the rules of the workflow. Imports no jax."""

from collections.abc import Mapping
from typing import Any

from diffhep.merging import merge

Settings = Mapping[str, Any]


def strengths(study: Settings) -> list[float]:
    """Return the strengths of the contrast in the plane."""
    return [float(strength) for strength in study["strengths"]]


def sample(study: Settings, seed: int) -> dict[str, Any]:
    """Return the settings of `gaussians.generate`."""
    return {"seed": seed, **_classes(study)}


def flow(study: Settings, suite: Settings, variant: str, strength: float) -> dict[str, Any]:
    """Return the settings of `gaussians.train_flow`.

    Args:
        study: Settings of the study.
        suite: `seed` and `seeds_at_once` of the suite.
        variant: Name of the variant of the flow.
        strength: Strength c of the contrast.
    """
    return {**suite, **merge(study["flow"], study["variants"][variant]), "strength": strength}


def classifier(study: Settings, suite: Settings) -> dict[str, Any]:
    """Return the settings of `gaussians.train_classifier`."""
    return {**suite, **study["classifier"]}


def surfaces(study: Settings) -> dict[str, Any]:
    """Return the settings of `gaussians.surfaces`."""
    shared = {key: study[key] for key in ("gaussians", "flow", "classifier")}
    return {**study["surfaces"], **shared, "strengths": strengths(study)}


def couplings(study: Settings) -> dict[str, Any]:
    """Return the settings of `gaussians.compare`."""
    shared = {key: study[key] for key in ("gaussians", "flow", "variants")}
    return {"cut": study["surfaces"]["cut"], **shared}


def embedded_flow(study: Settings, suite: Settings, label: str, trial: int) -> dict[str, Any]:
    """Return the settings of `robustness.train_flow`.

    Args:
        study: Settings of the study.
        suite: `seed` and `seeds_at_once` of the suite.
        label: Class that the flow learns, "signal" or "background".
        trial: Number of the set of events, which is added to the seed.
    """
    return {**_embedded(study), **study["flow"], "strength": 1.0, "label": label, **_trial(suite, trial)}


def embedded_classifier(study: Settings, suite: Settings, trial: int) -> dict[str, Any]:
    """Return the settings of `robustness.train_classifier`."""
    return {**_embedded(study), **study["classifier"], **_trial(suite, trial)}


def robustness(study: Settings, suite: Settings, scenario: str, trial: int) -> dict[str, Any]:
    """Return the settings of `robustness.measure_accuracy`.

    Args:
        study: Settings of the study.
        suite: `seed` and `seeds_at_once` of the suite.
        scenario: Name of the distortion and its range.
        trial: Number of the set of events, which is added to the seed.
    """
    own = {key: study["ten"][key] for key in ("angles", "per_angle", "test_angles", "test_events", "cut")}
    return {
        **_embedded(study),
        **own,
        **study["ten"]["scenarios"][scenario],
        "classifier": study["classifier"] | {"seeds_at_once": suite["seeds_at_once"]},
        "flow": study["flow"]["flow"],
        "seed": suite["seed"] + trial,
    }


def digit_flow(study: Settings, suite: Settings, pair: str, strength: float) -> dict[str, Any]:
    """Return the settings of `digits.train`.

    Args:
        study: Settings of the study.
        suite: `seed` and `seeds_at_once` of the suite.
        pair: Name of the pair of digits.
        strength: Strength c of the contrast.
    """
    digits = study["digits"]
    own = {"digits": digits["pairs"][pair], "strength": strength}
    return {**suite, **_digit_training(study), **digits["images"], **own}


def digit_samples(study: Settings, seed: int) -> dict[str, Any]:
    """Return the settings of `digits.generate_images`."""
    return {
        "seed": seed,
        "flow": _digit_training(study)["flow"],
        "figure_images": study["digits"]["figure_images"],
    }


def digit_densities(study: Settings, seed: int, pair: str) -> dict[str, Any]:
    """Return the settings of `digits.evaluate_images`."""
    digits = study["digits"]
    training = {key: _digit_training(study)[key] for key in ("flow", "floor")}
    return {"seed": seed, **digits["images"], **training, "digits": digits["pairs"][pair]}


def _classes(study: Settings) -> dict[str, Any]:
    return {key: study[key] for key in ("gaussians", "events", "validation")}


def _embedded(study: Settings) -> dict[str, Any]:
    return {**_classes(study), "dimension": study["ten"]["dimension"]}


def _trial(suite: Settings, trial: int) -> dict[str, Any]:
    return {**suite, "seed": suite["seed"] + trial}


def _digit_training(study: Settings) -> dict[str, Any]:
    return merge(study["flow"], study["digits"]["training"])
