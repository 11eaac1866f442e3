"""Tokens of the settings' API, through each web server as shipped."""

import subprocess

import pytest

from fastcgi_client import Worker, variables_of
from harness import ENVIRONMENT, assert_problem, send, send_raw, sound_key, status_of
from settings_api import (API, ROUTES, ask_worker, basic, by_token, days_from_now, get, new_token,
                          once_more, path_for, post, token_of)

pytestmark = pytest.mark.settings

# What each route needs, besides a member's role. "": any scope; None: nobody's token may.
READ, KEYS, REJECTS, ORGANIZATION = "read", "keys", "rejects", "organization"
SCOPES = {("GET", "me"): "", ("POST", "find-key"): READ, ("POST", "templates/try"): READ,
          ("POST", "rejects/{reject}/try"): READ,
          ("POST", "tokens"): None, ("POST", "tokens/{token}/revoke"): None}


def scope_of(method, path):
    if (method, path) in SCOPES:
        return SCOPES[method, path]
    if method == "GET":
        return READ
    if "rejects" in path:
        return REJECTS
    return KEYS if path.startswith("keys") else ORGANIZATION


def challenge_of(answer):
    return answer.header("WWW-Authenticate")


def assert_invalid(answer):
    """By RFC 6750, and the same whatever is wrong with the token."""
    problem = assert_problem(answer, 401, "invalid_token")
    assert challenge_of(answer) == 'Bearer realm="Sluice", error="invalid_token"'
    return problem


@pytest.fixture(scope="module")
def tokens(stack):
    """A token of the owner's for each scope."""
    return {scope: new_token(stack, scopes=[scope])["token"]
            for scope in (READ, KEYS, REJECTS, ORGANIZATION)}


@pytest.mark.parametrize("method, path, body, may", ROUTES)
def test_every_route_needs_its_scope(stack, own, tokens, method, path, body, may):
    """And nothing else: no CSRF token, no password."""
    assert "olga" in may
    needed = scope_of(method, path)
    for scope, token in tokens.items():
        answer = by_token(stack, token, method, path_for(own, path), once_more(stack, path, body))
        if needed in ("", scope):
            assert answer.status in (200, 201), (scope, answer.body)
            continue
        problem = assert_problem(answer, 403, "insufficient_scope")
        named = f', scope="{needed}"' if needed else ""
        assert challenge_of(answer) == f'Bearer realm="Sluice", error="insufficient_scope"{named}'
        assert (f'"{needed}"' if needed else "sign in") in problem["detail"]


@pytest.mark.each_front
def test_what_a_token_is(stack):
    made = new_token(stack, "edith", ["keys", "read"])
    assert made["token"].startswith("slt_") and len(made["token"]) == 42
    assert made["display"] == made["token"][:8] + "\u2026" + made["token"][-4:]
    assert made["scopes"] == ["read", "keys"] and made["last_used_at"] is None
    assert stack.psql("select token_hash = sha256(%s) from sluice.api_token where id = %s",
                      made["token"].encode(), made["id"]) == [(True,)]
    me = by_token(stack, made["token"], "GET", "me").json
    assert me["user"] == f"token:{made['id']}:edith" and me["auth_type"] == "Bearer"
    assert me["csrf_token"] is None and [each["role"] for each in me["organizations"]] == ["editor"]
    listed = get(stack, "vera", "tokens")
    assert_problem(listed, 403, "role_too_low")
    [seen] = [each for each in get(stack, "adam", "tokens").json["tokens"]
              if each["id"] == made["id"]]
    assert seen.pop("last_used_at") is not None
    assert seen == {name: value for name, value in made.items()
                    if name not in ("token", "curl", "last_used_at")}


def test_the_command_works_as_shown(stack):
    """As it is pasted, where curl sees the token and the list of processes does not."""
    made = new_token(stack)
    assert made["token"] not in made["curl"].splitlines()[0]
    done = subprocess.run(["bash", "-c", made["curl"]], env=ENVIRONMENT, capture_output=True,
                          text=True, check=True)
    assert f"token:{made['id']}:olga" in done.stdout


def test_a_lost_answer_loses_no_token(stack):
    once = {"Idempotency-Key": "r" * 32}
    body = {"name": "a program", "scopes": ["read"], "expires_at": days_from_now(1)}
    first, again = (post(stack, "olga", "tokens", body, once).json for _ in range(2))
    assert first == again
    other = post(stack, "olga", "tokens", {**body, "name": "another"}, once).json
    assert other["token"] != first["token"]


@pytest.mark.parametrize("member, value", [
    ("name", ""), ("name", "a\nb"), ("scopes", []), ("scopes", ["write"]), ("scopes", "read"),
    ("scopes", None), ("expires_at", None), ("expires_at", -1),
    ("expires_at", 400), ("expires_at", "2031-01-01")])
