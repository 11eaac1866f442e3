"""Bulk imports stream: one transaction, memory bounded by a constant, nothing of an abort."""

import concurrent.futures
import json
import os
import signal
import socket
import threading

import pytest

from harness import (JSON, NDJSON, SEED, VARIANT, accepted_id, bulk_path, memory_kib, path_of,
                     send, state_of, wait_for)

ITEMS = 100_000
MEMORY_KIB = 32 << 10


def item(number, filler=0):
    return b'{"email":"bulk-%d@example.com","number":%d,"filler":"%s"}' % (
        number, number, b"f" * filler)


def pieces(count, filler, lines, step=1000):
    """The body in pieces, so that the test does not hold it either."""
    separator = b"\n" if lines else b","
    for start in range(0, count, step):
        text = separator.join(item(n, filler) for n in range(start, min(start + step, count)))
        before = b"" if start else (b"" if lines else b"[")
        after = separator if start + step < count else (b"\n" if lines else b"]")
        yield before + text + after


class MemoryWatch:
    """The highest peak of the stack's intake processes while it is open, in KiB."""

    def __init__(self, stack):
        self.stack, self.peak, self.children = stack, 0, 0
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        while not self.done.wait(0.02):
            processes = self.stack.intake_processes()
            self.children = max(self.children, sum(p in processes for p in processes.values()))
            self.peak = max([self.peak, *(memory_kib(pid, "VmHWM") for pid in processes)])

    def __enter__(self):
        wait_for(lambda: not self.stack.children(), "earlier children have ended")
        for pid in self.stack.workers():  # forget earlier peaks
            with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
                file.write("5")
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.done.set()
        self.thread.join()


@pytest.mark.each_front
@pytest.mark.parametrize("lines, filler, chunked", [
    (True, 600, False), (False, 0, False), (False, 300, True),
], ids=["lines-60MB", "array", "array-chunked-35MB"])
def test_bulk_is_streamed(stack, key, lines, filler, chunked):
    accepted_id(send(stack, path_of(key)))  # the worker has served before: that is its idle size
    idle = max((memory_kib(pid, "VmRSS") for pid in stack.workers()), default=0)
    body = pieces(ITEMS, filler, lines)
    with MemoryWatch(stack) as memory:
        answer = send(stack, bulk_path(key), body if chunked else b"".join(body),
                      NDJSON if lines else JSON, timeout=120)
    assert answer.status == 202, answer.body
    assert (answer.json["accepted"], answer.json["rejected"], answer.json["results"]) == \
        (ITEMS, 0, [])
    assert stack.psql(
        "select count(*), count(distinct payload->>'number'), count(distinct id),"
        " min((payload->>'number')::int), max((payload->>'number')::int),"
        " count(distinct stored_xact)"
        " from sluice.signal_staging where key_id = %s and payload ? 'number'", key["id"]) == \
        [(ITEMS, ITEMS, ITEMS, 0, ITEMS - 1, 1)]
    if VARIANT == "release":  # the leak check of a process that ends looks like a child of it
        served_by = 0 if stack.front.startswith("cgi") else 1
        assert memory.children == served_by, "a child process served it, where there is a worker"
        assert memory.peak <= idle + MEMORY_KIB, (memory.peak, idle)


@pytest.mark.loop
def test_bulk_does_not_delay_others(stack, key, keys):
    """It stands still in the middle, and the others are served."""
    body = b"".join(pieces(ITEMS, 300, True))
    wait_for(lambda: not stack.children(), "earlier children have ended")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        bulk = pool.submit(send, stack, bulk_path(key), body, NDJSON, timeout=300)
        child, = wait_for(stack.children, "a child reads the upload", step=0.002)
        os.kill(child, signal.SIGSTOP)
        try:
            wait_for(lambda: state_of(child) == "T", "the child stands still")
            for _ in range(50):
                accepted_id(send(stack, path_of(keys["plain"])))
            assert not bulk.done()
        finally:
            os.kill(child, signal.SIGCONT)
        answer = bulk.result()
    assert answer.status == 202 and answer.json["accepted"] == ITEMS


@pytest.mark.each_front
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_aborted_upload_stores_nothing(stack, key, keys, chunked):
    """Also when what arrived is whole items."""
    accepted_id(send(stack, path_of(keys["plain"])))
    text = b"".join(pieces(20_000, 0, True))
    length = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: 50000000"
    with socket.create_connection(("127.0.0.1", stack.port), 30) as sock:
        sock.sendall(b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson"
                     b"\r\n%s\r\n\r\n" % (bulk_path(key).encode(), length))
        for start in range(0, len(text), 65536):
            piece = text[start:start + 65536]
            sock.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
        if stack.streams:  # the others pass a body on when they have all of it
            wait_for(stack.children, "a child reads the upload")
    wait_for(lambda: not stack.children(), "the child gives the aborted upload up")
    assert stack.rows(key) == 0
    accepted_id(send(stack, path_of(keys["plain"])))


def test_limits_of_bulk(narrow_stack):
    stack = narrow_stack
    key = stack.new_key()
    for extra, status in ((-1, 202), (0, 202), (1, 413)):
        answer = send(stack, bulk_path(key), b"\n".join([b'{"email":"a@b.c"}'] * (1000 + extra)),
                      NDJSON)
        assert answer.status == status, answer.body
    assert stack.rows(key) == 1999
    frame = b'{"email":"a@b.c","filler":""}'
    for extra, status in ((-1, 202), (0, 202), (1, 413)):
        size = (100 << 10) + extra - len(frame)
        answer = send(stack, bulk_path(key), frame[:-2] + b"x" * size + frame[-2:], NDJSON)
        assert answer.status == status, answer.body
    assert stack.rows(key) == 2001


def test_bulk_keeps_payload_and_source(stack, key):
    headers = {**NDJSON, "X-Source": "import", "X-Request-Id": "bulk-1"}
    body = SEED + b"\n" + rb'{"anonymousId":"cold-in-bulk","s":"\u0000"}'
    answer = send(stack, bulk_path(key), body, headers)
    assert answer.status == 202 and answer.json["accepted"] == 2
    assert stack.psql("select source, request_id, payload from sluice.signal_staging"
                      " where key_id = %s", key["id"]) == [("import", "bulk-1", json.loads(SEED))]
    assert stack.psql("select payload_repaired from sluice.signal_cold_storage where key_id = %s",
                      key["id"]) == [(True,)]
