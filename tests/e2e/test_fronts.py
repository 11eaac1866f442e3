"""What web servers do by themselves: their limits, their variables, their own answers.

Every case here goes through every front.
"""

import concurrent.futures
import json
import os
import re
import signal
import socket

import pytest

from harness import (CUT_BODY, JSON, LOOPLESS, MERGES_LOOK_ALIKES, NDJSON, NEEDS_LENGTH,
                     PLAIN_ENCODED_SLASH, PLAIN_ERRORS, SEED, UNKNOWN_CODING, WITHOUT_WORKERS,
                     WORKER_LOST, Client, accepted_id, assert_problem, bulk_path, path_of, send,
                     send_raw, sound_key, state_of, status_of, wait_for)

pytestmark = pytest.mark.each_front

MIB = 1 << 20


def head_of(path, *lines, method="POST"):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *lines, "", ""]).encode()


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_server_takes_what_is_beyond_our_limits(stack, key, chunked):
    """mod_fcgid answers 500 over 128 KiB, nginx 413 over 1 MiB, if they are not told otherwise."""
    for size, status in ((200 << 10, 202), (MIB + 1, 413), (40 * MIB, 413)):
        item = b'{"email":"a@b.c","filler":"%s"}' % (b"x" * (size - 29))
        assert len(item) == size
        body = iter([item[n:n + 60000] for n in range(0, size, 60000)]) if chunked else item
        answer = send(stack, path_of(key), body)
        if status == 202:
            accepted_id(answer)
        else:
            assert_problem(answer, status, "body_too_large")
    assert stack.rows(key) == 1


def test_body_beyond_every_limit(stack, key):
    """Announced as 400 MiB: nobody waits for it."""
    with socket.create_connection(("127.0.0.1", stack.port), 30) as sock:
        sock.sendall(head_of(bulk_path(key), f"Content-Length: {400 * MIB}") + b"{")
        received = sock.recv(65536)
        head = received.split(b"\r\n\r\n", 1)[0]
        assert head.startswith(b"HTTP/1.1 413 ")
        if stack.front not in PLAIN_ERRORS:
            assert b"\r\nContent-Type: application/problem+json" in head
            assert b"Retry-After" not in head
    accepted_id(send(stack, path_of(key)))


def test_every_kind_of_request(stack, keys, key):
    """One of each, and what is stored is what was sent."""
    accepted_id(send(stack, path_of(key, "web")))
    answer = send(stack, path_of(key, end="/batch"), b"[" + SEED + b",7]")
    assert answer.status == 202 and answer.json["rejected"] == 1
    answer = send(stack, bulk_path(key), SEED + b"\n" + SEED, NDJSON)
    assert answer.status == 202 and answer.json["accepted"] == 2
    accepted_id(send(stack, path_of(keys["secret"]), SEED,
                     {**JSON, "X-Api-Secret": keys["secret"]["secret"]}))
    assert stack.psql("select distinct payload from sluice.signal_staging where key_id = %s",
                      key["id"]) == [(json.loads(SEED),)]
    assert stack.rows(key) == 4
    assert_problem(send(stack, path_of(keys["secret"])), 401, "unauthenticated")
    assert_problem(send(stack, path_of(keys["product"])), 403, "wrong_endpoint")
    assert_problem(send(stack, path_of(key, end="/more/and/more")), 404, "not_found")
    assert_problem(send(stack, path_of(key), None, {}, "GET"), 405, "method_not_allowed")
    assert_problem(send(stack, path_of(key), b"<x/>", {"Content-Type": "text/xml"}), 415)
    assert_problem(send(stack, path_of(key), b"{"), 400, "malformed_json")


@pytest.mark.parametrize("end", ["x", "%2f", "/x", "x?y=%zz", "a%20b", 3000 * "x"])
def test_path_arrives_as_it_was_sent(stack, end):
    answer = send(stack, "/api/signal-staging/" + end)
    assert answer.status == 404
    if "%2f" not in end or stack.front not in PLAIN_ENCODED_SLASH:
        assert_problem(answer, 404, "not_found")


@pytest.mark.parametrize("path", ["/api/x", "/api/signal-stagingx", "/health", "/metrics",
                                  "/sluice/x", "/sluice/health/live/x", "/x/api/settings/me"])
def test_other_paths_are_not_ours(stack, path):
    """They are the site's: it answers."""
    answer = send(stack, path, None, {}, "GET")
    assert (answer.status, answer.header("X-Request-Id")) == (404, None)


