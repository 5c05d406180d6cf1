"""A run tells every minute how much of it is left."""

import logging
from types import SimpleNamespace

import pytest

from diffhep.pipeline import progress


@pytest.fixture
def clock(monkeypatch):
    """What time it is, to be set."""
    at = {"now": 1000.0}
    monkeypatch.setattr(progress.time, "monotonic", lambda: at["now"])
    return at


def record(event, **of):
    made = logging.LogRecord("snakemake", logging.INFO, "", 0, None, None, None)
    made.__dict__.update(event=SimpleNamespace(name=event), **of)
    return made


def test_finished_jobs_are_counted_once_and_reported_every_minute(clock, capsys):
    handler = progress.Progress({1: (100.0, 1), 2: (100.0, 1), 3: (200.0, 2)}, 2)
    clock["now"] += 50
    for number in (1, 1, 99):  # a job of no interest has no number here
        handler.emit(record("JOB_FINISHED", job_id=number))
    handler.emit(record("PROGRESS"))
    assert capsys.readouterr().err == ""  # not yet a minute
    clock["now"] += 10
    handler.emit(record("PROGRESS"))
    printed = capsys.readouterr().err
    assert printed.startswith("Left: 2 of 3 jobs, about 5 minutes; done around ")  # 4.2 as expected, a ninth slower
    handler.emit(record("PROGRESS"))
    assert capsys.readouterr().err == ""


def test_nothing_is_printed_at_the_end_or_for_other_records(clock, capsys):
    handler = progress.Progress({1: (100.0, 1)}, 2)
    clock["now"] += 100
    handler.emit(record("SHELLCMD"))
    handler.emit(logging.LogRecord("snakemake", logging.INFO, "", 0, "text", None, None))
    handler.emit(record("JOB_FINISHED", job_id=1))
    handler.emit(record("PROGRESS"))
    assert capsys.readouterr().err == ""
