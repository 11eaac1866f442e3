"""The settings' API believes nobody but the web server, and takes changes from its page only."""

import hashlib
import hmac
import json
import secrets
import time

import pytest

from fastcgi_client import Worker, variables_of
from harness import (ENCODED_SLASH, JSON, KEY, NO_BODY_OF_GET, assert_problem, send, send_raw,
                     status_of)
from settings_api import API, ROUTES, ask_worker, basic, path_for, post, token_of

pytestmark = [pytest.mark.settings, pytest.mark.each_front]


# ---- changes come from the page ----

def signed(stack, user, expires):
    """A token as the service makes it: the key is in the database."""
    [(key,)] = stack.psql("select csrf_key from sluice.settings_secret")
    mac = hmac.new(bytes(key), f"{expires} {user}".encode(), hashlib.sha256).hexdigest()
    return f"{expires}.{mac}"


def test_a_change_needs_the_users_own_token(stack):
    before = stack.psql("select count(*) from sluice.api_key")
    start = int(time.time())
    good = token_of(stack, "olga")
    now = int(time.time())
    expires = int(good.split(".")[0])
    assert good == signed(stack, "olga", expires)
    assert start + 12 * 3600 <= expires <= now + 12 * 3600
    for token in ("", "x", good[:-1], good + "0", good[:-1] + ("0" if good[-1] != "0" else "1"),
                  token_of(stack, "edith"), signed(stack, "olga", now - 1),
                  signed(stack, "adam", now + 3600), "1" + good, good.upper()):
        assert_problem(post(stack, "olga", "keys", {"name": "x"}, token=token), 403,
                       "csrf_refused")
    no_token = send(stack, API + "keys", b'{"name":"x"}', {**basic(stack, "olga"), **JSON})
    assert_problem(no_token, 403, "csrf_refused")
    assert stack.psql("select count(*) from sluice.api_key") == before
    late = signed(stack, "olga", now + 3600)
    assert post(stack, "olga", "keys", {"name": "late token"}, token=late).status == 201


def test_a_change_comes_from_this_origin(stack):
    token = token_of(stack, "olga")
    for headers, status in (
            ({"Origin": stack.base_url}, 201),
            ({"Sec-Fetch-Site": "same-origin", "Origin": stack.base_url}, 201),
            ({"Sec-Fetch-Site": "none"}, 201),
            ({"Origin": "null"}, 403),
            ({"Origin": stack.base_url + ".evil.example"}, 403),
            ({"Origin": stack.base_url.replace("http:", "https:")}, 403),
            ({"Origin": "http://127.0.0.1"}, 403),
            ({"Sec-Fetch-Site": "cross-site"}, 403),
            ({"Sec-Fetch-Site": "same-site"}, 403),
            ({"Sec-Fetch-Site": "cross-site", "Origin": stack.base_url}, 403),
            ({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, 403)):
        answer = post(stack, "olga", "keys", {"name": f"from {headers}"[:200]}, headers, token)
        assert answer.status == status, headers
        if status == 403:
            assert_problem(answer, 403, "csrf_refused")


def test_a_change_is_json(stack):
    token = token_of(stack, "olga")
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
                 "application/json; charset=latin1", "application/jsonp"):
        assert_problem(post(stack, "olga", "keys", {"name": "x"}, {"Content-Type": kind}, token),
                       415, "unsupported_media_type")
    assert_problem(post(stack, "olga", "keys", {"name": "x"}, {"Content-Encoding": "gzip"}, token),
                   415, "unsupported_coding")


def test_looking_changes_nothing(stack, own):
    def state():
        return stack.psql("select (select count(*) from sluice.api_key), "
                          "(select count(*) from sluice.audit_log), "
                          "(select count(*) from sluice.api_key where deactivated_at is null)")
    headers = {**basic(stack, "olga"), **JSON, "X-CSRF-Token": token_of(stack, "olga")}
    before = state()
    allowed = {}
    for method, path, *_ in ROUTES:
        allowed.setdefault(path, []).append(method)
    for _, path, body, _ in ROUTES:
        data = json.dumps(body).encode() if body else None
        for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"):
            answer = send(stack, API + path_for(own, path), data, headers, method)
            if data and method in ("GET", "HEAD") and stack.front in NO_BODY_OF_GET:
                assert answer.status == 400, (method, path)
            elif method in allowed[path]:
                assert answer.status == 200, (method, path)
            else:
                assert answer.status == 405, (method, path)
                assert answer.header("Allow") == ", ".join(allowed[path])
    assert state() == before


# ---- nobody else's word ----

