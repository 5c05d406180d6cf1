"""The statistical analysis of the study of VBF HH -> 4b: one channel of signal and estimated background."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from diffhep.histogramming.transfer_factors import BackgroundEstimate, TagCounts, estimate_background
from diffhep.models import histfactory
from diffhep.models.likelihood import Model

FLOOR = 1e-3
"""Events added to every bin, so that none is empty; as a sum it leaves gradients where they are."""


class Counts(NamedTuple):
    """Expected events of an analysis; those of the background are simulated, not yet estimated.

    Attributes:
        signal: with two tags in the signal region, under the variations of the jets' momenta: none, up, down.
        one_tag: background with one tag in bins of the signal region.
        control: background in the control region, all of it.
        validation: background in the same bins of the validation region.
    """

    signal: Float[Array, "variation bin"]
    one_tag: Float[Array, " bin"]
    control: TagCounts
    validation: TagCounts


def background(counts: Counts) -> BackgroundEstimate:
    """Estimate the background, with a floor in every bin."""
    return estimate_background(*jax.tree.map(lambda events: events + FLOOR, counts[1:]))


def model(counts: Counts, *, shape: bool) -> Model:
    """Signal of strength mu on the estimated background.

    Nuisance parameters: the jets' momenta (of the signal), the transfer factor, the statistics of each bin and, if
    `shape`, what is known of the estimate's shape from the validation region. Factors on the background are 1 + r and
    max(0, 1 - r).
    """
    nominal, up, down = counts.signal + FLOOR
    found = background(counts)

    def relative(name, deviation):
        high, low = (found.events * jnp.maximum(factor, 0.0) for factor in (1 + deviation, 1 - deviation))
        return {"name": name, "type": "histosys", "data": {"hi_data": high, "lo_data": low}}

    modifiers = [
        relative("transfer_factor", found.normalisation),
        {"name": "statistics", "type": "staterror", "data": found.statistical},
        *([relative("shape", found.shape)] if shape else []),
    ]
    of_signal = [
        {"name": "mu", "type": "normfactor", "data": None},
        {"name": "jet_pt", "type": "histosys", "data": {"hi_data": up, "lo_data": down}},
    ]
    samples = [
        {"name": "signal", "data": nominal, "modifiers": of_signal},
        {"name": "background", "data": found.events, "modifiers": modifiers},
    ]
    return histfactory.build_model([{"name": "signal_region", "samples": samples}], poi="mu")
