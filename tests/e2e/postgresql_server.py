"""A stack's PostgreSQL server, for tests that stop it."""

import contextlib
import os
import pathlib
import signal
import subprocess

from harness import ENVIRONMENT

# The dynamic loader puts the machine's directory in the place of $LIB.
FAKETIME = "/usr/$LIB/faketime/libfaketime.so.1"


class Server:
    """Driven by pg_ctl as its owner."""

    def __init__(self, stack):
        self.stack = stack
        self.data = pathlib.Path(stack.psql("show data_directory")[0][0])
        version = int(stack.psql("show server_version_num")[0][0]) // 10000
        self.pg_ctl = f"/usr/lib/postgresql/{version}/bin/pg_ctl"

    def control(self, *arguments, environment=None):
        owner = os.stat(self.data).st_uid
        subprocess.run([self.pg_ctl, "-D", self.data, "-w", "-t", "60", *arguments],
                       user=owner if os.geteuid() == 0 else None, cwd="/", check=True,
                       env={**ENVIRONMENT, **(environment or {})},
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def stop(self, mode="fast"):
        self.control("stop", "-m", mode)

    def start(self, environment=None):
        """Beside the stack, so it is ended beside the stack, too."""
        if not self.stack.closers:
            self.stack.closers.append(self.end)
        self.control("start", "-l", self.stack.log_dir / "postgresql.log", environment=environment)

    def move_clock(self, moment):
        """Starts the server anew at "YYYY-MM-DD HH:MM:SS" UTC, from where its clock goes on."""
        self.stack.disconnect()
        self.stop()
        self.start({"LD_PRELOAD": FAKETIME, "FAKETIME": f"@{moment}", "TZ": "UTC",
                    "FAKETIME_DONT_FAKE_MONOTONIC": "1"})

    def end(self):
        with contextlib.suppress(subprocess.CalledProcessError):  # it is away already
            self.stop("immediate")

    def frozen(self):
        return frozen(self.data)


def processes_of(data):
    """The process of the server with this directory, and all its children."""
    postmaster = int((data / "postmaster.pid").read_text().split()[0])
    found = [postmaster]
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                stat = pathlib.Path("/proc", entry, "stat").read_text()
                if int(stat.rpartition(")")[2].split()[1]) == postmaster:
                    found.append(int(entry))
    return found


@contextlib.contextmanager
def frozen(data):
    """All of it stands still, as with a virtual machine that is being moved."""
    processes = processes_of(data)
    signal_all(processes, signal.SIGSTOP)
    try:
        yield
    finally:
        signal_all(processes, signal.SIGCONT)


def signal_all(pids, number):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
