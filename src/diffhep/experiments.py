"""Names and settings of the trainings that a study asks for, and the epoch that each is judged at."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import xarray as xr

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


def seeds_of(run: Settings) -> range:
    """Seeds of a training, which has `seed`, the first, and `seeds`, how many there are."""
    return range(run["seed"], run["seed"] + run["seeds"])


def parts(numbers: range, per_job: int | str) -> list[tuple[int, int]]:
    """First and last number of each job that consecutive pieces of work are spread over; empty if one job does it all.

    No job has a single one, unless that is all: a loop of one step is compiled to something else, whose results agree
    but for the last bit.

    Args:
        numbers: Seeds of networks, or numbers of pseudo-experiments or contexts.
        per_job: How many a job does, or one more where one would be left alone; at least 2, or "all".
    """
    first, number = numbers.start, len(numbers)
    jobs = 1 if per_job == "all" else max(min(-(-number // per_job), number // 2), 1)
    ends = [first + number * job // jobs for job in range(jobs + 1)]
    return [(at, end - 1) for at, end in pairwise(ends)] if jobs > 1 else []


def of_seeds(run: Settings, first: int, last: int) -> dict[str, Any]:
    """Settings of the part of a training that has these seeds."""
    return {**run, "seed": first, "seeds": last - first + 1}


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


def selected_epoch(trained: xr.Dataset) -> int:
    """The epoch, after the first, at which the mean of the `objective` (seed, epoch) over all seeds is lowest."""
    return int(trained["objective"].mean("seed").isel(epoch=slice(1, None)).idxmin("epoch"))
