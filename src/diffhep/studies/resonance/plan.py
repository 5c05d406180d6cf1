"""Settings, mass points and files of the study's jobs, for the rules of the workflow. Imports no jax."""

from collections.abc import Iterator, Mapping
from typing import Any

from diffhep.data import mass_grid

Settings = Mapping[str, Any]


def check(study: Settings) -> None:
    """Check the grid of mass points, the mesh of the limits, and all settings that name points of the grid.

    Raises:
        ValueError: The decay is allowed at no point of the grid or the mesh, or a named point is not on the grid.
    """
    grid = _prefix_errors("grid.parts", mass_grid.mass_points, study["grid"]["parts"])
    for key, masses in _named_masses(study):
        _prefix_errors(key, mass_grid.select_points, grid, masses)
    _prefix_errors("limits.mesh", mass_grid.mass_mesh, study["limits"]["mesh"])


def _named_masses(study: Settings) -> Iterator[tuple[str, list]]:
    yield "grid.held_out", study["grid"]["held_out"]
    yield "prediction.figure_points", study["prediction"]["figure_points"]
    yield "observables.pnn", [study["observables"]["pnn"]]
    yield "observables.s_flow", study["observables"]["s_flow"]


def _prefix_errors(key, function, *arguments):
    """Call a function, and begin the message of a ValueError with the key that caused it."""
    try:
        return function(*arguments)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None


def signal_files(study: Settings) -> list[str]:
    """Return the files of the signal, one for each mass point; none if the signal is generated."""
    pattern = study["data"]["ntuples"].get("signal")
    if not pattern:
        return []
    return [
        pattern.format(m_x=f"{m_x:g}", m_s=f"{m_s:g}") for m_x, m_s in mass_grid.mass_points(study["grid"]["parts"])
    ]


def background_files(study: Settings) -> list[str]:
    """Return the files of the background, one for each process; none if the background is generated."""
    return study["data"]["ntuples"].get("background", [])


def limit_points(study: Settings) -> range:
    """Return the numbers of the mass points of the limits: those of the grid, then those of the mesh."""
    grid = mass_grid.mass_points(study["grid"]["parts"])
    return range(len(grid) + len(mass_grid.mass_mesh(study["limits"]["mesh"])))


def signal(study: Settings, seed: int) -> dict[str, Any]:
    """Return the settings of `events.select_signal`."""
    return {"seed": seed, "grid": study["grid"], "data": study["data"]}


def background(study: Settings, seed: int) -> dict[str, Any]:
    """Return the settings of `events.select_background`."""
    return {"seed": seed, "data": study["data"]}


def flow_training(study: Settings, suite: Settings) -> dict[str, Any]:
    """Return the settings of `training.train_flow` and `training.train_background`.

    Args:
        study: Settings of the study.
        suite: `seed` and `seeds_at_once` of the suite.
    """
    return {**suite, **study["flow_training"], "flow": study["flow"]}


def network_training(study: Settings, suite: Settings) -> dict[str, Any]:
    """Return the settings of `training.train_network`.

    Args:
        study: Settings of the study.
        suite: `seed` and `seeds_at_once` of the suite.
    """
    return {**suite, **study["network_training"], "network": study["network"]}


def prediction(study: Settings, seed: int) -> dict[str, Any]:
    """Return the settings of `prediction.predict`."""
    return {**background_prediction(study, seed), "min_events": study["pulls"]["min_events"]}


def background_prediction(study: Settings, seed: int) -> dict[str, Any]:
    """Return the settings of `prediction.predict_background`."""
    return {"seed": seed, **study["prediction"], "flow": study["flow"]}


def yields(study: Settings, seed: int) -> dict[str, Any]:
    """Return the settings of `yields.interpolate`."""
    return {"seed": seed, **study["yields"], "limits_mesh": study["limits"]["mesh"]}


def observables(study: Settings) -> dict[str, Any]:
    """Return the settings of `observables.discriminate`."""
    return {**_models(study), **study["observables"]}


def limits(study: Settings, seed: int) -> dict[str, Any]:
    """Return the settings of `limits.compute_limits`, without the range of mass points."""
    own = {key: value for key, value in study["limits"].items() if key != "mesh"}
    return {"seed": seed, **_models(study), **own}


def _models(study: Settings) -> dict[str, Any]:
    return {key: study[key] for key in ("flow", "network")}
