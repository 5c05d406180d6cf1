"""Pinned processes hold cores of their own within the mask they started with, or go on unpinned."""

import os
import random
import subprocess
import sys
import tempfile

import pytest

from diffhep.pipeline import cpu_affinity


class Machine:
    """Cores as the module sees them; `start` makes the next call stand for a new process."""

    def __init__(self, monkeypatch):
        self.patch = monkeypatch
        self.processes: list[list[int]] = []
        self.mask: set[int] = set()
        monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(self.mask), raising=False)
        monkeypatch.setattr(os, "sched_setaffinity", lambda pid, mask: setattr(self, "mask", set(mask)), raising=False)

    def start(self, mask: set[int]) -> None:
        self.mask = set(mask)
        self.processes.append([])
        self.patch.setattr(cpu_affinity, "_held", self.processes[-1])

    def end(self, process: int) -> None:
        while self.processes[process]:
            os.close(self.processes[process].pop())


@pytest.fixture
def machine(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    machine = Machine(monkeypatch)
    yield machine
    for process in range(len(machine.processes)):
        machine.end(process)


def test_processes_get_cores_of_their_own_until_one_ends(machine):
    for threads, mine in ((1, {0}), (2, {1, 2}), (1, {3})):
        machine.start({0, 1, 2, 3})
        assert cpu_affinity.pin_to_cores(threads) == mine == machine.mask
    machine.end(1)
    machine.start({0, 1, 2, 3})
    assert cpu_affinity.pin_to_cores(1) == {1}


def test_sixteen_jobs_on_sixteen_cores_share_none(machine):
    masks = []
    for _ in range(16):
        machine.start(set(range(16)))
        masks.append(cpu_affinity.pin_to_cores(1))
    assert sorted(masks, key=min) == [{core} for core in range(16)]


def test_sixteen_jobs_on_two_cores_have_one_each_and_crowd_on_neither(machine):
    random.seed(0)
    masks = []
    for _ in range(16):
        machine.start({0, 1})
        masks.append(cpu_affinity.pin_to_cores(1))
    assert masks[:2] == [{0}, {1}] and 4 <= masks.count({0}) <= 12 and masks.count({0}) + masks.count({1}) == 16


def test_mask_of_the_batch_system_is_never_left(machine):
    for expected in ({4}, {6}):
        machine.start({4, 6, 9})
        assert cpu_affinity.pin_to_cores(1) == expected == machine.mask
    machine.start({4, 6, 9})
    assert cpu_affinity.pin_to_cores(3) == {4, 6, 9} == machine.mask


def test_too_few_free_cores_are_shared_and_not_held(machine):
    for mask in ({0, 1}, {1, 2}):
        machine.start(mask)
        cpu_affinity.pin_to_cores(1)
    machine.start({0, 1, 2, 3})
    assert len(cpu_affinity.pin_to_cores(3)) == 3 == len(machine.mask)
    machine.start({0, 1, 2, 3})
    assert cpu_affinity.pin_to_cores(2) == {2, 3} == machine.mask
    machine.start({0, 1, 2, 3})
    assert len(cpu_affinity.pin_to_cores(1)) == 1 == len(machine.mask)


def test_folder_that_cannot_be_used_still_limits_the_number(machine, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    machine.start({0, 1})
    assert len(cpu_affinity.pin_to_cores(1)) == 1 == len(machine.mask)


def test_platform_without_affinity_changes_nothing(monkeypatch):
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    assert cpu_affinity.pin_to_cores(1) == set()


def test_no_threads_are_refused():
    with pytest.raises(ValueError, match="threads is 0"):
        cpu_affinity.pin_to_cores(0)


def test_real_processes_do_not_share_a_core(tmp_path):
    program = (
        "from diffhep.pipeline import cpu_affinity; cpu_affinity.pin_to_cores(1); import os;"
        "print(*os.sched_getaffinity(0)); input()"
    )
    environment = os.environ | {"TMPDIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment}
    running = [subprocess.Popen([sys.executable, "-uc", program], **pipes) for _ in range(2)]
    masks = [set(map(int, process.stdout.readline().split())) for process in running]
    for process in running:
        process.communicate("\n")
    allowed = os.sched_getaffinity(0)
    assert all(mask <= allowed for mask in masks)
    assert len(allowed) == 1 or (masks[0].isdisjoint(masks[1]) and len(masks[0] | masks[1]) == 2)
