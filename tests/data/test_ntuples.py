"""Events of an analysis are read from both kinds of files; what cannot be used is named."""

import numpy as np
import pandas as pd
import pytest
import uproot

from diffhep.data import ntuples


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    columns = {name: rng.uniform(100, 500, 7) for name in ntuples.COLUMNS}
    return pd.DataFrame(columns | {"selected": np.arange(7) % 2 == 0, "pt": np.zeros(7)})


def write(table, path):
    if path.suffix == ".parquet":
        table.to_parquet(path)
    else:
        with uproot.recreate(path) as file:
            file.mktree("events", {name: values.dtype for name, values in table.items()})
            file["events"].extend({name: values.to_numpy() for name, values in table.items()})
    return path


@pytest.mark.parametrize("name", ["signal.parquet", "signal.root"])
def test_what_is_written_is_read(table, tmp_path, name):
    events = ntuples.read(write(table, tmp_path / name))
    for column in (*ntuples.COLUMNS, "selected"):
        np.testing.assert_array_equal(getattr(events, column), table[column])


@pytest.mark.parametrize("name", ["signal.parquet", "signal.root"])
def test_all_events_are_selected_where_the_file_does_not_say(table, tmp_path, name):
    assert ntuples.read(write(table.drop(columns="selected"), tmp_path / name)).selected.all()


def test_what_cannot_be_used_is_named(table, tmp_path):
    path = write(table.drop(columns=["m_bb", "weight"]), tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=r"a.parquet has no column m_bb, weight; it has m_bbgg, m_gg"):
        ntuples.read(path)
    table.loc[3, "m_bb"] = np.nan
    with pytest.raises(ValueError, match=r"b.parquet: m_bb is nan in row 3"):
        ntuples.read(write(table, tmp_path / "b.parquet"))
    with pytest.raises(ValueError, match=r"c.root has no tree 'nominal'; it has events"):
        ntuples.read(write(table, tmp_path / "c.root"), "nominal")
    for name, reason in (("e.parquet", "Parquet"), ("f.root", "received 9 bytes")):
        (tmp_path / name).write_text("no events")
        with pytest.raises(ValueError, match=rf"^\S*{name} is broken or no \S+ file \(.*{reason}.*\): make it again$"):
            ntuples.read(tmp_path / name)
    with pytest.raises(ValueError, match=r"g.parquet: there is no such file: put it there or name another$"):
        ntuples.read(tmp_path / "g.parquet")
    with pytest.raises(ValueError, match=r"d.csv: events are read from .parquet and .root files"):
        ntuples.read(tmp_path / "d.csv")