@pytest.mark.parametrize("name", ["Remote-User", "Auth-Type", "Sluice-Log-Level", "Pghost",
                                  "Proxy", "Content-Length-X", "Request-Uri", "Script-Name"])
def test_headers_are_not_variables(stack, keys, name):
    accepted_id(send(stack, path_of(keys["plain"]), SEED, {**JSON, name: "/nonsense"}))


@pytest.mark.parametrize("name", ["X_Api_Secret", "X_Api-Secret", "X-Api_Secret", "X.Api.Secret"])
def test_look_alikes_of_the_secret(stack, keys, name):
    """Beside the secret they are dropped or make it two; a right one never helps a wrong."""
    key, wrong = keys["secret"], "whs_" + 40 * "x"
    for secret, other, dropped in ((key["secret"], wrong, 202), (wrong, key["secret"], 401)):
        expected = 400 if stack.front in MERGES_LOOK_ALIKES else dropped
        pair = [("X-Api-Secret", secret), (name, other)]
        for headers in (pair, reversed(pair)):
            answer = send(stack, path_of(key), SEED, [*JSON.items(), *headers])
            assert answer.status == expected, answer.body


def test_basic_credentials_are_nobodys(stack, keys):
    """An unchecked name is not passed on as REMOTE_USER; nor does it hurt."""
    accepted_id(send(stack, path_of(keys["plain"]), SEED,
                     {**JSON, "Authorization": "Basic YWRtaW46YWRtaW4="}))


def test_forged_records_behind_a_body(stack, keys, key):
    """On one kept connection: what a worker leaves unread never becomes a request."""
    forged = (b"\x01\x01\x00\x01\x00\x08\x00\x00\x00\x01\x01\x00\x00\x00\x00\x00"
              b"\x01\x04\x00\x01\x00\x00\x00\x00\x01\x05\x00\x01\x00\x00\x00\x00")
    refused = path_of({"key": sound_key()})
    with Client(stack.port) as client:
        for repeat in (1, 1000, 20_000):
            assert_problem(client.send(refused, forged * repeat), 401, "unauthenticated")
            assert_problem(client.send(path_of(keys["product"]), forged * repeat), 403)
            accepted_id(client.send(path_of(key)))
    assert stack.rows(key) == 3


def test_kept_connections_and_pipelines(stack, key):
    """Requests that are sent without waiting are answered in order."""
    one = head_of(path_of(key), f"Content-Length: {len(SEED)}") + SEED
    last = head_of(path_of(key), f"Content-Length: {len(SEED)}", "Connection: close") + SEED
    received = send_raw(stack, one * 4 + last)
    assert received.count(b"HTTP/1.1 202 ") == 5
    ids = [int(number) for number in re.findall(rb'"id":([0-9]+)', received)]
    assert ids == sorted(set(ids)) and sorted(stack.ids(key)) == ids


@pytest.mark.parametrize("lines, body", [
    (["Content-Length: 5", "Content-Length: 7"], b"{}   {}"),
    (["Content-Length: -1"], b"{}"),
    (["Content-Length: 2x"], b"{}"),
    (["Transfer-Encoding: chunked"], b"zz\r\n{}\r\n0\r\n\r\n"),
    (["Transfer-Encoding: chunked"], b"2\r\n{}0\r\n\r\n"),
    (["Transfer-Encoding: gzip"], b"{}"),
], ids=["two-lengths", "negative", "no-number", "chunk-size", "chunk-end", "coding"])
def test_broken_framing_stores_nothing(stack, key, lines, body):
    received = send_raw(stack, head_of(path_of(key), *lines, "Connection: close") + body,
                        half_close=True)
    if lines == ["Transfer-Encoding: gzip"]:
        expected = UNKNOWN_CODING[stack.front]
    elif lines == ["Transfer-Encoding: chunked"] and stack.front in NEEDS_LENGTH:
        expected = 411
    else:
        expected = 400
    assert status_of(received) == expected
    assert stack.rows(key) == 0


