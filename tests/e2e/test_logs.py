"""No log knows a key or a secret. What all the other tests sent is looked for when a stack ends
(conftest.py); here is what they do not send."""

import base64
import concurrent.futures
import gzip
import json

import pytest

from harness import (JSON, NDJSON, SEED, bulk_path, path_of, send, send_raw, sound_key, wait_for,
                     wait_until_equal)
from settings_api import basic, by_token, new_token


@pytest.mark.each_front
def test_no_credential_in_any_log(stack, keys):
    """After good requests and after every kind of error, ours and the web server's."""
    key, secret = keys["secret"]["key"], keys["secret"]["secret"]
    headers = {**JSON, "X-Api-Secret": secret}
    for body in (SEED, b"{", json.dumps({"writeKey": key, "api_key": secret}).encode(),
                 b'{"email":"%s"}' % key.encode(), b"x" * (2 << 20)):
        send(stack, path_of(keys["secret"]), body, headers)
    for path in (f"/{key}", f"/api/{key}", f"/api/signal-staging/webhook/a/b/{key}",
                 f"/api/signal-staging/webhook/{key}/..%2f..", f"/?key={key}",
                 f"/api/signal-staging/webhook/x?key={key}", f"/sluice/health?key={key}",
                 f"/sluice/metrics?key={key}",
                 f"/api/signal-staging/webhook/{key}%00"):
        send(stack, path, SEED, headers)
        send(stack, path, None, headers, "GET")
    send(stack, path_of(keys["secret"]), SEED,
         {**headers, "X-Source": secret, "Referer": f"http://x/{key}"})
    send(stack, path_of(keys["secret"], source=secret), SEED, headers)
    send(stack, bulk_path(keys["secret"]), gzip.compress(SEED)[:20], headers)
    unknown = sound_key()
    send(stack, path_of({"key": unknown}))
    send_raw(stack, f"POST {path_of(keys['secret'])} HTTP/1.1\r\nHost: x\r\nBroken\r\n\r\n"
             .encode(), half_close=True)
    send_raw(stack, f"POST {path_of(keys['secret'])} HTTP/1.1\r\nHost: x\r\nContent-Length: 99"
             "\r\n\r\n{".encode(), half_close=True)

    stack.credentials.add(unknown)
    assert {key, secret, unknown} <= stack.credentials
    stack.settle_log()
    assert not stack.credentials_in_logs()


@pytest.mark.settings
@pytest.mark.each_front
def test_no_misplaced_token_in_any_log(stack):
    """Whatever a program does with its token but send it in the header where it belongs."""
    made = new_token(stack)["token"]
    rest = made[4:]
    bearer = {"Authorization": f"Bearer {made}"}
    for written in (made, "%73lt_" + rest, "s%6Ct_" + rest, "sl%74_" + rest, "slt%5f" + rest,
                    "%73%4c%54%5F" + rest):
        for path in ("/", "/settings/", "/api/settings/keys", "/api/settings/keys/1", "/nothing",
                     "/api/signal-staging/webhook/x", "/sluice/health"):
            send(stack, f"{path}?a=b&token={written}&c=d", None, bearer, "GET")
            send(stack, f"{path.rstrip('/')}/{written}/x", None, None, "GET")
    for headers in (None, bearer, basic(stack, "olga")):
        for target in (f"/api/settings/keys?token={made}", f"/api/settings/{made}",
                       f"/settings/?token={made}", f"/{made}", f"/?{made}"):
            send(stack, target, None, headers, "GET")
        send(stack, "/api/settings/me", None,
             {**(headers or {}), "Referer": f"http://x/?{made}", "User-Agent": made,
              "X-Request-Id": made}, "GET")
    send_raw(stack, f"GET /api/settings/{made} HTTP/1.1\r\nHost: x\r\nBroken\r\n\r\n".encode(),
             half_close=True)
    stack.settle_log()
    logs = [file for file in stack.log_dir.rglob("*") if file.is_file()]
    assert {"access.log", "error.log"} <= {file.name for file in logs}
    for file in logs:
        said = [line for line in file.read_text(errors="replace").splitlines() if rest in line]
        assert not said, (file, said[:3])


