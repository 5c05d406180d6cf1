"""What stages are given: stored results as datasets, everything else as paths."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import xarray as xr

from diffhep.pipeline import jobs, store


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
    with pytest.raises(ValueError, match=r"b/S100.root: another file has the same name"):
        jobs.load({"files": [str(tmp_path / "a" / "S100.root"), str(tmp_path / "b" / "S100.root")]})


@pytest.mark.parametrize(("call", "printed"), [
    ("jobs.load({'a': 'absent.nc'})", ["diffhep: there is no result absent.nc: make it with `snakemake absent.nc`"]),
    ("jobs.load(1 / 0)", ["Traceback (most recent call last):", "ZeroDivisionError: division by zero"]),
])  # fmt: skip
def test_the_log_of_a_job_has_a_line_for_users_and_a_traceback_for_bugs(tmp_path, call, printed):
    program = f"from diffhep.pipeline import jobs; jobs.log_to('job.log'); {call}"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment)
    lines = (tmp_path / "job.log").read_text().splitlines()
    assert done.returncode == 1 and lines[:: max(len(lines) - 1, 1)] == printed
