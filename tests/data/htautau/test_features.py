"""Derived columns are those of the challenge's package, of its events and of four-vector kinematics."""

import json
import os
from pathlib import Path

import jax
import numpy as np
import pandas as pd
import pytest

from diffhep.data import kinematics
from diffhep.data.htautau import challenge_files
from diffhep.data.htautau import features as hf

ORACLE = json.loads(Path(__file__).with_name("higgsml_oracle.json").read_text())
REAL = Path(os.environ.get("DIFFHEP_REAL_EVENTS", Path(__file__).parents[3] / ".." / "shared" / "data"))
EVENTS = np.array(ORACLE["events"])
derived = hf.derive_columns


def column(values, name):
    return np.asarray(values)[:, hf.DERIVED.index(f"DER_{name}")]


def event(**changes):
    """Event with lepton and hadrons alone, in single precision as real events."""
    values = dict.fromkeys(hf.PRIMARY, 0.0) | {name: hf.ABSENT for name in hf.PRIMARY if "leading" in name}
    values |= {"PRI_lep_pt": 40.0, "PRI_had_pt": 50.0, "PRI_had_phi": 3.0}
    return np.array([list((values | {f"PRI_{name}": value for name, value in changes.items()}).values())], np.float32)


def test_columns_are_those_of_the_package():
    assert list(hf.PRIMARY) == ORACLE["columns"]
    assert list(hf.DERIVED) == ORACLE["derived_columns"]
    assert len(hf.COLUMNS) == 28


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_are_those_of_the_package(dtype):
    ours = derived(EVENTS.astype(dtype))
    assert ours.dtype == dtype
    np.testing.assert_allclose(ours, ORACLE["derived"], rtol=1e-5, atol=2e-3)


def test_masses_are_those_of_four_vectors():
    lepton, hadrons, first, second, missing = jax.tree.map(np.asarray, hf.reconstruct_objects(EVENTS))
    vectors = [np.asarray(kinematics.four_vector(*particle, 0.0)) for particle in (lepton, hadrons, first, second)]
    values, pair = derived(EVENTS), second.pt > 0
    np.testing.assert_allclose(column(values, "mass_vis"), kinematics.mass(vectors[0] + vectors[1]), rtol=1e-6)
    np.testing.assert_allclose(
        column(values, "mass_jet_jet")[pair], np.asarray(kinematics.mass(vectors[2] + vectors[3]))[pair], rtol=1e-6
    )
    np.testing.assert_allclose(column(values, "deltar_had_lep"), kinematics.delta_r(vectors[0], vectors[1]), rtol=1e-6)
    assert (column(values, "mass_transverse_met_lep") <= 2 * np.sqrt(missing.pt * lepton.pt) + 1e-9).all()


def test_centrality_of_the_missing_momentum_by_its_direction():
    directions = {1.5: np.sqrt(2), 0.0: 1.0, 3.0: 1.0, 1.5 - np.pi: -np.sqrt(2)}
    result = [column(derived(event(met=10.0, met_phi=phi)), "met_phi_centrality")[0] for phi in directions]
    np.testing.assert_allclose(result, list(directions.values()), atol=1e-5)


def test_centrality_of_the_lepton_is_1_halfway_and_1_over_e_at_a_jet():
    jets = {"jet_leading_pt": 50.0, "jet_leading_eta": -1.0, "jet_leading_phi": 0.0} | {
        "jet_subleading_pt": 40.0, "jet_subleading_eta": 3.0, "jet_subleading_phi": 1.0, "n_jets": 2.0}  # fmt: skip
    result = [column(derived(event(lep_eta=eta, **jets)), "lep_eta_centrality")[0] for eta in (1.0, -1.0, 3.0)]
    np.testing.assert_allclose(result, [1, np.exp(-1), np.exp(-1)], rtol=1e-6)


def test_dijet_columns_are_undefined_without_a_second_jet():
    values = derived(event(jet_leading_pt=50.0, jet_leading_eta=1.0, jet_leading_phi=0.5, n_jets=2.0))
    for name in ("deltaeta_jet_jet", "mass_jet_jet", "prodeta_jet_jet", "lep_eta_centrality"):
        assert column(values, name) == hf.ABSENT


def test_gradients_are_finite_for_degenerate_events():
    """No missing momentum, lepton and hadrons in one direction, two jets in one direction."""
    jets = {f"jet_{name}_{column}": 30.0 for name in ("leading", "subleading") for column in ("pt", "eta", "phi")}
    jets |= {"jet_leading_eta": 0.0, "jet_subleading_eta": 0.0, "n_jets": 2.0, "had_phi": 0.0}
    for function in (derived, jax.jit(jax.jacfwd(hf.derive_columns)), jax.jit(jax.jacrev(hf.derive_columns))):
        for degenerate in (event(), event(had_phi=0.0), event(**jets)):
            assert np.isfinite(function(degenerate)).all()


@pytest.fixture(scope="module")
def real():
    paths = sorted(REAL.glob("*.parquet"))
    if not paths:
        pytest.skip(f"no simulated events of the challenge in {REAL}")
    return paths[0]


def test_derived_columns_are_those_of_the_challenges_events(real):
    table = pd.read_parquet(real)
    ours = derived(table[list(hf.PRIMARY)].to_numpy(np.float32))
    # The stored columns are themselves in single precision and cancel more: masses are rough where they are small.
    np.testing.assert_allclose(ours, table[list(hf.DERIVED)], rtol=1e-5, atol=1e-2)


def test_the_challenges_events_are_read(real):
    sample = challenge_files.read(real, "htautau", 100)
    assert sample.primaries.shape == (100, 16)
    table = pd.read_parquet(real)
    assert sample.total == pytest.approx(table.weights[table.detailed_labels == "htautau"].sum(), rel=1e-5)
