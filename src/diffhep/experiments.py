"""Names and settings of the trainings that a study asks for."""

from collections.abc import Mapping
from typing import Any


def runs(experiment: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Settings of every training of an experiment, by name.

    A variant is the experiment's `defaults` with its own entries in their place; a `sweep` repeats some of the variants at
    other points of the settings, under names such as `cls_bins_3_bandwidth_0.09`.

    Raises:
        ValueError: The sweep names a variant that the experiment does not have.
    """
    variants = {name: {**experiment["defaults"], **own} for name, own in experiment["variants"].items()}
    sweep = experiment.get("sweep", {"variants": [], "points": []})
    unknown = sorted(set(sweep["variants"]) - set(variants))
    if unknown:
        raise ValueError(f"sweep.variants: {', '.join(unknown)} is no variant; choose from {', '.join(variants)}")
    swept = {
        f"{name}_{point_name(point)}": {**variants[name], **point}
        for name in sweep["variants"]
        for point in sweep["points"]
    }
    return {**variants, **swept}


def point_name(point: Mapping[str, Any]) -> str:
    """How a point of a sweep stands in the name of its results; the number of seeds is not part of it."""
    return "_".join(f"{key}_{value}" for key, value in point.items() if key != "seeds")