def shapes(text):
    """The text as PostgreSQL may show it: as it is, as bytea, as somebody's base64."""
    return {text, text.encode().hex(), base64.b64encode(text.encode()).decode().rstrip("=")[:-2]}


def bodies_with(key, marker):
    """(path, headers, body, status): all that carries the key to the database, in every way."""
    item = {"email": "a@b.c", "marker": marker, "writeKey": key, "token": key}
    text = json.dumps(item).encode()
    batch = json.dumps({"batch": [item, key, [item], {"api_key": key}], "writeKey": key}).encode()
    large = batch[:-1] + b',"filler":"' + b"x" * (300 << 10) + b'"}'
    repaired = text[:-1] + rb',"s":"\u0000"}'
    cut = {**JSON, "Content-Encoding": "gzip"}
    return [("", JSON, text, 202), ("", JSON, repaired, 202), ("", JSON, text[:-1], 400),
            ("/batch", JSON, batch, 202), ("/batch", JSON, large, 202),
            ("/batch", {**JSON, "Prefer": "handling=strict"}, batch, 400),
            ("/batch", NDJSON, text + b"\n" + text[:-1] + b"\n{}", 202),
            ("bulk", JSON, batch, 202), ("bulk", NDJSON, text + b"\n" + text[:-1], 202),
            ("", cut, gzip.compress(text)[:-6], 400), ("", JSON, key.encode(), 400)]


def shown_while(stack, request):
    """All of pg_stat_activity while the request's statement waits for a lock."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        with stack.locked():
            answer = pool.submit(request)
            wait_until_equal(stack.waiting_for_locks, 1, "the statement waits")
            shown = " ".join(row[0] for row in stack.psql("select a::text from pg_stat_activity a"))
        assert answer.result() == 202
    return shown


@pytest.mark.first_front
@pytest.mark.shape(settings={"database_timeout": "60s", "request_timeout": "120s"})
def test_no_credential_in_what_the_database_shows(stack_of_its_own):
    """Its log has every statement with all its values, and pg_stat_activity those under way."""
    stack = stack_of_its_own
    stack.psql("alter system set log_min_duration_statement = 0")
    stack.psql("select pg_reload_conf()")
    wait_for(lambda: stack.psql("show log_min_duration_statement") == [("0",)], "it is reloaded")
    key = stack.new_key(secret=True)
    marker = sound_key()[3:]
    headers = {"X-Api-Secret": key["secret"], "Authorization": "Basic " + base64.b64encode(
        f"{key['key']}:".encode()).decode()}

    def sent(end, more, body):
        path = bulk_path(key) if end == "bulk" else path_of(key, end=end)
        return send(stack, path, body, {**more, **headers}).status

    bodies = bodies_with(key["key"], marker)
    assert [sent(*request) for *request, _ in bodies] == [status for *_, status in bodies]
    send(stack, path_of(key), SEED, {**JSON, "X-Api-Secret": key["secret"] + "x"})
    unknown = sound_key()
    send(stack, path_of({"key": unknown}), SEED, JSON)

    token = new_token(stack)["token"]
    assert by_token(stack, token, "GET", "keys").status == 200
    strange = sound_key("slt_")
    assert by_token(stack, strange, "GET", "keys").status == 401

    shown = shown_while(stack, lambda: sent(*bodies[0][:3])) \
        + shown_while(stack, lambda: sent(*bodies[4][:3]))
    wait_for(lambda: stack.log("postgresql.log").count(marker) >= 8, "values are logged")
    log = stack.log("postgresql.log")
    assert "sluice." in shown
    assert "settings_token_use" in log
    for text in (key["key"], key["secret"], unknown, token, strange):
        for shape in shapes(text):
            for place in (log, log.lower(), shown):
                assert shape not in place
