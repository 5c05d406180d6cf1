"""Toy events of H -> tau tau and its backgrounds with one lepton and one hadronic tau, as in the HiggsML challenge.

Decay products (`decays`) are measured by a parametrised detector and selected, and the missing momentum follows.
Columns, units and undefined values are the challenge's (`features`). All numbers come from the settings; none is
ATLAS's. Only quantities that the selection needs are drawn for all events; the others are drawn for selected ones.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Key

from diffhep.data.htautau.decays import (
    HARD_PROCESSES,
    DecayProducts,
    generate_products,
    normal,
    scale_momentum,
    transverse_vectors,
    uniform,
)
from diffhep.data.htautau.features import ABSENT, Primaries, safe_norm, wrap_angle

BLOCK = 50_000
"""Events generated at a time."""


def generate(key: Key[Array, ""], settings: Mapping[str, Any], process: str, events: int) -> Primaries:
    """Generate events of one process that pass the selection, in single precision.

    Args:
        key: Source of randomness.
        settings: Those of `decays.generate_products`, and
            `detector`: relative resolutions of `lepton` and `hadrons`; `jet`: variance of the relative resolution
            `stochastic` / pt + `constant`, and acceptance in `pt` and `eta`; `missing`: `noise` of each component and
            range of the measured fraction of the soft recoil, `recoil_response`; `identification` of hadronic taus
            with the efficiency plateau / (1 + exp((midpoint - pt) / width));
            `selection`: smallest momenta `lepton_pt` and `hadrons_pt`, largest pseudorapidity `eta`, smallest distance
            `min_delta_r` of lepton and hadrons. See `config/studies/higgsml.yaml`.
        process: Name in the challenge: htautau, ztautau, ttbar or diboson.
        events: Number of events to return.

    Raises:
        ValueError: The process does not exist, or none of its events passes.
    """
    if process not in HARD_PROCESSES:
        raise ValueError(f"there is no process {process!r}: choose one of {', '.join(HARD_PROCESSES)}")
    numbers = {name: settings[name] for name in ("radiation", "processes", "hadrons", "detector", "selection")}
    candidate_key, measure_key = jax.random.split(key)
    blocks, n_selected = [], 0
    while n_selected < events:
        products, mask = _candidates(jax.random.fold_in(candidate_key, len(blocks)), numbers, process)
        passed = np.flatnonzero(mask)
        if not len(passed):
            raise ValueError(f"none of {BLOCK} events of {process} passes the selection: loosen it")
        blocks.append([np.asarray(column)[passed] for column in products])
        n_selected += len(passed)
    products = DecayProducts(*(np.concatenate(column)[:events] for column in zip(*blocks, strict=True)))
    return _measure(measure_key, numbers["detector"], products)


@partial(jax.jit, static_argnames="process")
def _candidates(key, settings, process: str) -> tuple[DecayProducts, Bool[Array, " event"]]:
    """Generate events, measure lepton and hadrons, and apply the selection."""
    detector, selection, keys = settings["detector"], settings["selection"], jax.random.split(key, 4)
    products = generate_products(keys[0], settings, process, BLOCK)
    lepton = scale_momentum(products.lepton, 1 + detector["lepton"] * normal(keys[1], (BLOCK,)))
    hadrons = scale_momentum(products.hadrons, 1 + detector["hadrons"] * normal(keys[2], (BLOCK,)))
    turn_on = detector["identification"]
    efficiency = turn_on["plateau"] * jax.nn.sigmoid((hadrons[:, 0] - turn_on["midpoint"]) / turn_on["width"])
    selected = uniform(keys[3], (BLOCK,)) < efficiency
    for particle, min_pt in ((lepton, selection["lepton_pt"]), (hadrons, selection["hadrons_pt"])):
        selected &= (particle[:, 0] > min_pt) & (jnp.abs(particle[:, 1]) < selection["eta"])
    _, eta, phi = (lepton - hadrons).T
    selected &= jnp.hypot(eta, wrap_angle(phi)) > selection["min_delta_r"]
    return products._replace(lepton=lepton, hadrons=hadrons), selected


@jax.jit
def _measure(key, detector, products: DecayProducts) -> Primaries:
    """Columns of selected events; jets that are not reconstructed are part of the soft recoil."""
    jet_key, noise_key, recoil_key = jax.random.split(key, 3)
    lepton, hadrons, true_jets, soft = products
    jets, reconstructed = _measure_jets(jet_key, detector["jet"], true_jets)
    soft = soft + transverse_vectors(scale_momentum(true_jets, ~reconstructed)).sum(axis=1)
    noise = detector["missing"]["noise"] * normal(noise_key, soft.shape)
    visible = transverse_vectors(lepton) + transverse_vectors(hadrons) + transverse_vectors(jets).sum(axis=1)
    response = uniform(recoil_key, (len(soft), 1), *detector["missing"]["recoil_response"])
    missing = noise - visible - response * soft
    ordered = jnp.take_along_axis(jets, jnp.argsort(-jets[..., 0], axis=1)[..., None], axis=1)[:, :2]
    first_two = jnp.where(ordered[..., :1] > 0, ordered, ABSENT).reshape(-1, 6)
    met, met_phi = safe_norm(missing), jnp.arctan2(missing[:, 1], missing[:, 0])
    rest = jnp.stack([reconstructed.sum(axis=1), jets[..., 0].sum(axis=1), met, met_phi], axis=-1)
    return jnp.concatenate([lepton, hadrons, first_two, rest], axis=1, dtype=jnp.float32)


def _measure_jets(
    key, detector, jets: Float[Array, "event jet 3"]
) -> tuple[Float[Array, "event jet 3"], Bool[Array, "event jet"]]:
    """Measured jets, with momentum 0 where they are not reconstructed, and whether they are."""
    pt = jets[..., 0]
    width = jnp.sqrt(detector["stochastic"] / jnp.maximum(pt, 1) + detector["constant"])
    jets = scale_momentum(jets, 1 + width * normal(key, pt.shape))
    reconstructed = (jets[..., 0] > detector["pt"]) & (jnp.abs(jets[..., 1]) < detector["eta"])
    return scale_momentum(jets, reconstructed), reconstructed
