"""Nuisance parameters of the HiggsML Uncertainty Challenge, and their effect on events and yields.

The formulas are those of arXiv:2505.08709, D.2. Three of the six parameters shift energies: `tes` of hadronic taus,
`jes` of jets and `soft_met` of the remaining missing momentum; all columns follow. The other three scale the yields of
backgrounds. Events are shifted first and selected afterwards, so that events and jets cross thresholds in both
directions.
"""

import math
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Key

from diffhep.data.htautau.features import ABSENT, PRIMARY, Primaries, reconstruct_objects, safe_norm

PROCESSES = ("htautau", "ztautau", "ttbar", "diboson")
"""Names in the challenge's files, the signal first."""

LEPTON_PT, HADRONS_PT, JET_PT = 20.0, 26.0, 26.0
"""Smallest transverse momenta after the shifts, GeV."""


class Prior(NamedTuple):
    """Normal prior of a nuisance parameter or of its logarithm, clipped to a range.

    Attributes:
        mean: Mean of the normal distribution.
        width: Standard deviation of the normal distribution.
        low: Lower end of the range.
        high: Upper end of the range.
        logarithmic: Whether the logarithm of the parameter is normally distributed.
    """

    mean: float
    width: float
    low: float
    high: float
    logarithmic: bool = False


NUISANCES = {
    "tes": Prior(1.0, 0.01, 0.9, 1.1),
    "jes": Prior(1.0, 0.01, 0.9, 1.1),
    "soft_met": Prior(0.0, 1.0, 0.0, 5.0, logarithmic=True),
    "ttbar_scale": Prior(1.0, 0.02, 0.8, 1.2),
    "diboson_scale": Prior(1.0, 0.25, 0.0, 2.0),
    "bkg_scale": Prior(1.0, 0.001, 0.99, 1.01),
}
"""Priors of Table 3 of the paper. `soft_met` is in GeV; the others are factors."""

NORMALISATIONS = {
    "htautau": (),
    "ztautau": ("bkg_scale",),
    "ttbar": ("ttbar_scale", "bkg_scale"),
    "diboson": ("diboson_scale", "bkg_scale"),
}
"""Nuisance parameters that scale each process (eq. 20)."""


@jax.jit
def nuisances_from_normal(normal: Float[Array, "*axis par"]) -> Float[Array, "*axis par"]:
    """Transform standard normal numbers to nuisance parameters according to their priors.

    Args:
        normal: One number for each of `NUISANCES`, or for the first of them.
    """
    priors = list(NUISANCES.values())[: normal.shape[-1]]
    mean, width, low, high, logarithmic = (jnp.array(column) for column in zip(*priors, strict=True))
    value = mean + width * normal
    return jnp.clip(jnp.where(logarithmic, jnp.exp(value), value), low, high)


@partial(jax.jit, static_argnums=1)
def draw_nuisances(key: Key[Array, ""], number: int) -> Float[Array, "toy 6"]:
    """Draw nuisance parameters from their priors.

    Args:
        key: Source of randomness.
        number: Number of pseudo-experiments.

    Returns:
        Parameters in the order of `NUISANCES`.
    """
    return nuisances_from_normal(jax.random.normal(key, (number, len(NUISANCES))))


@jax.jit
def yield_factors(mu: ArrayLike, nuisances: Float[Array, " par"]) -> Float[Array, " process"]:
    """Return the factor on the expected events of each of `PROCESSES` (eq. 20).

    Args:
        mu: Signal strength, the factor on the signal.
        nuisances: Nuisance parameters in the order of `NUISANCES`.
    """
    values = dict(zip(NUISANCES, nuisances, strict=True))
    scales = [math.prod(values[name] for name in NORMALISATIONS[process]) for process in PROCESSES[1:]]
    return jnp.stack([jnp.asarray(mu, nuisances.dtype), *scales])


@jax.jit
def shift_energies(
    primaries: Primaries, tes: ArrayLike, jes: ArrayLike, soft_met: ArrayLike, noise: Float[Array, "event 2"]
) -> Primaries:
    """Shift the energy scales of events; changes of objects are subtracted from the missing momentum (eqs. 18 and 19).

    E_miss' = E_miss + (1 - tes) p_had + (1 - jes) (p_jet1 + p_jet2) + soft_met noise, with transverse vectors.
    Apply `select_events` afterwards.

    Args:
        primaries: Events as simulated.
        tes: Factor on the momentum of the hadronic tau.
        jes: Factor on the momenta of jets, and on their sum.
        soft_met: Standard deviation of the noise on each component of the missing momentum, GeV.
        noise: Standard normal numbers, an argument so that two shifts can share them.
    """
    tes, jes, soft_met, noise = (jnp.asarray(each, primaries.dtype) for each in (tes, jes, soft_met, noise))
    objects = reconstruct_objects(primaries)
    jets = objects.leading.transverse + objects.subleading.transverse
    missing = objects.missing.transverse + (1 - tes) * objects.hadrons.transverse + (1 - jes) * jets + soft_met * noise
    nonzero = jnp.any(missing != 0, axis=-1)  # a zero vector has no direction, and arctan2 no gradient
    changes = {
        "PRI_had_pt": tes * objects.hadrons.pt,
        "PRI_met": safe_norm(missing),
        "PRI_met_phi": jnp.arctan2(missing[:, 1], jnp.where(nonzero, missing[:, 0], 1)),
    }
    for name in ("PRI_jet_leading_pt", "PRI_jet_subleading_pt", "PRI_jet_all_pt"):
        value = primaries[:, PRIMARY.index(name)]
        changes[name] = jnp.where(value > 0, jes * value, value)
    # The challenge rounds to three decimals here. That would remove the gradient and changes nothing measurable.
    return _replace(primaries, changes)


@jax.jit
def select_events(primaries: Primaries) -> tuple[Primaries, Bool[Array, " event"]]:
    """Apply the selection that follows the shifts.

    A jet that is too soft becomes `ABSENT`, no longer counts and leaves the sum of jets. Only the first two jets can be
    removed: softer ones are in no column and continue to be counted, as in the challenge.

    Returns:
        Events without the jets that are too soft, and whether each event passes.
    """
    for jet in ("subleading", "leading"):
        pt, number, total = (
            primaries[:, PRIMARY.index(name)] for name in (f"PRI_jet_{jet}_pt", "PRI_n_jets", "PRI_jet_all_pt")
        )
        soft = (pt >= 0) & (pt <= JET_PT)
        values = {column: primaries[:, PRIMARY.index(column)] for column in _jet_columns(jet)}
        changes = {column: jnp.where(soft, ABSENT, value) for column, value in values.items()}
        changes |= {"PRI_n_jets": number - soft, "PRI_jet_all_pt": total - jnp.where(soft, pt, 0)}
        primaries = _replace(primaries, changes)
    objects = reconstruct_objects(primaries)
    return primaries, (objects.hadrons.pt >= HADRONS_PT) & (objects.lepton.pt >= LEPTON_PT)


def _jet_columns(jet: str) -> list[str]:
    return [f"PRI_jet_{jet}_{name}" for name in ("pt", "eta", "phi")]


def _replace(primaries: Primaries, changes: dict[str, Float[Array, " event"]]) -> Primaries:
    """Replace some columns."""
    columns = dict(zip(PRIMARY, primaries.T, strict=True)) | changes
    return jnp.stack(list(columns.values()), axis=-1)
