"""Events of an analysis are read from Parquet and ROOT files in batches; unusable files are refused."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import uproot

from diffhep.data import event_files, ntuples

KINDS = pytest.mark.parametrize("name", ["a.parquet", "tree.root", "rntuple.root"])


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    columns = {name: rng.uniform(100, 500, 23) for name in ntuples.COLUMNS}
    return pd.DataFrame(columns | {"selected": rng.uniform(size=23) < 0.7, "pt": np.zeros(23)})


def write(table, path, stored=10):
    """Write the table to a file with `stored` rows in each of its parts."""
    if path.suffix == ".parquet":
        table.to_parquet(path, row_group_size=stored)
        return path
    with uproot.recreate(path) as file:
        make = file.mkrntuple if path.stem == "rntuple" else file.mktree
        stored_tree = make("events", {name: values.dtype for name, values in table.items()})
        for first in range(0, len(table), stored):
            stored_tree.extend({name: values.to_numpy()[first : first + stored] for name, values in table.items()})
    return path


@KINDS
@pytest.mark.parametrize("batch", [1, 4, 10, 1000])
def test_written_events_are_read_whatever_the_size_of_a_batch(table, tmp_path, monkeypatch, name, batch):
    monkeypatch.setattr(event_files, "BATCH_ROWS", batch)
    result, selected = ntuples.read(write(table, tmp_path / name)), table[table["selected"]]
    for column in (*ntuples.COLUMNS, "selected"):
        np.testing.assert_array_equal(getattr(result.events, column), selected[column])
    weights = selected["weight"]
    expected = table["weight"].sum(), weights.sum(), np.sqrt(np.sum(weights**2))
    np.testing.assert_allclose(
        (result.total_weight, result.selected_weight, result.selected_error), expected, rtol=1e-14
    )


@KINDS
@pytest.mark.parametrize("batch", [3, 1000])
def test_fewer_events_are_scaled_to_the_yield_of_all(table, tmp_path, monkeypatch, name, batch):
    monkeypatch.setattr(event_files, "BATCH_ROWS", batch)
    path, selected = write(table, tmp_path / name), table[table["selected"]]
    result, everything = ntuples.read(path, max_events=5), ntuples.read(path)
    expected = selected.iloc[np.arange(5) * len(selected) // 5]
    np.testing.assert_array_equal(result.events.m_bb, expected["m_bb"])
    np.testing.assert_allclose(result.events.weight.sum(), selected["weight"].sum(), rtol=1e-14)
    np.testing.assert_allclose(np.ptp(result.events.weight / expected["weight"]), 0, atol=1e-14)
    assert result[1:] == everything[1:]
    plenty = ntuples.read(path, max_events=len(selected))
    np.testing.assert_array_equal(plenty.events, everything.events)


@KINDS
def test_all_events_are_selected_without_a_selection_column(table, tmp_path, name):
    result = ntuples.read(write(table.drop(columns="selected"), tmp_path / name))
    assert len(result.events.weight) == len(table) and result.selected_weight == result.total_weight


@KINDS
def test_a_file_may_have_no_selected_event(table, tmp_path, name):
    result = ntuples.read(write(table.assign(selected=False), tmp_path / name), max_events=3)
    assert len(result.events.weight) == 0 and result.selected_weight == result.selected_error == 0 < result.total_weight


def test_unusable_files_are_refused(table, tmp_path):
    path = write(table.drop(columns=["m_bb", "weight"]), tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=r"a.parquet has no column m_bb, weight; it has m_bbgg, m_gg"):
        ntuples.read(path)
    with pytest.raises(ValueError, match=r"c.root has no tree 'nominal'; it has events"):
        ntuples.read(write(table, tmp_path / "c.root"), "nominal")
    for name, reason in (("e.parquet", "Parquet"), ("f.root", "received 9 bytes")):
        (tmp_path / name).write_text("no events")
        with pytest.raises(ValueError, match=rf"^\S*{name} is broken or no .+ \(.*{reason}.*\): create it again$"):
            ntuples.read(tmp_path / name)
    with pytest.raises(ValueError, match=r"g.parquet: there is no such file: put it there or name another$"):
        ntuples.read(tmp_path / "g.parquet")
    with pytest.raises(ValueError, match=r"d.csv: events are read from .parquet and .root files"):
        ntuples.read(tmp_path / "d.csv")


@KINDS
def test_values_that_are_not_finite_are_refused_with_their_row(table, tmp_path, monkeypatch, name):
    monkeypatch.setattr(event_files, "BATCH_ROWS", 4)
    for column, row in (("m_bb", 3), ("weight", 17)):
        spoilt = table.astype({"selected": int})
        spoilt.loc[row, column] = np.nan
        with pytest.raises(ValueError, match=rf"{name}: {column} is nan in row {row}: remove such events$"):
            ntuples.read(write(spoilt, tmp_path / name), max_events=2)


def test_a_file_with_broken_data_is_refused(table, tmp_path):
    path = write(table, tmp_path / "a.parquet")
    content = bytearray(path.read_bytes())
    content[4:200] = bytes(196)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"a.parquet is broken or no .parquet file \(.+\): create it again$"):
        ntuples.read(path)


def test_weights_without_a_positive_scale_factor_are_refused(table, tmp_path):
    table = table.assign(selected=True, weight=np.where(np.arange(23) == 0, -1.0, 1.0))
    with pytest.raises(ValueError, match=r"weights of the 2 returned .* to 0, .* to 21: allow more events$"):
        ntuples.read(write(table, tmp_path / "a.parquet"), max_events=2)


PEAKS = """
import sys
from pathlib import Path
from diffhep.data import ntuples

for path in sys.argv[1:]:
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    assert len(ntuples.read(Path(path), max_events=1000).events.weight) == 1000
    print(*(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux reports and resets the peak")
def test_memory_does_not_grow_with_the_file(tmp_path):
    paths = [tmp_path / "small.parquet", tmp_path / "large.parquet"]
    for path, rows in zip(paths, (500_000, 3_000_000), strict=True):
        needed, other = pa.array(np.random.default_rng(0).uniform(1, 2, rows)), pa.array(np.zeros(rows))
        columns = dict.fromkeys(ntuples.COLUMNS, needed) | {f"other_{n}": other for n in range(16)}
        pq.write_table(pa.table(columns), path, row_group_size=rows)
    read = subprocess.run([sys.executable, "-c", PEAKS, *paths], capture_output=True, text=True)
    assert read.returncode == 0, read.stderr
    small, large = (int(peak) / 1024 for peak in read.stdout.split())
    for path in paths:
        path.unlink()
    assert large - small < 50  # MiB; the needed columns of the larger file have 92, all of it 458
