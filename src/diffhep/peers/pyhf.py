"""Fits and limits of templates with pyhf, as it comes: numpy and scipy."""

from importlib.metadata import version
from typing import Any

import numpy as np
import pyhf
from jaxtyping import Float

from diffhep.data.templates import Templates

NAME = f"pyhf {version('pyhf')} (numpy {version('numpy')}, scipy {version('scipy')})"


def workspace(templates: Templates, observed: Float[np.ndarray, " bin"], channels: int = 1) -> dict[str, Any]:
    """The templates, parted into channels, as a workspace."""
    parts = [
        {
            "name": f"channel_{number:02}",
            "samples": [_signal(signal), _background(background, up, down)],
        }
        for number, (signal, background, up, down) in enumerate(
            zip(*(np.split(np.asarray(array), channels, axis=-1) for array in templates), strict=True)
        )
    ]
    counted = np.split(np.asarray(observed), channels)
    return {
        "version": "1.0.0",
        "channels": parts,
        "observations": [
            {"name": part["name"], "data": data.tolist()} for part, data in zip(parts, counted, strict=True)
        ],
        "measurements": [{"name": "cost", "config": {"poi": "mu", "parameters": []}}],
    }


def _signal(yields):
    return {
        "name": "signal",
        "data": yields.tolist(),
        "modifiers": [{"name": "mu", "type": "normfactor", "data": None}],
    }


def _background(yields, up, down):
    shifts = [
        {
            "name": f"gamma_{number:03}",
            "type": "histosys",
            "data": {"hi_data": high.tolist(), "lo_data": low.tolist()},
        }
        for number, (high, low) in enumerate(zip(up, down, strict=True))
    ]
    return {"name": "background", "data": yields.tolist(), "modifiers": shifts}


def prepare(
    templates: Templates, observed: Float[np.ndarray, " bin"], channels: int
) -> tuple[pyhf.Model, Float[np.ndarray, " count"]]:
    """Model and data, auxiliary ones included; made once and not timed."""
    read = pyhf.Workspace(workspace(templates, observed, channels))
    model = read.model()
    return model, np.array(read.data(model), float)


def fit(model: pyhf.Model, data: Float[np.ndarray, " count"]) -> float:
    """Best signal strength."""
    return float(pyhf.infer.mle.fit(data, model)[model.config.poi_index])


def limit(model: pyhf.Model, data: Float[np.ndarray, " count"]) -> float:
    """Observed upper limit; pyhf finds the five expected ones with it."""
    observed, _ = pyhf.infer.intervals.upper_limits.upper_limit(data, model, rtol=1e-4)
    return float(observed)
