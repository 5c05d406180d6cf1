"""Statistical models of an interpolated signal, which was not simulated (thesis 9.5 and 9.6).

The spread of an ensemble in the shape of the signal, and the uncertainty of a Gaussian process in its yield, become
nuisance parameters.
"""

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float
from scipy.linalg import helmert

from diffhep.models import histfactory
from diffhep.models.likelihood import Model


def shape_shifts(templates: Float[Array, "member bin"]) -> Float[Array, "shift bin"]:
    """Return shifts of the mean template by one standard deviation that reproduce the covariance of an ensemble.

    The n - 1 shifts v_k are orthonormal contrasts of the n templates (Helmert's), scaled so that sum_k v_k v_k^T is
    the sample covariance of the templates. Any such set gives the same likelihood, because v_k enters it linearly.
    (Our choice; the thesis treats the uncertainty of each bin separately.)

    Args:
        templates: Expected events of each member of the ensemble.
    """
    members = len(templates)
    return helmert(members) @ templates / np.sqrt(members - 1)


def interpolated_signal_model(
    signal: Float[Array, " bin"],
    background: Float[Array, " bin"],
    shifts: Float[Array, "shift bin"],
    relative_error: Float[ArrayLike, ""],
) -> Model:
    """Build the model of a signal with shape shifts and a log-normal yield over a known background.

    Args:
        signal: Expected signal events at mu = 1.
        background: Expected background events.
        shifts: Shifts of the signal, as from `shape_shifts`; each has a nuisance parameter with a unit normal
            constraint.
        relative_error: Relative uncertainty of the signal yield, which is multiplied by 1 + `relative_error` at one
            standard deviation.
    """
    scale = {"hi": 1 + relative_error, "lo": 1 / (1 + relative_error)}
    modifiers = [
        {"name": "mu", "type": "normfactor", "data": None},
        {"name": "signal_yield", "type": "normsys", "data": scale},
        *(
            {"name": f"shape_{k}", "type": "histosys", "data": {"hi_data": signal + shift, "lo_data": signal - shift}}
            for k, shift in enumerate(shifts)
        ),
    ]
    samples = [
        {"name": "signal", "data": signal, "modifiers": modifiers},
        {"name": "background", "data": background, "modifiers": []},
    ]
    return histfactory.build_model([{"name": "observable", "samples": samples}], poi="mu")
