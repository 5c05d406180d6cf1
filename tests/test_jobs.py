"""What stages are given: stored results as datasets, everything else as paths."""

from pathlib import Path

import pytest
import xarray as xr

from diffhep import jobs, store


def test_results_are_loaded_and_other_files_handed_on(tmp_path):
    store.save(xr.Dataset({"a": 1}), tmp_path / "a.nc", provenance={})
    (tmp_path / "b.root").write_bytes(b"")
    result, other = str(tmp_path / "a.nc"), str(tmp_path / "b.root")
    found = jobs.load({"one": result, "file": other, "several": [result, other], "none": []})
    assert int(found["one"]["a"]) == 1 and found["file"] == Path(other)
    assert int(found["several"]["a"]["a"]) == 1 and found["several"]["b"] == Path(other)
    assert found["none"] == {}


def test_files_of_one_name_are_refused(tmp_path):
    """A dict would keep one of them, and a mass point would have the events of another."""
    with pytest.raises(ValueError, match=r"b/S100.root: another file of this name is read with it"):
        jobs.load({"files": [str(tmp_path / "a" / "S100.root"), str(tmp_path / "b" / "S100.root")]})
