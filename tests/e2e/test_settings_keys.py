"""The settings' API: keys and the dry run of templates."""

import hashlib
import json
import secrets

import pytest

from harness import JSON, KEY, SECRET, assert_problem, path_of, send, wait_for
from settings_api import API, basic, get, post, token_of

pytestmark = pytest.mark.settings


# ---- a key's life ----

def test_a_key_is_made_used_and_deactivated(stack):
    name = f"website {secrets.token_hex(4)}"
    answer = post(stack, "edith", "keys", {"name": name, "secret": True, "endpoint_type": None,
                                           "payload_template": None,
                                           "expires_at": "2999-01-01T00:00:00+01:00"})
    assert answer.status == 201
    made = answer.json
    assert KEY.fullmatch(made["key"]) and SECRET.fullmatch(made["secret"])
    assert made["expires_at"] == "2998-12-31T23:00:00Z" and made["created_by"] == "edith"
    assert made["webhook_path"] == path_of(made)
    assert f"'{stack.base_url}{made['webhook_path']}'" in made["snippets"][0]["text"]
    body = b'{"email":"lead@example.com","event":"from the page"}'
    assert send(stack, made["webhook_path"], body).status == 401
    sent = send(stack, made["webhook_path"], body, {**JSON, "X-Api-Secret": made["secret"]})
    assert sent.status == 202

    latest = get(stack, "vera", "signals?limit=1").json["signals"][0]
    assert latest["id"] == sent.json["id"] and latest["payload"] == json.loads(body)
    assert latest["key_name"] == name and latest["status"] == "pending"
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
               if (entry["object_kind"], entry["object_id"]) == ("api_key", str(made["id"]))]
    assert [(entry["action"], entry["actor"]) for entry in entries] \
        == [("key_deactivate", "adam"), ("key_create", "edith")]
    wait_for(lambda: get(stack, "olga", f"keys/{made['id']}").json["last_refused_reason"]
             == "deactivated", "the refusal is noted")


def test_the_tool_sees_the_same(stack):
    made = post(stack, "olga", "keys", {"name": "both", "networks": [
        "2001:DB8::/32", "192.0.2.7", "\u0031.0.0.0/8"]}).json
    assert made["networks"] == ["1.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"]
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
    assert stack.ctl_json("signal", "list", "--organization", stack.organization)["signals"] \
        == get(stack, "olga", "signals?limit=20").json["signals"]


def test_all_that_is_wrong_is_named_at_once(stack):
    body = {"nmae": "x", "secret": "yes", "expires_at": "soon", "payload_template": [],
            "networks": "everywhere"}
    problem = assert_problem(post(stack, "olga", "keys", body), 400, "invalid_request")
    assert [error["place"] for error in problem["errors"]] == [
        "nmae", "secret", "expires_at", "payload_template", "networks"]
    key = post(stack, "olga", "keys", {"name": "to be rotated"}).json
    problem = assert_problem(post(stack, "olga", f"keys/{key['id']}/rotate", {
        "overlap_seconds": 90 * 86400 + 1, "expires_at": 5, "overlap": 1}), 400, "invalid_request")
    assert [(error["place"], error["detail"]) for error in problem["errors"]] == [
        ("overlap", "is not known here"),
        ("overlap_seconds", "is not from 0 to 7776000, 90 days"),
        ("expires_at", "is not a string")]


def test_a_key_is_found_by_its_hash(stack):
    made = post(stack, "olga", "keys", {"name": "found by its hash"}).json
    key_hash = hashlib.sha256(made["key"].encode()).hexdigest()
    found = post(stack, "edith", "find-key", {"key_hash": key_hash})
    assert found.status == 200
    assert found.json["key"] == get(stack, "olga", f"keys/{made['id']}").json
    assert post(stack, "edith", "find-key", {"key_hash": "0" * 64}).json == {"key": None}
    for wrong in (key_hash[1:], key_hash + "0", key_hash.upper(), made["key"], "", None, 5):
        problem = assert_problem(post(stack, "edith", "find-key", {"key_hash": wrong}), 400,
                                 "invalid_request")
        assert [error["place"] for error in problem["errors"]] == ["key_hash"], wrong


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
    ({"name": "x", "expires_at": "2031-05-01T12:00:00"}, "expires_at"),
    ({"name": "x", "expires_at": "2001-05-01T12:00:00Z"}, "expires_at"),
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
    ({"name": "x", "networks": "10.0.0.0/8"}, "networks"),
    ({"name": "x", "networks": []}, "networks"),
    ({"name": "x", "networks": [10]}, "networks"),
    ({"name": "x", "networks": [None]}, "networks"),
    ({"name": "x", "networks": ["10.0.0.0/8", "10.0.0.1/8"]}, "networks"),
    ({"name": "x", "networks": ["10.0.0.0/8\u0000"]}, "networks"),
    ({"name": "x", "networks": ["::"] * 201}, "networks"),
    ({"name": "x", "networks": {"0": "::"}}, "networks"),
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
        body = b'{"name":"%s"' % secrets.token_hex(2).encode() + b" " * (size - 15) + b"}"
        assert len(body) == size
        answer = post(stack, "olga", "keys", body, token=token)
        assert answer.status == status, size
        if status == 413:
            problem = assert_problem(answer, 413, "body_too_large")
            assert problem["detail"] == "Shorten the payload template, or the payload."
    # Of unknown length: read to the end, under the same limit.
    for pieces, status in ((2, 201), (80, 413)):
        head = {**basic(stack, "olga"), **JSON, "X-CSRF-Token": token}
        body = [b'{"name":"sizes"', *[b" " * 4096] * pieces, b"}"]
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
