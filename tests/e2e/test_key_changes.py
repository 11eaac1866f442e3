"""Changes of keys, by the settings' API and by the tool: editing, rotation, secrets, retries."""

import itertools
import json
import re
import secrets
import threading

import pytest

from harness import JSON, KEY, SECRET, Client, Load, assert_problem, org_path, path_of, send
from settings_api import get, post, token_of
from sluicectl import USAGE

pytestmark = [pytest.mark.settings, pytest.mark.first_front]


def status_with(stack, key, secret=None):
    head = {**JSON, **({"X-Api-Secret": secret} if secret else {})}
    return send(stack, path_of(key), headers=head).status


def change(stack, key, what, body, user="edith", **options):
    return post(stack, user, f"keys/{key['id']}/{what}", body, **options)


def let_overlap_end(stack, key):
    """As if the time of the overlap had gone by."""
    stack.psql("update sluice.api_key set previous_secret_until = now() where id = %s", key["id"])


def history(stack, key):
    return get(stack, "olga", f"keys/{key['id']}/history").json["entries"]


# ---- editing ----

def test_a_key_is_edited(stack):
    key = stack.new_product_key(name="before")
    # The worker now has its template.
    assert send(stack, org_path(key), b'{"groupId":"acme"}').json["product_org_id"] == "acme"
    template = {"product_org_id": "id", "mrr": "mrr", "custom": {"n": "n"}}
    edited = change(stack, key, "edit", {"name": "after", "payload_template": template,
                                         "expires_at": "2999-01-01T00:00:00Z"}).json
    assert (edited["name"], edited["payload_template"], edited["expires_at"]) \
        == ("after", template, "2999-01-01T00:00:00Z")
    assert get(stack, "olga", f"keys/{key['id']}").json == edited
    # Of the next request on, the new template is used.
    sent = send(stack, org_path(key), b'{"id":"acme2","groupId":"acme","mrr":5,"n":[1.50]}')
    assert sent.json["product_org_id"] == "acme2"
    payload = get(stack, "olga", f"keys/{key['id']}/payload").json
    assert payload["payload"] == {"id": "acme2", "groupId": "acme", "mrr": 5, "n": [1.5]}
    assert change(stack, key, "edit", {"expires_at": None}).json["expires_at"] is None
    assert change(stack, key, "edit", {}).json["name"] == "after"
    renamed, edit, create = history(stack, key)
    assert (renamed["details"]["old"], renamed["details"]["new"]) \
        == ({"expires_at": "2999-01-01T00:00:00+00:00"}, {"expires_at": None})
    assert edit["actor"] == "edith" and edit["details"]["old"]["name"] == "before"
    assert json.loads(edit["template_before"]) == {"product_org_id": "groupId"}
    assert json.loads(edit["template_after"]) == template
    assert create["action"] == "key_create" and create["template_before"] is None


def test_the_networks_of_a_key_are_edited(stack):
    key = stack.new_key(name="travelling")
    edited = change(stack, key, "edit", {"networks": ["198.51.100.7", "2001:db8::/32"]}).json
    assert edited["networks"] == ["198.51.100.7/32", "2001:db8::/32"]
    assert status_with(stack, key) == 403
    assert change(stack, key, "edit", {"name": "at home"}).json["networks"] == edited["networks"]
    assert change(stack, key, "edit", {"networks": None}).json["networks"] is None
    assert status_with(stack, key) == 202
    assert history(stack, key)[0]["details"]["old"] == {"networks": edited["networks"]}


BAD_EDITS = [  # the body, the place that the answer names
    ({"name": ""}, "name"),
    ({"name": "x" * 201}, "name"),
    ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
    ({"expires_at": "2099-01-01T00:00:00"}, "expires_at"),
    ({"expires_at": 5}, "expires_at"),
    ({"payload_template": {"product_org_id": "a"}}, "payload_template"),
    ({"payload_template": {}}, "payload_template.product_org_id"),
    ({"networks": []}, "networks"),
    ({"networks": "10.0.0.0/8"}, "networks"),
    ({"networks": ["10.0.0.1/8"]}, "networks"),
    ({"networks": ["::"] * 201}, "networks"),
    ({"endpoint_type": "product_orgs"}, "endpoint_type"),
    ({"secret": True}, "secret"),
]


def test_a_bad_edit_names_the_field(stack):
    key, token = stack.new_key(name="as it was"), token_of(stack, "edith")
    for body, place in BAD_EDITS:
        problem = assert_problem(change(stack, key, "edit", body, token=token), 400,
                                 "invalid_request")
        assert [error["place"] for error in problem["errors"]] == [place], body
    assert len(history(stack, key)) == 1


