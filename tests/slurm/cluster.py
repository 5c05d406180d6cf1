"""A SLURM of one node on this machine's loopback: munge, slurmctld and slurmd as children of this process."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

CONFIGURATION = Path("/etc/slurm/slurm.conf")  # SLURM_CONF would not do: it does not reach the steps of a job
MARK = "# made by the tests of diffhep"
CPUS, MEMORY = 4, 16000  # what the node claims to have, so that the profile fits wherever the tests run

SETTINGS = """{mark}
ClusterName=diffhep
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmUser=root
AuthInfo=socket={folder}/munge.socket
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,bf_interval=5
SlurmdParameters=config_overrides
EnforcePartLimits=ALL
ReturnToService=2
KillWait=2
MinJobAge=3600
NodeName=localhost CPUs={cpus} RealMemory={memory}
PartitionName=tests Nodes=localhost Default=YES MaxTime=INFINITE
"""


def missing() -> str | None:
    """Why no cluster can be started here, or None."""
    programs = [name for name in ("munged", "slurmctld", "slurmd", "srun") if not shutil.which(name)]
    if programs:
        return f"{', '.join(programs)} not installed; `make test-slurm` installs SLURM as root on Debian or Ubuntu"
    if os.getuid() != 0:
        return "slurmd must be started by root"
    if CONFIGURATION.exists() and MARK not in CONFIGURATION.read_text():
        return f"{CONFIGURATION} belongs to another cluster"
    if CONFIGURATION.exists() and _answers("scontrol", "ping"):
        return "these tests are already running on this machine"
    return None


class Cluster:
    """The cluster, from entering its context to leaving it."""

    def __init__(self, folder: Path):
        """Keep everything in a folder that only root writes to."""
        self.folder = folder
        self._daemons: list[subprocess.Popen] = []

    def __enter__(self) -> "Cluster":
        self._configure()
        key, munge_socket = self.folder / "munge.key", self.folder / "munge.socket"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        files = (f"--key-file={key}", f"--socket={munge_socket}", f"--pid-file={self.folder}/munged.pid")
        logs = (f"--log-file={self.folder}/munged.log", f"--seed-file={self.folder}/munged.seed")
        try:
            self._start("munged", "--foreground", *files, *logs)
            self._wait("munged", munge_socket.exists)
            self._start("slurmctld", "-D")
            self._wait("slurmctld", lambda: _answers("scontrol", "ping"))
            self._start("slurmd", "-D", "-N", "localhost")
            self._wait("slurmd", lambda: _output("sinfo", "--noheader", "--format=%t").strip() == "idle")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        """Cancel jobs, whose processes would outlive slurmd, and stop the daemons."""
        if _answers("scontrol", "ping"):
            _output("scancel", "--user=root")
            self._wait("the end of cancelled jobs", lambda: not _output("squeue", "--noheader"))
        for daemon in reversed(self._daemons):
            daemon.terminate()
            daemon.wait(30)
        CONFIGURATION.unlink(missing_ok=True)

    def jobs(self) -> list[dict[str, str]]:
        """All jobs that were ever submitted, in their order, as `scontrol show jobs` describes them."""
        lines = _output("scontrol", "--oneliner", "show", "jobs").splitlines()
        jobs = [dict(word.split("=", 1) for word in line.split() if "=" in word) for line in lines if "JobId=" in line]
        return sorted(jobs, key=lambda job: int(job["JobId"]))

    def _configure(self) -> None:
        for part in ("state", "spool"):
            (self.folder / part).mkdir()
        settings = SETTINGS.format(mark=MARK, folder=self.folder, ports=_free_ports(2), cpus=CPUS, memory=MEMORY)
        CONFIGURATION.parent.mkdir(exist_ok=True)
        CONFIGURATION.write_text(settings)

    def _start(self, name: str, *arguments: str) -> None:
        with (self.folder / f"{name}.out").open("wb") as out:
            command = [shutil.which(name), *arguments]
            self._daemons.append(
                subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, preexec_fn=_die_with_parent)
            )

    def _wait(self, what: str, condition: Callable[[], bool], seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                printed = "\n".join(path.read_text()[-1000:] for path in sorted(self.folder.glob("*.out")))
                raise TimeoutError(f"waited in vain for {what}:\n{printed}")
            time.sleep(0.1)


def _die_with_parent() -> None:
    """In a child: ask the kernel to terminate it when the tests are killed."""
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)


def _free_ports(number: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=30).stdout


def _answers(*command: str) -> bool:
    return "UP" in _output(*command)
