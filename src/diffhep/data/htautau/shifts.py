"""What the nuisance parameters of the HiggsML Uncertainty Challenge do to events and yields (arXiv:2505.08709, D.2).

Three of the six shift energies, `tes` of hadronic taus, `jes` of jets and `soft_met` of what is left; all columns
follow. Three scale the yields of backgrounds. Shifts come first and the selection second, so that events and jets pass
thresholds in both directions.
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
"""Least transverse momenta after the shifts, GeV."""


class Prior(NamedTuple):
    """A normal distribution, of the parameter or of its logarithm, whose tails are moved to the ends of a range."""

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
"""Table 3 of the paper. `soft_met` is in GeV; the rest are factors."""

NORMALISATIONS = {
    "htautau": (),
    "ztautau": ("bkg_scale",),
    "ttbar": ("ttbar_scale", "bkg_scale"),
    "diboson": ("diboson_scale", "bkg_scale"),
}
"""Nuisance parameters that scale each process (eq. 20)."""


@jax.jit
def nuisances_from_normal(normal: Float[Array, "*axis par"]) -> Float[Array, "*axis par"]:
    """Nuisance parameters, all or the first of `NUISANCES`, from standard normal numbers, by their priors."""
    priors = list(NUISANCES.values())[: normal.shape[-1]]
    mean, width, low, high, logarithmic = (jnp.array(column) for column in zip(*priors, strict=True))
    value = mean + width * normal
    return jnp.clip(jnp.where(logarithmic, jnp.exp(value), value), low, high)


@partial(jax.jit, static_argnums=1)
def draw_nuisances(key: Key[Array, ""], number: int) -> Float[Array, "toy 6"]:
    """Nuisance parameters of so many pseudo-experiments, in the order of `NUISANCES`."""
    return nuisances_from_normal(jax.random.normal(key, (number, len(NUISANCES))))


@jax.jit
def yield_factors(mu: ArrayLike, nuisances: Float[Array, " par"]) -> Float[Array, " process"]:
    """What multiplies the expected events of each of `PROCESSES`: mu for the signal, and all that is in `NORMALISATIONS`.

    Args:
        mu: Signal strength.
        nuisances: In the order of `NUISANCES`.
    """
    values = dict(zip(NUISANCES, nuisances, strict=True))
    scales = [math.prod(values[name] for name in NORMALISATIONS[process]) for process in PROCESSES[1:]]
    return jnp.stack([jnp.asarray(mu, nuisances.dtype), *scales])


@jax.jit
def shift_energies(
    primaries: Primaries, tes: ArrayLike, jes: ArrayLike, soft_met: ArrayLike, noise: Float[Array, "event 2"]
) -> Primaries:
    """Events as measured with other energy scales: what is added to objects is no longer missing (eqs. 18 and 19).

    E_miss' = E_miss + (1 - tes) p_had + (1 - jes) (p_jet1 + p_jet2) + soft_met noise, all of them transverse vectors.
    Thresholds are those of `select_events`, to be applied afterwards.

    Args:
        primaries: As simulated.
        tes: Factor on the momentum of the hadronic tau.
        jes: Factor on the momenta of jets, and on the sum of all.
        soft_met: Width of what is added to each component of the missing momentum, GeV.
        noise: Standard normal numbers. Given from outside, so that two shifts can have them in common.
    """
    tes, jes, soft_met, noise = (jnp.asarray(each, primaries.dtype) for each in (tes, jes, soft_met, noise))
    found = reconstruct_objects(primaries)
    jets = found.leading.transverse + found.subleading.transverse
    missing = found.missing.transverse + (1 - tes) * found.hadrons.transverse + (1 - jes) * jets + soft_met * noise
    somewhere = jnp.any(missing != 0, axis=-1)  # else it has no direction, and arctan2 no gradient
    changes = {
        "PRI_had_pt": tes * found.hadrons.pt,
        "PRI_met": safe_norm(missing),
        "PRI_met_phi": jnp.arctan2(missing[:, 1], jnp.where(somewhere, missing[:, 0], 1)),
    }
    for name in ("PRI_jet_leading_pt", "PRI_jet_subleading_pt", "PRI_jet_all_pt"):
        value = primaries[:, PRIMARY.index(name)]
        changes[name] = jnp.where(value > 0, jes * value, value)
    # The challenge rounds to three decimals here. That would take away the gradient and changes nothing measurable.
    return _with(primaries, changes)


@jax.jit
def select_events(primaries: Primaries) -> tuple[Primaries, Bool[Array, " event"]]:
    """The selection after the shifts: events without the jets that are too soft, and whether an event passes.

    A removed jet is `ABSENT`, counts no longer and leaves the sum of jets. Only the first two can be removed: softer
    ones are in no column, and go on to be counted, as in the challenge.
    """
    for jet in ("subleading", "leading"):
        pt, number, total = (
            primaries[:, PRIMARY.index(name)] for name in (f"PRI_jet_{jet}_pt", "PRI_n_jets", "PRI_jet_all_pt")
        )
        soft = (pt >= 0) & (pt <= JET_PT)
        values = {column: primaries[:, PRIMARY.index(column)] for column in _columns(jet)}
        changes = {column: jnp.where(soft, ABSENT, value) for column, value in values.items()}
        changes |= {"PRI_n_jets": number - soft, "PRI_jet_all_pt": total - jnp.where(soft, pt, 0)}
        primaries = _with(primaries, changes)
    found = reconstruct_objects(primaries)
    return primaries, (found.hadrons.pt >= HADRONS_PT) & (found.lepton.pt >= LEPTON_PT)


def _columns(jet: str) -> list[str]:
    return [f"PRI_jet_{jet}_{name}" for name in ("pt", "eta", "phi")]


def _with(primaries: Primaries, changes: dict[str, Float[Array, " event"]]) -> Primaries:
    """The same events with other values in some columns."""
    columns = dict(zip(PRIMARY, primaries.T, strict=True)) | changes
    return jnp.stack(list(columns.values()), axis=-1)
