"""Parameter sets equal those of pyhf: sizes, start values, bounds, auxiliary data and widths."""

import jax
import numpy as np
import pyhf
import pytest
from support import workspaces
from support.workspaces import WORKSPACES, modifier, normsys, one, sample

from diffhep.models import parameter_sets
from diffhep.models.specification import read_layout


def collect(spec):
    layout = read_layout(spec["channels"])
    return layout, parameter_sets.collect(layout, spec["measurements"][0]["config"]["parameters"])


@pytest.mark.parametrize("name", WORKSPACES)
def test_parameter_sets_equal_those_of_pyhf(name):
    _, sets = collect(WORKSPACES[name])
    config = pyhf.Workspace(WORKSPACES[name]).model().config
    assert sorted(sets) == sorted(config.par_order)
    for label, ours in sets.items():
        theirs = config.param_set(label)
        assert ours.size == theirs.n_parameters and ours.scalar == theirs.is_scalar
        np.testing.assert_array_equal(ours.initial, theirs.suggested_init)
        np.testing.assert_array_equal(ours.bounds, theirs.suggested_bounds)
        np.testing.assert_array_equal(ours.fixed, theirs.suggested_fixed)
        assert bool(ours.constraint) == theirs.constrained
        if ours.constraint:
            np.testing.assert_allclose(ours.auxiliary, theirs.auxdata, rtol=1e-12)


@pytest.mark.parametrize("name", ["staterror", "correlated", "configured", "lumi", "shapesys", "two shapesys"])
def test_widths_and_expected_counts_equal_those_of_pyhf(name):
    _, sets = collect(WORKSPACES[name])
    config = pyhf.Workspace(WORKSPACES[name]).model().config
    for label, ours in sets.items():
        theirs = config.param_set(label)
        free = ~np.array(ours.fixed)  # pyhf has placeholders for fixed ones
        if ours.constraint == "normal":
            np.testing.assert_allclose(np.asarray(ours.scale)[free], np.asarray(theirs.width())[free], rtol=1e-12)
        if ours.constraint == "poisson":
            np.testing.assert_allclose(np.asarray(ours.scale)[free], np.asarray(theirs.factors)[free], rtol=1e-12)


def test_staterror_widths_are_relative_errors_in_quadrature():
    spec = one(modifier("staterror", "mc", [3.0, 4.0, 0.0]), on_signal=[modifier("staterror", "mc", [4.0, 0.0, 0.0])])
    mc = collect(spec)[1]["mc"]
    np.testing.assert_allclose(mc.scale, [5 / 55, 4 / 48, 1.0])
    assert mc.fixed == (False, False, True)
    assert mc.names("mc") == ["mc[0]", "mc[1]", "mc[2]"]


def test_shapesys_counts_are_squared_inverse_relative_errors():
    model = collect(one(modifier("shapesys", "model", [5.0, 0.0, 3.0])))[1]["model"]
    np.testing.assert_allclose(model.scale, [100.0, 1.0, 100.0])
    np.testing.assert_allclose(model.auxiliary, model.scale)
    assert model.fixed == (False, True, False)


def test_traced_errors_give_the_widths_of_known_ones_and_fix_no_parameter():
    errors = np.array([4.0, 3.0, 0.0])
    known = collect(one(modifier("staterror", "mc", errors.tolist())))[1]["mc"]

    def widths(errors):
        traced = collect(one(modifier("staterror", "mc", errors)))[1]["mc"]
        assert traced.fixed == (False,) * 3
        return traced.scale

    np.testing.assert_allclose(jax.jit(widths)(errors), known.scale, rtol=1e-12)


def test_a_staterror_of_several_channels_has_one_parameter_per_bin_of_each():
    channels = {
        "a": [sample("top", [9.0, 8.0], modifier("staterror", "mc", [1.0, 2.0]))],
        "b": [sample("top", [7.0], modifier("staterror", "mc", [0.7])), sample("signal", [1.0], workspaces.SIGNAL)],
    }
    layout, sets = collect(workspaces.workspace(channels, {"a": [9.0, 8.0], "b": [8.0]}))
    np.testing.assert_allclose(sets["mc"].scale, [1 / 9, 2 / 8, 0.1])
    offsets = [parameter_sets.channel_offset(layout, each) for each in layout.effects if each.name == "mc"]
    assert offsets == [0, 2]
    assert parameter_sets.first_indices(sets) == {"mu": 0, "mc": 1}


def test_a_measurement_overrides_defaults():
    parameters = [{"name": "size", "inits": [0.5], "bounds": [[-1, 1]], "auxdata": [0.2], "fixed": True}]
    size = collect(one(normsys("size", 1.1, 0.9), parameters=parameters))[1]["size"]
    assert (size.initial, size.bounds, size.fixed) == ((0.5,), ((-1.0, 1.0),), (True,))
    np.testing.assert_array_equal(size.auxiliary, [0.2])


@pytest.mark.parametrize(("effect", "config", "message"), [
    (normsys("a", 1.1, 0.9), {"factors": [2.0]}, "a shift parameter has no factors: remove it"),
    (modifier("shapesys", "a", [1.0, 1, 1]), {"sigmas": [1.0, 1, 1]}, "a shapesys parameter has no sigmas: remove it"),
    (modifier("normfactor", "a"), {"auxdata": [1.0]}, "a free parameter has no auxdata: remove it"),
    (modifier("staterror", "a", [1.0, 1, 1]), {"sigmas": [1.0, 0, 1]}, "parameter a: sigmas or factors are"),
    (modifier("staterror", "a", [1.0, 1, 1]), {"bounds": [[0, 2]]}, "bounds has 1 values: give 3"),
])  # fmt: skip
def test_an_unsuitable_configuration_is_refused(effect, config, message):
    with pytest.raises(ValueError, match=message):
        collect(one(effect, parameters=[{"name": "a", **config}]))


def test_a_model_without_modifiers_is_refused():
    layout = read_layout([{"name": "a", "samples": [sample("b", [1.0])]}])
    with pytest.raises(ValueError, match="the model has no parameters: add a modifier"):
        parameter_sets.collect(layout, [])
