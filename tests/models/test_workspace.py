"""Workspaces have the p-values of pyhf; invalid files are refused in one line with file, place and remedy."""

import copy
import json

import jax
import jax.numpy as jnp
import numpy as np
import pyhf
import pytest
from support import oracles, workspaces
from support.workspaces import WORKSPACES

from diffhep.inference import hypotests
from diffhep.models import workspace
from diffhep.models.likelihood import expected_rates
from diffhep.models.simple import signal_background, signal_background_workspace


def pyhf_test(oracle, mu, test_stat):
    """Return the observed and expected p-values of pyhf."""
    bounds = oracle.model.config.suggested_bounds()
    if test_stat == "q":
        low, high = bounds[oracle.model.config.poi_index]
        bounds[oracle.model.config.poi_index] = (low - 10, high)
    tolerance = 1e-14 if len(bounds) < 50 else 1e-8  # saves a minute; p-values are still accurate to 1e-5
    with oracles.tight_pyhf(tolerance):
        observed, expected = pyhf.infer.hypotest(
            mu, oracle.data, oracle.model, test_stat=test_stat, par_bounds=bounds, return_expected_set=True
        )
    return np.array([observed, *expected], float)


TESTED = [(name, "qtilde") for name in WORKSPACES] + [(name, "q0") for name in ("staterror", "correlated")]


@pytest.mark.parametrize(("name", "test_stat"), TESTED)
def test_p_values_equal_those_of_pyhf(name, test_stat):
    model, data = workspace.model_and_data(WORKSPACES[name])
    if test_stat == "q0":
        mu, tested = 0.0, jax.jit(hypotests.discovery_test)(model, data)
    else:
        mu, tested = 1.0, jax.jit(hypotests.hypotest)(model, data, 1.0)
    assert tested.converged
    ours = np.exp([tested.log_observed, *tested.log_expected])
    np.testing.assert_allclose(ours, pyhf_test(oracles.PyhfAnalysis(WORKSPACES[name]), mu, test_stat), rtol=1e-4)


@pytest.mark.parametrize("name", ["staterror", "correlated"])
def test_with_q_the_strength_is_unbounded_below(name):
    spec = copy.deepcopy(WORKSPACES[name])
    for observation in spec["observations"]:
        observation["data"] = [0.8 * count for count in observation["data"]]  # so that the best fit is below zero
    model, data = workspace.model_and_data(spec)
    tested = jax.jit(hypotests.hypotest, static_argnames="test_stat")(model, data, 1.0, test_stat="q")
    ours = np.exp([tested.log_observed, *tested.log_expected])
    np.testing.assert_allclose(ours, pyhf_test(oracles.PyhfAnalysis(spec), 1.0, "q"), rtol=1e-4)


def test_an_exported_model_is_read_back_unchanged():
    yields = (np.array([1.0, 2, 3]), np.array([10.0, 20, 30]), np.array([12.0, 19, 33]), np.array([9.0, 22, 31]))
    spec = signal_background_workspace(*yields)
    workspace.validate(spec)
    model, data = workspace.model_and_data(json.loads(json.dumps(spec)))
    values = {"mu": 0.7, "gamma": -1.3}
    rates = expected_rates(model, jnp.array([values[name] for name in model.parameters.names]))
    np.testing.assert_allclose(rates, expected_rates(signal_background(*yields), jnp.array([*values.values()])))
    np.testing.assert_array_equal(data.main, yields[1])


def test_an_exported_model_with_several_shifts_and_channels_is_read_back_unchanged():
    shifts = np.array([[12.0, 19, 33, 41], [9.0, 21, 30, 37]]), np.array([[9.0, 22, 31, 38], [10.0, 18, 32, 44]])
    yields = np.array([1.0, 2, 3, 4]), np.array([10.0, 20, 30, 40]), *shifts
    spec = signal_background_workspace(*yields, observed=np.array([11.0, 21, 31, 41]), channels=2)
    workspace.validate(spec)
    model, data = workspace.model_and_data(json.loads(json.dumps(spec)))
    values = {"mu": 0.7, "gamma_0": -1.3, "gamma_1": 0.4}
    rates = expected_rates(model, jnp.array([values[name] for name in model.parameters.names]))
    np.testing.assert_allclose(rates, expected_rates(signal_background(*yields), jnp.array([*values.values()])))
    np.testing.assert_array_equal(data.main, [11, 21, 31, 41])
    assert [len(channel["samples"][0]["data"]) for channel in spec["channels"]] == [2, 2]


