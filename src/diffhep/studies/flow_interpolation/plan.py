"""Settings and conditioning points of the study's jobs, for the rules of the workflow. Imports no jax."""

from collections.abc import Mapping
from typing import Any

from diffhep.pipeline import run_times

Settings = Mapping[str, Any]


def inner_points(points: int) -> list[int]:
    """Return the numbers of the conditioning points that are not at the edge of the grid.

    Args:
        points: Points along each side of the grid, which are numbered row by row.
    """
    return [points * row + column for row in range(1, points - 1) for column in range(1, points - 1)]


def check_held_out(rows: list[int], points: int) -> None:
    """Check that the held-out rows are rows of the grid.

    Args:
        rows: Numbers of the rows.
        points: Points along each side of the grid.

    Raises:
        ValueError: A number is too large.
    """
    for row in rows:
        if row >= points:
            raise ValueError(f"{row}: rows are counted from 0 to points - 1")


def generation(study: Settings, seed: int, example: str) -> dict[str, Any]:
    """Return the settings of `stages.generate`."""
    return {"seed": seed, **study["data"], **study["examples"][example]}


def training(study: Settings, suite: Settings, flow: str) -> dict[str, Any]:
    """Return the settings of `stages.train`.

    Args:
        study: Settings of the study.
        suite: `seed` and `seeds_at_once` of the suite.
        flow: Name of the flow.
    """
    return {**suite, **study["training"], "flow": study["flows"][flow]}


def fold(study: Settings, suite: Settings, flow: str, context: int) -> dict[str, Any]:
    """Return the settings of `stages.train` on all conditioning points but one.

    Args:
        study: Settings of the study.
        suite: `seed` and `seeds_at_once` of the suite.
        flow: Name of the flow.
        context: Number of the conditioning point that is left out.
    """
    members = study["cross_validation"]["members"]
    return {**training(study, suite, flow), "members": members, "without": context}


def training_seconds(settings: Settings) -> float:
    """Return the expected seconds of a training, from its settings."""
    return run_times.flow_seconds(settings["flow"], settings)


def prediction(study: Settings, seed: int, flow: str) -> dict[str, Any]:
    """Return the settings of `stages.predict`."""
    pulls = {"bins": study["comparison"]["bins"][0], "min_events": study["comparison"]["min_events"]}
    return {"seed": seed, **study["prediction"], "pulls": pulls, "flow": study["flows"][flow]}


def fold_files(study: Settings) -> list[str]:
    """Return the results of the trainings that leave out one of the inner conditioning points each."""
    folds = study["cross_validation"]
    folder = f"<results>/flow_interpolation/{folds['flow']}/fold/{folds['example']}"
    return [f"{folder}/{context}.nc" for context in inner_points(study["data"]["points"])]


def cross_validation(study: Settings, seed: int) -> dict[str, Any]:
    """Return the settings of `stages.cross_validate`."""
    return {
        "seed": seed,
        "divergence_events": study["prediction"]["divergence_events"],
        "flow": study["flows"][study["cross_validation"]["flow"]],
    }


def firework(study: Settings, seed: int) -> dict[str, Any]:
    """Return the settings of `stages.simulate_firework`."""
    return {"seed": seed, **study["firework"]}
