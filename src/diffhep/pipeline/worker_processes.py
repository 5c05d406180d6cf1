"""Processes shared by many jobs, each of which reuses the imports and compiled programs of those before.

A job of the workflow is a script in a process of its own, which imports libraries and compiles programs for seconds.
At small scale that is most of its work. Here a script is handed to a process that has done others before.
"""

import atexit
import gc
import json
import os
import runpy
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from diffhep.pipeline import job_exit

SOURCE = Path(__file__).parents[2]
PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from diffhep.pipeline import worker_processes as s; s.serve()"
MAX_MEGABYTES = 3000  # peak memory up to which a process is used again: compiled programs and caches add up


class ScriptResult(NamedTuple):
    """Result of a script.

    Attributes:
        status: 0 if all went well; minus the number of a signal that ended the process.
        seconds: From beginning to end.
        cpu_seconds: Of a core.
        megabytes: The most memory that the process had meanwhile, with what was left of earlier scripts.
    """

    status: int
    seconds: float = float("nan")
    cpu_seconds: float = float("nan")
    megabytes: float = float("nan")


class WorkerPool:
    """Worker processes, started when they are needed, one for each script that runs at the same time.

    Args:
        environment: Variables for them, besides those of this process.
    """

    def __init__(self, environment: Mapping[str, str]):
        """None is started yet."""
        self._environment = dict(environment)
        self._idle: list[subprocess.Popen] = []
        self._lock = threading.Lock()

    def run(self, script: str) -> ScriptResult:
        """Run a script, and wait for its end, or that of its process."""
        process, answer = self._take(), ""
        with suppress(BrokenPipeError):  # ended since it was taken
            print(script, file=process.stdin, flush=True)
            answer = process.stdout.readline()
        outcome = ScriptResult(*json.loads(answer)) if answer else None
        if outcome and outcome.megabytes < MAX_MEGABYTES:
            with self._lock:
                self._idle.append(process)
        else:
            process.communicate()
        return outcome or ScriptResult(process.returncode)

    def end(self) -> None:
        """End the processes that are idle."""
        with self._lock:
            while self._idle:
                self._idle.pop().communicate()

    def _take(self) -> subprocess.Popen:
        with self._lock:
            while self._idle:
                process = self._idle.pop()  # the last one: its compiled programs are likely to be needed again
                if process.poll() is None:
                    return process
        command = [sys.executable, "-c", PROGRAM, str(SOURCE)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, env=os.environ | self._environment, **pipes)


def serve() -> None:
    """Run the scripts named on standard input, one a line; answer each with its outcome, a line of JSON."""
    job_exit.exit_with_parent()
    scripts, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)  # what jobs start must not read the names of others
    os.dup2(2, 1)
    gc.set_threshold(50_000, 20, 100)  # tracing makes many objects, and little garbage
    for script in scripts:
        print(json.dumps(_outcome(script.rstrip("\n"))), file=answers, flush=True)


def _outcome(script: str) -> ScriptResult:
    """Run a script, which may redirect its output, and return its result."""
    streams, path = [os.dup(1), os.dup(2)], list(sys.path)
    job_exit.reset_peak_memory()
    began, cpu_began = time.perf_counter(), time.process_time()
    status = _status(script)
    taken = time.perf_counter() - began, time.process_time() - cpu_began
    sys.path[:] = path
    for stream, own in enumerate(streams, start=1):
        os.dup2(own, stream)
        os.close(own)
    return ScriptResult(status, *taken, job_exit.peak_megabytes())


def _status(script: str) -> int:
    try:
        runpy.run_path(script, run_name="__main__")
        job_exit.log_peak_memory()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except Exception:
        sys.excepthook(*sys.exc_info())
        return 1
    finally:
        atexit.unregister(job_exit.log_peak_memory)  # the process goes on
        sys.stdout.flush()
        sys.stderr.flush()
    return 0