def test_wrong_values(stack, member, value):
    """A number is that of days from now."""
    value = days_from_now(value) if isinstance(value, int) else value
    body = {"name": "x", "scopes": ["read"], "expires_at": days_from_now(1), member: value}
    answer = post(stack, "olga", "tokens", body)
    [error] = assert_problem(answer, 400, "invalid_request")["errors"]
    assert error["place"] == member


def test_what_ends_a_token(stack):
    """Unknown, damaged, expired, revoked: one answer, so that nobody learns what a token was."""
    good = new_token(stack)
    revoked, expired = new_token(stack), new_token(stack)
    assert post(stack, "olga", f"tokens/{revoked['id']}/revoke").json["status"] == "revoked"
    stack.psql("update sluice.api_token set expires_at = now() where id = %s", expired["id"])
    token = good["token"]
    problems = [assert_invalid(by_token(stack, wrong, "GET", "keys")) for wrong in (
        sound_key("slt_"), token[:-1] + ("0" if token[-1] != "0" else "1"), token[:-1], token + "0",
        token.lower(), "x", revoked["token"], expired["token"], sound_key())]
    assert len({problem["detail"] for problem in problems}) == 1
    assert by_token(stack, token, "GET", "keys").status == 200
    assert {each["id"]: each["status"] for each in get(stack, "olga", "tokens").json["tokens"]
            if each["id"] in (good["id"], revoked["id"], expired["id"])} \
        == {good["id"]: "active", revoked["id"]: "revoked", expired["id"]: "expired"}


def test_a_token_has_its_users_role(stack):
    """At the time of use: lowered, it is lower; of a former member it is nothing, for good."""
    made = new_token(stack, "adam", [READ, KEYS, ORGANIZATION])["token"]
    add = ("members", {"user": "walter", "role": "viewer"})
    member = ("--organization", stack.organization, "--user", "adam")
    assert by_token(stack, made, "POST", *add).status == 200
    try:
        assert_problem(by_token(stack, made, "POST", "limit", {"overages": False}), 403,
                       "role_too_low")
        stack.ctl("member", "role", *member, "--role", "editor")
        assert_problem(by_token(stack, made, "POST", *add), 403, "role_too_low")
        assert by_token(stack, made, "GET", "keys").status == 200
        stack.ctl("member", "role", *member, "--role", "viewer")
        assert_problem(by_token(stack, made, "GET", "keys"), 403, "role_too_low")
        assert by_token(stack, made, "GET", "statistics").status == 200
        stack.ctl("member", "remove", *member)
        assert_invalid(by_token(stack, made, "GET", "statistics"))
        stack.ctl("member", "add", *member, "--role", "admin")
        assert_invalid(by_token(stack, made, "GET", "statistics"))
    finally:
        stack.ctl("member", "remove", *member, check=False)
        stack.ctl("member", "add", *member, "--role", "admin")


def test_a_token_is_for_one_organization(stack, own):
    made = new_token(stack, "adam")
    stack.ctl("organization", "create", "token's second")
    second = ("--organization", "token's second", "--user", "adam")
    stack.ctl("member", "add", *second, "--role", "owner")
    try:
        [(other,)] = stack.psql("select id from sluice.organization where name = %s", second[1])
        assert by_token(stack, made["token"], "GET", f"keys?organization={own['id']}").status == 200
        assert by_token(stack, made["token"], "GET", "keys").status == 200
        for stranger in (other, 0):
            refused = by_token(stack, made["token"], "GET", f"keys?organization={stranger}")
            problem = assert_problem(refused, 403, "not_a_member")
            assert problem["detail"] == "The token is for another organization."
        theirs = new_token(stack, "adam", organization=other)
        gone = post(stack, "adam", f"tokens/{theirs['id']}/revoke?organization={own['id']}")
        assert_problem(gone, 404, "not_found")
    finally:
        stack.psql("delete from sluice.member where user_name = 'adam' and organization_id = %s",
                   other)


def test_who_revokes(stack):
    made = new_token(stack, "olga")
    assert_problem(post(stack, "edith", f"tokens/{made['id']}/revoke"), 403, "role_too_low")
    assert post(stack, "adam", f"tokens/{made['id']}/revoke").json["revoked_by"] == "adam"
    assert post(stack, "olga", f"tokens/{made['id']}/revoke").json["revoked_by"] == "adam"
    assert_problem(post(stack, "olga", "tokens/999999999/revoke"), 404, "not_found")


