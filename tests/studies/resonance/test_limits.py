"""The search: unseen points and test events stay unseen, what is counted adds up, and limits know what they rest on."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from support import spread
from support.study_settings import study_settings

from diffhep.studies.resonance import events, strategies, training
from diffhep.studies.resonance import limits as resonance_limits
from diffhep.studies.resonance import yields as resonance_yields

SETTINGS = study_settings("resonance", "quick")
SEEDS = {"seed": 0, "seeds_at_once": "auto"}
FLOW = {"flow": {"transform": "affine", "layers": 2, "hidden": 4}}
NETWORK = {"network": {"widths": [8], "activation": "relu"}}
TOOLS = FLOW | NETWORK
LIMITS = SEEDS | TOOLS | SETTINGS["limits"] | {"plane": SETTINGS["limits"]["plane"] | {"bins": 4}, "bins": 4}
CONTEXTS = 16 + 4  # mass points that are simulated, and of the mesh where limits are interpolated
QUICKLY = {"iterations": 200, "learning_rate": 0.02, "evaluate_every": 50}


@pytest.fixture(scope="module")
def signal():
    return events.select_signal({"seed": 0, "grid": SETTINGS["grid"], "data": SETTINGS["data"]})


@pytest.fixture(scope="module")
def background():
    return events.select_background({"seed": 0, "data": SETTINGS["data"]})


@pytest.fixture(scope="module")
def flow(signal):
    return training.train_flow(SEEDS | SETTINGS["flow_training"] | FLOW | QUICKLY, signal)


@pytest.fixture(scope="module")
def trained(signal, background, flow):
    return {
        "flow": flow,
        "background_flow": training.train_background(SEEDS | SETTINGS["flow_training"] | FLOW | QUICKLY, background),
        "pnn": training.train_network(SEEDS | SETTINGS["network_training"] | NETWORK | QUICKLY, signal, background),
    }


@pytest.fixture(scope="module")
def yields(signal):
    mesh = {"limits_mesh": {"m_x": [300, 400, 100], "m_s": [100, 150, 50]}}
    return resonance_yields.interpolate(SEEDS | SETTINGS["yields"] | mesh, signal)


def test_events_are_those_that_pass_with_their_share_of_the_yield(signal):
    assert signal.sizes["point"] == 16 and int(signal["held_out"].sum()) == 3
    sums = np.bincount(signal["mass_point"], signal["weight"])
    np.testing.assert_allclose(signal["yield"], sums)
    np.testing.assert_allclose(signal["efficiency"], sums / 140.0, rtol=1e-6)
    counted = np.bincount(signal["mass_point"])
    np.testing.assert_allclose(counted / 1000, signal["efficiency"], atol=0.03)
    assert np.bincount(signal["mass_point"], signal["test"]) == pytest.approx(counted / 2, abs=1)


def test_background_is_dominated_as_the_documents(background):
    shares = background["weight"].groupby(background["process"]).sum() / background["weight"].sum()
    names = list(background["name"].values)
    assert names == ["HH", "ZH", "ggH", "ttH", "yyjj"] and float(shares[names.index("yyjj")]) > 0.99


def test_blocks_of_background_add_up_to_the_yield(monkeypatch, background):
    monkeypatch.setattr(events, "BLOCK", 1000)  # for which there are programs already
    few = events.select_background({"seed": 0, "data": SETTINGS["data"]})
    assert float(few["weight"].sum()) == pytest.approx(float(background["weight"].sum()), rel=0.05)


def test_events_are_read_from_files_where_they_are_given(tmp_path, signal):
    grid = {"parts": {"all": {"m_x": [300], "m_s": [100, 170]}}, "held_out": [[300, 170]]}
    pattern = str(tmp_path / "X{m_x}_S{m_s}.parquet")
    table = pd.DataFrame({name: [1.0, 2.0, 3.0, 4.0] for name in ("m_bbgg", "m_bb", "m_gg", "weight")})
    table["selected"] = [True, False, True, True]
    files = {}
    for m_s, scale in ((100, 1.0), (170, 10.0)):
        path = tmp_path / f"X300_S{m_s}.parquet"
        (table * {"weight": scale, "m_bbgg": 1, "m_bb": 1, "m_gg": 1, "selected": True}).to_parquet(path)
        files[path.stem] = path
    data = SETTINGS["data"] | {"ntuples": {"signal": pattern, "background": [str(path)]}}
    found = events.select_signal({"seed": 0, "grid": grid, "data": data}, files)
    np.testing.assert_allclose(found["yield"], [8.0, 80.0])
    np.testing.assert_allclose(found["efficiency"], 0.8)
    np.testing.assert_array_equal(found["mass_point"], [0, 0, 0, 1, 1, 1])
    other = events.select_background({"seed": 0, "data": data}, {"qcd": path})
    assert list(other["name"].values) == ["qcd"] and float(other["weight"].sum()) == 80.0


def test_fewer_events_of_files_stand_for_all(tmp_path):
    grid = {"parts": {"all": {"m_x": [300], "m_s": [100, 170]}}, "held_out": [[300, 170]]}
    rng, files = np.random.default_rng(0), {}
    for m_s, size in ((100, 400), (170, 30)):
        table = pd.DataFrame({name: rng.uniform(1, 2, size) for name in ("m_bbgg", "m_bb", "m_gg", "weight")})
        files[f"X300_S{m_s}"] = tmp_path / f"X300_S{m_s}.parquet"
        table.assign(selected=rng.uniform(size=size) < 0.5).to_parquet(files[f"X300_S{m_s}"], row_group_size=100)
    pattern = {"signal": "X{m_x}_S{m_s}.parquet", "background": [str(path) for path in files.values()]}
    every, fewer = (
        {"seed": 0, "grid": grid, "data": SETTINGS["data"] | {"ntuples": pattern | more}}
        for more in ({}, {"at_most": 40})
    )
    found, expected = (events.select_signal(each, files) for each in (fewer, every))
    xr.testing.assert_identical(found.drop_dims("event"), expected.drop_dims("event"))
    np.testing.assert_allclose(np.bincount(found["mass_point"], found["weight"]), expected["yield"])
    all_small = int((expected["mass_point"] == 1).sum())
    assert np.bincount(found["mass_point"]).tolist() == [40, all_small] and all_small < 40
    assert np.bincount(found["mass_point"], found["test"]) == pytest.approx([20, all_small / 2], abs=0.5)
    found, expected = (events.select_background(each, files) for each in (fewer, every))
    sums = (np.bincount(each["process"], each["weight"]) for each in (found, expected))
    np.testing.assert_allclose(*sums)
    assert found.sizes["event"] == 40 + all_small


def moved(data, chosen):
    """The same events, of which some have moved."""
    return data.assign(events=data["events"] * xr.where(xr.DataArray(chosen, dims="event"), 1.5, 1.0).astype("float32"))


def test_unseen_points_have_no_part_in_training_flows(signal):
    settings = SEEDS | SETTINGS["flow_training"] | FLOW | QUICKLY | {"iterations": 100}
    unseen = signal["held_out"].values[signal["mass_point"].values]
    first, other = (training.train_flow(settings, each) for each in (signal, moved(signal, unseen)))
    np.testing.assert_array_equal(first["train"], other["train"])
    assert (first["valid"] != other["valid"]).any()
    np.testing.assert_array_equal(first["trained"], ~signal["held_out"])


def test_test_events_have_no_part_in_training_networks_and_background(signal, background):
    settings = SEEDS | SETTINGS["network_training"] | NETWORK | QUICKLY | {"iterations": 100}
    hidden = signal["test"].values | signal["held_out"].values[signal["mass_point"].values]
    both = (signal, background), (moved(signal, hidden), moved(background, background["test"].values))
    first, other = (training.train_network(settings, *each) for each in both)
    np.testing.assert_array_equal(first["train"], other["train"])
    settings = SEEDS | SETTINGS["flow_training"] | FLOW | QUICKLY | {"iterations": 100}
    first, other = (training.train_background(settings, each) for _, each in both)
    np.testing.assert_array_equal(first["train"], other["train"])
    assert (first["valid"] != other["valid"]).any()


def test_predictions_are_numbers_of_events(signal, flow):
    found = training.predict(SEEDS | SETTINGS["prediction"] | FLOW | {"samples": 4000, "min_events": 10}, signal, flow)
    point, ranges = signal["mass_point"].values, np.array([SETTINGS["prediction"][name] for name in ("m_bbgg", "m_bb")])
    inside = ((signal["events"].values > ranges[:, 0]) & (signal["events"].values < ranges[:, 1])).all(axis=1)
    mean = np.bincount(point, signal["weight"]) / np.bincount(point)
    expected = np.bincount(point[inside], (signal["weight"].values / mean[point])[inside])
    np.testing.assert_allclose(found["data"].sum(("x", "y")), expected)
    assert (found["variance"] >= 0).all() and float(found["variance"].sum()) > float(found["data"].sum())
    total = found["counts"].sum(("x", "y"))
    share = total.values / np.bincount(point)[:, None]
    assert ((share > 0.5) & (share < 1.001)).all()
    assert int(found["shown"].sum()) == 3
    compared = training.compare({"joined": [1, 2], "at_least": 3}, found)
    assert compared["width"].sel(run="unseen_larger").notnull().sum() == 2 * 3
    assert compared["bias"].sel(run="trained_ensemble").notnull().sum() == 2 * 13
    narrower = compared["width"].sel(run="trained_larger") <= compared["width"].sel(run="trained_statistical") + 0.05
    assert narrower.where(compared["width"].sel(run="trained_larger").notnull(), True).all()


def test_background_shapes_add_up_to_what_lies_inside(background, trained):
    settings = SEEDS | SETTINGS["prediction"] | FLOW | {"background_samples": 20_000}
    found = training.predict_background(settings, background, trained["background_flow"])
    for name in ("weighted", "unweighted", "learned"):
        assert 0.9 < float(found[name].sum()) <= 1 + 1e-6
    assert float(np.abs(found["weighted"] - found["unweighted"]).sum()) > 0.01


def test_the_kernel_of_the_least_pull_interpolates_yields(signal, yields):
    assert yields.attrs["chosen"] == str(yields["kernel"].values[int(np.argmin(yields["pull"].values))])
    assert "WhiteKernel" in yields.attrs["fitted"]
    np.testing.assert_array_equal(yields["point_masses"], signal["masses"])
    known = ~signal["held_out"].values
    apart = np.abs(yields["point_yield"] - signal["yield"].values)
    assert apart[known].max() < 12 and apart.max() < 25
    assert yields["limit_masses"].values.tolist() == [[300, 100], [300, 150], [400, 100], [400, 150]]
    assert float(yields["corner_over_rest"]) > 0


def test_observables_are_judged_where_nothing_was_trained_on(signal, background, trained):
    found = resonance_limits.discriminate(TOOLS | SETTINGS["observables"], signal, background, **trained)
    assert int(found["held_out"].sum()) == 3 and list(found["shown"].sum("context")) == [1, 2]
    np.testing.assert_allclose(found["share"].sum("bin"), 1.0)
    assert ((found["auc"] > 0.5) & (found["auc"] < 1)).all()
    assert float(found["least_auc"]) == float(found["auc"].sel(observable="s_flow")[found["held_out"].values].min())
    assert (found["error"] >= 0).all() and (found["error"] < 0.5).all()


@pytest.fixture(scope="module")
def limits(signal, background, trained, yields):
    """A function that finds those from a first to a last context; all there are only once."""

    @cache
    def some(first, last):
        settings = LIMITS | {"first": first, "last": last}
        return resonance_limits.compute_limits(settings, signal, background, **trained, yields=yields)

    return some


def test_limits_may_be_spread_over_jobs(limits, tmp_path):
    whole, joined = spread.files(tmp_path, limits, CONTEXTS, "context")
    assert whole == joined


def test_limits_are_told_everywhere_and_uncertainty_makes_them_worse(limits):
    found = limits(0, CONTEXTS - 1)
    assert found["limit"].shape == (CONTEXTS, 3, 3)
    simulated = found["limit"].sel(source="simulated")
    np.testing.assert_array_equal(np.isfinite(simulated).all("strategy"), found["simulated"])
    known, ignored = (found["limit"].sel(source=name) for name in strategies.SOURCES[1:])
    assert np.isfinite(known).all() and (known > ignored).all()
    at = found["held_out"].values
    ratio = (known / simulated).values[at]
    np.testing.assert_allclose(resonance_limits.compare({}, found)["unseen_ratio"], np.median(ratio, axis=0))
