"""Inputs of networks: categories, logarithms, and zeros in place of undefined values."""

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


def test_category_counts_the_first_two_jets(primaries):
    jets = (
        np.asarray(primaries)[:, [PRIMARY.index(f"PRI_jet_{each}_pt") for each in ("leading", "subleading")]] > 0
    ).sum(axis=1)
    np.testing.assert_array_equal(event_category(primaries), jets - 1)
    none = np.array(primaries)
    none[:, 6:12] = ABSENT
    assert (np.asarray(event_category(none)) == NO_CATEGORY).all()


def test_prepared_columns_are_values_or_logarithms_and_zero_where_undefined(primaries):
    result = np.asarray(prepare_columns(primaries, LOGARITHMS))
    plain = np.concatenate([primaries, derive_columns(primaries)], axis=-1)
    for place, name in enumerate(COLUMNS):
        defined = plain[:, place] != ABSENT
        expected = np.log(plain[defined, place]) if name in LOGARITHMS else plain[defined, place]
        np.testing.assert_allclose(result[defined, place], expected, rtol=1e-5, atol=1e-6)
        assert (result[~defined, place] == 0).all()
    assert np.isfinite(result).all()


def test_flow_columns_of_two_jets_extend_those_of_one_jet(primaries):
    columns = np.asarray(prepare_columns(primaries, LOGARITHMS))
    names = flow_columns(SETTINGS["columns"]["flows"], "two_jets")
    assert names[: len(SETTINGS["columns"]["flows"]["one_jet"])] == flow_columns(
        SETTINGS["columns"]["flows"], "one_jet"
    )
    np.testing.assert_array_equal(select_columns(columns, names)[:, -1], columns[:, COLUMNS.index("DER_mass_jet_jet")])


@pytest.mark.parametrize(
    "function",
    [lambda p: prepare_columns(p, ["PRI_tau_pt"]), lambda p: select_columns(prepare_columns(p, []), ["PRI_tau_pt"])],
)
def test_unknown_columns_are_refused(primaries, function):
    with pytest.raises(ValueError, match="PRI_tau_pt"):
        function(primaries)
