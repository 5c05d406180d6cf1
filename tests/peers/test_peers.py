"""Peers are asked for the same work: on the same templates all find the same numbers."""

import importlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhep.peers import diffhep as ours
from diffhep.peers import pyhf as pyhf_peer
from diffhep.peers.templates import make_templates

CHANNELS = 2


@pytest.fixture(scope="module")
def analysis():
    made, observed = make_templates(3, 4, CHANNELS, seed=0)
    return jax.tree.map(jnp.asarray, made), jnp.asarray(observed)


@pytest.fixture(scope="module")
def numbers(analysis):
    """Ours, by function."""
    made, observed = analysis
    return {
        "fit": jax.jit(ours.fit)(made, observed),
        "limit": jax.jit(ours.limit)(made, observed),
        "cls": jax.jit(ours.cls)(made),
    }


def test_templates_keep_their_total_however_many_bins():
    for bins in (5, 50):
        made, observed = make_templates(2, bins, CHANNELS, seed=0)
        np.testing.assert_allclose([made.background.sum(), made.signal.sum()], [2000 * CHANNELS, 100 * CHANNELS])
        assert made.up.shape == (2, bins * CHANNELS) and observed.shape == (bins * CHANNELS,)


@pytest.mark.parametrize(
    ("peer", "function"),
    [("relaxed", "fit"), ("relaxed", "cls"), ("everwillow", "fit"), ("everwillow", "limit"), ("everwillow", "cls")],
)
def test_compiled_peers_find_our_numbers(analysis, numbers, peer, function):
    asked = getattr(importlib.import_module(f"diffhep.peers.{peer}"), function)
    found = jax.jit(asked)(*(analysis[:1] if function == "cls" else analysis))
    np.testing.assert_allclose(found, numbers[function], rtol=2e-4)


def test_pyhf_finds_our_numbers(analysis, numbers):
    model, data = pyhf_peer.prepare(*jax.tree.map(np.asarray, analysis), CHANNELS)
    np.testing.assert_allclose(pyhf_peer.fit(model, data), numbers["fit"], rtol=1e-3)
    np.testing.assert_allclose(pyhf_peer.limit(model, data), numbers["limit"], rtol=1e-3)