def test_a_deactivated_key_is_not_changed(stack):
    key = stack.new_key(name="gone", secret=True)
    stack.ctl("key", "deactivate", key["id"])
    for what, body in (("edit", {"name": "x"}), ("rotate", {}), ("secret", {"action": "remove"})):
        problem = assert_problem(change(stack, key, what, body), 409, "wrong_state")
        assert problem["detail"] == f"Key {key['id']} is deactivated."


# ---- rotation ----

def test_a_key_is_rotated(stack):
    key = stack.new_key(name="rotating", secret=True, delivery_id="event.id")
    answer = change(stack, key, "rotate", {"overlap_seconds": 3600})
    made = answer.json
    assert answer.status == 201 and KEY.fullmatch(made["key"]) and SECRET.fullmatch(made["secret"])
    assert made["key"] != key["key"] and made["secret"] != key["secret"]
    assert (made["name"], made["delivery_id_member"], made["expires_at"], made["successor_of"]) \
        == ("rotating", "event.id", None, key["id"])
    body = b'{"email":"a@example.com","event":{"id":"one"}}'
    first = send(stack, path_of(key), body, {**JSON, "X-Api-Secret": key["secret"]}).json
    again = send(stack, path_of(made), body, {**JSON, "X-Api-Secret": made["secret"]}).json
    assert again["duplicate"] is True and again["id"] == first["id"]
    assert status_with(stack, made, key["secret"]) == 401
    old = get(stack, "olga", f"keys/{key['id']}").json
    assert old["status"] == "active" and old["successor"] == made["id"]
    assert stack.psql("select expires_at - now() between '58 minutes' and '1 hour'"
                      " from sluice.api_key where id = %s", key["id"]) == [(True,)]
    problem = assert_problem(change(stack, key, "rotate", {}), 409, "wrong_state")
    assert problem["detail"] == f"Key {key['id']} has been rotated already."
    last = change(stack, made, "rotate", {"overlap_seconds": 0}).json
    assert status_with(stack, made, made["secret"]) == 401
    assert send(stack, path_of(last), body, {**JSON, "X-Api-Secret": last["secret"]}).json["id"] \
        == first["id"]