def test_the_audit_log_says_which_token(stack):
    made = new_token(stack, "edith", [KEYS])
    key = by_token(stack, made["token"], "POST", "keys", {"name": "by a program"}).json
    assert key["created_by"] == f"token:{made['id']}:edith"
    [entry] = [each for each in get(stack, "olga", "audit").json["entries"]
               if each["action"] == "key_create" and each["object_id"] == str(key["id"])]
    assert entry["actor"] == f"token:{made['id']}:edith"
    assert entry["details"]["token"] == "a program"
    stack.wait_logged(f'user=token:{made["id"]}:edith', "settings.log")


# ---- headers ----

@pytest.mark.each_front
def test_malformed_headers(stack):
    token = new_token(stack)["token"]
    for value in ("Bearer", "Bearer ", f"Bearer {token} {token}", f"Bearer {token},{token}",
                  f"Bearer {token}, Basic b2xnYTp4", f"bearer token={token} x"):
        answer = send(stack, API + "keys", None, {"Authorization": value}, "GET")
        if answer.header("X-Request-Id") is None:  # the web server wants a password
            assert answer.status == 401, value
            continue
        problem = assert_problem(answer, 400, "invalid_request")
        assert problem["errors"][0]["place"] == "Authorization", value
        assert challenge_of(answer) == 'Bearer realm="Sluice", error="invalid_request"'
    for scheme in ("Bearer", "bearer", "BEARER"):
        answer = send(stack, API + "keys", None, {"Authorization": f"{scheme} {token}"}, "GET")
        assert answer.status == 200, scheme
    for value in ("Token " + token, token, "Bearerx " + token):
        assert send(stack, API + "keys", None, {"Authorization": value}, "GET").status == 401


@pytest.mark.each_front
def test_two_headers(stack):
    """Two credentials authenticate nobody, in whatever order and however good both are."""
    token = f"Bearer {new_token(stack)['token']}"
    password = basic(stack, "vera")["Authorization"]
    wrong = basic(stack, "olga", "wrong")["Authorization"]
    pairs = [(token, token), (token, password), (password, token), (token, wrong), (wrong, token),
             (password, password), (password, wrong), (wrong, password)]
    joined = [(comma.join(pair),) for pair in pairs for comma in (",", ", ")]
    for values in (*pairs, *joined):
        fields = [f"Authorization: {value}" for value in values]
        got = send_raw(stack, "\r\n".join((f"GET {API}me HTTP/1.1", "Host: x", *fields,
                                           "Connection: close", "", "")).encode())
        assert status_of(got) in (400, 401), (values, got[:200])
        assert b'"user"' not in got


@pytest.mark.each_front
def test_nobody_poses_as_a_user(stack, own):
    """Where the web server leaves a request to the service, it names no user, whatever is sent."""
    before = stack.psql("select count(*) from sluice.api_key")
    for forged in ({}, {"Remote-User": "olga", "X-Remote-User": "olga", "Auth-Type": "Basic"},
                   {"REMOTE_USER": "olga", "AUTH_TYPE": "Basic"},
                   {"X-CSRF-Token": token_of(stack, "olga")}):
        for method, path in (("GET", "keys"), ("POST", "keys")):
            answer = by_token(stack, sound_key("slt_"), method, path, {"name": "forged"}, forged)
            assert_invalid(answer)
    assert stack.psql("select count(*) from sluice.api_key") == before
    # The page's own files still want a password.
    page = {"Authorization": "Bearer " + sound_key("slt_")}
    for path in ("/settings/", "/settings/main.js"):
        assert send(stack, path, None, page, "GET").status == 401, path


def test_no_user_is_called_like_a_token(stack):
    made = new_token(stack)
    name = f"token:{made['id']}:olga"
    user = [("AUTH_TYPE", "Basic"), ("REMOTE_USER", name)]
    with Worker(stack, program="settings") as worker:
        answer = ask_worker(worker, variables_of(API + "keys", None, *user, method="GET"))
        assert_problem(answer, 403, "not_signed_in")
        # A token, not the user whom the web server names, and only one.
        user = [("AUTH_TYPE", "Basic"), ("REMOTE_USER", "vera")]
        bearer = ("HTTP_AUTHORIZATION", f"Bearer {made['token']}")
        answer = ask_worker(worker, variables_of(API + "me", None, *user, bearer, method="GET"))
        assert answer.json["user"] == name
        answer = ask_worker(worker, variables_of(API + "me", None, bearer, bearer, method="GET"))
        assert_problem(answer, 400, "invalid_request")
    with Worker(stack, program="settings",
                more={"SLUICE_SETTINGS_TRUST_REMOTE_USER": "off"}) as worker:
        answer = ask_worker(worker, variables_of(API + "me", None, bearer, method="GET"))
        assert answer.status == 200
