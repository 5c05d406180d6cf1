"""Figures and claims of all documents, as the workflow reads them."""

from pathlib import Path
from typing import Any

from diffhep.pipeline import settings
from diffhep.pipeline.manifest import Manifest, read_claims, read_manifest

ROOT = Path(__file__).parents[2]


def manifest(root: Path = ROOT) -> Manifest:
    return read_manifest(root / "config" / "figures", settings.read)


def claims(root: Path = ROOT) -> dict[str, dict[str, Any]]:
    return read_claims(root / "config" / "claims", settings.read)


def keep_one_claim(root: Path) -> None:
    """Leave a single claim of the thesis, which needs no training."""
    import yaml

    claim = settings.read(root / "config/claims/thesis.yaml")["thesis_interval"]
    for path in (root / "config/claims").glob("*.yaml"):
        path.write_text(yaml.dump({"thesis_interval": claim} if path.stem == "thesis" else {}))