@pytest.mark.parametrize("body, place", [
    ({"overlap_seconds": -1}, "overlap_seconds"),
    ({"overlap_seconds": 90 * 86400 + 1}, "overlap_seconds"),
    ({"overlap_seconds": "1"}, "overlap_seconds"), ({"overlap": 1}, "overlap"),
    ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at")])
def test_a_bad_rotation(stack, body, place):
    key = stack.new_key()
    problem = assert_problem(change(stack, key, "rotate", body), 400, "invalid_request")
    assert [error["place"] for error in problem["errors"]] == [place]
    assert get(stack, "olga", f"keys/{key['id']}").json["successor"] is None


def test_an_expired_key_needs_an_expiration(stack):
    key = stack.new_expired_key()
    problem = assert_problem(change(stack, key, "rotate", {}), 400, "invalid_request")
    assert problem["errors"][0]["place"] == "expires_at"
    made = change(stack, key, "rotate", {"expires_at": None}).json
    assert made["status"] == "active" and status_with(stack, made) == 202
    assert status_with(stack, key) == 401


def test_rotation_under_load(stack):
    """Senders change from the old key to the new one, some sooner, some later. No request is
    refused, and what is sent with both is stored once."""
    keys = [stack.new_key(name="under load")]
    sent = itertools.count()

    def body(number):
        return b'{"email":"a@example.com","messageId":"m-%d","number":%d}' % (number, number)

    with Load(stack, path_of(keys[0]), senders=3, body=body) as load:
        load.wait(30, 202)
        keys.append(change(stack, keys[0], "rotate", {"overlap_seconds": 3600}).json)
        with Client(stack.port) as client:
            repeated = 0
            while repeated < 100:
                number = next(sent)
                if number >= len(load.sent):
                    load.wait(1, 202)
                answer = client.send(path_of(keys[1]), body(number), JSON)
                assert answer.status == 202
                repeated += answer.json.get("duplicate", False)
        load.wait(30, 202)
    assert {entry.status for entry in load.sent} == {202}
    numbers = {entry.number for entry in load.sent} | set(range(next(sent)))
    assert stack.psql("select count(*), count(distinct message_id) from sluice.signal_staging"
                      " where key_id = any(%s)", [key["id"] for key in keys]) \
        == [(len(numbers), len(numbers))]


# ---- secrets ----

def test_a_secret_is_enabled_rotated_and_removed(stack):
    key = stack.new_key(name="guarded")
    enabled = change(stack, key, "secret", {"action": "enable"}).json
    first = enabled["secret"]
    assert SECRET.fullmatch(first) and enabled["has_secret"] and enabled["old_secret_until"] is None
    assert enabled["secret_needed_from"] is not None
    assert [status_with(stack, key, secret) for secret in (None, first)] == [202, 202]
    let_overlap_end(stack, key)
    assert [status_with(stack, key, secret) for secret in (None, "whs_x", first)] == [401, 401, 202]

    rotated = change(stack, key, "secret", {"action": "rotate", "overlap_seconds": 600}).json
    second = rotated["secret"]
    assert second != first and rotated["old_secret_until"] is not None
    assert [status_with(stack, key, secret) for secret in (None, first, second)] == [401, 202, 202]
    problem = assert_problem(change(stack, key, "secret", {"action": "rotate"}), 409, "wrong_state")
    assert "no third secret" in problem["detail"]
    retired = change(stack, key, "secret", {"action": "retire"}).json
    assert retired["secret"] is None and retired["old_secret_until"] is None
    assert [status_with(stack, key, secret) for secret in (first, second)] == [401, 202]

    assert change(stack, key, "secret", {"action": "remove"}).json["has_secret"] is False
    assert status_with(stack, key) == 202
    assert [entry["action"] for entry in history(stack, key)] == [
        "secret_remove", "secret_retire", "secret_rotate", "secret_enable", "key_create"]


@pytest.mark.parametrize("body, place", [
    ({}, "action"), ({"action": "drop"}, "action"), ({"action": None}, "action"),
    ({"action": "enable", "overlap_seconds": -1}, "overlap_seconds")])
def test_a_bad_change_of_a_secret(stack, body, place):
    problem = assert_problem(change(stack, stack.new_key(), "secret", body), 400, "invalid_request")
    assert [error["place"] for error in problem["errors"]] == [place]


# ---- retries ----

def retry(stack, path, body, token, user="edith"):
    answer = post(stack, user, path, body, headers={"Idempotency-Key": token})
    assert answer.status in (200, 201), answer.body
    return answer.json


def test_a_retry_reveals_the_same_key(stack):
    token = secrets.token_hex(16)
    body = {"name": "lost and found", "secret": True}
    made, again = (retry(stack, "keys", body, token) for _ in range(2))
    assert made == again and KEY.fullmatch(made["key"]) and SECRET.fullmatch(made["secret"])
    assert status_with(stack, again, again["secret"]) == 202
    assert len(history(stack, made)) == 1
    # What is not the same request makes another key.
    found = [made, retry(stack, "keys", {**body, "name": "found again"}, token)]
    for its_token, user in ((secrets.token_hex(16), "edith"), (token, "olga")):
        stack.psql("update sluice.api_key set name = name || ' ' || id where name = %s",
                   body["name"])
        found.append(retry(stack, "keys", body, its_token, user))
    assert len({key["key"] for key in found}) == 4
    # An hour later nobody gets it again.
    stack.psql("update sluice.api_key set created_at = created_at - interval '1 hour'"
               " where id = %s", made["id"])
    refused = post(stack, "edith", "keys", body, headers={"Idempotency-Key": token})
    assert refused.status >= 400 and b"sk_" not in refused.body


def test_a_retry_reveals_the_same_successor_and_secret(stack):
    key, token = stack.new_key(secret=True), secrets.token_hex(16)
    for path, body in ((f"keys/{key['id']}/rotate", {"overlap_seconds": 60}),
                       (f"keys/{key['id']}/secret", {"action": "rotate", "overlap_seconds": 60})):
        made, again = (retry(stack, path, body, token) for _ in range(2))
        assert made == again and SECRET.fullmatch(made["secret"])
    assert status_with(stack, key, made["secret"]) == 202
    assert [entry["action"] for entry in history(stack, key)] == [
        "secret_rotate", "key_rotate", "key_create"]


def test_retries_at_the_same_time(stack):
    token, csrf = secrets.token_hex(16), token_of(stack, "edith")
    found = []
    threads = [threading.Thread(target=lambda: found.append(post(
        stack, "edith", "keys", {"name": "eight times at once"}, token=csrf,
        headers={"Idempotency-Key": token}).json)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len({answer["key"] for answer in found}) == 1
    assert len(history(stack, found[0])) == 1


@pytest.mark.parametrize("token", ["short", "x" * 31, "x" * 201, "x" * 40 + " y"])
def test_a_token_that_is_none(stack, token):
    answer = post(stack, "edith", "keys", {"name": "x"}, headers={"Idempotency-Key": token})
    problem = assert_problem(answer, 400, "invalid_request")
    assert problem["errors"][0]["place"] == "Idempotency-Key"


def test_nothing_of_a_token_is_stored(stack):
    token = secrets.token_hex(16)
    made = retry(stack, "keys", {"name": "not stored", "secret": True}, token)
    dump = stack.psql("select k::text, (select string_agg(a::text, '') from sluice.audit_log as a)"
                      " from sluice.api_key as k where k.id = %s", made["id"])[0]
    for text in (token, made["key"], made["secret"]):
        assert text not in "".join(dump)


# ---- by the tool ----

def test_the_tool_edits(tool, stack, organization, tmp_path):
    template, payload = tmp_path / "template.json", tmp_path / "payload.json"
    template.write_text('{"product_org_id": "id", "mrr": "mrr"}')
    key = stack.new_product_key(organization=organization, name="before")
    shown = tool("key", "edit", str(key["id"]), "--name", "after", "--expires", "2099-01-01",
                 "--template", template)
    assert "not tried: no payload has come" in shown.stderr_text
    assert f'key {key["id"]} "after" was changed' in shown.stdout_text
    accepted = send(stack, org_path(key), b'{"id":"acme","mrr":"a lot","name":"Acme"}')
    assert accepted.status == 202
    template.write_text('{"product_org_id": "id", "name": "name"}')
    shown = tool("key", "edit", str(key["id"]), "--template", template)
    assert shown.stderr_text == "" and re.search(r"^name +Acme$", shown.stdout_text, re.M)
    template.write_text('{"product_org_id": "groupId"}')
    refused = tool.refused_after_rows("key", "edit", str(key["id"]), "--template", template)
    assert 'payload "the latest": 1 of 1 items would be rejected' in refused
    payload.write_text('{"groupId": 5}')
    edited = tool.json("key", "edit", str(key["id"]), "--template", template, "--try", payload,
                       "--expires", "never")
    assert edited["payload_template"] == {"product_org_id": "groupId"}
    assert edited["expires_at"] is None and edited["name"] == "after"
    text = tool("key", "history", str(key["id"])).stdout_text
    assert re.search(r'^-    "product_org_id": "id",?$', text, re.M) and "key_create" in text
    assert [entry["action"] for entry in tool.json("key", "history", str(key["id"]))["entries"]] \
        == ["key_edit", "key_edit", "key_edit", "key_create"]


@pytest.mark.parametrize("options, message", [
    ([], "there is nothing to change"), (["--try", "x"], "--try needs --template"),
    (["--expires", "2001-01-01"], "2001-01-01T00:00:00Z is past"),
    (["--expires", "soon"], "is not a valid timestamp")])
def test_the_tool_refuses_an_edit(tool, stack, options, message):
    assert message in tool.refused("key", "edit", str(stack.new_key()["id"]), *options, exits=USAGE)


def test_the_tool_rotates(tool, stack, organization):
    key = stack.new_key(organization=organization, name="rotating", secret=True)
    made = tool.json("key", "rotate", str(key["id"]), "--overlap", "2h")
    assert {"key", "secret", "webhook_url", "old_expires_at"} < set(made)
    assert made["successor_of"] == key["id"] and made["expires_at"] is None
    assert status_with(stack, made, made["secret"]) == 202
    assert "has been rotated already" in tool.refused("key", "rotate", str(key["id"]))
    text = tool("key", "rotate", str(made["id"]), "--overlap", "0", "--expires", "90d").stdout_text
    assert f"the successor of key {made['id']}" in text and "will not be shown again" in text
    assert status_with(stack, made, made["secret"]) == 401
    for overlap in ("soon", "-1h", "24"):
        tool.refused("key", "rotate", str(made["id"]), f"--overlap={overlap}", exits=USAGE)
    assert "0 to 90 days" in tool.refused("key", "rotate", str(stack.new_key()["id"]), "--overlap",
                                          "91d")
    assert "does not exist" in tool.refused("key", "rotate", "9223372036854775807")


def test_the_tool_changes_secrets(tool, stack, organization):
    key = stack.new_key(organization=organization, name="guarded")
    first = tool.json("secret", "enable", str(key["id"]), "--overlap", "0")
    assert first["secret_needed_from"] is None and status_with(stack, key) == 401
    text = tool("secret", "rotate", str(key["id"])).stdout_text
    second, = SECRET.findall(text)
    assert "The old secret is valid, too, until 2" in text
    assert [status_with(stack, key, secret) for secret in (first["secret"], second)] == [202, 202]
    assert "needs its new secret" in tool("secret", "retire", str(key["id"])).stdout_text
    assert [status_with(stack, key, secret) for secret in (first["secret"], second)] == [401, 202]
    assert tool.json("secret", "remove", str(key["id"]))["has_secret"] is False
    assert status_with(stack, key) == 202
    assert "has no secret" in tool.refused("secret", "remove", str(key["id"]))
