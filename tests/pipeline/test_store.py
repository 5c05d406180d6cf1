"""A result file is identical for identical input, complete or absent, and says where it came from."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

from diffhep import files
from diffhep.pipeline import provenance, store


@pytest.fixture
def dataset() -> xr.Dataset:
    random = np.random.default_rng(0)
    return xr.Dataset(
        {
            "cls": (("seed", "epoch"), random.random((3, 16)), {"long_name": "expected CLs"}),
            "scores": (("seed", "event"), random.random((3, 40_000))),
            "weights": (("event",), np.round(random.random(40_000).astype(np.float32), 1)),
            "converged": (("seed",), np.array([True, False, True])),
            "empty": (("nothing",), np.zeros(0)),
        },
        coords={"seed": np.arange(3), "objective": ("seed", ["bce", "cls", "σ_μ"])},
        attrs={"bins": 5, "edges": [0.0, 0.5, 1.0], "title": "neos"},
    )


PROVENANCE = {"settings": {"seeds": [0, 1, 2], "learning_rate": 1e-3, "name": "σ_μ"}, "inputs": ["train"]}


def test_what_is_loaded_is_what_was_saved(dataset, tmp_path):
    store.save(dataset, tmp_path / "result.nc", provenance=PROVENANCE)
    loaded = store.load(tmp_path / "result.nc")
    xr.testing.assert_equal(loaded, dataset)
    assert {name: array.dtype for name, array in loaded.data_vars.items()} == {
        name: array.dtype for name, array in dataset.data_vars.items()
    }
    assert loaded["cls"].attrs == {"long_name": "expected CLs"}
    assert loaded.attrs["bins"] == 5 and list(loaded.attrs["edges"]) == [0.0, 0.5, 1.0]


def test_saving_leaves_the_dataset_as_it_was(dataset, tmp_path):
    before = dataset.copy(deep=True)
    store.save(dataset, tmp_path / "result.nc", provenance=PROVENANCE)
    xr.testing.assert_identical(dataset, before)


def test_identical_input_gives_identical_bytes(dataset, tmp_path):
    store.save(dataset, tmp_path / "one.nc", provenance=PROVENANCE)
    reordered = dict(reversed(PROVENANCE.items()))
    store.save(dataset.copy(deep=True), tmp_path / "two.nc", provenance=reordered)
    assert (tmp_path / "one.nc").read_bytes() == (tmp_path / "two.nc").read_bytes()


def test_identical_bytes_in_another_process(dataset, tmp_path):
    store.save(dataset, tmp_path / "one.nc", provenance=PROVENANCE)
    program = "import sys; from diffhep.pipeline.store import *; save(load(sys.argv[1]), sys.argv[2], provenance={})"
    for name in ("two.nc", "three.nc"):
        environment = os.environ | {"PYTHONHASHSEED": str(len(name)), "PYTHONPATH": os.pathsep.join(sys.path)}
        subprocess.run(
            [sys.executable, "-c", program, tmp_path / "one.nc", tmp_path / name], env=environment, check=True
        )
    store.save(dataset, tmp_path / "four.nc", provenance={})
    two, three, four = ((tmp_path / name).read_bytes() for name in ("two.nc", "three.nc", "four.nc"))
    assert two == three == four


def test_another_number_or_another_setting_gives_other_bytes(dataset, tmp_path):
    store.save(dataset, tmp_path / "one.nc", provenance=PROVENANCE)
    store.save(dataset, tmp_path / "setting.nc", provenance=PROVENANCE | {"inputs": []})
    dataset["cls"][0, 0] += 1e-16
    store.save(dataset, tmp_path / "number.nc", provenance=PROVENANCE)
    assert len({(tmp_path / name).read_bytes() for name in ("one.nc", "setting.nc", "number.nc")}) == 3


def test_file_says_where_it_came_from(dataset, tmp_path):
    store.save(dataset, tmp_path / "result.nc", provenance=PROVENANCE)
    attributes = store.load(tmp_path / "result.nc").attrs
    environment = json.loads(attributes["environment"])
    assert json.loads(attributes["provenance"]) == PROVENANCE
    assert environment["versions"]["numpy"] == np.__version__
    assert {"jax", "jaxlib", "diffhep"} <= environment["versions"].keys()
    assert environment["revision"]


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A git repository that holds the module, as far as the module can tell."""
    module = tmp_path / "src" / "diffhep" / "pipeline" / "provenance.py"
    module.parent.mkdir(parents=True)
    module.write_text("before\n")
    monkeypatch.setattr(provenance, "__file__", str(module))
    provenance._revision.cache_clear()
    yield tmp_path
    provenance._revision.cache_clear()


