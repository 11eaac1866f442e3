"""Nobody reads the log, or it cannot be written: no request waits for that."""

import contextlib
import fcntl
import os
import signal
import socket
import subprocess

import pytest

from fastcgi_client import Worker
from harness import ENVIRONMENT, LIMIT_S, SEED, path_of, wait_for

REQUESTS = 400  # more lines than a pipe or a socket holds
PIPE_BYTES = 4096


@pytest.fixture
def full_pipe(module_stack):
    reading, writing = os.pipe()
    if os.geteuid() == 0:  # who may open it, needs not change it for all
        os.fchown(writing, os.stat(module_stack.log_dir / "intake.log").st_uid, -1)
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    yield reading, writing
    os.close(reading)
    os.close(writing)


def test_pipe_that_nobody_reads(module_stack, full_pipe):
    stack, (reading, writing) = module_stack, full_pipe
    key = stack.new_key()
    with Worker(stack, log=writing) as worker:
        for _ in range(REQUESTS):
            assert worker.post(path_of(key), SEED) == 202
        assert os.get_blocking(writing), "what shares it may wait"
        text = b""
        os.set_blocking(reading, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                text += os.read(reading, 65536)
        assert text.count(b"\n") < REQUESTS
        assert worker.post(path_of(key), SEED) == 202
        wait_for(lambda: b"log lines were lost" in os.read(reading, 65536), "it says how many")
    assert stack.rows(key) == REQUESTS + 1


def test_full_disk_under_the_log(module_stack):
    stack = module_stack
    key = stack.new_key()
    with open("/dev/full", "wb") as full, Worker(stack, log=full) as worker:
        for _ in range(20):
            assert worker.post(path_of(key), SEED) == 202


def test_closed_standard_streams(module_stack):
    """Without a standard error stream no other descriptor is taken for it."""
    stack = module_stack
    key = stack.new_key()
    with Worker(stack, before=["sh", "-c", 'exec "$@" >&- 2>&-', "sh"]) as worker:
        for _ in range(20):
            assert worker.post(path_of(key), SEED) == 202
        for number in (1, 2):
            assert os.readlink(f"/proc/{worker.process.pid}/fd/{number}") == "/dev/null"


def test_log_that_was_moved_away(module_stack):
    """As logrotate does it, with SIGHUP."""
    stack = module_stack
    key = stack.new_key()
    with Worker(stack) as worker:
        os.chmod(worker.dir.name, 0o777)
        assert worker.post(path_of(key), SEED) == 202
        moved = worker.log.with_name("log.1")
        worker.log.rename(moved)
        worker.process.send_signal(signal.SIGHUP)
        wait_for(worker.log.exists, "there is a new one")
        assert worker.post(path_of(key), SEED) == 202
        wait_for(lambda: "event=request" in worker.log.read_text(), "it has the next request")
        assert moved.read_text().count("event=request") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="it takes root")
def test_root_is_refused(module_stack):
    stack = module_stack
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(stack.dir / "root.sock"))
        listening.listen(1)
        done = subprocess.run(stack.worker_arguments(), stdin=listening, capture_output=True,
                              check=False, env=ENVIRONMENT, timeout=LIMIT_S)
    assert done.returncode == 1
    assert b"should not run as root" in done.stderr
