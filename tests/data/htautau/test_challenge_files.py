"""Files of the challenge are written and read back; unusable files are refused."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from diffhep.data import event_files
from diffhep.data.htautau import challenge_files
from diffhep.data.htautau.features import COLUMNS, DERIVED, PRIMARY, derive_columns


def sample(process, number, weight):
    """Events whose lepton momentum is their number."""
    primaries = jax.random.uniform(jax.random.key(number), (number, 16), jnp.float32, 1.0, 30.0)
    return primaries.at[:, 0].set(jnp.arange(number)), jnp.full(number, weight, jnp.float32)


SAMPLES = {"htautau": sample("htautau", 40, 0.5), "ztautau": sample("ztautau", 110, 9.0)}


@pytest.fixture
def path(tmp_path):
    challenge_files.write(tmp_path / "toy.parquet", SAMPLES, seed=0)
    return tmp_path / "toy.parquet"


def test_written_events_are_read_back(path):
    for process, (primaries, weights) in SAMPLES.items():
        sample_read = challenge_files.read(path, process, len(weights))
        assert sample_read.primaries.dtype == np.float32
        np.testing.assert_array_equal(sample_read.primaries[jnp.argsort(sample_read.primaries[:, 0])], primaries)
        np.testing.assert_array_equal(sample_read.weights, weights)
        assert sample_read.total == weights.sum()


def test_the_file_has_the_columns_and_metadata_of_the_challenge(path):
    table = pd.read_parquet(path)
    assert set(table) == {*COLUMNS, "weights", "detailed_labels", "labels"}
    np.testing.assert_array_equal(table.labels, table.detailed_labels == "htautau")
    np.testing.assert_allclose(
        table[list(DERIVED)], derive_columns(jnp.asarray(table[list(PRIMARY)].to_numpy())), rtol=1e-4
    )
    metadata = json.loads(path.with_name("toy_metadata.json").read_text())
    assert metadata["total_rows"] == 150 and metadata["columns"] == list(table)
    assert metadata["sum_weights"] == pytest.approx(20 + 990)


def test_rows_are_shuffled_reproducibly(path, tmp_path):
    labels = pd.read_parquet(path).detailed_labels
    assert 5 < (labels[:40] == "htautau").sum() < 20
    challenge_files.write(tmp_path / "again.parquet", SAMPLES, seed=0)
    assert (tmp_path / "again.parquet").read_bytes() == path.read_bytes()


def stored(path, name, **options):
    """Store the rows in the order of their numbers, with other options."""
    table = pd.read_parquet(path).sort_values("PRI_lep_pt", kind="stable")
    table = table.assign(detailed_labels=table.detailed_labels.astype(options.pop("dtype", "str")))
    table.to_parquet(path.with_name(name), index=False, **options)
    return path.with_name(name)


@pytest.mark.parametrize("dtype", ["str", "category"])
@pytest.mark.parametrize("rows", [7, 1000])
def test_fewer_events_are_spread_over_the_file(path, monkeypatch, rows, dtype):
    monkeypatch.setattr(event_files, "BATCH_ROWS", 16)
    result = challenge_files.read(stored(path, "other.parquet", row_group_size=rows, dtype=dtype), "ztautau", 11)
    assert result.primaries[:, 0].tolist() == list(range(0, 110, 10))
    assert result.total == 990
    odd = challenge_files.read(path.with_name("other.parquet"), "htautau", 15).primaries[:, 0]
    assert len(odd) == 15 and odd[0] == 0 and odd[-1] == 37


def changed(path, name, change):
    table = pd.read_parquet(path)
    change(table).to_parquet(path.with_name(name))
    return path.with_name(name)


def test_unusable_files_are_refused(path):
    with pytest.raises(ValueError, match=r"toy.parquet has 40 events of htautau, fewer than 41: ask for no more"):
        challenge_files.read(path, "htautau", 41)
    with pytest.raises(ValueError, match=r"no process 'ttbar'; its detailed_labels are htautau, ztautau"):
        challenge_files.read(path, "ttbar", 1)
    incomplete = changed(path, "a.parquet", lambda table: table.drop(columns=["weights", "PRI_met"]))
    with pytest.raises(ValueError, match=r"a.parquet has no column PRI_met, weights; it has PRI_lep_pt, "):
        challenge_files.read(incomplete, "htautau", 1)
    path.with_name("c.parquet").write_text("no Parquet")
    with pytest.raises(ValueError, match=r"c.parquet cannot be read as Parquet"):
        challenge_files.read(path.with_name("c.parquet"), "htautau", 1)
    cut = path.with_name("d.parquet")
    cut.write_bytes(path.read_bytes()[:-100])
    for unusable in (cut, path.with_name("absent.parquet"), path.parent):
        with pytest.raises(ValueError, match=r"cannot be read as Parquet \(.+\): give the challenge's .parquet file$"):
            challenge_files.read(unusable, "htautau", 1)
    with pytest.raises(ValueError, match=r"no process 'qcd' in the challenge, only htautau, ztautau, ttbar, diboson"):
        challenge_files.write(path, {"qcd": SAMPLES["htautau"]}, seed=0)


@pytest.mark.parametrize("column", ["weights", "PRI_met"])
def test_values_that_are_not_finite_are_refused_with_their_row(path, column):
    row = int(np.flatnonzero(pd.read_parquet(path).detailed_labels == "htautau")[3])

    def spoil(table):
        table.loc[row, column] = np.nan
        return table

    with pytest.raises(ValueError, match=f"b.parquet: {column} is nan in row {row}: remove such events"):
        challenge_files.read(changed(path, "b.parquet", spoil), "htautau", 40)
