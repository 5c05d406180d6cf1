"""The trainings of the study, with their settings and expected run times: what the workflow needs, without jax."""

from collections.abc import Mapping
from typing import Any

from diffhep.pipeline import run_times

Settings = Mapping[str, Any]

NO_SWEEP: Settings = {"variants": [], "points": []}


def sweep(experiment: Settings) -> Settings:
    """The experiment's `sweep`; one of no points if it has none."""
    return experiment.get("sweep", NO_SWEEP)


def runs(experiment: Settings) -> dict[str, dict[str, Any]]:
    """Settings of every training of an experiment, by name.

    A variant is the experiment's `defaults` with its own entries in their place; a `sweep` repeats some of the variants
    at other points of the settings, under names such as `cls_bins_3_bandwidth_0.09`.

    Raises:
        ValueError: `sweep` or `compare` names a variant that the experiment does not have.
    """
    variants = {name: {**experiment["defaults"], **own} for name, own in experiment["variants"].items()}
    for key, names in {"sweep.variants": sweep(experiment)["variants"], "compare": experiment["compare"]}.items():
        unknown = sorted(set(names) - set(variants))
        if unknown:
            raise ValueError(f"{key}: {', '.join(unknown)} is no variant; choose from {', '.join(variants)}")
    swept = {
        f"{name}_{point_name(point)}": {**variants[name], **point}
        for name in sweep(experiment)["variants"]
        for point in sweep(experiment)["points"]
    }
    return {**variants, **swept}


def point_name(point: Settings) -> str:
    """How a point of a sweep stands in the name of its results, in whatever order its keys come.

    The number of seeds is not part of it.
    """
    keys = sorted(set(point) - {"seeds"}, key=lambda key: (key != "bins", key))
    return "_".join(f"{key}_{point[key]}" for key in keys)


def trained_for_comparison(experiment: Settings) -> list[str]:
    """Compared variants and everything that is trained again at the points of the sweep."""
    return experiment["compare"] + [name for name in runs(experiment) if name not in experiment["variants"]]


def evaluated_for_comparison(experiment: Settings) -> list[str]:
    """Compared variants whose training is the same at all points of the sweep; none if it has no points."""
    if not sweep(experiment)["points"]:
        return []
    return [name for name in experiment["compare"] if name not in sweep(experiment)["variants"]]


def binnings(experiment: Settings) -> list[int]:
    """Every number of bins that the experiment or a point of its sweep has."""
    return sorted({point["bins"] for point in [experiment["defaults"], *sweep(experiment)["points"]]})


def training_seconds(run: Settings, data: Settings) -> float:
    """Expected seconds of a training on four samples of events in the plane.

    Cross-entropy alone trains on only two of them and takes less.

    Args:
        run: `network` (widths of the hidden layers), `epochs` and `seeds`.
        data: `events` of a sample and `test_fraction`.
    """
    layers = [2, *run["network"], 1]
    events = round(4 * data["events"] * (1 - data["test_fraction"]))
    return run_times.training_seconds(layers, events=events, epochs=run["epochs"], seeds=run["seeds"])
