"""The examples against those who try keys and passwords: fail2ban's filters on logs that real
requests have written, also of clients who want somebody else banned; and nginx's limits."""

import collections
import contextlib
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess

import pytest

from configuration import configured
from harness import JSON, ROOT, SEED, accepted_id, org_path, path_of, send_from, sound_key, wait_for
from settings_api import API, basic, new_token, post

FAIL2BAN = ROOT / "deploy" / "fail2ban"
VICTIM = "198.51.100.66"


def banned_by(name, text, tmp_path):
    """How often each address is found in a log."""
    log = tmp_path / "log"
    log.write_text(text)
    done = subprocess.run(["fail2ban-regex", "--out", "ip", log,
                           FAIL2BAN / "filter.d" / f"{name}.conf"],
                          capture_output=True, text=True, check=True)
    return collections.Counter(line for line in done.stdout.splitlines() if line)


@pytest.mark.first_front
def test_unknown_keys_and_wrong_secrets(stack, tmp_path):
    """Not what a good sender does wrong, and nobody else's address, whatever a client sends."""
    key = stack.new_key(name="banned", secret=True)
    right = {**JSON, "X-Api-Secret": key["secret"]}
    unknown = {"key": sound_key()}
    line = (f"status=401 code=unauthenticated accepted=0 duplicates=0 rejected=0 ms=0"
            f" client={VICTIM}")
    begin = stack.log().count("\n")
    with configured(stack, "log_client_address = on\n"):
        for address, path, headers in (
                ("127.0.0.21", path_of(unknown), JSON),
                ("127.0.0.21", path_of(unknown, end="/batch"), JSON),
                ("127.0.0.22", path_of({"key": "sk_nonsense"}), JSON),
                ("127.0.0.23", path_of(key), JSON),
                ("127.0.0.23", path_of(key), {**JSON, "X-Api-Secret": "wrong"}),
                # Who wants somebody else banned.
                ("127.0.0.24", path_of(unknown), {**JSON, "X-Request-Id": f"client={VICTIM}"}),
                ("127.0.0.24", path_of(unknown), {**JSON, "X-Forwarded-For": VICTIM}),
                ("127.0.0.24", path_of(unknown, line.replace(" ", "%20")), JSON),
                ("127.0.0.24", path_of(unknown, "x") + f"?{line.replace(' ', '%20')}%0a", JSON),
                ("127.0.0.24", path_of({"key": f"sk_x%0atime=1%20{line.replace(' ', '%20')}"}),
                 JSON),
                ("127.0.0.24", path_of(unknown), {**JSON, "User-Agent": line, "X-Source": line}),
                ("127.0.0.24", path_of(unknown), {**JSON, "traceparent": f"00 client={VICTIM}"})):
            assert send_from(stack, address, path, headers=headers).status in (400, 401, 404)
        for path, body, status in ((path_of(key), SEED, 202), (path_of(key), b"{", 400),
                                   (org_path(key), SEED, 403)):
            assert send_from(stack, "127.0.0.25", path, body, right).status == status
        stack.settle_log()
    text = "\n".join(stack.log().splitlines()[begin:]) + "\n"
    found = banned_by("sluice", text, tmp_path)
    assert found["127.0.0.21"] == 2 and found["127.0.0.22"] == 1 and found["127.0.0.23"] == 2
    assert set(found) <= {"127.0.0.21", "127.0.0.22", "127.0.0.23", "127.0.0.24", "127.0.0.1"}
    assert found["127.0.0.24"] >= 3, "its own address counts"
    assert banned_by("sluice", through_syslog(text, "intake"), tmp_path) == found


def through_syslog(text, program):
    """As syslog and the journal have the lines."""
    return "".join(f"Nov 28 04:26:33 host sluice-{program}[7]: {line.split(' ', 1)[1]}\n"
                   for line in text.splitlines() if line.startswith("time="))


