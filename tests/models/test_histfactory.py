"""Models of pyhf specifications have the rates and log-likelihood of pyhf; invalid specifications are refused."""

import copy

import jax
import jax.numpy as jnp
import numpy as np
import pyhf
import pytest
from support import oracles, workspaces
from support.workspaces import WORKSPACES, modifier, normsys, one, sample

from diffhep.models.histfactory import build_model
from diffhep.models.likelihood import Data, expected_data, expected_rates, log_likelihood
from diffhep.models.workspace import model_and_data

CODES = (("code4p", "code4"), ("code0", "code1"))


@pytest.mark.parametrize("name", WORKSPACES)
@pytest.mark.parametrize("codes", CODES)
def test_rates_auxiliary_data_and_log_likelihood_equal_those_of_pyhf(name, codes):
    oracle = oracles.PyhfAnalysis(WORKSPACES[name], codes)
    model, _ = model_and_data(WORKSPACES[name], histosys=codes[0], normsys=codes[1])
    assert sorted(model.parameters.names) == sorted(oracle.model.config.par_names)
    rng = np.random.default_rng(0)
    for _ in range(5):
        pars = jnp.array([rng.uniform(max(low, -3), min(high, 3)) for low, high in model.parameters.bounds])
        main, auxiliary = oracle.expected(model, pars)
        np.testing.assert_allclose(expected_rates(model, pars), main, rtol=1e-10)
        np.testing.assert_allclose(expected_data(model, pars).auxiliary, auxiliary, rtol=1e-10)
        data = Data(jnp.asarray(rng.poisson(main).astype(float)), jnp.asarray(auxiliary * rng.uniform(0.8, 1.2)))
        np.testing.assert_allclose(log_likelihood(model, pars, data), oracle.logpdf(model, pars, data), rtol=1e-10)


@pytest.mark.parametrize("name", WORKSPACES)
def test_start_values_bounds_and_fixed_parameters_equal_those_of_pyhf(name):
    oracle, (model, data) = oracles.PyhfAnalysis(WORKSPACES[name]), model_and_data(WORKSPACES[name])
    config, order = oracle.model.config, oracle.order(model)
    np.testing.assert_array_equal(np.array(model.parameters.initial)[order], config.suggested_init())
    np.testing.assert_array_equal(np.array(model.parameters.bounds)[order], config.suggested_bounds())
    np.testing.assert_array_equal(np.array(model.parameters.fixed)[order], config.suggested_fixed())
    np.testing.assert_allclose(oracle.joined(model, data), oracle.data, rtol=1e-12)


def test_the_large_workspace_is_as_large_as_published_ones():
    model, _ = model_and_data(WORKSPACES["large"])
    assert len(WORKSPACES["large"]["channels"]) >= 5
    assert len(model.parameters.names) - sum(model.parameters.fixed) > 50


def traced_model(scale):
    """Build the model of "everything" with all yields multiplied by a scale."""
    channels = copy.deepcopy(workspaces.everything()["channels"])
    for channel in channels:
        for each in channel["samples"]:
            each["data"] = scale * jnp.asarray(each["data"])
            for change in each["modifiers"]:
                if change["type"] == "histosys":
                    change["data"] = {side: scale * jnp.asarray(data) for side, data in change["data"].items()}
                if change["type"] in ("staterror", "shapesys"):
                    change["data"] = scale * jnp.asarray(change["data"])
    return build_model(channels, poi="mu", parameters=[workspaces.LUMI])


def test_a_model_with_traced_yields_equals_that_with_known_ones_and_has_derivatives():
    known, _ = model_and_data(workspaces.everything())
    pars = 0.9 * jnp.array(known.parameters.initial) + 0.1
    compilations = []

    @jax.jit
    def total(scale):
        compilations.append(1)
        return expected_rates(traced_model(scale), pars).sum()

    np.testing.assert_allclose(total(1.0), expected_rates(known, pars).sum(), rtol=1e-12)
    np.testing.assert_allclose(total(3.0), 3 * total(1.0), rtol=1e-12)
    assert len(compilations) == 1
    np.testing.assert_allclose(jax.grad(total)(1.0), total(1.0), rtol=1e-12)
    np.testing.assert_allclose(jax.vmap(total)(jnp.array([1.0, 2.0])), [total(1.0), total(2.0)], rtol=1e-12)


def test_constraints_from_traced_yields_equal_those_from_known_ones():
    known, _ = model_and_data(workspaces.everything())
    traced = jax.jit(lambda scale: traced_model(scale).constraints)(1.0)
    np.testing.assert_allclose(traced.width, known.constraints.width, rtol=1e-12)
    np.testing.assert_allclose(traced.expected_count, known.constraints.expected_count, rtol=1e-12)


def broken(**changes):
    """Change the background of a workspace with one channel."""
    spec = one(normsys("size", 1.1, 0.9))
    spec["channels"][0]["samples"][1].update(changes)
    return spec


