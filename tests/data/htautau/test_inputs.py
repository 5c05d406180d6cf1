"""What networks see: categories by jets that are there, logarithms where named, and nothing undefined."""

import jax
import numpy as np
import pytest
from support.study_settings import study_settings

from diffhep.data.htautau import generator
from diffhep.data.htautau.features import ABSENT, COLUMNS, PRIMARY, derive_columns
from diffhep.data.htautau.inputs import NO_CATEGORY, event_category, flow_columns, prepare_columns, select_columns

SETTINGS = study_settings("higgsml", "quick")
LOGARITHMS = SETTINGS["columns"]["logarithms"]


@pytest.fixture(scope="module")
def primaries():
    return generator.generate(jax.random.key(0), SETTINGS["data"], "ttbar", 500)


def test_category_counts_the_first_two_jets_that_are_there(primaries):
    jets = (
        np.asarray(primaries)[:, [PRIMARY.index(f"PRI_jet_{each}_pt") for each in ("leading", "subleading")]] > 0
    ).sum(axis=1)
    np.testing.assert_array_equal(event_category(primaries), jets - 1)
    none = np.array(primaries)
    none[:, 6:12] = ABSENT
    assert (np.asarray(event_category(none)) == NO_CATEGORY).all()


def test_prepared_columns_are_values_or_their_logarithms_and_zero_where_undefined(primaries):
    found = np.asarray(prepare_columns(primaries, LOGARITHMS))
    plain = np.concatenate([primaries, derive_columns(primaries)], axis=-1)
    for place, name in enumerate(COLUMNS):
        there = plain[:, place] != ABSENT
        expected = np.log(plain[there, place]) if name in LOGARITHMS else plain[there, place]
        np.testing.assert_allclose(found[there, place], expected, rtol=1e-5, atol=1e-6)
        assert (found[~there, place] == 0).all()
    assert np.isfinite(found).all()


def test_flows_see_the_columns_that_are_named(primaries):
    columns = np.asarray(prepare_columns(primaries, LOGARITHMS))
    names = flow_columns(SETTINGS["columns"]["flows"], "two_jets")
    assert names[: len(SETTINGS["columns"]["flows"]["one_jet"])] == flow_columns(
        SETTINGS["columns"]["flows"], "one_jet"
    )
    np.testing.assert_array_equal(select_columns(columns, names)[:, -1], columns[:, COLUMNS.index("DER_mass_jet_jet")])


@pytest.mark.parametrize(
    "of",
    [lambda p: prepare_columns(p, ["PRI_tau_pt"]), lambda p: select_columns(prepare_columns(p, []), ["PRI_tau_pt"])],
)
def test_unknown_columns_are_named(primaries, of):
    with pytest.raises(ValueError, match="PRI_tau_pt"):
        of(primaries)
