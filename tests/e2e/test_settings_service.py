"""The settings' processes: slow senders, no database, and the files of the page."""

import os
import re
import secrets
import select
import signal
import socket
import subprocess

import pytest

from fastcgi_client import STDIN, Worker, begin, params, record, variables_of
from harness import (PATIENCE, STREAMING_SETTINGS, VARIANT, WITHOUT_SLASH, accepted_id,
                     assert_problem, memory_kib, path_of, send, send_raw, status_of, wait_for)
from postgresql_server import Server
from settings_api import API, ask_worker, basic, get, post, token_of

pytestmark = [pytest.mark.settings, pytest.mark.each_front]


# ---- compressed ----

GZIP = {"Accept-Encoding": "br, gzip;q=0.8"}


def encoding_of(answer):
    return [value for name, value in answer.headers if name.lower() == "content-encoding"]


def test_long_lists_are_compressed(stack):
    """By the service itself, so on every web server; not what holds a token or a key."""
    key = stack.new_key()
    for _ in range(20):
        accepted_id(send(stack, path_of(key)))
    plain = get(stack, "olga", "signals?limit=20")
    packed = get(stack, "olga", "signals?limit=20", GZIP)
    assert not encoding_of(plain)
    assert encoding_of(packed) == ["gzip"]
    assert len(packed.body) < len(plain.body) / 3
    assert packed.json["signals"] == plain.json["signals"]
    exported = get(stack, "olga", "signals?limit=20&format=ndjson", GZIP)
    assert encoding_of(exported) == ["gzip"]
    assert "attachment" in exported.header("Content-Disposition")
    refused = get(stack, "olga", "signals?limit=20", {"Accept-Encoding": "gzip;q=0"})
    assert not encoding_of(refused)
    assert not encoding_of(get(stack, "olga", "me", GZIP))
    assert not encoding_of(get(stack, "olga", "signals?limit=x", GZIP))
    made = post(stack, "olga", "keys", {"name": "n" * 200, "endpoint_type": "signal_staging"}, GZIP)
    assert made.status == 201 and not encoding_of(made)


# ---- slow, broken, ended ----

@pytest.mark.first_front
def test_a_process_keeps_its_deadlines(stack):
    """A silent connection, a body that stops, forged records: none stays, none is believed."""
    user = [("AUTH_TYPE", "Basic"), ("REMOTE_USER", "olga")]
    good = variables_of(API + "keys", None, *user, method="GET")
    with Worker(stack, program="settings",
                more={"SLUICE_REQUEST_TIMEOUT": "1s"}) as worker:
        token = ask_worker(worker, variables_of(API + "me", None, *user, method="GET"))
        token = token.json["csrf_token"]
        with worker.talk() as silent:
            assert ask_worker(worker, good).status == 200
            assert silent.read() == (b"", False)
        with worker.talk() as slow:
            slow.write(begin() + params(variables_of(
                API + "keys", 100, *user, ("HTTP_X_CSRF_TOKEN", token)))
                + record(STDIN, b'{"name":'))
            assert ask_worker(worker, good).status == 200
            assert slow.status() == 408
        with worker.talk() as short:
            short.write(begin() + params(variables_of(
                API + "keys", 100, *user, ("HTTP_X_CSRF_TOKEN", token)))
                + record(STDIN, b'{"name":"x"}') + record(STDIN))
            assert short.status() == 400
        before = stack.psql("select count(*) from sluice.api_key")
        with worker.talk() as forged:
            body = b'{"name":"forged"}'
            forged.write(begin(1) + params(variables_of(API + "keys", None, *user, method="GET"))
                         + record(STDIN) + begin() + params(variables_of(
                             API + "keys", len(body), *user, ("HTTP_X_CSRF_TOKEN", token)))
                         + record(STDIN, body) + record(STDIN))
            assert forged.status() == 200
        assert stack.psql("select count(*) from sluice.api_key") == before
        with worker.talk() as last:
            last.write(begin() + params(good)[:20])
            wait_for(last.all_read, "it is being served")
            worker.process.send_signal(signal.SIGTERM)
            last.write(params(good)[20:] + record(STDIN))
            assert last.status() == 200
        assert worker.process.wait(timeout=20 * PATIENCE) == 0


def limit(worker, more=0):
    """Lets a worker have so many bytes more than it has; None: as many as there are."""
    pid = worker.process.pid
    room = "unlimited" if more is None else (memory_kib(pid, "VmSize") << 10) + more
    owner = os.stat(f"/proc/{pid}")
    as_itself = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
    subprocess.run(["prlimit", f"--pid={pid}", f"--as={room}:"], check=True,
                   **(as_itself if os.geteuid() == 0 else {}))


limits_memory = pytest.mark.skipif(VARIANT != "release",
                                   reason="a sanitizer's address space has no limit")


@limits_memory
@pytest.mark.first_front
def test_every_head_is_answered(stack):
    """Without memory for it, too; and one that is too long for any."""
    variables = variables_of(API + "me", None, ("AUTH_TYPE", "Basic"), ("REMOTE_USER", "olga"),
                             method="GET")

    def headers(count):
        return [*variables, *((f"HTTP_X_{n}", 1000 * "x") for n in range(count))]

    with Worker(stack, program="settings") as worker:
        assert ask_worker(worker, variables).status == 200
        limit(worker)
        problem = assert_problem(ask_worker(worker, headers(120)), 503, "out_of_memory")
        assert problem["detail"] == "Nothing was changed. Try again later."
        limit(worker, None)
        assert ask_worker(worker, headers(120)).status == 200
        assert_problem(ask_worker(worker, headers(150)), 431, "headers_too_large")
        assert ask_worker(worker, variables).status == 200


