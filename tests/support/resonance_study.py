"""Settings, and small changes of events, for the tests of the study `resonance`."""

import xarray as xr
from support.study_settings import study_settings

SETTINGS = study_settings("resonance", "quick")
SEEDS = {"seed": 0, "seeds_at_once": "auto"}
FLOW = {"flow": {"transform": "affine", "layers": 2, "hidden": 4}}
NETWORK = {"network": {"widths": [8], "activation": "relu"}}
MODELS = FLOW | NETWORK
SHORT_TRAINING = {"iterations": 200, "learning_rate": 0.02, "evaluate_every": 50}


def move(events, selected):
    """Events of a dataset, some of which are moved."""
    factor = xr.where(xr.DataArray(selected, dims="event"), 1.5, 1.0).astype("float32")
    return events.assign(events=events["events"] * factor)
