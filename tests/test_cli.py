"""The command line prints JSON in the format of pyhf, and errors in one line with a remedy."""

import copy
import io
import json
import math
from importlib.metadata import version
from pathlib import Path

import pytest
from support.workspaces import SIGNAL, WORKSPACES, normsys, one, sample, workspace

from diffhep import cli


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "workspace.json"
    path.write_text(json.dumps(WORKSPACES["normsys"]))
    return str(path)


def printed(capsys, *arguments):
    assert cli.main(arguments) == 0
    return json.loads(capsys.readouterr().out)


def test_cls_of_a_file_equals_that_of_standard_input(file, capsys, monkeypatch):
    from_file = printed(capsys, "cls", file)
    assert set(from_file) == {"CLs_obs", "CLs_exp"}
    assert from_file["CLs_exp"] == sorted(from_file["CLs_exp"]) and len(from_file["CLs_exp"]) == 5
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(WORKSPACES["normsys"])))
    assert printed(capsys, "cls", "-") == from_file


def test_cls_falls_with_the_tested_value(file, capsys):
    tested = [printed(capsys, "cls", "--test-poi", value, file)["CLs_obs"] for value in ("0.5", "2")]
    assert tested[0] > tested[1]


def test_a_fit_returns_values_by_name(file, capsys):
    fitted = printed(capsys, "fit", "--value", file)
    assert {name: len(values) for name, values in fitted["mle_parameters"].items()} == {"mu": 1, "size": 1}
    assert "twice_nll" in fitted and "twice_nll" not in printed(capsys, "fit", file)


def test_cls_at_the_limit_equals_the_level(file, capsys):
    limit = printed(capsys, "limit", "--level", "0.1", file)
    assert len(limit["limit_exp"]) == 5
    assert printed(capsys, "cls", "--test-poi", str(limit["limit_obs"]), file)["CLs_obs"] == pytest.approx(0.1)


def test_p0_can_be_written_to_a_file(file, tmp_path, capsys):
    assert cli.main(["p0", "--output-file", str(tmp_path / "out.json"), file]) == 0
    assert set(json.loads((tmp_path / "out.json").read_text())) == {"p0_obs", "p0_exp"}
    assert capsys.readouterr().out == ""


TEXTS = {
    "nothing": (b"", "line 1, column 1: Expecting value: give a complete JSON file"),
    "truncated": (b'{"channels": ', "line 1, column 14: Expecting value: give a complete JSON file"),
    "another encoding": (b'{"a": "\xe9"}', "byte 7 is not UTF-8: save the file as UTF-8"),
    "a list": (b"[]", "a workspace is a JSON object, not a list"),
    "no end": (b"[" * 100_000, "brackets are nested too deeply: give a workspace"),
    "a key twice": (b'{"channels": [], "channels": []}', "key 'channels' is given twice in one object: remove one"),
    "nothing in it": (b"{}", "top level: missing key channels, measurements, observations, version: add it"),
}
BACKGROUND = ["channels", 0, "samples", 1]
MODIFIER = [*BACKGROUND, "modifiers", 0]
HISTOSYS = {"name": "h", "type": "histosys", "data": {"hi_data": [1.0], "lo_data": [1.0]}}
NEGATIVE = {"name": "h", "type": "staterror", "data": [-1.0, 1.0, 1.0]}
IN_SAMPLE = "channel SR, sample background"
CHANGES = {
    "another version": (["version"], "2.0.0", "top level: version: '2.0.0': give '1.0.0'"),
    "no channels": (["channels"], [], "top level: channels: []: give 1 or more entries"),
    "no samples": (["channels", 0, "samples"], [], "channel SR: samples: []: give 1 or more entries"),
    "no bins": ([*BACKGROUND, "data"], [], f"{IN_SAMPLE}: data: []: give 1 or more entries"),
    "text": ([*BACKGROUND, "data"], ["many", 1, 1], f"{IN_SAMPLE}: data: 'many': give a finite number"),
    "too few bins": (
        [*BACKGROUND, "data"],
        [1.0, 1.0],
        f"{IN_SAMPLE} has shape (2,) but the channel has 3 bins: give one number per bin",
    ),
    "a negative yield": (
        [*BACKGROUND, "data"],
        [1.0, -1.0, 1.0],
        f"{IN_SAMPLE}: -1.0 in bin 1: yields cannot be negative: merge the bin with a neighbouring one",
    ),
    "no number": ([*BACKGROUND, "data"], [1.0, math.nan, 1.0], f"{IN_SAMPLE}: nan in bin 1: give finite numbers"),
    "infinitely many": ([*BACKGROUND, "data"], [1.0, math.inf, 1.0], f"{IN_SAMPLE}: inf in bin 1: give finite numbers"),
    "a sample twice": (
        [*BACKGROUND, "name"],
        "signal",
        "channel SR: sample signal is defined twice: rename or merge them",
    ),
    "an unknown modifier": (
        [*MODIFIER, "type"],
        "foo",
        f"{IN_SAMPLE}, modifier size: unknown type 'foo': choose from normfactor, lumi, shapefactor, normsys, "
        "histosys, shapesys, staterror",
    ),
    "half a modifier": (
        [*MODIFIER, "data"],
        {"lo": 0.9},
        f"{IN_SAMPLE}, modifier size (normsys): missing hi in data: add it",
    ),
    "a factor of zero": (
        [*MODIFIER, "data", "lo"],
        0.0,
        f"{IN_SAMPLE}, modifier size (normsys): lo is 0.0: give a positive number",
    ),
    "a short template": (
        MODIFIER,
        HISTOSYS,
        f"{IN_SAMPLE}, modifier h (histosys): hi_data has shape (1,) but the channel has 3 bins: "
        "give one number per bin",
    ),
    "a negative uncertainty": (
        MODIFIER,
        NEGATIVE,
        f"{IN_SAMPLE}, modifier h (staterror): -1.0 in bin 0: an uncertainty cannot be negative",
    ),
    "no measurement": (["measurements"], [], "top level: measurements: []: give 1 or more entries"),
    "an unknown parameter": (
        ["measurements", 0, "config", "poi"],
        "nu",
        "no modifier has the parameter of interest 'nu': choose from mu, size",
    ),
    "a start out of bounds": (
        ["measurements", 0, "config", "parameters"],
        [{"name": "mu", "inits": [50.0]}],
        "parameter mu starts at 50.0: start within its bounds, 0.0 to 10.0",
    ),
    "another channel's counts": (
        ["observations", 0, "name"],
        "CR",
        "channel SR: the workspace has no observation of that name: add one",
    ),
    "too few counts": (
        ["observations", 0, "data"],
        [1.0],
        "observation SR has 1 bins but the channel has 3: give one count per bin",
    ),
    "a negative count": (
        ["observations", 0, "data"],
        [1.0, -2.0, 1.0],
        "observation SR: -2.0 in bin 1: give finite counts that are not negative",
    ),
}


