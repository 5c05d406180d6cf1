"""Selected events have the weights and numbers of the yields, whether generated or read from files."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from support.resonance_study import SETTINGS

from diffhep.studies.resonance import events

pytestmark = pytest.mark.xdist_group("resonance")  # one process computes the shared fixtures


def test_selected_signal_events_carry_their_share_of_the_yield(signal):
    assert signal.sizes["point"] == 16 and int(signal["held_out"].sum()) == 3
    sums = np.bincount(signal["mass_point"], signal["weight"])
    np.testing.assert_allclose(signal["yield"], sums)
    np.testing.assert_allclose(signal["efficiency"], sums / 140.0, rtol=1e-6)
    counted = np.bincount(signal["mass_point"])
    np.testing.assert_allclose(counted / 1000, signal["efficiency"], atol=0.03)
    assert np.bincount(signal["mass_point"], signal["test"]) == pytest.approx(counted / 2, abs=1)


def test_one_process_is_more_than_99_percent_of_the_background(background):
    shares = background["weight"].groupby(background["process"]).sum() / background["weight"].sum()
    names = list(background["name"].values)
    assert names == ["HH", "ZH", "ggH", "ttH", "yyjj"] and float(shares[names.index("yyjj")]) > 0.99


def test_the_yield_of_the_background_does_not_depend_on_the_block_size(monkeypatch, background):
    monkeypatch.setattr(events, "BLOCK_SIZE", 1000)  # a size that is compiled already
    few = events.select_background({"seed": 0, "data": SETTINGS["data"]})
    assert float(few["weight"].sum()) == pytest.approx(float(background["weight"].sum()), rel=0.05)


def test_events_are_read_from_files_if_files_are_given(tmp_path, signal):
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


def test_a_limited_number_of_events_of_a_file_represents_all_of_them(tmp_path):
    grid = {"parts": {"all": {"m_x": [300], "m_s": [100, 170]}}, "held_out": [[300, 170]]}
    rng, files = np.random.default_rng(0), {}
    for m_s, size in ((100, 400), (170, 30)):
        table = pd.DataFrame({name: rng.uniform(1, 2, size) for name in ("m_bbgg", "m_bb", "m_gg", "weight")})
        files[f"X300_S{m_s}"] = tmp_path / f"X300_S{m_s}.parquet"
        table.assign(selected=rng.uniform(size=size) < 0.5).to_parquet(files[f"X300_S{m_s}"], row_group_size=100)
    pattern = {"signal": "X{m_x}_S{m_s}.parquet", "background": [str(path) for path in files.values()]}
    all_events, fewer = (
        {"seed": 0, "grid": grid, "data": SETTINGS["data"] | {"ntuples": pattern | more}}
        for more in ({}, {"max_events": 40})
    )
    found, expected = (events.select_signal(settings, files) for settings in (fewer, all_events))
    xr.testing.assert_identical(found.drop_dims("event"), expected.drop_dims("event"))
    np.testing.assert_allclose(np.bincount(found["mass_point"], found["weight"]), expected["yield"])
    all_small = int((expected["mass_point"] == 1).sum())
    assert np.bincount(found["mass_point"]).tolist() == [40, all_small] and all_small < 40
    assert np.bincount(found["mass_point"], found["test"]) == pytest.approx([20, all_small / 2], abs=0.5)
    found, expected = (events.select_background(settings, files) for settings in (fewer, all_events))
    sums = (np.bincount(sample["process"], sample["weight"]) for sample in (found, expected))
    np.testing.assert_allclose(*sums)
    assert found.sizes["event"] == 40 + all_small
