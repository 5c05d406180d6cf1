"""Statistical models of a signal that was never simulated, only interpolated (thesis 9.5 and 9.6).

The members of an ensemble disagree about the shape of the signal, and a Gaussian process tells its yield with an
uncertainty. Both become nuisance parameters.
"""

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float
from scipy.linalg import helmert

from diffhep.models import histfactory
from diffhep.models.likelihood import Model


def shape_shifts(templates: Float[Array, "member bin"]) -> Float[Array, "shift bin"]:
    """Shifts of the mean template by one standard deviation, which hold all that the members' covariance says.

    The n - 1 shifts v_k are orthonormal contrasts of the n templates (Helmert's), scaled so that sum_k v_k v_k^T is
    the templates' sample covariance. Any such set gives the same likelihood, for v_k enters it linearly. (Ours; the
    thesis looks at the uncertainty of each bin alone.)
    """
    members = len(templates)
    return helmert(members) @ templates / np.sqrt(members - 1)


def interpolated_signal_model(
    signal: Float[Array, " bin"],
    background: Float[Array, " bin"],
    shifts: Float[Array, "shift bin"],
    relative_error: Float[ArrayLike, ""],
) -> Model:
    """Signal of strength mu, with shape shifts and a log-normal yield, over a background that is known.

    Args:
        signal: Expected events at mu = 1.
        background: Expected events.
        shifts: Of the signal, as from `shape_shifts`; each has a nuisance parameter with a unit normal constraint.
        relative_error: Of the signal's yield: it is multiplied by 1 + this at one standard deviation.
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
