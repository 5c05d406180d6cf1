"""Columns of the HiggsML Uncertainty Challenge: 16 measured ones and 12 derived ones.

Names are those of the challenge's files. Momenta and masses are in GeV, angles in rad, and every object is massless.
The formulas are in the description of the challenge, arXiv:2410.02867. A column that is undefined for want of a jet is
`ABSENT`. A jet is present where its transverse momentum is positive, whatever the number of jets says: the challenge's
selection can remove one of the first two jets and continue to count a third, and its own code then takes -25 for a
momentum.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

PRIMARY = (
    "PRI_lep_pt", "PRI_lep_eta", "PRI_lep_phi",
    "PRI_had_pt", "PRI_had_eta", "PRI_had_phi",
    "PRI_jet_leading_pt", "PRI_jet_leading_eta", "PRI_jet_leading_phi",
    "PRI_jet_subleading_pt", "PRI_jet_subleading_eta", "PRI_jet_subleading_phi",
    "PRI_n_jets", "PRI_jet_all_pt", "PRI_met", "PRI_met_phi",
)  # fmt: skip
"""Measured columns: lepton, hadronic tau, two jets, number of jets, sum of their momenta, missing momentum."""

DERIVED = (
    "DER_mass_transverse_met_lep", "DER_mass_vis", "DER_pt_h",
    "DER_deltaeta_jet_jet", "DER_mass_jet_jet", "DER_prodeta_jet_jet",
    "DER_deltar_had_lep", "DER_pt_tot", "DER_sum_pt", "DER_pt_ratio_lep_had",
    "DER_met_phi_centrality", "DER_lep_eta_centrality",
)  # fmt: skip
"""Derived columns, in the order of `derive_columns`."""

COLUMNS = PRIMARY + DERIVED

ABSENT = -25.0
"""Value of every column of an absent jet."""

MIN_SEPARATION = 1e-4
"""Replaces the distance of two directions that coincide, where a formula divides by it."""

Primaries = Float[Array, "event 16"]
"""Events in the columns of `PRIMARY`."""


class PhysicsObject(NamedTuple):
    """One object of each event.

    Attributes:
        pt: Transverse momentum in GeV.
        eta: Pseudorapidity.
        phi: Azimuth in rad.
    """

    pt: Float[Array, " event"]
    eta: Float[Array, " event"]
    phi: Float[Array, " event"]

    @property
    def transverse(self) -> Float[Array, "event 2"]:
        """Transverse momentum vector, x and y."""
        return jnp.stack([self.pt * jnp.cos(self.phi), self.pt * jnp.sin(self.phi)], axis=-1)


class PhysicsObjects(NamedTuple):
    """Reconstructed objects of the events.

    Attributes:
        lepton: Lepton.
        hadrons: Hadronic tau.
        leading: Leading jet; if absent, momentum and angles are 0.
        subleading: Subleading jet; if absent, momentum and angles are 0.
        missing: Missing transverse momentum, with pseudorapidity 0.
    """

    lepton: PhysicsObject
    hadrons: PhysicsObject
    leading: PhysicsObject
    subleading: PhysicsObject
    missing: PhysicsObject


@jax.jit
def reconstruct_objects(primaries: Primaries) -> PhysicsObjects:
    """Return the objects that the measured columns describe."""
    columns = primaries.T
    jets = [jnp.where(columns[first] > 0, columns[first : first + 3], 0) for first in (6, 9)]
    missing = PhysicsObject(columns[14], jnp.zeros_like(columns[14]), columns[15])
    lepton, hadrons = PhysicsObject(*columns[:3]), PhysicsObject(*columns[3:6])
    return PhysicsObjects(lepton, hadrons, *(PhysicsObject(*jet) for jet in jets), missing)


def safe_norm(vector: Float[Array, "*axis 2"]) -> Float[Array, "*axis"]:
    """Length of a vector; its gradient at 0 is 0."""
    return _safe_sqrt(jnp.sum(vector**2, axis=-1))


def wrap_angle(angle: Float[Array, " event"]) -> Float[Array, " event"]:
    """Shift an angle by multiples of 2π to between -π and π."""
    return angle - 2 * jnp.pi * jnp.round(angle / (2 * jnp.pi))


@jax.jit
def derive_columns(primaries: Primaries) -> Float[Array, "event 12"]:
    """Compute the columns of `DERIVED`; values and gradients are finite for every event."""
    lepton, hadrons, leading, subleading, missing = reconstruct_objects(primaries)
    pair, (eta1, eta2) = subleading.pt > 0, (leading.eta, subleading.eta)
    higgs = lepton.transverse + hadrons.transverse + missing.transverse
    separation = jnp.stack([lepton.eta - hadrons.eta, wrap_angle(lepton.phi - hadrons.phi)], axis=-1)
    columns = [
        _mass(missing, lepton._replace(eta=missing.eta)),
        _mass(lepton, hadrons),
        safe_norm(higgs),
        _where_defined(pair, jnp.abs(eta1 - eta2)),
        _where_defined(pair, _mass(leading, subleading)),
        _where_defined(pair, eta1 * eta2),
        safe_norm(separation),
        safe_norm(higgs + leading.transverse + subleading.transverse),
        lepton.pt + hadrons.pt + primaries[:, PRIMARY.index("PRI_jet_all_pt")],
        lepton.pt / hadrons.pt,
        _azimuthal_centrality(lepton, hadrons, missing),
        _where_defined(pair, _centrality(lepton.eta, eta1, eta2)),
    ]
    return jnp.stack(columns, axis=-1)


def _mass(first: PhysicsObject, second: PhysicsObject) -> Float[Array, " event"]:
    """Mass of two massless objects: m² = 2 p1 p2 (cosh Δη - cos Δφ), without its cancellation at small distances."""
    rapidity, azimuth = jnp.sinh((first.eta - second.eta) / 2), jnp.sin((first.phi - second.phi) / 2)
    return _safe_sqrt(4 * first.pt * second.pt * (rapidity**2 + azimuth**2))


def _azimuthal_centrality(lepton: PhysicsObject, hadrons: PhysicsObject, missing: PhysicsObject):
    """Direction of the missing momentum: √2 halfway between lepton and hadrons, 1 along either, less beyond.

    (A + B) / √(A² + B²) with A = sin(missing - lepton) s, B = sin(hadrons - missing) s, s = sign sin(hadrons - lepton).
    """
    azimuth = jnp.where(jnp.sin(hadrons.phi - lepton.phi) == 0, lepton.phi + MIN_SEPARATION, lepton.phi)
    sign = jnp.sign(jnp.sin(hadrons.phi - azimuth))
    both = jnp.stack([jnp.sin(missing.phi - azimuth), jnp.sin(hadrons.phi - missing.phi)], axis=-1) * sign[..., None]
    size = safe_norm(both)
    return _where_defined(size > 0, both.sum(axis=-1) / jnp.where(size > 0, size, 1))


def _centrality(eta, first, second) -> Float[Array, " event"]:
    """Position of the lepton between both jets: exp[-4 (η - (η1 + η2)/2)² / (η1 - η2)²], 1 halfway and 1/e at a jet."""
    squared = (first - second) ** 2
    return jnp.exp(-4 / jnp.where(squared > 0, squared, MIN_SEPARATION) * (eta - (first + second) / 2) ** 2)


def _where_defined(defined: Bool[Array, " event"], values: Float[Array, " event"]) -> Float[Array, " event"]:
    return jnp.where(defined, values, ABSENT)


def _safe_sqrt(square: Float[Array, "*axis"]) -> Float[Array, "*axis"]:
    positive = square > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, square, 1)), 0)
