"""Random models, and pyhf as the oracle for them."""

import contextlib

import hypothesis.strategies as st
import jax.numpy as jnp
import numpy as np
import pyhf

from diffhep.models import signal_background

BINS = 3
CODES = ("code0", "code4p")


def _yields(low, high):
    return st.lists(st.floats(low, high), min_size=BINS, max_size=BINS).map(np.array)


@st.composite
def ordinary(draw):
    """Signal, background, up and down of a model with one clear minimum."""
    background = draw(_yields(10.0, 60.0))
    tilt = draw(_yields(0.02, 0.3)) * np.array([1, -1, 1])
    return draw(_yields(2.0, 15.0)), background, background * (1 + tilt), background * (1 - 0.8 * tilt)


@st.composite
def awkward(draw):
    """Nearly empty bins, up = down, up and down on one side, no signal."""
    signal = draw(st.one_of(st.just(np.zeros(BINS)), _yields(0.0, 20.0)))
    background = draw(_yields(1e-3, 30.0))
    up, down = background * draw(_yields(0.2, 2.0)), background * draw(_yields(0.2, 2.0))
    down = draw(st.sampled_from([down, up, background]))
    return signal, background, up, down


@contextlib.contextmanager
def tight_pyhf():
    """Pyhf with a tight tolerance and numpy, for jax would compile anew for each model; its backend is global."""
    before = pyhf.get_backend()
    pyhf.set_backend("numpy", pyhf.optimize.scipy_optimizer(tolerance=1e-14, maxiter=10000), precision="64b")
    try:
        yield
    finally:
        pyhf.set_backend(*before)


def pyhf_model(signal, background, up, down, code):
    histosys = {"name": "gamma", "type": "histosys", "data": {"hi_data": up.tolist(), "lo_data": down.tolist()}}
    samples = [
        {"name": "s", "data": signal.tolist(), "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]},
        {"name": "b", "data": background.tolist(), "modifiers": [histosys]},
    ]
    spec = {"channels": [{"name": "c", "samples": samples}]}
    return pyhf.Model(spec, poi_name="mu", validate=False, modifier_settings={"histosys": {"interpcode": code}})


def in_pyhf_order(model, pars):
    """Our parameters (mu, gamma) in the order of a pyhf model."""
    return np.asarray(pars)[[("mu", "gamma").index(name) for name in model.config.par_order]]


def ours(yields, code):
    return signal_background(*(jnp.asarray(y) for y in yields), interpolation=code)
