"""The command line prints pyhf's JSON, and one line where it cannot."""

import copy
import io
import json
import math
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


def test_cls_of_a_file_and_of_standard_input_are_the_same(file, capsys, monkeypatch):
    from_file = printed(capsys, "cls", file)
    assert set(from_file) == {"CLs_obs", "CLs_exp"}
    assert from_file["CLs_exp"] == sorted(from_file["CLs_exp"]) and len(from_file["CLs_exp"]) == 5
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(WORKSPACES["normsys"])))
    assert printed(capsys, "cls", "-") == from_file


def test_cls_falls_with_the_tested_value(file, capsys):
    tested = [printed(capsys, "cls", "--test-poi", value, file)["CLs_obs"] for value in ("0.5", "2")]
    assert tested[0] > tested[1]


def test_fit_has_values_by_name(file, capsys):
    found = printed(capsys, "fit", "--value", file)
    assert {name: len(values) for name, values in found["mle_parameters"].items()} == {"mu": 1, "size": 1}
    assert "twice_nll" in found and "twice_nll" not in printed(capsys, "fit", file)


def test_cls_at_the_limit_is_the_level(file, capsys):
    limit = printed(capsys, "limit", "--level", "0.1", file)
    assert len(limit["limit_exp"]) == 5
    assert printed(capsys, "cls", "--test-poi", str(limit["limit_obs"]), file)["CLs_obs"] == pytest.approx(0.1)


def test_p0_is_written_to_a_file(file, tmp_path, capsys):
    assert cli.main(["p0", "--output-file", str(tmp_path / "out.json"), file]) == 0
    assert set(json.loads((tmp_path / "out.json").read_text())) == {"p0_obs", "p0_exp"}
    assert capsys.readouterr().out == ""


TEXTS = {
    "nothing": (b"", "line 1, column 1: Expecting value: this is no complete JSON"),
    "truncated": (b'{"channels": ', "line 1, column 14: Expecting value: this is no complete JSON"),
    "another encoding": (b'{"a": "\xe9"}', "byte 7 is not UTF-8: save the file as UTF-8"),
    "a list": (b"[]", "a workspace is a JSON object, not a list"),
    "no end": (b"[" * 100_000, "brackets within brackets without end: this is no workspace"),
    "a key twice": (b'{"channels": [], "channels": []}', "key 'channels' stands twice in one object: remove one"),
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
        f"{IN_SAMPLE} has shape (2,) where the channel has 3 bins: give one number a bin",
    ),
    "a negative yield": (
        [*BACKGROUND, "data"],
        [1.0, -1.0, 1.0],
        f"{IN_SAMPLE}: -1.0 in bin 1: yields cannot be negative; merge the bin with its neighbour",
    ),
    "no number": ([*BACKGROUND, "data"], [1.0, math.nan, 1.0], f"{IN_SAMPLE}: nan in bin 1: give finite numbers"),
    "infinitely many": ([*BACKGROUND, "data"], [1.0, math.inf, 1.0], f"{IN_SAMPLE}: inf in bin 1: give finite numbers"),
    "a sample twice": (
        [*BACKGROUND, "name"],
        "signal",
        "channel SR: sample signal stands twice: rename or merge them",
    ),
    "an unknown modifier": (
        [*MODIFIER, "type"],
        "foo",
        f"{IN_SAMPLE}, modifier size: unknown type 'foo'; known are normfactor, lumi, shapefactor, normsys, histosys, "
        "shapesys, staterror",
    ),
    "half a modifier": ([*MODIFIER, "data"], {"lo": 0.9}, f"{IN_SAMPLE}, modifier size (normsys): data lacks hi"),
    "a factor of zero": (
        [*MODIFIER, "data", "lo"],
        0.0,
        f"{IN_SAMPLE}, modifier size (normsys): lo is 0.0: give a positive number",
    ),
    "a short template": (
        MODIFIER,
        HISTOSYS,
        f"{IN_SAMPLE}, modifier h (histosys): hi_data has shape (1,) where the channel has 3 bins: "
        "give one number a bin",
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
        "no modifier has the parameter of interest 'nu'; there are mu, size",
    ),
    "a start out of bounds": (
        ["measurements", 0, "config", "parameters"],
        [{"name": "mu", "inits": [50.0]}],
        "parameter mu starts at 50.0, outside its bounds 0.0 to 10.0",
    ),
    "another channel's counts": (
        ["observations", 0, "name"],
        "CR",
        "channel SR: the workspace has no observation of that name: add one",
    ),
    "too few counts": (
        ["observations", 0, "data"],
        [1.0],
        "observation SR has 1 bins where the channel has 3: give one count a bin",
    ),
    "a negative count": (
        ["observations", 0, "data"],
        [1.0, -2.0, 1.0],
        "observation SR: -2.0 in bin 1: give finite counts that are not negative",
    ),
}


def told(capsys, *arguments):
    """What a call says that cannot be done."""
    assert cli.main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


@pytest.mark.parametrize("case", TEXTS)
def test_what_is_no_workspace_is_told_in_one_line(tmp_path, capsys, case):
    text, message = TEXTS[case]
    (tmp_path / "bad.json").write_bytes(text)
    assert told(capsys, "fit", str(tmp_path / "bad.json")) == f"diffhep: {tmp_path}/bad.json: {message}\n"


@pytest.mark.parametrize("case", CHANGES)
def test_a_broken_workspace_is_told_in_one_line(tmp_path, capsys, case):
    path, value, message = CHANGES[case]
    spec = copy.deepcopy(one(normsys("size", 1.1, 0.9)))
    place = spec
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    (tmp_path / "bad.json").write_text(json.dumps(spec))
    assert told(capsys, "fit", str(tmp_path / "bad.json")) == f"diffhep: {tmp_path}/bad.json: {message}\n"


def test_a_file_that_cannot_be_read_is_told_in_one_line(tmp_path, capsys):
    absent = tmp_path / "absent.json"
    remedy = "name a workspace that you may read"
    assert told(capsys, "fit", str(absent)) == f"diffhep: {absent}: No such file or directory: {remedy}\n"
    assert told(capsys, "fit", str(tmp_path)) == f"diffhep: {tmp_path}: Is a directory: {remedy}\n"


@pytest.mark.parametrize(("arguments", "message"), [
    (["limit", "--level", "2"], "--level 2.0: give a number between 0 and 1"),
    (["limit", "--level", "0"], "--level 0.0: give a number between 0 and 1"),
    (["cls", "--test-poi", "nan"], "--test-poi nan: give a finite number"),
])  # fmt: skip
def test_an_option_out_of_range_is_told_in_one_line(file, capsys, arguments, message):
    assert told(capsys, *arguments, file) == f"diffhep: {message}\n"


def test_a_fit_that_does_not_converge_is_told(file, capsys, monkeypatch):
    monkeypatch.setattr("diffhep.inference.mle.MAX_STEPS", 1)
    Path(file).write_text(json.dumps(WORKSPACES["two shapesys"]))  # of a shape that is not compiled yet
    assert cli.main(["fit", file]) == 1
    assert "did not converge" in capsys.readouterr().err


def test_without_signal_there_is_no_limit_to_print(tmp_path, capsys):
    channel = [sample("signal", [0.0, 0.0], SIGNAL), sample("background", [50.0, 40.0])]
    (tmp_path / "none.json").write_text(json.dumps(workspace({"SR": channel}, {"SR": [50.0, 41.0]})))
    assert cli.main(["limit", str(tmp_path / "none.json")]) == 2
    told = capsys.readouterr()
    assert told.out == "" and "none.json: no strength is excluded" in told.err
