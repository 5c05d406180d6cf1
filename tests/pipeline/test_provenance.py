"""Results that were made elsewhere, earlier or with something else are distinguished from those that were made here."""

import json

import netCDF4
import pytest
import xarray as xr

from diffhep import cli
from diffhep.errors import InputError
from diffhep.pipeline import provenance, store


@pytest.fixture
def results(tmp_path):
    """One result of here; one of another revision, one of other versions, one of both, and files that are none."""
    here = provenance.current_environment()
    versions = {**here["versions"], "numpy": "1.0", "jax": "0.1"}
    environments = {
        "here": here,
        "study/earlier": {**here, "revision": "0123abc"},
        "study/other": {**here, "versions": versions},
        "study/both": {"revision": "0123abc", "versions": versions},
        "study/before": {**here, "versions": {k: v for k, v in here["versions"].items() if k != "scipy"}},
    }
    for name, environment in environments.items():
        store.save(xr.Dataset({"a": 1}), tmp_path / f"{name}.nc", provenance={})
        with netCDF4.Dataset(tmp_path / f"{name}.nc", "r+") as file:
            file.environment = json.dumps(environment)
    (tmp_path / "text.nc").write_text("no netCDF")
    xr.Dataset({"a": 1}).to_netcdf(tmp_path / "theirs.nc", engine="netcdf4")
    (tmp_path / "here.log").write_text("no result")
    return tmp_path


def test_the_differences_of_each_result_are_listed(results):
    here = provenance.current_environment()
    now = {name: f"(here {version})" for name, version in here["versions"].items()}
    revision = f"revision 0123abc (here {here['revision']})"
    versions = f"jax 0.1 {now['jax']}, numpy 1.0 {now['numpy']}"
    assert {
        str(path.relative_to(results)): printed for path, printed in provenance.results_made_elsewhere(results)
    } == {
        "study/before.nc": f"scipy unknown {now['scipy']}",
        "study/both.nc": f"{revision}, {versions}",
        "study/earlier.nc": revision,
        "study/other.nc": versions,
        "text.nc": "broken, or not written by diffhep",
        "theirs.nc": "broken, or not written by diffhep",
    }


def test_the_command_line_lists_them(results, capsys):
    assert cli.main(["origins", str(results)]) == 0
    *listed, summary = capsys.readouterr().out.splitlines()
    assert len(listed) == 6 and listed[0].startswith(f"{results}/study/before.nc: scipy unknown (here ")
    assert summary == "6 from another revision or other versions; snakemake -n lists outdated results"


def test_of_results_from_here_there_is_nothing_to_say(tmp_path, capsys):
    store.save(xr.Dataset({"a": 1}), tmp_path / "a.nc", provenance={})
    assert cli.main(["origins", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("0 from another revision")


def test_a_folder_without_results_is_reported(tmp_path, capsys):
    with pytest.raises(InputError):
        list(provenance.results_made_elsewhere(tmp_path / "absent"))
    assert cli.main(["origins", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"diffhep: {tmp_path}: there are no results (*.nc): name a folder that has some\n"