def test_revision_is_that_of_the_commit_and_tells_edits(checkout):
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "first"]):
        subprocess.run(["git", "-C", checkout, *command], check=True)
    clean = provenance._revision()
    (checkout / "src" / "diffhep" / "pipeline" / "provenance.py").write_text("after\n")
    provenance._revision.cache_clear()
    assert len(clean) >= 7 and "dirty" not in clean
    assert provenance._revision() == f"{clean}-dirty"


def test_revision_is_unknown_outside_a_checkout(checkout):
    assert provenance._revision() == "unknown"


def test_revision_is_unknown_before_the_first_commit(checkout):
    subprocess.run(["git", "-C", checkout, "init", "-q"], check=True)
    assert provenance._revision() == "unknown"


def test_large_arrays_are_compressed(tmp_path):
    store.save(xr.Dataset({"zeros": ("event", np.zeros(100_000))}), tmp_path / "zeros.nc", provenance={})
    assert (tmp_path / "zeros.nc").stat().st_size < 50_000


def test_failure_keeps_the_old_file_and_leaves_nothing_else(dataset, tmp_path, monkeypatch):
    path = tmp_path / "result.nc"
    store.save(dataset, path, provenance={})
    before = path.read_bytes()
    with pytest.raises(KeyboardInterrupt), files.replacing(path) as temporary:
        temporary.write_bytes(b"half")
        raise KeyboardInterrupt
    monkeypatch.setattr(os, "replace", lambda source, target: os.truncate(source, -1))  # any OSError will do
    with pytest.raises(OSError):
        store.save(dataset, path, provenance={"new": True})
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["result.nc"]


def test_a_full_disk_is_reported_and_nothing_is_left(tmp_path):
    program = (
        "import resource, sys, numpy, xarray; from diffhep.pipeline import store;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000));"  # as if the disk were full from there on
        "numbers = numpy.random.default_rng(0).random(100_000);"
        "store.save(xarray.Dataset({'a': ('x', numbers)}), sys.argv[1], provenance={})"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", program, tmp_path / "result.nc"]
    printed = subprocess.run(command, env=environment, capture_output=True, text=True).stderr
    assert printed.splitlines()[-1] == (
        "OSError: [Errno 5] not written (NetCDF: HDF error): see whether the disk is full, "
        f"or what you may use of it: '{tmp_path}/result.nc'"
    )
    assert os.listdir(tmp_path) == []


def refusal(path) -> str:
    with pytest.raises(ValueError) as caught:
        store.load(path)
    message = str(caught.value)
    assert str(path) in message and "snakemake" in message and "\n" not in message
    return message


def test_messages_are_these(dataset, tmp_path):
    broken, foreign, earlier = (tmp_path / f"{name}.nc" for name in ("broken", "foreign", "earlier"))
    broken.write_text("no netCDF")
    dataset.to_netcdf(foreign, engine="netcdf4")
    dataset.assign_attrs(format="diffhep result 0").to_netcdf(earlier, engine="netcdf4")
    absent = tmp_path / "absent.nc"
    assert refusal(absent) == f"there is no result {absent}: make it with `snakemake {absent}`"
    assert (
        refusal(broken / "under.nc")
        == f"there is no result {broken}/under.nc: make it with `snakemake {broken}/under.nc`"
    )
    assert refusal(broken) == f"{broken} is broken or no netCDF file: delete it and run snakemake again"
    for other in (foreign, earlier):
        assert refusal(other) == f"{other} is not a 'diffhep result 1': delete it and run snakemake again"


def test_missing_file_is_refused(tmp_path):
    assert "there is no result" in refusal(tmp_path / "absent.nc")
    assert "there is no result" in refusal(tmp_path)


@pytest.mark.parametrize("kept", [0, 1, 100, 5_000, -1])
def test_truncated_file_is_refused(dataset, tmp_path, kept):
    path = tmp_path / "result.nc"
    store.save(dataset, path, provenance={})
    path.write_bytes(path.read_bytes()[:kept])
    assert "delete it" in refusal(path)


def test_foreign_file_is_refused(dataset, tmp_path):
    (tmp_path / "text.nc").write_text("no netCDF")
    dataset.to_netcdf(tmp_path / "foreign.nc", engine="netcdf4")
    assert "delete it" in refusal(tmp_path / "text.nc")
    assert store.FORMAT in refusal(tmp_path / "foreign.nc")


def test_file_may_be_replaced_while_its_content_is_in_use(dataset, tmp_path):
    store.save(dataset, tmp_path / "result.nc", provenance={})
    loaded = store.load(tmp_path / "result.nc")
    (tmp_path / "result.nc").unlink()
    assert float(loaded["cls"].mean()) == float(dataset["cls"].mean())


def test_store_does_not_import_jax():
    program = "import sys; from diffhep.pipeline import store; assert 'jax' not in sys.modules"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