# The C library asks the kernel for nearly all that it is asked for, and gives it back at once.
NO_SPARE_MEMORY = {"GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=512:glibc.malloc.top_pad=0"
                                     ":glibc.malloc.trim_threshold=0"}


@limits_memory
@pytest.mark.first_front
def test_every_body_is_answered(stack):
    """Also by a child that gets as little memory as is left to its service, however little."""
    user = [("AUTH_TYPE", "Basic"), ("REMOTE_USER", "olga")]
    body = b'{"payload_template":{"product_org_id":"id"},"payload":{"id":"%s"}}' % (60000 * b"x")
    with Worker(stack, program="settings", more=NO_SPARE_MEMORY) as worker:
        token = ask_worker(worker, variables_of(API + "me", None, *user, method="GET"))
        variables = variables_of(API + "templates/try", len(body), *user,
                                 ("HTTP_X_CSRF_TOKEN", token.json["csrf_token"]))
        answers, pages = [], 0
        while not answers or answers[-1].status != 200:
            limit(worker, pages << 12)
            answers.append(ask_worker(worker, variables, body))
            pages += 1
    codes = [assert_problem(answer, 503)["code"] for answer in answers[:-1]]
    assert codes[0] == "out_of_memory", codes


def test_a_slow_sender_delays_nobody(stack):
    """Neither where the web server takes bodies whole nor where it passes them on as they come: the
    others have their answers while the slow ones have none."""
    head = (f"POST {API}keys HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Authorization: {basic(stack, 'olga')['Authorization']}\r\n"
            f"X-CSRF-Token: {token_of(stack, 'olga')}\r\nContent-Length: 1000\r\n\r\n{{").encode()
    slow = []
    try:
        for _ in range(6):
            connection = socket.create_connection(("127.0.0.1", stack.port), 10)
            connection.sendall(head)
            slow.append(connection)
        if stack.front in STREAMING_SETTINGS:
            wait_for(lambda: stack.connections("settings") >= len(slow), "they are passed on")
        for _ in range(4):
            assert get(stack, "olga", "me").status == 200
        assert select.select(slow, [], [], 0)[0] == [], "the slow ones hold no process"
    finally:
        for connection in slow:
            connection.close()


def test_without_the_database(stack_of_its_own):
    stack = stack_of_its_own
    token = token_of(stack, "olga")
    server = Server(stack)
    stack.disconnect()
    server.stop()
    for path in ("me", "keys", "statistics"):
        assert_problem(get(stack, "olga", path), 503, "database_unavailable")
    assert_problem(post(stack, "olga", "keys", {"name": "x"}, token=token), 503,
                   "database_unavailable")
    server.start()
    for _ in range(4):  # also by the process that did not see it away
        assert get(stack, "olga", "keys").status == 200
    name = f"after all {secrets.token_hex(4)}"
    assert post(stack, "olga", "keys", {"name": name}, token=token).status == 201
    # Connections that the server has ended while nobody looked.
    stack.psql("select pg_terminate_backend(pid, 10000) from pg_stat_activity "
               "where application_name = 'sluice-settings'")
    for _ in range(4):
        assert get(stack, "olga", "keys").status == 200


# ---- the page ----

def test_the_page_is_served_strictly(stack):
    answer = send(stack, "/settings/", None, basic(stack, "vera"), "GET")
    assert answer.status == 200
    assert answer.header("Content-Type").lower() == "text/html; charset=utf-8"
    policy = answer.header("Content-Security-Policy")
    assert policy == ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
                      "connect-src 'self'; base-uri 'none'; form-action 'none'; "
                      "frame-ancestors 'none'")
    for name, value in (("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY"),
                        ("Referrer-Policy", "no-referrer"), ("Cache-Control", "no-cache")):
        assert [given for key, given in answer.headers if key.lower() == name.lower()] == [value]
    assert send(stack, "/settings/", None, {}, "GET").status == 401
    assert send(stack, "/settings", None, basic(stack, "vera"), "GET").status == \
        WITHOUT_SLASH[stack.front]
    for path in ("/settings/../etc/sluice.conf", "/settings/%2e%2e/etc/users", "/settings/nothing",
                 "/settings/..%2fetc/users"):
        raw = send_raw(stack, (f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                               f"Authorization: {basic(stack, 'vera')['Authorization']}\r\n\r\n")
                       .encode())
        assert status_of(raw) == 404, (path, raw[:60])


def test_nothing_secret_is_logged(stack):
    token = token_of(stack, "olga")
    made = post(stack, "olga", "keys", {"name": "logged", "secret": True}, token=token).json
    post(stack, "olga", "keys", {"name": made["key"]}, token=token)
    post(stack, "olga", "keys", b'{"name":"x","%s":1}' % made["secret"].encode(), token=token)
    get(stack, "olga", f"keys/{made['key']}")
    get(stack, "olga", f"signals?source={made['key']}")
    get(stack, "olga", f"keys?organization={made['secret']}")
    marker = f"logged-{made['id']}"
    get(stack, "olga", "keys", {"X-Request-Id": marker})
    stack.wait_logged(f"request_id={marker} ", "settings.log")
    needles = [made["key"], made["secret"], token, token.split(".")[1],
               stack.env["DEMO_PASSWORD"]]
    for file in stack.log_dir.rglob("*"):
        if file.is_file():
            text = file.read_text(errors="replace")
            assert not [needle for needle in needles if needle in text], file.name
    assert re.search(rf"request_id={marker} .*route=/api/settings/keys .*user=olga\b",
                     stack.log("settings.log"))
