"""Toy events of H -> tau tau and its backgrounds, with one lepton and one hadronic tau, as the HiggsML challenge has.

What a collision leaves (`htautau_decays`) is measured by a parametrised detector and selected, and what is missing
follows. Columns, units and undefined values are the challenge's (`htautau_features`). All numbers are the settings';
none is ATLAS's. What decides whether an event passes is drawn for all of them, the rest for those that pass.
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
    """So many events of one process that pass the selection, in single precision.

    Args:
        key: Source of randomness.
        settings: As for `decays.generate_products`; `detector`: relative resolutions of `lepton` and `hadrons`, `jet`:
            variance of the relative resolution `stochastic` / pt + `constant` and acceptance, `missing`: `noise` of
            each component and range of the share of the soft recoil that is `seen`, `identified`: how many hadronic
            taus are, most / (1 + exp((half - pt) / rise)); `selection`: least momenta, largest pseudorapidity, least
            distance of lepton and hadrons. See `config/studies/higgsml.yaml`.
        process: One of the challenge's names: htautau, ztautau, ttbar, diboson.
        events: How many.

    Raises:
        ValueError: There is no such process, or none of its events passes.
    """
    if process not in HARD_PROCESSES:
        raise ValueError(f"there is no process {process!r}: choose one of {', '.join(HARD_PROCESSES)}")
    numbers = {name: settings[name] for name in ("radiation", "processes", "hadrons", "detector", "selection")}
    candidates, measured = jax.random.split(key)
    parts, found = [], 0
    while found < events:
        products, chosen = _candidates(jax.random.fold_in(candidates, len(parts)), numbers, process)
        passed = np.flatnonzero(chosen)
        if not len(passed):
            raise ValueError(f"none of {BLOCK} events of {process} passes the selection: loosen it")
        parts.append([np.asarray(column)[passed] for column in products])
        found += len(passed)
    products = DecayProducts(*(np.concatenate(column)[:events] for column in zip(*parts, strict=True)))
    return _measured(measured, numbers["detector"], products)


@partial(jax.jit, static_argnames="process")
def _candidates(key, settings, process: str) -> tuple[DecayProducts, Bool[Array, " event"]]:
    """Events whose lepton and hadrons are measured, and whether both are found."""
    detector, selection, keys = settings["detector"], settings["selection"], jax.random.split(key, 4)
    products = generate_products(keys[0], settings, process, BLOCK)
    lepton = scale_momentum(products.lepton, 1 + detector["lepton"] * normal(keys[1], (BLOCK,)))
    hadrons = scale_momentum(products.hadrons, 1 + detector["hadrons"] * normal(keys[2], (BLOCK,)))
    of = detector["identified"]
    chosen = uniform(keys[3], (BLOCK,)) < of["most"] * jax.nn.sigmoid((hadrons[:, 0] - of["half"]) / of["rise"])
    for each, least in ((lepton, selection["lepton_pt"]), (hadrons, selection["hadrons_pt"])):
        chosen &= (each[:, 0] > least) & (jnp.abs(each[:, 1]) < selection["eta"])
    _, eta, phi = (lepton - hadrons).T
    chosen &= jnp.hypot(eta, wrap_angle(phi)) > selection["apart"]
    return products._replace(lepton=lepton, hadrons=hadrons), chosen


@jax.jit
def _measured(key, detector, products: DecayProducts) -> Primaries:
    """The columns of events that passed; jets that are not found are part of the soft recoil."""
    smeared, noise, share = jax.random.split(key, 3)
    lepton, hadrons, true, soft = products
    jets, found = _found(smeared, detector["jet"], true)
    soft = soft + transverse_vectors(scale_momentum(true, ~found)).sum(axis=1)
    of = detector["missing"]
    visible = transverse_vectors(lepton) + transverse_vectors(hadrons) + transverse_vectors(jets).sum(axis=1)
    missing = of["noise"] * normal(noise, soft.shape) - visible - uniform(share, (len(soft), 1), *of["seen"]) * soft
    ordered = jnp.take_along_axis(jets, jnp.argsort(-jets[..., 0], axis=1)[..., None], axis=1)[:, :2]
    two = jnp.where(ordered[..., :1] > 0, ordered, ABSENT).reshape(-1, 6)
    rest = [found.sum(axis=1), jets[..., 0].sum(axis=1), safe_norm(missing), jnp.arctan2(missing[:, 1], missing[:, 0])]
    return jnp.concatenate([lepton, hadrons, two, jnp.stack(rest, axis=-1)], axis=1, dtype=jnp.float32)


def _found(key, of, jets: Float[Array, "event jet 3"]) -> tuple[Float[Array, "event jet 3"], Bool[Array, "event jet"]]:
    """Jets as measured, without momentum where they are not found, and whether they are."""
    pt = jets[..., 0]
    width = jnp.sqrt(of["stochastic"] / jnp.maximum(pt, 1) + of["constant"])
    jets = scale_momentum(jets, 1 + width * normal(key, pt.shape))
    found = (jets[..., 0] > of["pt"]) & (jnp.abs(jets[..., 1]) < of["eta"])
    return scale_momentum(jets, found), found