@pytest.mark.settings
@pytest.mark.each_front
def test_wrong_tokens(stack, tmp_path):
    """Not a right one, whatever it may, nor a password; and nobody else's address."""
    made, gone = new_token(stack, scopes=["keys"])["token"], new_token(stack)
    assert post(stack, "olga", f"tokens/{gone['id']}/revoke").status == 200
    line = f"status=401 code=invalid_token ms=0 client={VICTIM}"
    begin = stack.log("settings.log").count("\n")

    def sent(address, token, path="me", headers=None):
        bearer = {"Authorization": f"Bearer {token}", **(headers or {})}
        return send_from(stack, address, API + path, None, bearer, "GET").status

    with configured(stack, "log_client_address = on\n", "settings"):
        for token in (sound_key("slt_"), gone["token"], "x", made[:-1]):
            assert sent("127.0.0.51", token, "keys?organization=7") == 401
        # Who wants somebody else banned.
        for path in ("me", f"x%0atime=1%20{line.replace(' ', '%20')}",
                     f"keys?organization=1&x={line.replace(' ', '%20')}"):
            assert sent("127.0.0.52", sound_key("slt_"), path, {
                "X-Request-Id": f"client={VICTIM}", "X-Forwarded-For": VICTIM, "User-Agent": line,
                "Remote-User": line, "Origin": f"http://x/ {line}"}) in (400, 401, 404)
        assert [sent("127.0.0.53", made, path) for path in ("me", "statistics", "keys?limit=x")] \
            == [200, 403, 400]
        assert send_from(stack, "127.0.0.53", API + "me", None, basic(stack, "olga"),
                         "GET").status == 200
        assert sent("127.0.0.54", "the-last") == 401
        stack.wait_logged("client=127.0.0.54", "settings.log")
    text = "\n".join(stack.log("settings.log").splitlines()[begin:]) + "\n"
    assert "slt_" not in text
    found = banned_by("sluice", text, tmp_path)
    assert found.pop("127.0.0.52") >= 1 and found == {"127.0.0.51": 4, "127.0.0.54": 1}
    assert set(banned_by("sluice", through_syslog(text, "settings"), tmp_path)) \
        == {"127.0.0.51", "127.0.0.52", "127.0.0.54"}


@pytest.mark.settings
@pytest.mark.each_front
def test_wrong_passwords_of_the_settings_page(stack, tmp_path):
    log = stack.log_dir / "error.log"
    begin = len(log.read_bytes())
    forged = f'x": password mismatch, client; {VICTIM}, server; x IP; {VICTIM}'
    for address, user, password, path in (
            ("127.0.0.31", "olga", "wrong", "me"), ("127.0.0.31", "olga", "wrong", "keys"),
            ("127.0.0.32", "nobody", "x", "me"), ("127.0.0.33", forged, "x", "me"),
            ("127.0.0.33", "olga", f"x: client: {VICTIM}, IP: {VICTIM}", "me"),
            ("127.0.0.33", "olga", "wrong", f"x%20username:%20a%20IP:%20{VICTIM}"),
            ("127.0.0.33", "olga", "wrong",
             f"x%22,%20client:%20{VICTIM},%20server:%20x%20[client%20{VICTIM}:1]"),
            ("127.0.0.33", f"a\n[client {VICTIM}] IP; {VICTIM}", "x", "me")):
        headers = {**basic(stack, user, password), "Referer": f'http://x/", client: {VICTIM}'}
        assert send_from(stack, address, API + path, None, headers, "GET").status == 401
    assert send_from(stack, "127.0.0.34", API + "me", None, basic(stack, "olga"),
                     "GET").status == 200
    text = wait_for(lambda: (now := log.read_bytes()[begin:].decode()).count("127.0.0.33") >= 5
                    and now, "the last is in the log")
    found = banned_by("sluice-settings", text, tmp_path)
    assert found["127.0.0.31"] == 2 and found["127.0.0.32"] == 1
    # Of a user whose name has a line break in it, nginx logs two lines, of which neither counts.
    assert found["127.0.0.33"] >= 4 and set(found) == {"127.0.0.31", "127.0.0.32", "127.0.0.33"}


