"""The settings of the studies, as the workflow reads them."""

from pathlib import Path
from typing import Any

from diffhep.pipeline import settings

ROOT = Path(__file__).parents[2]


def study_settings(study: str, scale: str = "full") -> Any:
    """Settings in `config/studies/<study>.yaml` at a scale."""
    kind = settings.study_kind(study) or ROOT / "workflow" / "schemas" / f"{study}.schema.yaml"
    return settings.load_study(ROOT / "config" / "studies" / f"{study}.yaml", kind, scale)
