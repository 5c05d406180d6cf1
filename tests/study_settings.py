"""The settings of the studies, as the workflow reads them."""

from pathlib import Path

from diffhep import configuration

ROOT = Path(__file__).parents[1]


def study_settings(study: str, scale: str = "full") -> dict:
    """What `config/studies/<study>.yaml` says at a scale."""
    schema = ROOT / "workflow" / "schemas" / f"{study}.schema.yaml"
    return configuration.load_study(ROOT / "config" / "studies" / f"{study}.yaml", schema, scale)
