"""A small study of VBF HH -> 4b, and what its cuts and edges give, computed directly."""

import jax
import numpy as np
from support.study_settings import study_settings

from diffhep.inference import hypotests
from diffhep.studies.vbf_hh4b import inputs
from diffhep.studies.vbf_hh4b.optimisation import count_hard
from diffhep.studies.vbf_hh4b.statistical_model import model

QUICK = study_settings("vbf_hh4b", "quick")
DATA = QUICK["data"] | {
    "events": {"signal": 1500, "background": 4000},
    "reference": {"signal": 2500, "background": 6000},
}
EVENTS = {"seed": 0, "data": DATA}
REGIONS = DATA["regions"]
ANNEALED = {"start": 20.0, "end": 2000.0, "from": 0.5, "to": 1.0}
DRAWN = {"m_jj": {"keep": "above", "start": [0.0, 0.1]}, "deta_jj": {"keep": "above", "start": [0.0, 0.1]}}
RUN = QUICK["defaults"] | {
    "seed": 0,
    "seeds": 2,
    "seeds_at_once": 1,
    "fold": 1,
    "regions": REGIONS,
    "bins": 3,
    "steps": 6,
    "evaluate_every": 2,
    "cuts": DRAWN,
    "slope": ANNEALED,
    "shape": "inside",
    "validation": "drawn",
}
NAMES = ["m_jj", "deta_jj"]
THREE = [600.0, 1000.0, 1300.0, 3000.0]


def expected(of, mu=1.0):
    """CLs without the shape's uncertainty, the same program for every strength."""
    return expected_at(of, mu)


@jax.jit
def expected_at(of, mu):
    return hypotests.expected_cls(model(of, shape=False), mu)


@jax.jit
def expected_with_shape(of):
    return hypotests.expected_cls(model(of, shape=True))


def hard_counts(settings, events, part, cuts, edges):
    """Directly, at physical cuts and edges."""
    shares = [float(inputs.to_shares(events, value, name)) for name, value in zip(settings["cuts"], cuts, strict=True)]
    return jax.device_get(count_hard(settings, {}, np.array(shares), inputs.to_shares(events, edges, "m_hh"), part))


def direct(settings, events, last):
    """Yields and CLs of the events of the reference."""
    reference = inputs.reference(EVENTS).assign(low=events["low"], high=events["high"])
    found = hard_counts(settings, events, inputs.part(reference, REGIONS), last["cuts"].values, last["edges"].values)
    return found, float(expected(found))
