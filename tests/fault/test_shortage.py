"""A worker that gets no more memory, or no more descriptors, than it has just now."""

import json
import threading

import pytest

from backends import end_backends
from direct import sender
from fastcgi_client import Worker
from harness import assert_problem, memory_kib, wait_for
from oracle import Oracle

LIMIT_S = 10  # a request's time, as shipped
LARGE = 16  # senders of bodies that a worker keeps in its memory: they are below large_body
ITEMS = 2000  # of each batch
MIB = 1 << 20


def accept(oracle, more):
    goal = oracle.count(202) + more
    wait_for(lambda: oracle.count(202) >= goal, "the load is accepted")


class Batches:
    """Senders of batches that take much memory, one after the other until it is left."""

    def __init__(self, worker, key, size):
        item = {"email": "a@example.com", "filler": (size // ITEMS - 80) * "x", "list": [[1], {}]}
        self.body = json.dumps(ITEMS * [item]).encode()
        self.send, self.answers = sender(worker, key, "/batch"), []
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(LARGE)]

    def run(self):
        while not self.ending.is_set():
            self.answers.append(self.send(None, self.body))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *unused):
        self.ending.set()
        for thread in self.threads:
            thread.join()

    def count(self, status):
        return sum(1 for each in list(self.answers) if each and each.status == status)


def size_of(stack):
    """The address space of a worker that has served a while, in bytes."""
    key = stack.new_key()
    with Worker(stack) as worker:
        with Oracle(stack, key, LIMIT_S, send=sender(worker, key)) as oracle:
            accept(oracle, 50)
        return memory_kib(worker.process.pid, "VmSize") << 10


@pytest.mark.parametrize("size", [200 << 10, 4 * MIB], ids=["in-the-worker", "in-its-children"])
def test_memory(module_stack, capsys, size):
    """What does not fit is told 503; what does fit is stored, and the worker goes on."""
    stack = module_stack
    key = stack.new_key()
    room = size_of(stack) + 2 * MIB
    with Worker(stack, before=["prlimit", f"--as={room}"]) as worker, \
            Oracle(stack, key, LIMIT_S, send=sender(worker, key)) as oracle:
        accept(oracle, 50)
        with Batches(worker, key, size) as batches:
            wait_for(lambda: batches.count(503), "one does not fit")
            accept(oracle, 50)
        accept(oracle, 50)
        assert worker.process.poll() is None
    oracle.report(capsys, f", batches {batches.count(202)} accepted, {batches.count(503)} refused")
    assert None not in batches.answers
    for answer in batches.answers:
        if answer.status != 202:
            assert_problem(answer, 503)
    oracle.check()


DESCRIPTORS = 32


def test_descriptors(module_stack, capsys):
    """More senders than descriptors, and again and again the connection to PostgreSQL is lost: its
    descriptor is not given to a sender for good."""
    stack = module_stack
    key = stack.new_key()
    with Worker(stack, descriptors=DESCRIPTORS) as worker, \
            Oracle(stack, key, LIMIT_S, 2 * DESCRIPTORS, send=sender(worker, key)) as oracle:
        for _ in range(5):
            accept(oracle, 2 * DESCRIPTORS)
            end_backends(stack)
        accept(oracle, 2 * DESCRIPTORS)
        assert worker.process.poll() is None
    oracle.report(capsys)
    oracle.check()