def test_headers_name_nobody(stack):
    """What a client sends is never taken for what the web server knows."""
    spoofs = [("Remote-User", "olga"), ("Remote_User", "olga"), ("REMOTE_USER", "olga"),
              ("X-Remote-User", "olga"), ("X-Forwarded-User", "olga"), ("Auth-Type", "Basic"),
              ("AUTH_TYPE", "Basic"), ("Proxy-Authorization", "Basic b2xnYTp4")]
    assert send(stack, API + "keys", None, spoofs, "GET").status == 401
    assert_problem(send(stack, API + "keys", None, [*basic(stack, "sven").items(), *spoofs], "GET"),
                   403, "not_a_member")
    me = send(stack, API + "me", None, [*basic(stack, "vera").items(), *spoofs], "GET").json
    assert me["user"] == "vera"


def test_odd_paths_need_a_password_too(stack):
    for path, status in (
            ("/api/settings/../settings/keys", 401), ("//api/settings/keys", 401),
            ("/api//settings/keys", 401), ("/api/settings//keys", 401),
            ("/api/./settings/keys", 401), ("/%61pi/settings/keys", 401),
            ("/api/settings/keys/", 401), ("/settings/../api/settings/keys", 401),
            ("/api/settings%2fkeys", ENCODED_SLASH[stack.front]), ("/API/settings/keys", 404),
            ("/api/settings;/keys", 404), ("/settings/%2e%2e/keys", 404)):
        raw = send_raw(stack, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                       .encode())
        assert status_of(raw) == status, (path, raw[:80])
        assert b'"keys"' not in raw


@pytest.mark.first_front
def test_who_is_asking_is_believed_only_when_configured(stack):
    signed_in = [("AUTH_TYPE", "Basic"), ("REMOTE_USER", "olga")]
    path = API + "keys"
    with Worker(stack, program="settings") as worker:
        good = variables_of(path, None, *signed_in, method="GET")
        assert ask_worker(worker, good).status == 200
        for variables in ([("REMOTE_USER", "olga")], [("AUTH_TYPE", "Basic")],
                          [("AUTH_TYPE", ""), ("REMOTE_USER", "olga")],
                          [("AUTH_TYPE", "Basic"), ("REMOTE_USER", "")],
                          [*signed_in, ("REMOTE_USER", "olga")],
                          [*signed_in, ("AUTH_TYPE", "Basic")],
                          [("AUTH_TYPE", "Basic"), ("HTTP_REMOTE_USER", "olga")],
                          [("AUTH_TYPE", "Basic"), ("REMOTE_USER", "ol\nga")],
                          [("AUTH_TYPE", "Basic"), ("REMOTE_USER", "x" * 201)],
                          [("AUTH_TYPE", "Basic"), ("REMOTE_USER", "\xff")]):
            answer = ask_worker(worker, variables_of(path, None, *variables, method="GET"))
            assert answer.status == 403 and answer.code == "not_signed_in", variables
    with Worker(stack, program="settings",
                more={"SLUICE_SETTINGS_TRUST_REMOTE_USER": "off"}) as worker:
        answer = ask_worker(worker, good)
        assert answer.status == 403 and answer.code == "not_signed_in"
        assert "settings_trust_remote_user" in answer.json["detail"]


@pytest.mark.first_front
def test_the_public_address(stack):
    user = [("AUTH_TYPE", "Basic"), ("REMOTE_USER", "olga")]
    def create(worker, *more):
        body = b'{"name":"address %s"}' % secrets.token_hex(4).encode()
        token = ask_worker(worker, variables_of(API + "me", None, *user, method="GET"))
        answer = ask_worker(worker, variables_of(
            API + "keys", len(body), *user, ("HTTP_X_CSRF_TOKEN", token.json["csrf_token"]),
            *more), body)
        stack.credentials.update(KEY.findall(answer.body.decode()))
        return answer

    with Worker(stack, program="settings") as worker:
        for more, url in (([("HTTP_HOST", "a.example"), ("HTTPS", "on")], "https://a.example/api"),
                          ([("HTTP_HOST", "a.example:81")], "http://a.example:81/api"),
                          ([("HTTP_HOST", "a'$(x)")], "https://YOUR-HOST/api"),
                          ([], "https://YOUR-HOST/api")):
            assert f"'{url}" in create(worker, *more).json["snippets"][0]["text"]
        forged = create(worker, ("HTTP_HOST", "a'$(x)"), ("HTTP_ORIGIN", "http://a'$(x)"))
        assert forged.status == 403
    with Worker(stack, program="settings",
                more={"SLUICE_PUBLIC_URL": "https://hooks.example.com/in/"}) as worker:
        made = create(worker, ("HTTP_HOST", "inside"), ("HTTP_ORIGIN", "https://hooks.example.com"))
        assert made.status == 201
        assert "'https://hooks.example.com/in/api/" in made.json["snippets"][0]["text"]
        inside = create(worker, ("HTTP_HOST", "inside"), ("HTTP_ORIGIN", "http://inside"))
        assert inside.status == 403
