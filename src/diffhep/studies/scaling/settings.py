"""Settings of the study, `config/studies/scaling.yaml`, and of each of its stages."""

from typing import Annotated, Literal

from pydantic import Field

from diffhep.studies.blobs.settings import Plane, Training, Yields
from diffhep.typed_settings import Settings

Sizes = Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)]
Positive = Annotated[int, Field(ge=1)]


class SingleTraining(Training):
    """The training whose network the gradients are compared for; settings as in `studies/blobs.yaml`."""

    seeds: Literal[1] = Field(description="one network")


class GradientNoise(Settings):
    """Gradients of batches beside that of all events."""

    run: SingleTraining
    objectives: tuple[str, ...] = Field(min_length=1, description="objectives whose gradients are compared")
    batch_sizes: Sizes = Field(description="events of each of the four samples in a batch")
    batches: int = Field(ge=2, description="batches drawn of each size")


class StepSize(Settings):
    """Size of a training step."""

    nuisance_parameters: Positive = Field(description="nuisance parameters of the model")
    bins: Positive = Field(description="bins of the score")
    batch_size: Positive = Field(description="events of each of the four samples")


class StepAxes(Settings):
    """Sizes of a training step along each axis, the others as in `home`."""

    nuisance_parameters: Sizes = Field((), description="numbers of nuisance parameters")
    bins: Sizes = Field((), description="numbers of bins")
    batch_size: Sizes = Field((), description="events of each of the four samples")


class Step(Settings):
    """A training step on CLs; `cross_entropy` among the peers is a step without statistics."""

    peers: tuple[Literal["diffhep", "relaxed", "everwillow", "cross_entropy"], ...] = Field(
        min_length=1, description="packages that are timed"
    )
    widths: Sizes = Field(description="widths of the hidden layers")
    learning_rate: float = Field(gt=0, description="learning rate of Adam")
    bandwidth: float = Field(gt=0, description="bandwidth of the binned KDE with `bandwidth_bins` bins")
    bandwidth_bins: Positive = Field(description="bins that the bandwidth is for; it shrinks in proportion with more")
    outer_edges: Literal["leak", "closed"] = Field(description="as in `studies/blobs.yaml`")
    home: StepSize
    axes: StepAxes


class StatisticsSize(Settings):
    """Size of a fit or limit."""

    nuisance_parameters: Positive = Field(description="nuisance parameters of the model")
    bins: Positive = Field(description="bins of each channel")
    channels: Positive = Field(description="channels of the model")


class StatisticsAxes(Settings):
    """Sizes of a fit or limit along each axis, the others as in `home`."""

    nuisance_parameters: Sizes = Field((), description="numbers of nuisance parameters")
    bins: Sizes = Field((), description="numbers of bins")
    channels: Sizes = Field((), description="numbers of channels")


class Statistics(Settings):
    """A fit or a limit of templates (`src/diffhep/peers/templates.py`)."""

    peers: tuple[Literal["diffhep", "pyhf", "relaxed", "everwillow"], ...] = Field(
        min_length=1, description="packages that are timed"
    )
    home: StatisticsSize
    axes: StatisticsAxes


class Works(Settings):
    """Pieces of work that are timed."""

    step: Step
    fit: Statistics
    limit: Statistics


class Cost(Settings):
    """Cost of one piece of work, beside that of the peers."""

    repeats: int = Field(ge=1, description="turns, of which the median is taken")
    patience: float = Field(gt=0, description="seconds beyond which a peer is not timed for larger sizes")
    works: Works


class Study(Settings):
    """Scaling of the training on a whole analysis (thesis 7.7 asks; ours)."""

    gradient_noise: GradientNoise
    cost: Cost


class NoiseMeasurement(GradientNoise):
    """Settings of the stage `gradient_noise`."""

    seed: int
    yields: Yields
    plane: Plane


class StepMeasurement(Step):
    """Settings of the stage `cost` for a training step."""

    work: Literal["step"]
    seed: int
    repeats: int
    patience: float
    yields: Yields


class StatisticsMeasurement(Statistics):
    """Settings of the stage `cost` for a fit or a limit."""

    work: Literal["fit", "limit"]
    seed: int
    repeats: int
    patience: float