BROKEN = {
    "truncated": ('{"channels": [', "line 1, column 15: Expecting value: give a complete JSON file"),
    "a list": ("[]", "a workspace is a JSON object, not a list"),
    "no channels": ("{}", "top level: missing key channels, measurements, observations, version: add it"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_an_invalid_file_is_refused_with_its_name(tmp_path, case):
    text, message = BROKEN[case]
    (tmp_path / "broken.json").write_text(text)
    with pytest.raises(ValueError) as refused:
        workspace.load(tmp_path / "broken.json")
    assert str(tmp_path / "broken.json") in str(refused.value) and message in str(refused.value)


SCHEMA = {
    "unknown type": (["modifiers", 0, "type"], "foo", "sample background, modifier size: unknown type 'foo'"),
    "missing side": (
        ["modifiers", 0, "data"],
        {"hi": 1.0},
        "sample background, modifier size (normsys): missing lo in data: add it",
    ),
    "text": (["data"], ["many", 1.0, 2.0], "channel SR, sample background: data: 'many': give a finite number"),
}


@pytest.mark.parametrize("case", SCHEMA)
def test_a_violation_of_the_schema_is_refused_with_channel_sample_and_modifier(case):
    path, value, message = SCHEMA[case]
    spec = workspaces.one(workspaces.normsys("size", 1.1, 0.9))
    place = spec["channels"][0]["samples"][1]
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(ValueError) as refused:
        workspace.validate(spec)
    assert message in str(refused.value)


@pytest.mark.parametrize(("change", "message"), [
    ({"observations": []}, "channel SR: the workspace has no observation of that name: add one"),
    ({"observations": [{"name": "SR", "data": [1.0]}]}, "observation SR has 1 bins but the channel has 3"),
    ({"observations": [{"name": "SR", "data": [1.0, -1.0, 2.0]}]}, "observation SR: -1.0 in bin 1"),
    ({"measurements": []}, "the workspace has no measurements"),
    ({"measurements": [{"name": "m", "config": {"poi": "", "parameters": []}}]}, "measurement m has no parameter of"),
])  # fmt: skip
def test_data_and_measurement_have_to_fit_the_channels(change, message):
    with pytest.raises(ValueError, match=message):
        workspace.model_and_data({**workspaces.one(), **change})


def test_a_measurement_is_chosen_by_name():
    spec = workspaces.one(workspaces.modifier("normfactor", "nu"))
    spec["measurements"].append({"name": "other", "config": {"poi": "nu", "parameters": []}})
    model, _ = workspace.model_and_data(spec, "other")
    assert model.parameters.names[model.parameters.poi] == "nu"
    with pytest.raises(ValueError, match="no measurement 'third': choose from measurement, other"):
        workspace.model_and_data(spec, "third")


def test_read_workspace_gives_model_and_data_of_the_chosen_measurement(tmp_path):
    spec = workspaces.one(workspaces.modifier("normfactor", "nu"), observed=(58.0, 41.0, 30.0))
    spec["measurements"].append({"name": "other", "config": {"poi": "nu", "parameters": []}})
    path = tmp_path / "workspace.json"
    path.write_text(json.dumps(spec))
    for measurement, poi in ((None, "mu"), ("other", "nu")):
        model, data = workspace.read_workspace(path, measurement)
        assert model.parameters.names[model.parameters.poi] == poi
        np.testing.assert_array_equal(data.main, [58, 41, 30])
        rates = expected_rates(model, jnp.array(model.parameters.initial))
        np.testing.assert_allclose(rates, pyhf.Workspace(spec).model().expected_actualdata([1.0, 1.0]), rtol=1e-12)
    with pytest.raises(ValueError, match=r"workspace\.json: the workspace has no measurement 'third'"):
        workspace.read_workspace(path, "third")
