"""What a worker tells systemd, and how it takes what systemd and operators send it."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess

import pytest

from fastcgi_client import Worker
from harness import ENVIRONMENT, LIMIT_S, SEED, path_of

pytestmark = pytest.mark.first_front

PROGRAMS = ["intake", "settings"]
WATCHDOG_US = 400_000


class Manager:
    """The socket to which a service tells how it is."""

    def __init__(self, folder):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.path = pathlib.Path(folder) / "notify"
        self.socket.bind(str(self.path))
        os.chmod(self.path, 0o777)
        self.socket.settimeout(LIMIT_S)
        self.environment = {"NOTIFY_SOCKET": str(self.path), "WATCHDOG_USEC": str(WATCHDOG_US)}

    def next(self):
        """The next datagram, {variable: value}."""
        return dict(line.split("=", 1) for line in
                    self.socket.recv(4096).decode().splitlines())

    def falls_silent(self):
        """Once what was on its way has come."""
        try:
            return self.next() == {"WATCHDOG": "1"} and self.falls_silent()
        except TimeoutError:
            return True

    def until(self, variable):
        """The next one that has this, and how many signs of life came before it."""
        alive = 0
        while variable not in (told := self.next()):
            assert told == {"WATCHDOG": "1"}
            alive += 1
        return told, alive


@pytest.fixture
def manager(stack):
    path = stack.dir / "manager"
    path.mkdir(exist_ok=True)
    path.chmod(0o755)
    made = Manager(path)
    with contextlib.closing(made.socket):
        yield made
    made.path.unlink()


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_systemd_is_told(stack, manager, program):
    """Also a worker that has nothing to do lives."""
    with Worker(stack, program=program, more=manager.environment) as worker:
        assert manager.until("READY") == ({"READY": "1"}, 0)
        for _ in range(5):
            assert manager.next() == {"WATCHDOG": "1"}
        worker.process.send_signal(signal.SIGHUP)
        told, _ = manager.until("RELOADING")
        assert told["RELOADING"] == "1" and int(told["MONOTONIC_USEC"]) > 0
        assert manager.until("READY") == ({"READY": "1"}, 0)
        worker.process.send_signal(signal.SIGTERM)
        assert manager.until("STOPPING")[0] == {"STOPPING": "1"}
        assert worker.process.wait(LIMIT_S) == 0


def test_watchdog_notices_a_worker_that_stands_still(stack, manager):
    with Worker(stack, more=manager.environment) as worker:
        manager.until("READY")
        assert manager.next() == {"WATCHDOG": "1"}
        worker.process.send_signal(signal.SIGSTOP)
        manager.socket.settimeout(3 * WATCHDOG_US / 1e6)
        assert manager.falls_silent()
        worker.process.send_signal(signal.SIGCONT)
        manager.socket.settimeout(LIMIT_S)
        assert manager.next() == {"WATCHDOG": "1"}


@pytest.mark.parametrize("program", PROGRAMS)
def test_user_signal_is_ignored(stack, key, program):
    """SIGUSR2, which some send to have a log opened again."""
    with Worker(stack, program=program) as worker:
        status = worker.post(path_of(key), SEED)
        for _ in range(3):
            worker.process.send_signal(signal.SIGUSR2)
            assert worker.post(path_of(key), SEED) == status
        assert worker.process.poll() is None


@pytest.mark.skipif(os.geteuid() != 0, reason="it takes root")
@pytest.mark.parametrize("program", PROGRAMS)
def test_root_is_refused_unless_allowed(stack, manager, program):
    def start(*options):
        return subprocess.Popen([*stack.worker_arguments(program), *options], stdin=listening,
                                stderr=subprocess.PIPE, cwd="/", env=environment)
    path = stack.dir / "manager" / f"{program}.sock"
    environment = {**ENVIRONMENT, **manager.environment, "SLUICE_METRICS_FILE": ""}
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen(1)
        with start() as refused:
            assert b"should not run as root" in refused.communicate(timeout=LIMIT_S)[1]
        assert refused.returncode == 1
        with start("--allow-root") as allowed:
            manager.until("READY")
            allowed.send_signal(signal.SIGTERM)
            assert b"root" not in allowed.communicate(timeout=LIMIT_S)[1]
        assert allowed.returncode == 0
    path.unlink()
