"""The settings' API through the web servers that serve it: who may do what, and what never is."""

import base64
import calendar
import datetime
import hashlib
import hmac
import json
import re
import select
import signal
import socket
import time

import pytest

from fastcgi_client import (STDIN, Worker, begin, params, record, variables_of)
from harness import (ENCODED_SLASH, JSON, KEY, NO_BODY_OF_GET, PATIENCE, SECRET,
                     STREAMING_SETTINGS, WITHOUT_SLASH, Answer, assert_problem, path_of, send,
                     send_raw, status_of, wait_for)
from postgresql_server import Server

pytestmark = pytest.mark.settings

API = "/api/settings/"
ROLES = ("olga", "adam", "edith", "vera")  # owner, admin, editor, viewer
EDITORS = ("olga", "adam", "edith")
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
           "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
           "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}


def basic(stack, user, password=None):
    pair = f"{user}:{password or stack.env['DEMO_PASSWORD']}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def get(stack, user, path, headers=None):
    return send(stack, API + path, None, {**basic(stack, user), **(headers or {})}, "GET")


def token_of(stack, user):
    return get(stack, user, "me").json["csrf_token"]


def post(stack, user, path, body=None, headers=None, token=None):
    """body: bytes or what is to become JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    answer = send(stack, API + path, data, {
        **basic(stack, user), **JSON,
        "X-CSRF-Token": token_of(stack, user) if token is None else token, **(headers or {})})
    stack.credentials.update(KEY.findall(answer.body.decode(errors="replace")),
                             SECRET.findall(answer.body.decode(errors="replace")))
    return answer


@pytest.fixture(scope="module")
def other(stack):
    """Another organization, which none of the users is a member of, with a key."""
    name = "other"
    stack.ctl("organization", "create", name)
    key = stack.new_key(organization=name, name="of the others")
    [(organization,)] = stack.psql("select id from sluice.organization where name = %s", name)
    return {"id": organization, "key": key}


@pytest.fixture(scope="module")
def own(stack):
    [(organization,)] = stack.psql("select id from sluice.organization where name = %s",
                                   stack.organization)
    return {"id": organization, "key": stack.new_key(name="own")}


# ---- who may do what ----

# method, path with {id}, the body, who may (others have a role that is too low)
ROUTES = [
    ("GET", "me", None, ROLES),
    ("GET", "keys", None, EDITORS),
    ("POST", "keys", {"name": "made"}, EDITORS),
    ("GET", "keys/{id}", None, EDITORS),
    ("POST", "keys/{id}/deactivate", {}, EDITORS),
    ("POST", "templates/try", {"payload_template": {"product_org_id": "id"},
                               "payload": {"id": 1}}, EDITORS),
    ("GET", "statistics", None, ROLES),
    ("GET", "signals", None, ROLES),
    ("GET", "product-orgs", None, ROLES),
    ("GET", "rejects", None, ROLES),
    ("GET", "usage", None, EDITORS),
    ("GET", "audit", None, EDITORS),
]


def ask(stack, user, method, path, body, token=None):
    if method == "GET":
        return get(stack, user, path)
    return post(stack, user, path, body, token=token)


@pytest.mark.parametrize("method, path, body, may", ROUTES)
def test_every_route_for_every_role(stack, own, other, method, path, body, may):
    tokens = {user: token_of(stack, user) for user in ROLES}
    before = stack.psql("select count(*) from sluice.api_key where organization_id = %s",
                        other["id"])
    for user in ROLES:
        mine = path.format(id=own["key"]["id"])
        answer = ask(stack, user, method, mine, body, tokens[user])
        if user in may:
            created = (method, path) == ("POST", "keys")
            assert answer.status == (201 if created else 200), (user, answer.body)
        else:
            assert_problem(answer, 403, "role_too_low")
        for name, value in HEADERS.items():
            assert answer.header(name) == value
        if path == "me":
            continue
        # Named, it is the same; another organization, also one that is not there, is not his.
        named = ask(stack, user, method, f"{mine}?organization={own['id']}", body, tokens[user])
        assert named.status == answer.status
        for stranger in (other["id"], 0, 999999999):
            refused = ask(stack, user, method, f"{mine}?organization={stranger}", body,
                          tokens[user])
            assert_problem(refused, 403, "not_a_member")
        if "{id}" in path and user in may:
            theirs = path.format(id=other["key"]["id"])
            assert_problem(ask(stack, user, method, theirs, body, tokens[user]), 404, "not_found")
    assert stack.key_status(other["key"]["id"]) == "active"
    assert before == stack.psql("select count(*) from sluice.api_key where organization_id = %s",
                                other["id"])


@pytest.mark.parametrize("method, path, body, may", ROUTES)
def test_a_stranger_and_nobody(stack, own, method, path, body, may):
    path = path.format(id=own["key"]["id"])
    # A member of nothing has no token: with another's he is told that, without one the same.
    if method == "GET":
        problem = assert_problem(get(stack, "sven", path), 403, "not_a_member")
        assert "sven" in problem["detail"] and "sluicectl member add" in problem["detail"]
    else:
        assert_problem(post(stack, "sven", path, body, token="x"), 403, "csrf_refused")
        assert_problem(post(stack, "sven", path, body, token=token_of(stack, "olga")), 403,
                       "csrf_refused")
    data = None if method == "GET" else json.dumps(body).encode()
    for headers in ({}, basic(stack, "olga", "wrong"), basic(stack, "nobody")):
        assert send(stack, API + path, data, {**JSON, **headers}, method).status == 401


def test_a_member_of_several_names_one(stack, own):
    stack.ctl("organization", "create", "second")
    stack.ctl("member", "add", "--organization", "second", "--user", "adam", "--role", "viewer")
    try:
        assert_problem(get(stack, "adam", "statistics"), 400, "organization_missing")
        me = get(stack, "adam", "me").json
        roles = {entry["name"]: (entry["role"], entry["may_manage_keys"])
                 for entry in me["organizations"]}
        assert roles == {stack.organization: ("admin", True), "second": ("viewer", False)}
        second = next(entry["id"] for entry in me["organizations"] if entry["name"] == "second")
        assert_problem(get(stack, "adam", f"keys?organization={second}"), 403, "role_too_low")
        assert get(stack, "adam", f"statistics?organization={second}").status == 200
        assert get(stack, "adam", f"keys?organization={own['id']}").status == 200
    finally:
        stack.ctl("member", "remove", "--organization", "second", "--user", "adam")
    assert get(stack, "adam", "keys").status == 200


def test_a_role_counts_from_the_next_request_on(stack):
    token = token_of(stack, "edith")
    stack.ctl("member", "remove", "--organization", stack.organization, "--user", "edith")
    try:
        assert_problem(get(stack, "edith", "keys"), 403, "not_a_member")
        assert_problem(post(stack, "edith", "keys", {"name": "late"}, token=token), 403,
                       "not_a_member")
        stack.ctl("member", "add", "--organization", stack.organization, "--user", "edith",
                  "--role", "viewer")
        assert_problem(post(stack, "edith", "keys", {"name": "late"}, token=token), 403,
                       "role_too_low")
    finally:
        stack.ctl("member", "remove", "--organization", stack.organization, "--user", "edith",
                  )
        stack.ctl("member", "add", "--organization", stack.organization, "--user", "edith",
                  "--role", "editor")


# ---- a key's life ----

def test_a_key_is_made_used_and_deactivated(stack):
    answer = post(stack, "edith", "keys", {"name": "website", "secret": True,
                                           "endpoint_type": None, "payload_template": None,
                                           "expires_at": "2999-01-01T00:00:00+01:00"})
    assert answer.status == 201
    made = answer.json
    assert KEY.fullmatch(made["key"]) and SECRET.fullmatch(made["secret"])
    assert made["expires_at"] == "2998-12-31T23:00:00Z" and made["created_by"] == "edith"
    assert made["webhook_path"] == path_of(made)
    assert f"'{stack.base_url}{made['webhook_path']}'" in made["curl"]
    body = b'{"email":"lead@example.com","event":"from the page"}'
    assert send(stack, made["webhook_path"], body).status == 401
    sent = send(stack, made["webhook_path"], body, {**JSON, "X-Api-Secret": made["secret"]})
    assert sent.status == 202

    latest = get(stack, "vera", "signals?limit=1").json["signals"][0]
    assert latest["id"] == sent.json["id"] and latest["payload"] == json.loads(body)
    assert latest["key_name"] == "website" and latest["status"] == "pending"
    shown = get(stack, "edith", f"keys/{made['id']}").json
    assert shown["status"] == "active" and shown["last_used_at"] is not None
    assert get(stack, "edith", "keys").json["keys"][0] == shown
    assert not {"key", "secret"} & set(shown)

    gone = post(stack, "adam", f"keys/{made['id']}/deactivate")
    assert gone.json["status"] == "deactivated" and gone.json["deactivated_by"] == "adam"
    assert send(stack, made["webhook_path"], body,
                {**JSON, "X-Api-Secret": made["secret"]}).status == 401
    again = post(stack, "olga", f"keys/{made['id']}/deactivate", b"")
    assert again.json["deactivated_at"] == gone.json["deactivated_at"]
    assert again.json["deactivated_by"] == "adam"
    entries = [entry for entry in get(stack, "olga", "audit").json["entries"]
               if entry["object_id"] == str(made["id"])]
    assert [(entry["action"], entry["actor"]) for entry in entries] \
        == [("key_deactivate", "adam"), ("key_create", "edith")]
    wait_for(lambda: get(stack, "olga", f"keys/{made['id']}").json["last_refused_reason"]
             == "deactivated", "the refusal is noted")


def test_the_tool_sees_the_same(stack):
    made = post(stack, "olga", "keys", {"name": "both"}).json
    shown = stack.ctl_json("key", "show", made["id"])
    assert shown == get(stack, "olga", f"keys/{made['id']}").json
    assert stack.ctl_json("audit", "--organization", stack.organization, "--limit", 1)["entries"] \
        == get(stack, "olga", "audit?limit=1").json["entries"]
    def in_one_hour():
        """The window of both begins with the same hour."""
        told = stack.ctl_json("stats", "--organization", stack.organization, "--window", "7d")
        asked = get(stack, "olga", "statistics?window=7d").json
        return told["from"] == asked["from"] and (told, asked)

    told, asked = wait_for(in_one_hour, "both are asked within one hour")
    for moment in ("to", "as_of"):
        told.pop(moment), asked.pop(moment)
    assert told == asked
    assert stack.ctl_json("signal", "list", "--organization", stack.organization) \
        == get(stack, "olga", "signals?limit=20").json


HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "\u202eexe.gpj",
           "x" * 200, "\U0001f4a9" * 200, "a'b\"c\\d", "$(reboot)`id`", "null", "../../etc"]


def test_hostile_names_are_kept_as_text(stack):
    token = token_of(stack, "olga")
    for name in HOSTILE:
        made = post(stack, "olga", "keys", {"name": name}, token=token)
        assert made.status == 201 and made.json["name"] == name
        assert get(stack, "olga", f"keys/{made.json['id']}").json["name"] == name


BAD_KEYS = [  # the body, the place that the answer names
    ({}, "name"),
    ({"name": ""}, "name"),
    ({"name": None}, "name"),
    ({"name": 5}, "name"),
    ({"name": ["a"]}, "name"),
    ({"name": "x" * 201}, "name"),
    ({"name": "a\nb"}, "name"),
    ({"name": "a\u0085b"}, "name"),
    ({"name": "x", "endpoint_type": "other"}, "endpoint_type"),
    ({"name": "x", "endpoint_type": 1}, "endpoint_type"),
    ({"name": "x", "expires_at": "tomorrow"}, "expires_at"),
    ({"name": "x", "expires_at": "infinity"}, "expires_at"),
    ({"name": "x", "expires_at": 1893456000}, "expires_at"),
    ({"name": "x", "expires_at": "1893456000"}, "expires_at"),
    ({"name": "x", "expires_at": "2031-02-30"}, "expires_at"),
    ({"name": "x", "secret": "yes"}, "secret"),
    ({"name": "x", "secret": 1}, "secret"),
    ({"name": "x", "endpoint_type": "product_orgs"}, "payload_template"),
    ({"name": "x", "payload_template": {"product_org_id": "a"}}, "payload_template"),
    ({"name": "x", "endpoint_type": "product_orgs", "payload_template": []}, "payload_template"),
    ({"name": "x", "endpoint_type": "product_orgs", "payload_template": {}},
     "payload_template.product_org_id"),
    ({"name": "x", "endpoint_type": "product_orgs",
      "payload_template": {"product_org_id": "a", "mrr": ""}}, "payload_template.mrr"),
    ({"name": "x", "endpoint_type": "product_orgs",
      "payload_template": {"product_org_id": "a", "custom": {"n": 1}}},
     "payload_template.custom.n"),
    ({"name": "x", "id": 7}, "id"),
    ({"name": "x", "organization_id": 7}, "organization_id"),
    (b'{"name":"x","name":"y"}', "name"),
]


def test_bad_keys_name_the_field(stack):
    token = token_of(stack, "olga")
    before = stack.psql("select count(*) from sluice.api_key")
    for body, place in BAD_KEYS:
        answer = post(stack, "olga", "keys", body, token=token)
        problem = assert_problem(answer, 400, "invalid_request")
        assert [error["place"] for error in problem["errors"]] == [place], (body, problem)
        assert problem["errors"][0]["detail"]
    assert stack.psql("select count(*) from sluice.api_key") == before


BAD_BODIES = [
    (b"", 400, "empty_body"),
    (b" ", 400, "empty_body"),
    (b"{", 400, "malformed_json"),
    (b"[]", 400, "invalid_request"),
    (b"null", 400, "invalid_request"),
    (b'"name"', 400, "invalid_request"),
    (b'{"name":"\xff"}', 400, "malformed_json"),
    (b'{"name":"x"}{}', 400, "malformed_json"),
    (b"{'name':'x'}", 400, "malformed_json"),
    (b'{"name":' + b"[" * 300 + b"]" * 300 + b"}", 400, None),
    (b'{"name":' + b"9" * 1000 + b"}", 400, "number_too_large"),
    (b'{"name":"x","secret":' + b"{" * 5, 400, "malformed_json"),
]


def test_bad_bodies(stack):
    token = token_of(stack, "olga")
    for body, status, code in BAD_BODIES:
        assert_problem(post(stack, "olga", "keys", body, token=token), status, code)
    # A name that cannot be stored as it is.
    answer = post(stack, "olga", "keys", b'{"name":"a\\u0000b"}', token=token)
    assert answer.status == 201 and answer.json["name"] == "a\ufffdb"


def test_a_bodys_size(stack):
    token = token_of(stack, "olga")
    room = 256 << 10
    for size, status in ((room - 1, 201), (room, 201), (room + 1, 413), (2 * room, 413)):
        body = b'{"name":"size"' + b" " * (size - 15) + b"}"
        assert len(body) == size
        answer = post(stack, "olga", "keys", body, token=token)
        assert answer.status == status, size
        if status == 413:
            assert_problem(answer, 413, "body_too_large")
    # Of unknown length: read to the end, under the same limit.
    for pieces, status in ((2, 201), (80, 413)):
        head = {**basic(stack, "olga"), **JSON, "X-CSRF-Token": token}
        body = [b'{"name":"size"', *[b" " * 4096] * pieces, b"}"]
        assert send(stack, API + "keys", body, head).status == status
    payload = {"payload_template": {"product_org_id": "id"}, "payload": {"id": "x" * 400_000}}
    assert post(stack, "olga", "templates/try", payload, token=token).status == 200
    payload["payload"]["id"] = "x" * 1_300_000
    assert post(stack, "olga", "templates/try", payload, token=token).status == 413


# ---- the dry run ----

def test_the_dry_run_of_a_template(stack):
    template = {"product_org_id": "groupId", "mrr": "traits.mrr", "custom": {"n": "n"}}
    payload = [{"groupId": 7, "traits": {"mrr": "12"}, "n": {"deep": [1.50]}},
               {"groupId": 8, "traits": {"mrr": "a lot"}}, {"traits": {}}, 5]
    results = post(stack, "edith", "templates/try",
                   {"payload_template": template, "payload": payload}).json["results"]
    assert results[0]["row"]["product_org_id"] == "7" and results[0]["row"]["mrr"] == 12
    assert results[0]["row"]["custom"] == {"n": {"deep": [1.5]}} and results[0]["warnings"] == []
    assert results[1]["row"]["mrr"] is None and results[1]["warnings"][0]["field"] == "mrr"
    assert results[2]["error"]["code"] == "missing_product_org_id"
    assert results[3]["error"]["code"] == "not_an_object"
    many = post(stack, "edith", "templates/try",
                {"payload_template": template, "payload": [{"groupId": 1}] * 50})
    assert len(many.json["results"]) == 20
    exact = post(stack, "edith", "templates/try",
                 b'{"payload_template":{"product_org_id":"a"},"payload":{"a":12345678901234567890.10}}')
    assert exact.json["results"][0]["row"]["product_org_id"] == "12345678901234567890.10"
    for body, code, place in (
            ({"payload_template": {"product_org_id": "a", "custom": {"b": ""}}, "payload": {}},
             "invalid_template", "custom.b"),
            ({"payload_template": "x", "payload": {}}, "invalid_template", ""),
            ({"payload_template": {"product_org_id": "a"}}, "invalid_request", "payload"),
            ({"payload": {}}, "invalid_request", "payload_template"),
            ({"payload_template": {"product_org_id": "a"}, "payload": 5}, "invalid_request",
             "payload")):
        problem = assert_problem(post(stack, "edith", "templates/try", body), 400, code)
        assert problem["errors"][0]["place"] == place, problem


# ---- what came in ----

def test_the_latest_signals(stack):
    key = stack.new_key(name="latest")
    ids = [send(stack, path_of(key, source="one"), b'{"email":"a@b.c","n":%d}' % n).json["id"]
           for n in range(3)]
    cold = send(stack, path_of(key, source="two"), b'{"n":1e2}').json
    assert cold["cold_storage"]
    page = get(stack, "vera", "signals?limit=2").json
    assert [row["id"] for row in page["signals"]] == [cold["id"], ids[2]]
    assert page["signals"][0]["status"] == "cold_storage" and page["next"] == ids[2]
    page = get(stack, "vera", f"signals?limit=2&before={page['next']}").json
    assert [row["id"] for row in page["signals"]] == [ids[1], ids[0]]
    one = get(stack, "vera", f"signals?source=one&status=pending&before={ids[2]}").json
    assert [row["id"] for row in one["signals"]][:2] == [ids[1], ids[0]]
    assert {row["source"] for row in one["signals"]} == {"one"}
    two = get(stack, "vera", "signals?status=cold_storage&limit=1").json["signals"]
    assert two[0]["id"] == cold["id"]
    assert get(stack, "vera", "signals?source=nowhere").json["signals"] == []
    assert get(stack, "vera", "signals?before=0").json == {"signals": [], "next": None}
    large = send(stack, path_of(key), b'{"email":"a@b.c","x":"%s"}' % (b"x" * 70000)).json["id"]
    [row] = get(stack, "vera", "signals?limit=1").json["signals"]
    assert row["id"] == large and row["payload"] is None and row["payload_bytes"] > 70000


def test_the_latest_product_orgs(stack):
    template = {"product_org_id": "groupId", "mrr": "mrr", "custom": {"n": "n"},
                "last_active_at": "at"}
    made = post(stack, "olga", "keys", {"name": "orgs", "endpoint_type": "product_orgs",
                                        "payload_template": template}).json
    assert made["payload_template"] == template
    for n, mrr in enumerate((100, "a lot")):
        payload = {"groupId": "acme", "mrr": mrr, "n": {"of": n}, "at": "2024-01-15T10:30:00Z"}
        assert send(stack, made["webhook_path"], json.dumps(payload).encode()).status == 202
    newest, older = get(stack, "vera", "product-orgs?limit=2").json["product_orgs"]
    assert older["product_org_id"] == "acme" and older["mrr"] == 100 and older["warnings"] == []
    assert newest["mrr"] is None and newest["warnings"][0]["field"] == "mrr"
    assert newest["custom"] == {"n": {"of": 1}} and newest["key_name"] == "orgs"
    assert newest["last_active_at"] == "2024-01-15T10:30:00Z"
    assert newest["payload"]["mrr"] == "a lot"
    page = get(stack, "vera", "product-orgs?limit=1").json
    assert page["product_orgs"] == [newest] and page["next"] == newest["id"]
    before = get(stack, "vera", f"product-orgs?before={newest['id']}").json
    assert before["product_orgs"][0] == older
    assert page == stack.ctl_json("product-org", "list", "--organization", stack.organization,
                                  "--limit", 1)


def test_the_latest_rejects(stack):
    key = stack.new_key(name="rejects")
    send(stack, path_of(key, end="/batch"), b'[{"email":"a@b.c"}, 5, "<script>\xc3\xa4"]')
    send(stack, path_of(key), b"{\xff\x00" + b"y" * 5000)
    bad, text, number = get(stack, "vera", "rejects?limit=3").json["rejects"]
    assert number["preview"] == "5" and number["position"] == 1
    assert text["preview"] == '"<script>\xe4"' and not text["truncated"]
    assert bad["preview"].startswith("{\\377\\000yyy") and bad["truncated"]
    assert bad["key_name"] == "rejects" and bad["kind"] == "single"
    page = get(stack, "vera", "rejects?limit=1").json
    assert page["next"] == bad["id"]
    assert get(stack, "vera", f"rejects?limit=1&before={bad['id']}").json["rejects"][0] == text


def instant(text):
    return datetime.datetime.fromisoformat(text)


def test_statistics_see_what_was_sent_at_once(stack):
    key = stack.new_key(name="statistics")
    stack.ctl("maintain")  # many rows that nobody has counted yet are left to it
    before = get(stack, "vera", "statistics").json
    for _ in range(2):
        send(stack, path_of(key, source="counted"),
             b'{"email":"a@b.c","messageId":"m1"}')
    send(stack, path_of(key, source="counted"), b'{"x":1}')
    send(stack, path_of(key, end="/batch"), b'[{"email":"a@b.c"}, 5]')
    for maintained in (False, True):
        after = get(stack, "vera", "statistics").json
        assert after["totals"]["pending"] == before["totals"]["pending"] + 2
        assert after["cold_storage"] == before["cold_storage"] + 1
        assert after["rejected"] == before["rejected"] + 1
        assert after["duplicates"] == before["duplicates"] + 1
        assert after["as_of"] == after["to"] and after["bucket_seconds"] == 3600
        assert sum(entry["signals"] for entry in after["series"] if entry["source"] == "counted") \
            == 2
        if not maintained:
            stack.ctl("maintain")
    for span, seconds, days in (("24h", 3600, 1), ("7d", 3600, 7), ("30d", 86400, 30)):
        told = get(stack, "vera", f"statistics?window={span}").json
        assert told["window"] == span and told["bucket_seconds"] == seconds
        whole = instant(told["to"]) - instant(told["from"])
        assert whole <= datetime.timedelta(days=days)
        assert whole > datetime.timedelta(days=days) - datetime.timedelta(seconds=seconds)
        for entry in told["series"]:
            moment = instant(entry["at"])
            assert moment >= instant(told["from"])
            assert calendar.timegm(moment.utctimetuple()) % seconds == 0


def test_usage(stack):
    used = get(stack, "edith", "usage").json
    [told] = stack.ctl_json("usage", "--organization", stack.organization)
    assert {name: used[name] for name in
            ("month", "signals", "duplicates", "signal_limit", "overages")} \
        == {name: told[name] for name in
            ("month", "signals", "duplicates", "signal_limit", "overages")}
    months = [entry["month"] for entry in used["months"]]
    assert len(months) == 12 and months == sorted(months, reverse=True)
    assert months[0] == used["month"]


BAD_PARAMETERS = [
    ("statistics?window=1y", "window"), ("statistics?window=", "window"),
    ("signals?limit=0", "limit"), ("signals?limit=101", "limit"), ("signals?limit=x", "limit"),
    ("signals?limit=5&limit=5", "limit"), ("signals?limit=-1", "limit"),
    ("signals?limit=9999999999999999999", "limit"), ("signals?before=-1", "before"),
    ("signals?source=%", "source"), ("rejects?before=x", "before"), ("audit?limit=1e1", "limit"),
    ("keys?organization=x", "organization"), ("keys?organization=1%20or%201", "organization"),
    ("keys?organization=", "organization"),
]


def test_bad_parameters(stack):
    for path, place in BAD_PARAMETERS:
        problem = assert_problem(get(stack, "olga", path), 400, "invalid_request")
        assert problem["errors"][0]["place"] == place, path
    assert get(stack, "olga", "signals?unknown=1&source=a'b%22;--").status == 200
    for path in ("keys/x", "keys/0", "keys/999999999", "keys/1%2f2", "keys/%2e%2e", "nothing", "",
                 "keys/1/nothing"):
        assert get(stack, "olga", path).status == 404, path


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
    assert post(stack, "olga", "keys", {"name": "x"}, token=late).status == 201


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
        answer = post(stack, "olga", "keys", {"name": "x"}, headers, token)
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
            answer = send(stack, API + path.format(id=own["key"]["id"]), data, headers, method)
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


def ask_worker(worker, variables, body=b""):
    with worker.talk() as talk:
        talk.write(begin() + params(variables) + record(STDIN, body) * bool(body) + record(STDIN))
        output, ended = talk.read()
    assert ended
    head, _, rest = output.partition(b"\r\n\r\n")
    lines = [line.split(": ", 1) for line in head.decode().split("\r\n")]
    return Answer(int(lines[0][1].split()[0]), [tuple(line) for line in lines], rest)


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
    body = b'{"name":"address"}'

    def create(worker, *more):
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
            assert f"'{url}" in create(worker, *more).json["curl"]
        forged = create(worker, ("HTTP_HOST", "a'$(x)"), ("HTTP_ORIGIN", "http://a'$(x)"))
        assert forged.status == 403
    with Worker(stack, program="settings",
                more={"SLUICE_PUBLIC_URL": "https://hooks.example.com/in/"}) as worker:
        made = create(worker, ("HTTP_HOST", "inside"), ("HTTP_ORIGIN", "https://hooks.example.com"))
        assert made.status == 201
        assert "'https://hooks.example.com/in/api/" in made.json["curl"]
        inside = create(worker, ("HTTP_HOST", "inside"), ("HTTP_ORIGIN", "http://inside"))
        assert inside.status == 403


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
    assert post(stack, "olga", "keys", {"name": "x"}, token=token).status == 201
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
