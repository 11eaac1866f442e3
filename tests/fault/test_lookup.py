"""The database's host is a name, and whoever should look it up is silent: nobody waits for that."""

import concurrent.futures
import contextlib
import ctypes
import os
import pathlib
import socket
import threading
import time

import pytest

from direct import sender
from fastcgi_client import STDIN, Worker, begin, params, record, variables_of
from harness import PATIENCE, percentile, wait_for
from oracle import Oracle
from relay import Relay

QUICK = {"SLUICE_CONNECT_TIMEOUT": "1s", "SLUICE_DATABASE_TIMEOUT": "2s",
         "SLUICE_REQUEST_TIMEOUT": "4s"}
LIMIT_S = 4
SILENT_S = 6  # longer than a request may take
NAME = "db.sluice.test"
RESOLVER = "127.0.53.53"
FIRST, SECOND = "127.0.53.1", "127.0.53.2"
CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 4096, 16384, 1 << 18
TYPE_A = 1

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="another resolver takes root")


class Resolver:
    """A name server that knows one address, or is silent."""

    def __init__(self):
        self.address, self.silent, self.asked = FIRST, False, 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((RESOLVER, 53))
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", (RESOLVER, 53))
        self.thread.join()
        self.socket.close()

    def run(self):
        while True:
            question, asker = self.socket.recvfrom(512)
            if not question:
                return
            self.asked += 1
            if not self.silent:
                self.socket.sendto(self.answer(question), asker)

    def answer(self, question):
        """RFC 1035: one record for the name that was asked for, if it is asked for an A record."""
        end = question.index(0, 12) + 5
        of_type = int.from_bytes(question[end - 4:end - 2], "big")
        record_a = (b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04"
                    + socket.inet_aton(self.address)) if of_type == TYPE_A else b""
        counts = bytes([0, 1, 0, bool(record_a), 0, 0, 0, 0])
        return question[:2] + b"\x81\x80" + counts + question[12:end] + record_a

    @contextlib.contextmanager
    def silence(self):
        self.silent = True
        try:
            yield
        finally:
            self.silent = False


def call(function, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    assert getattr(libc, function)(*arguments) == 0, os.strerror(ctypes.get_errno())


def with_resolver(place, make):
    """What make() returns, which is run where /etc/resolv.conf names the resolver."""
    file, made = pathlib.Path(place, "resolv.conf"), []
    file.write_text(f"nameserver {RESOLVER}\n")

    def enter():  # this thread alone, and the processes that it starts
        call("unshare", CLONE_NEWNS)
        call("mount", b"none", b"/", None, MS_REC | MS_PRIVATE, None)
        call("mount", str(file).encode(), b"/etc/resolv.conf", None, MS_BIND, None)
        made.append(make())

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    return made[0]


def listen(address):
    return socket.create_server((address, 5432), backlog=64)


@pytest.fixture
def place(module_stack, tmp_path):
    """A worker that is given a name, the resolver that knows it, and where the name leads."""
    database = (f"host={NAME} port=5432 dbname=sluice user=sluice_intake"
                " sslmode=disable gssencmode=disable")
    with Resolver() as resolver, contextlib.ExitStack() as held:
        def start():
            return held.enter_context(with_resolver(tmp_path, lambda: Worker(
                module_stack, more={**QUICK, "SLUICE_DATABASE": database})))
        yield resolver, start


class Alive:
    """Asks whether the process turns, all the time; seconds has how long each answer took."""

    def __init__(self, worker):
        self.worker, self.seconds = worker, []
        self.stopping = threading.Event()

    def __enter__(self):
        executor = concurrent.futures.ThreadPoolExecutor(1)
        self.asking = executor.submit(self.run)
        executor.shutdown(wait=False)
        return self

    def __exit__(self, *unused):
        self.stopping.set()
        self.asking.result()  # fails as it did

    def run(self):
        while not self.stopping.wait(0.02):
            start = time.monotonic()
            with self.worker.talk() as talk:
                talk.write(begin() + params(variables_of("/sluice/health/live", None, method="GET"))
                           + record(STDIN))
                assert talk.status() == 200
            self.seconds.append(time.monotonic() - start)


def test_silent_from_the_start(module_stack, place):
    """The first thing that a worker does is to look the name up."""
    resolver, start = place
    stack, key = module_stack, module_stack.new_key()
    with Relay(stack, listen(FIRST)), resolver.silence():
        worker = start()
        with Alive(worker) as alive:
            wait_for(lambda: resolver.asked, "it asks")
            wait_for(lambda: "could not look up the database's host" in worker.log.read_text(),
                     "it has given up once")
            since = time.monotonic()
            answer = sender(worker, key)(0, b'{"email":"a@example.com"}')
            assert answer.status == 503 and dict(answer.headers).get("Retry-After")
            assert time.monotonic() - since < LIMIT_S / 10 * PATIENCE
        assert percentile(alive.seconds, 95) < LIMIT_S / 10 * PATIENCE
        resolver.silent = False
        wait_for(lambda: sender(worker, key)(0, b'{"email":"a@example.com"}').status == 202,
                 "it connects")


def test_silent_while_a_worker_reconnects(module_stack, place, capsys):
    """Its connection is lost meanwhile; the name leads to another address when the resolver is
    back, and that one is used."""
    resolver, start = place
    stack, key = module_stack, module_stack.new_key()
    with contextlib.ExitStack() as held:
        first = held.enter_context(contextlib.ExitStack())
        first.enter_context(Relay(stack, listen(FIRST)))
        held.enter_context(Relay(stack, listen(SECOND)))
        worker = start()
        alive = held.enter_context(Alive(worker))

        @contextlib.contextmanager
        def moved():
            with resolver.silence():
                first.close()  # and its connections
                yield
                resolver.address = SECOND

        with Oracle(stack, key, LIMIT_S, send=sender(worker, key)) as oracle:
            since, healed = oracle.endure(moved(), SILENT_S, accepted=50)
    again = min(each.start + each.seconds for each in oracle.attempts
                if each.start > healed and each.answer and each.answer.status == 202)
    refused_s = oracle.refused_in(since + 1, healed)
    oracle.report(capsys, f", refused in {refused_s * 1000:.0f} ms, alive in"
                          f" {percentile(alive.seconds, 99) * 1000:.0f} ms, healed in"
                          f" {again - healed:.2f} s")
    oracle.check()
    assert refused_s < LIMIT_S / 10 * PATIENCE
    assert percentile(alive.seconds, 95) < LIMIT_S / 10 * PATIENCE
