"""Settings and analytic score histograms for tests of the HiggsML study."""

import numpy as np
import xarray as xr
from support.study_settings import study_settings

SETTINGS = study_settings("higgsml", "quick")
SEEDS = {"seed": 0, "seeds_at_once": "auto"}
TRAINING_EVENTS = SEEDS | {"columns": SETTINGS["columns"], "perturbed": SETTINGS["perturbed"]}
INFERNO = SEEDS | SETTINGS["inferno"] | {"columns": SETTINGS["columns"], "luminosity": 0.1}

NODES = [-3.0, -1.5, 0.0, 1.5, 3.0]
FITS = {
    "seed": 0,
    "luminosity": 0.1,
    "nodes": NODES,
    "order": 2,
    "truth": [0.1, 3.0],
    "profile_bins": {"cnf": 10},
    "method": "cnf",
    "shifts": True,
}


def contents(shifts):
    """Expected score histograms (point, process, bin), quadratic in the shifts."""
    middle, tes, jes = (np.arange(20) + 0.5) / 20, *(100 * (shifts[:, n, None] - 1) for n in (0, 1))
    soft = shifts[:, 2, None] ** 2 / 25
    signal = 400 * np.exp(4 * (middle - 1)) * (1 + 0.02 * tes + 0.01 * tes**2 * middle)
    background = 60000 * np.exp(-3.5 * middle) * (1 + (0.05 * tes - 0.02 * jes + 0.03 * soft) * (middle - 0.3))
    shares = np.array([0.8, 0.15, 0.05])
    return np.concatenate([signal[:, None], background[:, None] * shares[:, None]], axis=1)


def expected_histograms(shifts):
    """Data set of `contents` in the format of `templates.expected_histograms`."""
    return xr.Dataset(
        {
            "counts": (("point", "network", "process", "bin"), contents(shifts)[:, None]),
            "shift": (("point", "nuisance"), shifts),
            "weight": 1e-3,
        },
        coords={"network": ["cnf"]},
    )
