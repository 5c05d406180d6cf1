"""The command line prints pyhf's JSON, and one line where it cannot."""

import io
import json
from pathlib import Path

import pytest
from workspaces import SIGNAL, WORKSPACES, sample, workspace

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


UNSEEN = {**WORKSPACES["normsys"], "observations": [{"name": "CR", "data": [1.0]}]}


@pytest.mark.parametrize(("text", "message"), [
    ('{"channels": ', "bad.json: line 1, column 14"),
    (json.dumps(UNSEEN), "bad.json: channel SR: the workspace has no observation"),
    (None, "No such file"),
])  # fmt: skip
def test_a_bad_file_gives_one_line_and_exit_status_2(text, message, tmp_path, capsys):
    if text is not None:
        (tmp_path / "bad.json").write_text(text)
    assert cli.main(["cls", str(tmp_path / "bad.json")]) == 2
    told = capsys.readouterr()
    assert told.out == "" and told.err.count("\n") == 1 and message in told.err


def test_a_fit_that_does_not_converge_is_told(file, capsys, monkeypatch):
    monkeypatch.setattr("diffhep.fits.ITERATIONS", 1)
    Path(file).write_text(json.dumps(WORKSPACES["two shapesys"]))  # of a shape that is not compiled yet
    assert cli.main(["fit", file]) == 1
    assert "did not converge" in capsys.readouterr().err


def test_without_signal_there_is_no_limit_to_print(tmp_path, capsys):
    channel = [sample("signal", [0.0, 0.0], SIGNAL), sample("background", [50.0, 40.0])]
    (tmp_path / "none.json").write_text(json.dumps(workspace({"SR": channel}, {"SR": [50.0, 41.0]})))
    assert cli.main(["limit", str(tmp_path / "none.json")]) == 2
    told = capsys.readouterr()
    assert told.out == "" and "none.json: no strength is excluded" in told.err
