"""Settings of a small run of the study of blobs."""

from diffhep.studies.blobs.settings import Run, Scan
from diffhep.typed_settings import Settings, from_plain

YIELDS = {"signal": 2.0, "background": 10.0, "overall": 10.0, "floor": 0.001}
MEANS = {"signal": [-1.0, 1.0], "background": [1.0, -1.0], "up": [2.5, 2.0], "down": [-2.5, -1.5]}
RUN = from_plain(Run, {
    "seed": 0, "seeds_at_once": "auto", "yields": YIELDS, "plane": {"range": [-3.0, 3.0], "points": 7},
    "widths": [16], "epochs": 3, "batch_size": 150, "learning_rate": 0.01, "seeds": 2,
    "bins": 5, "bin_edges": "fixed", "bandwidth": 0.1, "outer_edges": "leak", "interpolation": "code4p",
    "objective": {"cls": 1.0},
})  # fmt: skip
TOYS = from_plain(
    Scan, {"seed": 0, "interpolation": "code4p", "number": 200, "tested_mu": [1.0], "first": 0, "last": 0}
)


def with_changes(settings: Settings, **changes) -> Settings:
    """Settings with other values for some keys, checked again."""
    return from_plain(type(settings), settings.plain() | changes)
