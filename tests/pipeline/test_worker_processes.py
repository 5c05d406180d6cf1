"""Scripts run one after another in processes that stay, apart from each other, until one takes its process with it."""

import math
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from diffhep.pipeline.worker_processes import WorkerPool

JOB = """
import logging, os
from diffhep.pipeline import jobs
jobs.log_to({log!r})
logging.getLogger("diffhep").info(os.getpid())
"""


@pytest.fixture(scope="module")
def processes():
    """Processes that are ended with the tests."""
    made = WorkerPool({"DIFFHEP_TEST": "1"})
    yield made
    made.end()


@pytest.fixture
def job(tmp_path):
    """A function that writes a script, which begins as those of jobs do, with a log of its own."""

    def write(name: str, then: str = "") -> str:
        path = tmp_path / f"{name}.py"
        path.write_text(JOB.format(log=str(tmp_path / f"{name}.log")) + then)
        return str(path)

    return write


def test_one_process_does_all_and_each_has_a_log_of_its_own(processes, job, tmp_path, capfd):
    for name in ("first", "second"):
        outcome = processes.run(
            job(name, f"import sys; print('{name}', 'matplotlib' in sys.modules); import matplotlib")
        )
        assert outcome.status == 0 and outcome.cpu_seconds > 0 and outcome.seconds > 0 and outcome.megabytes > 10
    logs = [(tmp_path / f"{name}.log").read_text().splitlines() for name in ("first", "second")]
    assert logs[0][0].split()[1] == logs[1][0].split()[1]  # the process
    assert logs[0][1] == "first False" and logs[1][1] == "second True"
    assert all(len(log) == 3 and "most memory: " in log[2] for log in logs)
    assert capfd.readouterr() == ("", "")


def test_variables_reach_the_process_and_what_a_script_changes_of_its_path_is_undone(processes, job):
    first = "import sys; sys.path.insert(0, 'x'); assert os.environ['DIFFHEP_TEST'] == '1'"
    assert processes.run(job("one", first)).status == 0
    assert processes.run(job("two", "import sys; assert 'x' not in sys.path; assert not sys.stdin.read()")).status == 0


FAILURES = {
    "a bug": ("1 / 0", 1, ["Traceback (most recent call last):", "ZeroDivisionError: division by zero"]),
    "what a user can mend": (
        "jobs.load({'a': 'absent.nc'})",
        1,
        ["diffhep: there is no result absent.nc: make it with `snakemake absent.nc`"],
    ),
    "an exit": ("raise SystemExit(3)", 3, []),
}


@pytest.mark.parametrize("case", FAILURES)
def test_a_failure_is_in_the_log_and_the_process_goes_on(processes, job, tmp_path, case):
    then, status, printed = FAILURES[case]
    assert processes.run(job("failing", then)).status == status
    lines = (tmp_path / "failing.log").read_text().splitlines()[1:]
    assert lines[:: max(len(lines) - 1, 1)] == printed
    assert processes.run(job("next")).status == 0
    first, second = ((tmp_path / f"{name}.log").read_text().split()[1] for name in ("failing", "next"))
    assert first == second


def test_a_script_that_is_killed_fails_and_the_next_has_a_new_process(processes, job):
    killed = processes.run(job("killed", "import signal; os.kill(os.getpid(), signal.SIGKILL)"))
    assert killed.status == -signal.SIGKILL and math.isnan(killed.seconds)
    assert processes.run(job("next")).status == 0


def test_scripts_at_the_same_time_have_processes_of_their_own(processes, job, tmp_path):
    waiting = (
        f"import pathlib, time\nwhile len(list(pathlib.Path({str(tmp_path)!r}).glob('*.log'))) < 2: time.sleep(0.01)"
    )
    with ThreadPoolExecutor() as pool:
        outcomes = list(pool.map(processes.run, [job("one", waiting), job("two", waiting)]))
    assert [outcome.status for outcome in outcomes] == [0, 0]
    assert len({(tmp_path / f"{name}.log").read_text().split()[1] for name in ("one", "two")}) == 2


def test_a_process_that_has_grown_too_large_is_given_up(processes, job, tmp_path, monkeypatch):
    monkeypatch.setattr("diffhep.pipeline.worker_processes.MAX_MEGABYTES", 0)
    for name in ("one", "two"):
        assert processes.run(job(name)).status == 0
    first, second = ((tmp_path / f"{name}.log").read_text().split()[1] for name in ("one", "two"))
    assert first != second


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the most memory cannot be forgotten")
def test_memory_is_that_of_each_script(processes, job):
    large, small = (
        processes.run(job(name, then)).megabytes for name, then in (("a", "b'x' * 2**28  # 256 MB"), ("b", ""))
    )
    assert large - small > 150


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it cannot be measured apart")
def test_memory_is_not_that_of_the_process_that_started_it(job):
    program = (
        "b'x' * 2**29; import sys; from diffhep.pipeline.worker_processes import WorkerPool; made = WorkerPool({})"
    )
    run = f"{program}; print(made.run(sys.argv[1]).megabytes); made.end()"
    done = subprocess.run([sys.executable, "-c", run, job("small")], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 400
