"""Settings and expected run times of the stages: what the workflow needs, without jax."""

from collections.abc import Sequence

from diffhep.studies.blobs.settings import Study as Blobs
from diffhep.studies.scaling.settings import (
    NoiseMeasurement,
    Statistics,
    StatisticsMeasurement,
    Step,
    StepMeasurement,
    Study,
)
from diffhep.typed_settings import select


def check_objectives(study: Study, known: Sequence[str]) -> None:
    """Check that there are objectives of the names in the settings.

    Raises:
        ValueError: There is none of a name.
    """
    for place, names in (
        ("run.objective", study.gradient_noise.run.objective),
        ("objectives", study.gradient_noise.objectives),
    ):
        for name in names:
            if name not in known:
                raise ValueError(f"gradient_noise.{place}: {name!r}: give one of {', '.join(known)}")


def cost_seconds(work: Step | Statistics) -> float:
    """Expected seconds to compile and time a piece of work, for all peers and sizes."""
    return 6.0 * len(work.peers) * sum(len(sizes) for _, sizes in work.axes)


def noise_measurement(study: Study, blobs: Blobs, seed: int) -> NoiseMeasurement:
    """Settings of the stage `gradient_noise`."""
    return select(NoiseMeasurement, study.gradient_noise, seed=seed, yields=blobs.yields, plane=blobs.plane)


def cost_measurement(study: Study, blobs: Blobs, work: str, seed: int) -> StepMeasurement | StatisticsMeasurement:
    """Settings of the stage `cost` for `step`, `fit` or `limit`."""
    suite = {"work": work, "seed": seed, "repeats": study.cost.repeats, "patience": study.cost.patience}
    if work == "step":
        return select(StepMeasurement, study.cost.works.step, yields=blobs.yields, **suite)
    return select(StatisticsMeasurement, getattr(study.cost.works, work), **suite)