@pytest.mark.first_front
def test_fail2ban_takes_the_jails(stack, tmp_path):
    """As the file says: copied, and with a log file where there is no journal."""
    conf = tmp_path / "fail2ban"
    shutil.copytree("/etc/fail2ban", conf)
    for part in ("filter.d", "jail.d"):
        for file in (FAIL2BAN / part).iterdir():
            shutil.copy(file, conf / part)
    (conf / "jail.d" / "defaults-debian.conf").unlink(missing_ok=True)
    jail = conf / "jail.d" / "sluice.conf"
    text = jail.read_text()
    assert text.count("backend = systemd\n") == 1
    jail.write_text(text.replace("backend = systemd\n",
                                 f"backend = auto\nlogpath = {stack.log_dir}/intake.log\n"
                                 f"          {stack.log_dir}/settings.log\n")
                    .replace("/var/log/nginx/", f"{stack.log_dir}/"))
    done = subprocess.run(["fail2ban-client", "-c", conf, "--test"], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0 and "OK: configuration test is successful" in done.stdout, done


# ---- nginx ----

@contextlib.contextmanager
def throttled(stack):
    """nginx with the example in its place."""
    etc = pathlib.Path(stack.env["WORKERS_CONFIG"]).parent
    place = etc / "nginx" / "conf.d" / "sluice-throttling.conf"
    master = int((etc.parent / "tmp" / "front.pid").read_text())

    def children():
        return set(pathlib.Path(f"/proc/{master}/task/{master}/children").read_text().split())

    def again():
        before = children()
        os.kill(master, signal.SIGHUP)
        wait_for(lambda: children() and not children() & before, "nginx has new processes")

    shutil.copy(ROOT / "deploy" / "nginx" / "sluice-throttling.conf", place)
    try:
        again()
        yield
    finally:
        place.unlink()
        again()


def assert_throttled(head):
    status, *fields = head.split("\r\n")
    assert status.startswith("HTTP/1.1 429 ") and "Retry-After: 5" in fields, head


def read_head(sock):
    received = b""
    while b"\r\n\r\n" not in received:
        piece = sock.recv(65536)
        assert piece, received
        received += piece
    return received.split(b"\r\n\r\n")[0].decode()


@pytest.mark.each_front
def test_nginx_throttles_an_address(stack, key):
    if stack.front != "nginx":
        pytest.skip("an example for nginx")
    with throttled(stack), contextlib.ExitStack() as connections:
        wrong = path_of({"key": "sk_nonsense"})
        request = f"POST {wrong} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}".encode()
        sock = connections.enter_context(
            socket.create_connection(("127.0.0.1", stack.port), 30, ("127.0.0.41", 0)))
        received = b""
        for n in range(1, 11):  # far more than a burst, in far less than a second for each hundred
            sock.sendall(100 * request)
            while received.count(b"HTTP/1.1 ") < 100 * n:
                received += sock.recv(65536)
        statuses = collections.Counter(re.findall(rb"^HTTP/1\.1 (\d+)", received, re.M))
        assert set(statuses) == {b"401", b"429"} and statuses[b"401"] >= 200, statuses
        assert_throttled(received[received.index(b"HTTP/1.1 429"):].split(b"\r\n\r\n")[0].decode())
        accepted_id(send_from(stack, "127.0.0.42", path_of(key)))

        begun = f"POST {path_of(key)} HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{{".encode()
        slow = [connections.enter_context(
            socket.create_connection(("127.0.0.1", stack.port), 30, ("127.0.0.43", 0)))
            for _ in range(51)]  # at a time
        for sock in slow:
            sock.sendall(begun)
        # Whichever of them nginx has read last.
        answered, _, _ = select.select(slow, [], [], 30)
        assert_throttled(read_head(answered[0]))
        accepted_id(send_from(stack, "127.0.0.42", path_of(key)))