def error_message(capsys, *arguments):
    """Return the error message of an invalid call."""
    assert cli.main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err


@pytest.mark.parametrize("case", TEXTS)
def test_an_invalid_file_is_refused_in_one_line(tmp_path, capsys, case):
    text, message = TEXTS[case]
    (tmp_path / "bad.json").write_bytes(text)
    assert error_message(capsys, "fit", str(tmp_path / "bad.json")) == f"diffhep: {tmp_path}/bad.json: {message}\n"


@pytest.mark.parametrize("case", CHANGES)
def test_an_invalid_workspace_is_refused_in_one_line(tmp_path, capsys, case):
    path, value, message = CHANGES[case]
    spec = copy.deepcopy(one(normsys("size", 1.1, 0.9)))
    place = spec
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    (tmp_path / "bad.json").write_text(json.dumps(spec))
    assert error_message(capsys, "fit", str(tmp_path / "bad.json")) == f"diffhep: {tmp_path}/bad.json: {message}\n"


def test_an_unreadable_file_is_refused_in_one_line(tmp_path, capsys):
    absent = tmp_path / "absent.json"
    remedy = "name a workspace that you may read"
    assert error_message(capsys, "fit", str(absent)) == f"diffhep: {absent}: No such file or directory: {remedy}\n"
    assert error_message(capsys, "fit", str(tmp_path)) == f"diffhep: {tmp_path}: Is a directory: {remedy}\n"


@pytest.mark.parametrize(("arguments", "message"), [
    (["limit", "--level", "2"], "--level 2.0: give a number between 0 and 1"),
    (["limit", "--level", "0"], "--level 0.0: give a number between 0 and 1"),
    (["cls", "--test-poi", "nan"], "--test-poi nan: give a finite number"),
])  # fmt: skip
def test_an_option_out_of_range_is_refused_in_one_line(file, capsys, arguments, message):
    assert error_message(capsys, *arguments, file) == f"diffhep: {message}\n"


def test_a_fit_that_does_not_converge_is_reported(file, capsys, monkeypatch):
    monkeypatch.setattr("diffhep.inference.mle.MAX_STEPS", 1)
    Path(file).write_text(json.dumps(WORKSPACES["two shapesys"]))  # has a shape that is not compiled yet
    assert cli.main(["fit", file]) == 1
    assert "did not converge" in capsys.readouterr().err


def test_a_workspace_without_signal_has_no_limit(tmp_path, capsys):
    channel = [sample("signal", [0.0, 0.0], SIGNAL), sample("background", [50.0, 40.0])]
    (tmp_path / "none.json").write_text(json.dumps(workspace({"SR": channel}, {"SR": [50.0, 41.0]})))
    assert cli.main(["limit", str(tmp_path / "none.json")]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and "none.json: no signal strength is excluded" in printed.err


def test_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"diffhep {version('diffhep')}\n"
