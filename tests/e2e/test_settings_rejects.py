"""The settings' API: rejected payloads, one tried, edited, replayed or discarded; all of a kind."""

import json
import threading

import pytest

from harness import JSON, assert_problem, org_path, path_of, send
from settings_api import get, post, token_of

pytestmark = pytest.mark.settings

BAD = b'{"email":"A@b.c",\n "a":}'
GOOD = '{"email":"A@b.c",\n "a":1}'


@pytest.fixture
def key(stack):
    return stack.new_key(name="rejects of one test")


def reject(stack, key, body=BAD, **options):
    """Sends a body that is bad; the ids of what is kept of it."""
    before = ids_of(stack, key)
    send(stack, path_of(key, **options), body)
    return [each for each in ids_of(stack, key) if each not in before]


def ids_of(stack, key):
    return [row[0] for row in stack.psql(
        "select id from sluice.rejected_payload where key_id = %s order by id", key["id"])]


def state_of(stack, identity):
    [(state,)] = stack.psql("select state from sluice.rejected_overview where id = %s", identity)
    return state


def warnings_of(stack, key, table="signal"):
    return [row[0] for row in stack.psql(
        f"select warnings from sluice.{table} where key_id = %s order by id", key["id"])]


# ---- looking and trying ----

def test_one_with_all_its_bytes(stack, key):
    [identity] = reject(stack, key)
    answer = get(stack, "edith", f"rejects/{identity}").json
    assert answer["payload"] == BAD.decode() and answer["exact"] and answer["whole"]
    one = answer["reject"]
    assert (one["id"], one["code"], one["state"]) == (identity, "malformed_json", "open")
    assert one["why"] == "The body is not valid JSON"
    assert one["place"] == {"line": 2, "column": 6, "before": ' "a":', "bad": "}", "after": ""}
    listed = get(stack, "vera", "rejects?limit=1").json["rejects"]
    assert listed == [one]


def test_bytes_that_are_not_text(stack, key):
    [identity] = reject(stack, key, b'{"a":"\xe4\x00"}')
    answer = get(stack, "edith", f"rejects/{identity}").json
    assert answer["payload"] == '{"a":"\ufffd\u0000"}' and not answer["exact"]
    assert answer["reject"]["place"] == {"line": 1, "column": 7, "before": '{"a":"',
                                         "bad": "\\344", "after": '\\000"}'}
    trial = post(stack, "edith", f"rejects/{identity}/try", {"payload": '{"a":"ä"}'}).json
    assert trial == {"good": True, "items": 1}


def test_only_the_beginning_is_kept(stack, key):
    [identity] = reject(stack, key, b"{" + b" " * (1 << 20) + b"]")
    answer = get(stack, "edith", f"rejects/{identity}").json
    assert not answer["whole"] and len(answer["payload"]) == 1 << 20
    trial = post(stack, "edith", f"rejects/{identity}/try", {}).json
    assert "only the first 1048576 bytes" in trial["error"]["detail"]
    assert_problem(post(stack, "edith", f"rejects/{identity}/replay", {}), 400, "invalid_request")
    assert post(stack, "edith", f"rejects/{identity}/replay", {"payload": "{}"}).status == 200


@pytest.mark.parametrize("payload, code, place", [
    ('{"a":\n 01}', "malformed_json", (2, 3, "1")),
    ('{"a":"\u0001"}', "malformed_json", (1, 7, "\u0001")),
    ("7", "not_an_object", (1, 1, "7")),
    ("[{}, 7]", "batch_rejected", (1, 6, "7")),
    ('{"a":', "malformed_json", (1, 6, "")),
    ("", "empty_body", None), (" \n", "empty_body", None), ("[]", "empty_batch", None),
])
def test_what_is_still_bad_is_told_with_its_place(stack, key, payload, code, place):
    [identity] = reject(stack, key)
    trial = post(stack, "edith", f"rejects/{identity}/try", {"payload": payload}).json
    error = trial["error"]
    assert not trial["good"] and trial["items"] == 0 and error["code"] == code
    told = error["place"] and tuple(error["place"][name] for name in ("line", "column", "bad"))
    assert told == place
    problem = assert_problem(post(stack, "edith", f"rejects/{identity}/replay",
                                  {"payload": payload}), 400, "invalid_request")
    assert problem["errors"][0]["place"] == "payload"
    assert problem["errors"][0]["detail"].endswith(f": {error['detail']}")
    assert state_of(stack, identity) == "open" and stack.rows(key) == 0


