"""Runs of the study of VBF HH -> 4b, as the workflow plans them."""

from collections.abc import Mapping
from typing import Any

Settings = Mapping[str, Any]


def folded(study: Settings) -> dict[str, dict[str, Any]]:
    """Settings of every run of a study, by name: its `defaults` with the run's own entries in their place.

    The `runs` of `folds` are there once for each `fold`; see `members`.

    Raises:
        ValueError: `folds` or `groups` names a run that the study does not have.
    """
    runs, folds = {name: {**study["defaults"], **own} for name, own in study["runs"].items()}, study["folds"]
    for key, names in {"folds.runs": folds["runs"], **{f"groups.{k}": v for k, v in study["groups"].items()}}.items():
        unknown = sorted(set(names) - set(runs))
        if unknown:
            raise ValueError(f"{key}: {', '.join(unknown)} is no run; choose from {', '.join(runs)}")
    return {
        name: {**settings, "fold": fold} if run in folds["runs"] else settings
        for run, settings in runs.items()
        for fold, name in enumerate(_members(study, run))
    }


def members(study: Settings, group: str) -> list[str]:
    """Runs of a group; those that there are folds of stand for all of them, `<run>_fold_<number>`."""
    return [name for run in study["groups"][group] for name in _members(study, run)]


def _members(study: Settings, run: str) -> list[str]:
    folds = study["folds"]
    return [f"{run}_fold_{fold}" for fold in range(folds["number"])] if run in folds["runs"] else [run]


def training_files(study: Settings, group: str) -> list[str]:
    """Results of the trainings of the runs of a group."""
    return [f"<results>/vbf_hh4b/train/{run}.nc" for run in members(study, group)]


def group_settings(study: Settings, group: str) -> dict[str, dict[str, Any]]:
    """Settings of the runs of a group, as the stages take them: `runs`, by name."""
    runs = folded(study)
    return {"runs": {run: runs[run] for run in members(study, group)}}


def training_seconds(run: Settings, data: Settings) -> float:
    """Expected seconds of an optimisation: compiling, and steps with all events or with batches for a network.

    Args:
        run: `batch_size`, `steps` and `seeds`.
        data: `events` of each sample.
    """
    events = sum(data["events"].values()) / 360000
    step = 0.016 * events if run["batch_size"] is None else 0.0085 * run["batch_size"] / 1000
    return 30 + run["steps"] * run["seeds"] * step
