"""The trainings of the study, with their settings and expected run times: what the workflow needs, without jax."""

from collections.abc import Sequence

from diffhep.pipeline import run_times
from diffhep.studies.blobs.settings import (
    Data,
    Experiment,
    Generation,
    PseudoExperiments,
    Rebinning,
    Run,
    Scan,
    Study,
    SweepPoint,
    TimedRuns,
    Training,
)
from diffhep.typed_settings import replace, select


def check_objectives(study: Study, known: Sequence[str]) -> None:
    """Check that there are objectives of the names in the settings.

    Raises:
        ValueError: There is none of a name.
    """
    for experiment_name, experiment in study.experiments.items():
        for name, training in trainings(experiment).items():
            for objective in training.objective:
                if objective not in known:
                    place = f"experiments.{experiment_name}.variants.{name}.objective"
                    raise ValueError(f"{place}: {objective!r}: give one of {', '.join(known)}")


def trainings(experiment: Experiment) -> dict[str, Training]:
    """Settings of every training of an experiment, by name.

    A variant is the experiment's `defaults` with its own entries in their place. A `sweep` repeats some of the variants
    with other settings, under names such as `cls_bins_3_bandwidth_0.09`.
    """
    variants = {
        name: replace(Training(**dict(experiment.defaults), objective=variant.objective), variant)
        for name, variant in experiment.variants.items()
    }
    swept = {
        f"{name}_{point_name(point)}": replace(variants[name], point)
        for name in experiment.sweep.variants
        for point in experiment.sweep.points
    }
    return {**variants, **swept}


def point_name(point: SweepPoint) -> str:
    """Name of a point of a sweep in the names of results: its settings in a fixed order, but the number of seeds."""
    keys = sorted(point.model_fields_set - {"seeds"}, key=lambda key: (key != "bins", key))
    return "_".join(f"{key}_{getattr(point, key)}" for key in keys)


def trained_for_comparison(experiment: Experiment) -> list[str]:
    """Compared variants, and every training at the points of the sweep."""
    return [*experiment.compare, *(name for name in trainings(experiment) if name not in experiment.variants)]


def evaluated_for_comparison(experiment: Experiment) -> list[str]:
    """Compared variants whose training is the same at all points of the sweep; none without points."""
    if not experiment.sweep.points:
        return []
    return [name for name in experiment.compare if name not in experiment.sweep.variants]


def binnings(experiment: Experiment) -> list[int]:
    """Numbers of bins of the experiment and of the points of its sweep."""
    return sorted({point.bins for point in (experiment.defaults, *experiment.sweep.points)})


def training_seconds(run: Training, data: Data) -> float:
    """Expected seconds of a training on four samples of events in the plane.

    Cross-entropy alone trains on only two of them and takes less.
    """
    layers = [2, *run.widths, 1]
    events = round(4 * data.events * (1 - data.test_fraction))
    return run_times.training_seconds(layers, events=events, epochs=run.epochs, seeds=run.seeds)


def runs(study: Study, experiment: Experiment, *, seed: int, seeds_at_once: int | str) -> dict[str, Run]:
    """Settings of the stage `train` for every training of an experiment, by name."""
    suite = {"seed": seed, "seeds_at_once": seeds_at_once, "yields": study.yields, "plane": study.plane}
    return {name: select(Run, training, **suite) for name, training in trainings(experiment).items()}


def shard(run: Run, first: int, last: int) -> Run:
    """A run with the seeds from the first to the last only."""
    return run.model_copy(update={"seed": first, "seeds": last - first + 1})


def seed_range(run: Run) -> range:
    """Seeds of a run."""
    return range(run.seed, run.seed + run.seeds)


def generation(study: Study, seed: int) -> Generation:
    """Settings of the stage `generate`."""
    return select(Generation, study.data, seed=seed)


def rebinning(experiment: Experiment, run: Run) -> Rebinning:
    """Settings of the stage `evaluate`."""
    return select(Rebinning, run, bins=tuple(binnings(experiment)))


def pseudo_experiments(study: Study, run: Run) -> PseudoExperiments:
    """Settings of the stage `pseudo_experiments`."""
    return select(PseudoExperiments, study.toys, seed=run.seed, interpolation=run.interpolation)


def scan(study: Study, run: Run, *, first: int, last: int) -> Scan:
    """Settings of the stage `scan`, from the first to the last tested signal strength."""
    return select(Scan, pseudo_experiments(study, run), first=first, last=last)


def timed_runs(study: Study, runs: dict[str, Run]) -> TimedRuns:
    """Settings of the stage `step_cost`."""
    return TimedRuns(repeats=study.step_cost.repeats, runs={name: runs[name] for name in study.step_cost.runs})