# ---- replaying one ----

def test_an_edited_payload_says_so(stack, key):
    [identity] = reject(stack, key)
    assert post(stack, "edith", f"rejects/{identity}/try", {"payload": GOOD}).json == {
        "good": True, "items": 1}
    answer = post(stack, "edith", f"rejects/{identity}/replay", {"payload": GOOD}).json
    assert answer["id"] == identity and answer["edited"] and len(answer["ids"]) == 1
    assert stack.psql("select s.email, s.request_id = r.request_id, s.occurred_at = r.received_at,"
                      " r.payload = %s, r.replayed_by"
                      " from sluice.signal s, sluice.rejected_payload r"
                      " where s.id = %s and r.id = %s", BAD, answer["ids"][0], identity) == [
        ("a@b.c", True, True, True, "edith")]
    assert warnings_of(stack, key) == [
        [{"field": "payload", "reason": "was edited by edith before it was replayed"}]]
    [entry] = [each for each in get(stack, "olga", "audit").json["entries"]
               if each["object_kind"] == "rejected_payload"
               and each["object_id"] == str(identity)]
    assert entry["actor"] == "edith" and entry["details"]["edited"]
    one = get(stack, "edith", f"rejects/{identity}").json["reject"]
    assert (one["state"], one["replayed_by"]) == ("replayed", "edith")


def test_what_was_replayed_is_not_replayed_again(stack, key):
    [identity] = reject(stack, key)
    path = f"rejects/{identity}/replay"
    assert post(stack, "edith", path, {"payload": GOOD}).status == 200
    problem = assert_problem(post(stack, "adam", path, {"payload": GOOD}), 409, "wrong_state")
    assert "was replayed already, by edith." in problem["detail"]
    problem = assert_problem(post(stack, "adam", f"rejects/{identity}/discard", {}), 409,
                             "wrong_state")
    assert stack.rows(key) == 1
    assert post(stack, "adam", path, {"payload": GOOD, "again": True}).status == 200
    assert stack.rows(key) == 2


def test_two_people_at_once(stack, key):
    """Nothing is stored twice."""
    [identity] = reject(stack, key)
    tokens = {user: token_of(stack, user) for user in ("adam", "edith")}
    barrier = threading.Barrier(2)
    statuses = []

    def replay(user):
        barrier.wait()
        statuses.append(post(stack, user, f"rejects/{identity}/replay", {"payload": GOOD},
                             token=tokens[user]).status)

    threads = [threading.Thread(target=replay, args=(user,)) for user in tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 409] and stack.rows(key) == 1


def test_unchanged_it_is_not_edited(stack):
    """What was bad by the template is good by the one that the key has now."""
    key = stack.new_key(name="orgs of a test", endpoint="product_orgs",
                        template={"product_org_id": "wrong"})
    send(stack, org_path(key), b'{"id":"acme"}')
    [identity] = ids_of(stack, key)
    one = get(stack, "edith", f"rejects/{identity}").json["reject"]
    assert one["place"] is None and "where the key's payload template looks for it" in one["why"]
    assert not post(stack, "edith", f"rejects/{identity}/try", {}).json["good"]
    post(stack, "edith", f"keys/{key['id']}/edit", {"payload_template": {"product_org_id": "id"}})
    stack.ctl("key", "deactivate", key["id"])  # what was taken may be stored all the same
    answer = post(stack, "edith", f"rejects/{identity}/replay", {"payload": '{"id":"acme"}'}).json
    assert not answer["edited"]
    assert warnings_of(stack, key, "product_org_update") in ([None], [[]])


