"""The 28 columns of the HiggsML Uncertainty Challenge: 16 that are measured and 12 that follow from them.

Names are those of the challenge's files, momenta and masses are in GeV, angles in rad, and every object is massless.
The formulas are in the description of the challenge, arXiv:2410.02867. A column that is undefined, for want of a jet,
is `ABSENT`; a jet is there where its transverse momentum is positive, whatever the number of jets says. The challenge's
selection can remove one of the first two jets and go on to count a third; its own code then takes -25 for a momentum.
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
"""What is measured: lepton, hadronic tau, two jets, number of jets, sum of their momenta, missing momentum."""

DERIVED = (
    "DER_mass_transverse_met_lep", "DER_mass_vis", "DER_pt_h",
    "DER_deltaeta_jet_jet", "DER_mass_jet_jet", "DER_prodeta_jet_jet",
    "DER_deltar_had_lep", "DER_pt_tot", "DER_sum_pt", "DER_pt_ratio_lep_had",
    "DER_met_phi_centrality", "DER_lep_eta_centrality",
)  # fmt: skip
"""What `derive_columns` computes, in this order."""

COLUMNS = PRIMARY + DERIVED

ABSENT = -25.0
"""Stands in every column of a jet that is not there."""

MIN_SEPARATION = 1e-4
"""What tells apart directions that coincide, where a formula divides by their distance."""

Primaries = Float[Array, "event 16"]
"""Events in the columns of `PRIMARY`."""


class Object(NamedTuple):
    """One object of each event: transverse momentum in GeV, pseudorapidity, azimuth in rad."""

    pt: Float[Array, " event"]
    eta: Float[Array, " event"]
    phi: Float[Array, " event"]

    @property
    def transverse(self) -> Float[Array, "event 2"]:
        """Momentum across the beam, x and y."""
        return jnp.stack([self.pt * jnp.cos(self.phi), self.pt * jnp.sin(self.phi)], axis=-1)


class Objects(NamedTuple):
    """All objects of each event. Jets that are absent have no momentum and all angles 0; missing momentum has eta 0."""

    lepton: Object
    hadrons: Object
    leading: Object
    subleading: Object
    missing: Object


@jax.jit
def reconstruct_objects(primaries: Primaries) -> Objects:
    """The objects that the columns hold."""
    columns = primaries.T
    jets = [jnp.where(columns[first] > 0, columns[first : first + 3], 0) for first in (6, 9)]
    missing = Object(columns[14], jnp.zeros_like(columns[14]), columns[15])
    return Objects(Object(*columns[:3]), Object(*columns[3:6]), *(Object(*jet) for jet in jets), missing)


def safe_norm(vector: Float[Array, "*axis 2"]) -> Float[Array, "*axis"]:
    """Of a vector; its gradient at 0 is 0."""
    return _root(jnp.sum(vector**2, axis=-1))


def wrap_angle(angle: Float[Array, " event"]) -> Float[Array, " event"]:
    """The same angle between -π and π."""
    return angle - 2 * jnp.pi * jnp.round(angle / (2 * jnp.pi))


@jax.jit
def derive_columns(primaries: Primaries) -> Float[Array, "event 12"]:
    """The columns of `DERIVED`, finite for every event, and so are their gradients."""
    lepton, hadrons, leading, subleading, missing = reconstruct_objects(primaries)
    pair, (eta1, eta2) = subleading.pt > 0, (leading.eta, subleading.eta)
    higgs = lepton.transverse + hadrons.transverse + missing.transverse
    separation = jnp.stack([lepton.eta - hadrons.eta, wrap_angle(lepton.phi - hadrons.phi)], axis=-1)
    columns = [
        _mass(missing, lepton._replace(eta=missing.eta)),
        _mass(lepton, hadrons),
        safe_norm(higgs),
        _of(pair, jnp.abs(eta1 - eta2)),
        _of(pair, _mass(leading, subleading)),
        _of(pair, eta1 * eta2),
        safe_norm(separation),
        safe_norm(higgs + leading.transverse + subleading.transverse),
        lepton.pt + hadrons.pt + primaries[:, PRIMARY.index("PRI_jet_all_pt")],
        lepton.pt / hadrons.pt,
        _azimuthal_centrality(lepton, hadrons, missing),
        _of(pair, _centrality(lepton.eta, eta1, eta2)),
    ]
    return jnp.stack(columns, axis=-1)


def _mass(first: Object, second: Object) -> Float[Array, " event"]:
    """Of two massless objects: m² = 2 p1 p2 (cosh Δη - cos Δφ), without its cancellation at small distances."""
    rapidity, azimuth = jnp.sinh((first.eta - second.eta) / 2), jnp.sin((first.phi - second.phi) / 2)
    return _root(4 * first.pt * second.pt * (rapidity**2 + azimuth**2))


def _azimuthal_centrality(lepton: Object, hadrons: Object, missing: Object) -> Float[Array, " event"]:
    """Where the missing momentum points: √2 halfway between lepton and hadrons, 1 along either, less beyond.

    (A + B) / √(A² + B²) with A = sin(missing - lepton) s, B = sin(hadrons - missing) s, s = sign sin(hadrons - lepton).
    """
    azimuth = jnp.where(jnp.sin(hadrons.phi - lepton.phi) == 0, lepton.phi + MIN_SEPARATION, lepton.phi)
    sign = jnp.sign(jnp.sin(hadrons.phi - azimuth))
    both = jnp.stack([jnp.sin(missing.phi - azimuth), jnp.sin(hadrons.phi - missing.phi)], axis=-1) * sign[..., None]
    size = safe_norm(both)
    return _of(size > 0, both.sum(axis=-1) / jnp.where(size > 0, size, 1))


def _centrality(eta, first, second) -> Float[Array, " event"]:
    """Where the lepton is between both jets: exp[-4 (η - (η1 + η2)/2)² / (η1 - η2)²], 1 halfway and 1/e at a jet."""
    squared = (first - second) ** 2
    return jnp.exp(-4 / jnp.where(squared > 0, squared, MIN_SEPARATION) * (eta - (first + second) / 2) ** 2)


def _of(defined: Bool[Array, " event"], values: Float[Array, " event"]) -> Float[Array, " event"]:
    return jnp.where(defined, values, ABSENT)


def _root(square: Float[Array, "*axis"]) -> Float[Array, "*axis"]:
    positive = square > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, square, 1)), 0)
