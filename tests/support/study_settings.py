"""The settings of the studies, as the workflow reads them."""

from pathlib import Path

from diffhep.pipeline import settings

ROOT = Path(__file__).parents[2]


def study_settings(study: str, scale: str = "full") -> dict:
    """What `config/studies/<study>.yaml` says at a scale."""
    schema = ROOT / "workflow" / "schemas" / f"{study}.schema.yaml"
    return settings.load_study(ROOT / "config" / "studies" / f"{study}.yaml", schema, scale)
