"""Settings of the study, `config/studies/blobs.yaml`, and of each of its stages."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from diffhep.typed_settings import PlaceError, Range, Settings, Weights, partial

Name = Annotated[str, StringConstraints(pattern="^[a-z0-9_]+$")]
Point = tuple[float, float]


class Means(Settings):
    """Centres of the blobs, whose covariance is the identity.

    The neos paper and the thesis print signal (-1, 1), background (2.5, 2), up (-2.5, -1.5), down (1, -1). The authors'
    code and both texts ("blobs on either side of the background") have the numbers that are the default here.
    """

    signal: Point = Field(description="centre of the signal")
    background: Point = Field(description="centre of the nominal background")
    up: Point = Field(description="centre of the background shifted by +1 standard deviation")
    down: Point = Field(description="centre of the background shifted by -1 standard deviation")


class Data(Settings):
    """Generated events."""

    events: int = Field(ge=10, description="events of each of the four blobs")
    test_fraction: float = Field(gt=0, lt=1, description="share of the events held out; all metrics are of these")
    means: Means


class Yields(Settings):
    """Expected events in a bin: share of the sample's events in it x sample x overall + floor."""

    signal: float = Field(ge=0, description="scale of the signal")
    background: float = Field(ge=0, description="scale of the backgrounds")
    overall: float = Field(gt=0, description="scale of all samples")
    floor: float = Field(gt=0, description="events added to every bin, so that none is empty")


class Plane(Settings):
    """Grid in the plane of the data on which trained networks are stored, for their contours."""

    range: Range = Field(description="lower and upper end of both axes")
    points: int = Field(ge=2, description="points along each axis")


class Observable(Settings):
    """A network and the histogram of its score."""

    widths: tuple[Annotated[int, Field(ge=1)], ...] = Field(min_length=1, description="widths of the hidden layers")
    bins: Literal[1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60] = Field(description="bins of the score in [0, 1]")
    bin_edges: Literal["fixed", "learned"] = Field(description="`learned`: trained with the network, at first equal")
    bandwidth: float = Field(gt=0, description="bandwidth of the binned KDE that training uses, in units of the score")
    outer_edges: Literal["leak", "closed"] = Field(
        description="tails of the KDE beyond [0, 1]: `leak`, lost, as published; `closed`, counted in the outer bins"
    )
    interpolation: Literal["code0", "code4p"] = Field(
        description="pyhf's code between the templates of the background: `code4p`, smooth; `code0`, piecewise linear"
    )


class Defaults(Observable):
    """Settings that the trainings of an experiment share."""

    epochs: int = Field(ge=1, description="passes over the events")
    batch_size: int = Field(ge=1, description="events of each blob in a step")
    learning_rate: float = Field(gt=0, description="learning rate of Adam")
    seeds: int = Field(ge=1, description="networks, each with its own first weights and order of events")


class Training(Defaults):
    """Settings of one training."""

    objective: Weights = Field(min_length=1, description="weights of the objectives that are summed")


class Variant(partial(Defaults, "PartialDefaults")):
    """A training: its objective, and whatever differs from the defaults."""

    objective: Weights = Field(min_length=1, description="weights of the objectives that are summed")


class SweepPoint(partial(Training, "PartialTraining")):
    """Settings that differ at a point of the sweep."""

    bins: Literal[1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60] = Field(description="bins of the score in [0, 1]")
    bandwidth: float = Field(gt=0, description="bandwidth of the binned KDE, in units of the score")


class Sweep(Settings):
    """Variants that are trained again with other settings."""

    variants: tuple[str, ...] = Field((), description="names of the variants")
    points: tuple[SweepPoint, ...] = Field((), description="settings that differ, `bins` and `bandwidth` among them")


class Experiment(Settings):
    """Trainings that are compared."""

    defaults: Defaults
    variants: dict[Name, Variant] = Field(description="trainings by name")
    compare: tuple[str, ...] = Field(min_length=1, description="variants that claims and the sweep figure compare")
    sweep: Sweep = Sweep()

    @model_validator(mode="after")
    def _names_exist(self) -> "Experiment":
        for key, names in {"sweep.variants": self.sweep.variants, "compare": self.compare}.items():
            if unknown := sorted(set(names) - set(self.variants)):
                raise ValueError(f"{key}: {', '.join(unknown)} is no variant; choose from {', '.join(self.variants)}")
        return self


class Toys(Settings):
    """Pseudo-experiments of the trained observables."""

    number: int = Field(ge=100, description="pseudo-experiments for each hypothesis")
    tested_mu: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        min_length=1, description="signal strengths whose CLs is computed"
    )


class StepCost(Settings):
    """Time of a training step, measured in turns."""

    runs: tuple[str, ...] = Field(min_length=1, description="variants of the experiment `neos` that are timed")
    repeats: int = Field(ge=1, description="turns")


class Study(Settings):
    """Gaussian blobs: a network trained on the result of the statistical analysis (neos 3.1, thesis 7.4 and 7.6)."""

    data: Data
    yields: Yields
    plane: Plane
    experiments: dict[Name, Experiment]
    toys: Toys
    step_cost: StepCost

    @model_validator(mode="after")
    def _runs_exist(self) -> "Study":
        known = self.experiments["neos"].variants
        for index, run in enumerate(self.step_cost.runs):
            if run not in known:
                message = f"{run!r} is not in experiments.neos.variants; choose from {', '.join(known)}"
                raise PlaceError(f"step_cost.runs.{index}", message)
        return self


class Generation(Data):
    """Settings of the stage `generate`."""

    seed: int


class Run(Training):
    """Settings of the stage `train`.

    Attributes:
        seed: The first of the seeds.
        seeds_at_once: Seeds that are trained side by side; `auto`: one on a CPU, all on a GPU.
    """

    seed: int
    seeds_at_once: int | Literal["auto"]
    yields: Yields
    plane: Plane


class Loss(Observable):
    """Settings that the loss is compiled for."""

    objective: Weights
    yields: Yields


class Evaluation(Settings):
    """Settings that the metrics after every epoch are compiled for: the same for many objectives.

    Attributes:
        objectives: Objectives to evaluate beside the metrics.
    """

    widths: tuple[int, ...]
    bins: int
    interpolation: Literal["code0", "code4p"]
    yields: Yields
    plane: Plane
    objectives: tuple[str, ...]


class Rebinning(Settings):
    """Settings of the stage `evaluate`: other numbers of bins than those of the training."""

    bins: tuple[int, ...]
    yields: Yields
    interpolation: Literal["code0", "code4p"]


class PseudoExperiments(Toys):
    """Settings of the stage `pseudo_experiments`."""

    seed: int
    interpolation: Literal["code0", "code4p"]


class Scan(PseudoExperiments):
    """Settings of the stage `scan`: the first and the last index of the tested signal strengths."""

    first: int
    last: int


class TimedRuns(Settings):
    """Settings of the stage `step_cost`."""

    repeats: int
    runs: dict[str, Run]


class Workspaces(Settings):
    """Settings of the stage `workspaces`: the name of the experiment, with which names of workspaces begin."""

    experiment: str
