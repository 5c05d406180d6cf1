"""The mass points and files of the study: what the workflow needs, without jax."""

from collections.abc import Iterator, Mapping
from typing import Any

from diffhep.data import mass_grid

Settings = Mapping[str, Any]


def signal_files(study: Settings) -> list[str]:
    """Files of the signal at each mass point; none where the signal is generated."""
    pattern = study["data"]["ntuples"].get("signal")
    if not pattern:
        return []
    return [
        pattern.format(m_x=f"{m_x:g}", m_s=f"{m_s:g}") for m_x, m_s in mass_grid.mass_points(study["grid"]["parts"])
    ]


def named_masses(study: Settings) -> Iterator[tuple[str, list]]:
    """Entries of the settings that name mass points, which must be points of the grid, with those points."""
    yield "grid.held_out", study["grid"]["held_out"]
    yield "prediction.shown", study["prediction"]["shown"]
    yield "observables.pnn", [study["observables"]["pnn"]]
    yield "observables.s_flow", study["observables"]["s_flow"]
