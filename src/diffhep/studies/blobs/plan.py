"""The trainings of the study, with their settings and expected run times: what the workflow needs, without jax."""

from diffhep.pipeline import run_times
from diffhep.studies.blobs.settings import Data, Experiment, SweepPoint, Training
from diffhep.typed_settings import replace


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
    """Name of a point of a sweep in the names of results, whatever the order of its keys; without the number of seeds."""
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