def test_cut_chunked_import_stores_nothing(stack, keys, key):
    """Whole lines and then nothing: without the last chunk this is no whole body."""
    line = SEED + b"\n"
    data = (head_of(bulk_path(key), "Content-Type: application/x-ndjson",
                    "Transfer-Encoding: chunked") + b"%x\r\n%s\r\n" % (len(line), line))
    for half_close in (True, False):
        with socket.create_connection(("127.0.0.1", stack.port), 20) as sock:
            sock.sendall(data)
            if stack.streams:
                wait_for(stack.children, "a child reads the upload")
            if half_close:
                sock.shutdown(socket.SHUT_WR)
                assert status_of(sock.recv(65536)) == \
                    (411 if stack.front in NEEDS_LENGTH else CUT_BODY[stack.front])
        wait_for(lambda: not stack.children(), "the child gives the upload up")
    for _ in range(3):
        accepted_id(send(stack, path_of(keys["plain"])))
    assert stack.rows(key) == 0


def test_slow_senders_delay_nobody(stack, keys, key):
    """Ten that have sent half of their body; the others do not notice, and then they are served."""
    half = len(SEED) // 2
    slow = [socket.create_connection(("127.0.0.1", stack.port), 30) for _ in range(10)]
    try:
        for sock in slow:
            sock.sendall(head_of(path_of(key), f"Content-Length: {len(SEED)}") + SEED[:half])
        for _ in range(10):  # a worker that waits for the slow ones lets these wait in vain
            accepted_id(send(stack, path_of(keys["plain"])))
        for sock in slow:
            sock.sendall(SEED[half:])
            assert sock.recv(65536).startswith(b"HTTP/1.1 202 Accepted\r\n")
    finally:
        for sock in slow:
            sock.close()
    assert stack.rows(key) == 10


def test_many_senders_at_once(stack, key):
    """More than there are processes where the front has one per request."""
    with concurrent.futures.ThreadPoolExecutor(48) as pool:
        answers = list(pool.map(lambda _: send(stack, path_of(key), timeout=60), range(96)))
    assert sorted(accepted_id(answer) for answer in answers) == sorted(stack.ids(key))
    assert len(set(stack.ids(key))) == 96


def test_without_workers(stack_of_its_own):
    """Senders are told to come back, no log has the key then either, nothing is left running."""
    stack = stack_of_its_own
    key = stack.new_key()
    accepted_id(send(stack, path_of(key)))
    without_database(stack, key)
    program = stack.worker_arguments()[0]
    os.rename(program, f"{program}.away")
    if stack.front not in LOOPLESS:
        kill_and_wait(int(stack.env["SUPERVISOR_PID"]))
    for pid in stack.workers():
        kill_and_wait(pid)
    if stack.front == "cgi":  # lighttpd remembers for a second that the program was there
        wait_for(lambda: send(stack, path_of(key)).status != WORKER_LOST["cgi"],
                 "it has forgotten it")
    refused_without_workers(stack, key)
    for file in stack.log_dir.rglob("*"):
        if file.is_file():
            assert key["key"].encode() not in file.read_bytes(), file

    os.rename(f"{program}.away", program)
    if stack.front in LOOPLESS:
        wait_for(lambda: send(stack, path_of(key), timeout=60).status == 202, "it goes on")
    kill_and_wait(int(stack.env["FRONT_PID"]), signal.SIGTERM)
    wait_for(lambda: not stack.workers(), "the web server's workers end with it")
    assert stack.rows(key) == 2 + (stack.front in LOOPLESS)


def refused_without_workers(stack, key):
    """Never a 4xx: after that senders do not come again."""
    answer = send(stack, path_of(key), timeout=60)
    assert answer.status == WITHOUT_WORKERS[stack.front]
    assert b"sluice-intake" not in answer.body and key["key"].encode() not in answer.body
    if stack.front not in PLAIN_ERRORS:
        assert answer.header("Content-Type") == "application/problem+json"
        assert answer.header("Retry-After") == "5" and answer.code == "unavailable"


def without_database(stack, key):
    """Our own 503 and its advice reach the sender as they are."""
    stack.psql("alter role sluice_intake connection limit 0")
    stack.psql("select pg_terminate_backend(pid) from pg_stat_activity"
               " where usename = 'sluice_intake'")
    assert_problem(send(stack, path_of(key)), 503)
    stack.psql("alter role sluice_intake connection limit -1")
    wait_for(lambda: send(stack, path_of(key)).status == 202, "the database is there again")


def kill_and_wait(pid, number=signal.SIGKILL):
    """Until it is a zombie at most: before that it may still hold the workers' socket."""
    os.kill(pid, number)
    wait_for(lambda: state_of(pid) in "ZX", "the process is gone")
