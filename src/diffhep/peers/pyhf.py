"""Fits and limits of templates with pyhf, as it comes: numpy and scipy."""

from importlib.metadata import version

import numpy as np
import pyhf
from jaxtyping import Float

from diffhep.models.simple import signal_background_workspace
from diffhep.peers.templates import Templates

NAME = f"pyhf {version('pyhf')} (numpy {version('numpy')}, scipy {version('scipy')})"


def prepare(
    templates: Templates, observed: Float[np.ndarray, " bin"], channels: int
) -> tuple[pyhf.Model, Float[np.ndarray, " count"]]:
    """Model and data, auxiliary ones included; made once and not timed."""
    read = pyhf.Workspace(signal_background_workspace(*templates, observed=observed, channels=channels))
    model = read.model()
    return model, np.array(read.data(model), float)


def fit(model: pyhf.Model, data: Float[np.ndarray, " count"]) -> float:
    """Best signal strength."""
    return float(pyhf.infer.mle.fit(data, model)[model.config.poi_index])


def limit(model: pyhf.Model, data: Float[np.ndarray, " count"]) -> float:
    """Observed upper limit; pyhf finds the five expected ones with it."""
    observed, _ = pyhf.infer.intervals.upper_limits.upper_limit(data, model, rtol=1e-4)
    return float(observed)