def test_the_limit_holds_for_replays(stack, key):
    [identity] = reject(stack, key)
    stack.ctl("organization", "limit", stack.organization, "--signals", "1",
              "--overages", "off")
    try:
        send(stack, path_of(key), b'{"email":"a@b.c"}')
        answer = post(stack, "edith", f"rejects/{identity}/replay", {"payload": GOOD})
        problem = assert_problem(answer, 429, "limit_reached")
        assert problem["detail"].startswith(
            "The organization has used up its signals of the month. What is not replayed stays")
        trial = post(stack, "edith", f"rejects/{identity}/try", {"payload": GOOD}).json
        assert trial == {"good": False, "items": 0, "error": {
            "code": "limit_reached", "why": problem["title"], "detail": problem["detail"],
            "place": None}}
        # What is bad in itself is told first.
        assert post(stack, "edith", f"rejects/{identity}/try", {}).json["error"]["code"] == \
            "malformed_json"
    finally:
        stack.ctl("organization", "limit", stack.organization, "--signals", "0")
    assert state_of(stack, identity) == "open"
    assert post(stack, "edith", f"rejects/{identity}/try", {"payload": GOOD}).json["good"]
    assert post(stack, "edith", f"rejects/{identity}/replay", {"payload": GOOD}).status == 200


def test_an_item_gets_the_envelope_of_its_batch(stack, key):
    [identity] = reject(stack, key, b'{"context":{"traits":{"email":"x@y.z"}},"batch":[{},7]}',
                        end="/batch")
    answer = post(stack, "edith", f"rejects/{identity}/replay", {"payload": "{}"}).json
    assert stack.psql("select email from sluice.signal where id = %s", answer["ids"][0]) == [
        ("x@y.z",)]


def test_another_organizations_is_not_there(stack, key):
    stack.ctl("organization", "create", "with a reject")
    other = stack.new_key(organization="with a reject", name="n")
    send(stack, path_of(other), BAD)
    [identity] = ids_of(stack, other)
    assert_problem(get(stack, "olga", f"rejects/{identity}"), 404, "not_found")
    for what in ("try", "replay", "discard"):
        assert_problem(post(stack, "olga", f"rejects/{identity}/{what}", {}), 404, "not_found")
    assert state_of(stack, identity) == "open"


@pytest.mark.parametrize("what, body", [
    ("try", {"payload": 7}), ("try", {"again": True}), ("replay", {"again": "yes"}),
    ("discard", {"payload": "{}"}), ("replay", {"other": 1})])
def test_what_is_not_known_is_refused(stack, key, what, body):
    [identity] = reject(stack, key)
    assert_problem(post(stack, "edith", f"rejects/{identity}/{what}", body), 400,
                   "invalid_request")


def test_a_payload_over_the_limit_is_refused(stack, key):
    [identity] = reject(stack, key)
    body = json.dumps({"payload": "x" * ((2 << 20) - (40 << 10))}).encode()
    answer = post(stack, "edith", f"rejects/{identity}/replay", body, JSON)
    assert answer.status == 413


# ---- discarding, and the list ----

def test_what_is_discarded(stack, key):
    [identity] = reject(stack, key)
    assert post(stack, "edith", f"rejects/{identity}/discard", {}).json == {"id": identity}
    problem = assert_problem(post(stack, "adam", f"rejects/{identity}/discard", {}), 409,
                             "wrong_state")
    assert "was discarded already, by edith." in problem["detail"]
    [one] = get(stack, "vera", f"rejects?key={key['id']}").json["rejects"]
    assert (one["state"], one["discarded_by"], one["replayed_at"]) == ("discarded", "edith", None)
    assert one["discarded_at"] is not None
    assert_problem(post(stack, "edith", f"rejects/{identity}/replay", {"payload": GOOD}), 409,
                   "wrong_state")


def test_the_list_by_state_code_and_key(stack, key):
    [bad] = reject(stack, key)
    [number] = reject(stack, key, b"7")
    post(stack, "edith", f"rejects/{bad}/discard", {})

    def listed(query):
        return [each["id"] for each in
                get(stack, "vera", f"rejects?key={key['id']}&{query}").json["rejects"]]

    assert listed("") == [number, bad] and listed("state=") == [number, bad]
    assert listed("state=open") == [number] and listed("state=discarded") == [bad]
    assert listed("state=replayed") == []
    assert listed("code=malformed_json") == [bad] and listed("code=not_an_object") == [number]
    for query, place in (("state=new", "state"), ("code=nonsense", "code"), ("key=x", "key")):
        problem = assert_problem(get(stack, "vera", f"rejects?{query}"), 400, "invalid_request")
        assert problem["errors"][0]["place"] == place


