"""What the worker makes of the FastCGI protocol itself, without a web server in between."""

import contextlib
import os
import pathlib
import socket
import stat
import threading
import time

import pytest

from fastcgi_client import (BEGIN, GET_VALUES, KEEP_CONNECTION, STDIN, Worker, begin, params,
                            record, variables_of)
from harness import SEED, bulk_path, path_of, wait_for

pytestmark = pytest.mark.first_front

DESCRIPTORS = 16  # of a worker that has few


@pytest.fixture(scope="module")
def worker(stack):
    with Worker(stack) as made:
        yield made


def test_whole_request(stack, worker, key):
    assert worker.post(path_of(key), SEED) == 202
    assert stack.rows(key) == 1


def test_answer_has_phrase_and_no_length(worker, key):
    """The web server counts: a wrong Content-Length would desynchronise a proxy."""
    with worker.talk() as talk:
        talk.write(begin() + params(variables_of(path_of(key), len(SEED))) + record(STDIN, SEED)
                   + record(STDIN))
        output, ended = talk.read()
    head = output.split(b"\r\n\r\n")[0].lower()
    assert ended and head.startswith(b"status: 202 accepted\r\n")
    assert b"content-length" not in head
    assert b"x-request-id: " in head


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 64])
def test_records_in_pieces(stack, worker, key, size):
    whole = begin() + params(variables_of(path_of(key), len(SEED)))
    whole += b"".join(record(STDIN, SEED[n:n + 50]) for n in range(0, len(SEED), 50))
    whole += record(STDIN)
    with worker.talk() as talk:
        talk.write(*(whole[n:n + size] for n in range(0, len(whole), size)))
        assert talk.status() == 202
    assert stack.rows(key) == 1


@pytest.mark.parametrize("cut", ["after-params", "in-header", "after-header", "in-content",
                                 "between-records", "before-end", "in-end"])
def test_pause_within_the_body(stack, worker, key, cut):
    """A web server under load stops anywhere: this is a wait, not the end of the body."""
    head = begin() + params(variables_of(path_of(key), len(SEED)))
    first, second = record(STDIN, SEED[:50]), record(STDIN, SEED[50:])
    end = record(STDIN)
    at = len(head) + {"after-params": 0, "in-header": 3, "after-header": 8, "in-content": 30,
                      "between-records": len(first), "before-end": len(first + second),
                      "in-end": len(first + second) + 5}[cut]
    whole = head + first + second + end
    with worker.talk() as talk:
        talk.write(whole[:at])
        wait_for(talk.all_read, "the worker has read what there is")
        others = [worker.post(path_of(key), SEED) for _ in range(3)]
        talk.write(whole[at:])
        assert talk.status() == 202
    assert others == [202] * 3
    assert stack.rows(key) == 4


@pytest.mark.parametrize("announced, status", [
    (None, 202), ("", 202), ("7", 400), ("not a number", 202), ("-1", 202),
    ("99999999999999999999999", 202)])
def test_announced_length_is_not_trusted(stack, worker, key, announced, status):
    """Without a length, or with nonsense, the body is what came; a mismatch is no good body."""
    length = [("CONTENT_LENGTH", announced)] if announced is not None else []
    with worker.talk() as talk:
        talk.write(begin() + params(variables_of(path_of(key), None, *length))
                   + record(STDIN, SEED) + record(STDIN))
        assert talk.status() == status
    assert stack.rows(key) == (status == 202)


@pytest.mark.parametrize("end", ["", "/batch", "bulk"])
def test_premature_end_of_the_body(stack, worker, key, end):
    """An empty stdin record before CONTENT_LENGTH was reached looks like a complete body."""
    path = bulk_path(key) if end == "bulk" else path_of(key, end=end)
    body = b"[" + SEED + b"]"
    with worker.talk() as talk:
        talk.write(begin() + params(variables_of(path, len(body) + 1)) + record(STDIN, body)
                   + record(STDIN))
        assert talk.status() == 400
    assert stack.rows(key) == 0


@pytest.mark.parametrize("half_close", [False, True], ids=["close", "half-close"])
def test_connection_closed_in_the_middle(stack, key, half_close):
    """At every byte; a worker of its own, because a worker that hangs would spoil the others."""
    head = begin() + params(variables_of(path_of(key), len(SEED)))
    whole = head + record(STDIN, SEED)
    with Worker(stack) as worker:
        for cut in range(len(whole)):
            with worker.talk() as talk:
                talk.write(whole[:cut])
                if half_close:
                    talk.socket.shutdown(socket.SHUT_WR)
                    assert talk.status() == (0 if cut < len(head) else 400), f"{cut} bytes"
            if cut % 8 == 0:
                assert worker.post("/health", b"") == 405, f"it hangs after {cut} bytes"
        assert worker.post(path_of(key), SEED) == 202
    assert stack.rows(key) == 1, "none of the cut ones was stored"


@pytest.mark.parametrize("case, status", [("method", 405), ("path", 404), ("key", 401),
                                          ("large", 413), ("type", 415), ("good", 400)])
