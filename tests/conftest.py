"""Settings of the whole suite, made before anything imports jax."""

import os
from pathlib import Path

import hypothesis
import numpy as np
import pytest

os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parents[1] / ".cache" / "jax"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.2")

hypothesis.settings.register_profile(
    "suite",
    derandomize=True,
    deadline=None,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],  # shrinking takes minutes where examples compile
)
hypothesis.settings.load_profile("suite")


@pytest.fixture(scope="session")
def pyhf_model():
    """Builder of the pyhf model that `diffhep.likelihood.signal_background` stands for, and the order of parameters.

    `order` sorts pyhf's parameters as diffhep's: `ours = theirs[order]`.
    """
    pyhf = pytest.importorskip("pyhf")
    before = pyhf.get_backend()
    pyhf.set_backend("numpy", pyhf.optimize.scipy_optimizer(tolerance=1e-12, maxiter=10_000))

    def build(signal, background, up, down, interpolation):
        ups, downs = np.atleast_2d(up), np.atleast_2d(down)
        names = ["gamma"] if np.ndim(up) == 1 else [f"gamma_{shift}" for shift in range(len(ups))]
        shifts = [
            {"name": name, "type": "histosys", "data": {"hi_data": list(high), "lo_data": list(low)}}
            for name, high, low in zip(names, ups, downs, strict=True)
        ]
        strength = {"name": "mu", "type": "normfactor", "data": None}
        samples = [
            {"name": "signal", "data": list(signal), "modifiers": [strength]},
            {"name": "background", "data": list(background), "modifiers": shifts},
        ]
        model = pyhf.Model(
            {"channels": [{"name": "channel", "samples": samples}]},
            modifier_settings={"histosys": {"interpcode": interpolation}},
            poi_name="mu",
            validate=False,
        )
        return model, [model.config.par_order.index(name) for name in ("mu", *names)]

    yield build
    pyhf.set_backend(*before)