# ---- all of a kind ----

def kind_of(stack, key, code):
    return next(each for each in get(stack, "vera", "reject-kinds?limit=100").json["kinds"]
                if each["key_id"] == key["id"] and each["code"] == code)


def replay_all(stack, kind, after=None):
    body = {name: kind[name] for name in ("code", "key_id", "until")}
    return post(stack, "edith", "replay-rejects",
                body if after is None else {**body, "after": after})


def test_all_of_a_kind(stack):
    key = stack.new_key(name="kinds", endpoint="product_orgs",
                        template={"product_org_id": "wrong"})
    items = [{"id": number} for number in range(1, 231)] + [{"no": "id"}]
    send(stack, org_path(key), json.dumps(items).encode())
    send(stack, org_path(key), b"7")
    post(stack, "edith", f"keys/{key['id']}/edit", {"payload_template": {"product_org_id": "id"}})
    kind = kind_of(stack, key, "missing_product_org_id")
    assert (kind["open"], kind["key_name"], kind["key_status"]) == (231, "kinds", "active")
    # Of no more than this key's: the kinds are those that most are of.
    assert len(get(stack, "vera", f"rejects?code=not_an_object&key={key['id']}")
               .json["rejects"]) == 1
    send(stack, org_path(key), b'{"later":1}')  # is not what was counted
    replayed, failed, after, requests = 0, [], None, 0
    while requests == 0 or after is not None:
        answer = replay_all(stack, kind, after).json
        replayed += answer["replayed"]
        failed += answer["failed"]
        assert answer["next"] is None or answer["next"] > (after or 0)
        after = answer["next"]
        requests += 1
    assert replayed == 230 and requests >= 3
    [bad] = failed
    assert bad["code"] == "missing_product_org_id" and state_of(stack, bad["id"]) == "open"
    assert kind_of(stack, key, "missing_product_org_id")["open"] == 2
    answer = replay_all(stack, kind).json
    assert answer["replayed"] == 0 and [each["id"] for each in answer["failed"]] == [bad["id"]]
    assert stack.psql("select count(*) from sluice.product_org_update where key_id = %s",
                      key["id"]) == [(230,)]


def test_two_people_replay_all_at_once(stack):
    key = stack.new_key(name="at once", endpoint="product_orgs",
                        template={"product_org_id": "wrong"})
    send(stack, org_path(key), json.dumps([{"id": n} for n in range(1, 41)]).encode())
    post(stack, "edith", f"keys/{key['id']}/edit", {"payload_template": {"product_org_id": "id"}})
    kind = kind_of(stack, key, "missing_product_org_id")
    body = {name: kind[name] for name in ("code", "key_id", "until")}
    tokens = {user: token_of(stack, user) for user in ("adam", "edith")}
    answers = []
    threads = [threading.Thread(target=lambda user=user: answers.append(
        post(stack, user, "replay-rejects", body, token=tokens[user]).json)) for user in tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(answer["replayed"] for answer in answers) == 40
    assert all(answer["failed"] == [] for answer in answers)
    assert stack.psql("select count(*) from sluice.product_org_update where key_id = %s",
                      key["id"]) == [(40,)]


def test_what_is_bad_for_good_stays_open(stack, key):
    for _ in range(2):
        reject(stack, key, b"7")
    kind = kind_of(stack, key, "not_an_object")
    answer = replay_all(stack, kind).json
    assert answer["replayed"] == 0 and len(answer["failed"]) == 2 and answer["next"] is None


@pytest.mark.parametrize("body, place", [
    ({"key_id": 1, "until": 1}, "code"), ({"code": "x", "until": 1}, "key_id"),
    ({"code": "x", "key_id": 1}, "until"), ({"code": "x", "key_id": "1", "until": 1}, "key_id")])
def test_a_kind_has_to_be_whole(stack, body, place):
    problem = assert_problem(post(stack, "edith", "replay-rejects", body), 400, "invalid_request")
    assert problem["errors"][0]["place"] == place