def test_forged_records_in_a_body_are_not_run(stack, worker, key, case, status):
    """With a kept-alive connection an unread body would be parsed as the next request."""
    forged = begin() + params(variables_of(path_of(key, "forged"), len(SEED),
                                           ("REMOTE_USER", "admin"))) \
        + record(STDIN, SEED) + record(STDIN)
    body = forged * (3000 if case == "large" else 1)
    path = {"path": "/api/signal-staging/nothing", "key": path_of({"key": "sk_no"})}.get(
        case, path_of(key))
    variables = variables_of(path, len(body), method="GET" if case == "method" else "POST")
    if case == "type":
        variables = list({**dict(variables), "CONTENT_TYPE": "image/png"}.items())
    with worker.talk() as talk:
        talk.socket.settimeout(20)
        try:
            talk.write(begin(KEEP_CONNECTION) + params(variables),
                       *(record(STDIN, body[n:n + 60000]) for n in range(0, len(body), 60000)),
                       record(STDIN))
        except (BrokenPipeError, ConnectionResetError):
            assert case == "large"
        output, _ = talk.read()
    assert output.startswith(b"Status: %d " % status) and output.count(b"Status: ") == 1
    assert stack.rows(key) == 0


def test_garbage_does_not_kill_the_worker(worker, key):
    for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 64, b"\xff" * 64, os.urandom(4096),
                    record(99, b"x" * 100), record(BEGIN, b"\x00\x02" + bytes(6)),
                    begin() + record(4, b"\xff\xff\xff\xff\xff\xff\xff\xff") + record(4)):
        with worker.talk() as talk, contextlib.suppress(BrokenPipeError, ConnectionResetError):
            talk.write(garbage)
    assert worker.post(path_of(key), SEED) == 202
    assert worker.process.poll() is None


def test_silent_connections_delay_nobody(stack, worker, key):
    """Connections that say nothing, or stop in their headers, wait by themselves."""
    whole = begin() + params(variables_of(path_of(key), len(SEED)))
    talks = [worker.talk() for _ in range(8)]
    for number, talk in enumerate(talks):
        talk.write(whole[:number * 9])
    statuses = []
    threads = [threading.Thread(target=lambda: statuses.append(worker.post(path_of(key), SEED)))
               for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for talk in talks:
        talk.socket.close()
    assert statuses == [202] * 8
    assert stack.rows(key) == 8


def test_repeated_secret_variable(stack, worker, keys):
    key = keys["secret"]
    secret = ("HTTP_X_API_SECRET", key["secret"])
    assert worker.post(path_of(key), SEED, secret) == 202
    for pair in ((secret, secret), (secret, ("HTTP_X_API_SECRET", "x")),
                 (("HTTP_X_API_SECRET", "x"), secret)):
        assert worker.post(path_of(key), SEED, *pair) == 400


def test_no_descriptor_is_lost(worker, key):
    """After any number of requests, good or broken, the worker holds what it held before."""
    def descriptors():
        return len(os.listdir(pathlib.Path("/proc", str(worker.process.pid), "fd")))

    worker.post(path_of(key), SEED)
    before = wait_for(descriptors, "descriptors are listed")
    for number in range(100):
        worker.post(path_of(key), SEED if number % 2 else b"{")
        with worker.talk() as talk:
            talk.write(begin())
    wait_for(lambda: descriptors() <= before, "the descriptors are released")


def test_only_the_web_server_can_connect(stack):
    """Whoever can is believed: variables say who the caller is."""
    path = pathlib.Path(stack.env["WORKERS_CONFIG"]).parents[1] / "fcgi" / "intake.sock"
    mode = path.stat().st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o660


def test_repeated_names_of_values(worker, key):
    """In one FCGI_GET_VALUES record they overran a buffer of libfcgi's."""
    for names in (["FCGI_MAX_CONNS"], ["FCGI_MPXS_CONNS"] * 3000, ["FCGI_MAX_REQS", ""] * 1500):
        with worker.talk() as talk, contextlib.suppress(BrokenPipeError, ConnectionResetError):
            content = b"".join(bytes([len(name), 0]) + name.encode() for name in names)
            talk.write(record(GET_VALUES, content, 0), record(GET_VALUES, request=0))
    assert worker.post(path_of(key), SEED) == 202


def test_without_descriptors_others_wait(stack, key):
    """A worker that may open no more goes on with what it has, at ease, and then with the rest."""
    with Worker(stack, descriptors=DESCRIPTORS) as worker:
        assert worker.post(path_of(key), SEED) == 202  # it is connected to the database
        pid = worker.process.pid
        whole = begin() + params(variables_of(path_of(key), len(SEED)))
        talks = [worker.talk() for _ in range(2 * DESCRIPTORS)]
        for talk in talks:
            talk.write(whole)
        wait_for(lambda: len(os.listdir(f"/proc/{pid}/fd")) == DESCRIPTORS, "it has no more")
        before, start = processor_seconds(pid), time.monotonic()
        wait_for(lambda: time.monotonic() > start + 1, "a second passes")
        assert processor_seconds(pid) - before < 0.5, "it does not try all the time"
        for talk in talks:
            talk.write(record(STDIN, SEED) + record(STDIN))
        assert [talk.status() for talk in talks] == [202] * len(talks)
        for talk in talks:
            talk.socket.close()
        assert worker.process.poll() is None
    assert stack.rows(key) == 1 + len(talks)


def processor_seconds(pid):
    fields = pathlib.Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