REFUSED = {
    "negative bin": (broken(data=[50.0, -1.0, 3.0]), "channel SR, sample background: -1.0 in bin 1: yields cannot be"),
    "not a number": (broken(data=[50.0, np.nan, 3.0]), "channel SR, sample background: nan in bin 1: give finite"),
    "too few bins": (broken(data=[50.0, 40.0]), "channel SR, sample background has shape (2,) but the channel has 3"),
    "unknown type": (broken(modifiers=[modifier("x", "y")]), "sample background, modifier y: unknown type 'x'"),
    "short template": (
        one(workspaces.histosys("tilt", [1.0, 2.0], [1.0, 2.0, 3.0])),
        "channel SR, sample background, modifier tilt (histosys): hi_data has shape (2,)",
    ),
    "short errors": (one(modifier("shapesys", "model", [1.0])), "modifier model (shapesys) has shape (1,)"),
    "negative error": (one(modifier("staterror", "mc", [1.0, -2.0, 1.0])), "(staterror): -2.0 in bin 1"),
    "missing side": (
        one(modifier("normsys", "size", {"hi": 1.1})),
        "modifier size (normsys): missing lo in data: add it",
    ),
    "zero factor": (one(normsys("size", 0.0, 1.0)), "modifier size (normsys): hi is 0.0: give a positive number"),
    "modifier twice": (one(normsys("a", 1.1, 0.9), normsys("a", 1.1, 0.9)), "modifier a (normsys) is defined twice"),
    "shared shapesys": (
        one(modifier("shapesys", "a", [1.0, 1, 1]), on_signal=[modifier("shapesys", "a", [1.0, 1, 1])]),
        "modifier a (shapesys) has the name of",
    ),
    "two meanings": (one(normsys("mu", 1.1, 0.9)), "modifier mu (normsys) cannot share its parameter with channel SR"),
    "lumi without measurement": (
        one(modifier("lumi", "lumi")),
        "parameter lumi (lumi) of the measurement: missing auxdata",
    ),
    "too many values": (
        one(normsys("a", 1.1, 0.9), parameters=[{"name": "a", "inits": [0.0, 0.0]}]),
        "parameter a of the measurement: inits has 2 values: give 1",
    ),
    "no such attribute": (
        one(normsys("a", 1.1, 0.9), parameters=[{"name": "a", "sigmas": [2.0]}]),
        "parameter a of the measurement: a shift parameter has no sigmas",
    ),
    "configured twice": (
        one(normsys("a", 1.1, 0.9), parameters=[{"name": "a", "fixed": True}, {"name": "a", "fixed": True}]),
        "parameter a of the measurement is configured twice: remove one",
    ),
    "start outside bounds": (
        one(normsys("a", 1.1, 0.9), parameters=[{"name": "a", "inits": [7.0]}]),
        "parameter a starts at 7.0: start within its bounds, -5.0 to 5.0",
    ),
    "empty bin": (
        workspaces.workspace(
            {"SR": [sample("signal", [1.0, 0.0], workspaces.SIGNAL), sample("background", [2.0, 0.0])]},
            {"SR": [3.0, 0.0]},
        ),
        "channel SR: no sample has events in bin 1: merge it",
    ),
    "sample twice": (
        workspaces.workspace({"SR": [sample("a", [1.0], workspaces.SIGNAL), sample("a", [1.0])]}, {"SR": [1.0]}),
        "channel SR: sample a is defined twice",
    ),
}
PYHF_ACCEPTS = {  # and computes NaN, or uses one of the two
    "negative bin", "not a number", "negative error", "zero factor", "modifier twice", "start outside bounds",
    "empty bin",
}  # fmt: skip
PYHF_REFUSES = (
    pyhf.exceptions.InvalidModel, pyhf.exceptions.InvalidModifier, pyhf.exceptions.InvalidNameReuse,
    pyhf.exceptions.InvalidSpecification, TypeError,
)  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_an_invalid_specification_is_refused_with_channel_sample_and_modifier(case):
    spec, message = REFUSED[case]
    with pytest.raises(ValueError) as refused:
        model_and_data(spec)
    assert message in str(refused.value)


@pytest.mark.parametrize("case", sorted(set(REFUSED) - PYHF_ACCEPTS))
def test_pyhf_refuses_the_specification_too(case):
    with pytest.raises(PYHF_REFUSES):
        pyhf.Workspace(REFUSED[case][0]).model()


def test_the_parameter_of_interest_must_be_a_single_parameter_of_the_model():
    spec = one(modifier("staterror", "mc", [4.0, 3.0, 1.0]))
    with pytest.raises(ValueError, match="no modifier has the parameter of interest 'nu': choose from mu, mc"):
        build_model(spec["channels"], poi="nu")
    with pytest.raises(ValueError, match="'mc' has one value in each of 3 bins"):
        build_model(spec["channels"], poi="mc")


def test_an_unknown_interpolation_code_is_refused():
    with pytest.raises(ValueError, match="interpolation is 'code9': choose from code4, code1"):
        build_model.__wrapped__(one()["channels"], poi="mu", normsys="code9")
