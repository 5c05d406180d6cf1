"""Random models, and pyhf as the oracle for them."""

import contextlib

import hypothesis.strategies as st
import jax.numpy as jnp
import numpy as np
import pyhf

from diffhep.models.simple import signal_background

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
def tight_pyhf(tolerance=1e-14):
    """Pyhf with a tight tolerance and numpy, for jax would compile anew for each model; its backend is global."""
    before = pyhf.get_backend()
    pyhf.set_backend("numpy", pyhf.optimize.scipy_optimizer(tolerance=tolerance, maxiter=10000), precision="64b")
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


class PyhfAnalysis:
    """A workspace as pyhf has it, and the way from our parameters and data to its order."""

    def __init__(self, spec, codes=("code4p", "code4")):
        settings = {"histosys": {"interpcode": codes[0]}, "normsys": {"interpcode": codes[1]}}
        workspace = pyhf.Workspace(spec)
        self.model = workspace.model(modifier_settings=settings)
        self.data = np.array(workspace.data(self.model), float)

    def order(self, model):
        return [model.parameters.names.index(name) for name in self.model.config.par_names]

    def auxiliary_order(self, model):
        """Where each of our auxiliary data stands among pyhf's."""
        config = self.model.config
        theirs = [name for label in config.auxdata_order for name in config.par_names[config.par_slice(label)]]
        ours = [model.parameters.names[place] for place in (*model.constraints.normal, *model.constraints.poisson)]
        return [theirs.index(name) for name in ours]

    def expected(self, model, pars):
        """Main and auxiliary expectations in our order."""
        theirs = np.asarray(pars)[self.order(model)]
        main, order = self.model.expected_actualdata(theirs), self.auxiliary_order(model)
        return main, self.model.expected_auxdata(theirs)[order] if order else np.zeros(0)

    def joined(self, model, data):
        """Our data in pyhf's order."""
        auxiliary = np.zeros(len(data.auxiliary))
        auxiliary[self.auxiliary_order(model)] = data.auxiliary
        return np.concatenate([data.main, auxiliary])

    def logpdf(self, model, pars, data):
        return self.model.logpdf(np.asarray(pars)[self.order(model)], self.joined(model, data))[0]
