"""Deliveries with an id are stored once, whoever sends them how often and by which path."""

import concurrent.futures
import functools
import json
import random
import re
import threading

import pytest

from harness import (JSON, NDJSON, Client, Stack, accepted_id, assert_problem, bulk_path, org_path,
                     path_of, send, wait_for, wait_until_equal)

STRICT = {**JSON, "Prefer": "handling=strict"}


def signal(message_id, **members):
    return {"email": "once@example.com", "messageId": message_id, **members}


def post(stack, key, value, headers=JSON, end=""):
    return send(stack, path_of(key, end=end), json.dumps(value).encode(), headers)


@pytest.mark.each_front
@pytest.mark.parametrize("name, changes", [("messageId", {"changed": True}), ("message_id", {})])
def test_a_repeat_is_answered_like_the_first(stack, key, name, changes):
    body = {"email": "once@example.com", name: "delivery-1"}
    first = post(stack, key, body)
    again = post(stack, key, {**body, **changes})
    assert again.status == 202
    assert again.json == {**first.json, "duplicate": True}
    assert "duplicate" not in first.json
    assert stack.rows(key) == 1
    assert stack.staged(accepted_id(first)) == body, "the first one is kept"


@pytest.mark.parametrize("first, second", [
    ({"message_id": "mail", "event": "delivered"}, {"message_id": "mail", "event": "opened"}),
    ({"message_id": "mail", "at": 1700000000}, {"message_id": "mail", "at": 1700000001}),
    ({"messageId": "m", "event": "Signed Up"}, {"messageId": "m", "event": "Signed In"}),
    ({"messageId": "m", "type": "track"}, {"messageId": "m", "type": "identify"}),
    ({"messageId": "m", "message_id": "n"}, {"message_id": "m"}),
], ids=["mail-event", "mail-bytes", "event", "type", "member"])
def test_the_same_id_that_says_something_else_is_stored(stack, key, first, second):
    """All events of one mail have its message_id; and no other mistake of a sender loses one."""
    ids = [accepted_id(post(stack, key, {"email": "once@example.com", **item}))
           for item in (first, second, first, second)]
    assert ids[0] != ids[1] and ids[2:] == ids[:2]
    assert stack.rows(key) == 2


@pytest.mark.each_front
@pytest.mark.parametrize("header", ["Idempotency-Key", "webhook-id"])
def test_header_gives_a_single_request_its_id(stack, key, header):
    headers = {**JSON, header: "evt_1 of \"them\""}
    first = post(stack, key, {"email": "a@example.com"}, headers)
    again = post(stack, key, {"email": "b@example.com"}, headers)
    other = post(stack, key, {"email": "b@example.com"}, {**JSON, header: "evt_2"})
    assert accepted_id(again) == accepted_id(first) != accepted_id(other)
    assert stack.staged(accepted_id(first), "message_id") == "evt_1 of \"them\""
    assert stack.rows(key) == 2


def test_which_id_counts(stack, key):
    both = {**JSON, "Idempotency-Key": "idempotency", "webhook-id": "webhook"}
    ids = {
        "messageId": accepted_id(post(stack, key, {"messageId": "m", "message_id": "n"}, both)),
        "message_id": accepted_id(post(stack, key, {"message_id": "n"}, both)),
        "idempotency": accepted_id(post(stack, key, {"userId": 1}, both)),
        "webhook": accepted_id(post(stack, key, {"userId": 1}, {**JSON, "webhook-id": "webhook",
                                                               "Idempotency-Key": ""})),
    }
    assert len(set(ids.values())) == 4
    found = [stack.staged(row, "message_id") for row in ids.values()]
    assert found == ["m", "n", "idempotency", "webhook"]


def test_header_does_not_name_the_items_of_a_batch(stack, key):
    headers = {**JSON, "Idempotency-Key": "one for all"}
    for _ in range(2):
        answer = post(stack, key, [{"userId": 1}, {"userId": 2}], headers)
        assert answer.json["accepted"] == 2 and answer.json["duplicates"] == 0
    assert stack.rows(key) == 4


@pytest.mark.parametrize("value", ["\u00e9", "x" * 1025, "tab\there"])
def test_header_that_is_no_id_refuses_nothing(stack, key, value):
    headers = {**JSON, "Idempotency-Key": value}
    first, again = (post(stack, key, {"userId": "u"}, headers) for _ in range(2))
    assert accepted_id(first) != accepted_id(again)
    assert stack.staged(accepted_id(again), "message_id") is None
    other = post(stack, key, {"userId": "u"}, {**headers, "webhook-id": "evt"})
    assert stack.staged(accepted_id(other), "message_id") == "evt"


def test_longest_id(stack, key):
    for _ in range(2):
        answer = send(stack, path_of(key), headers={**JSON, "Idempotency-Key": "x" * 1024})
    assert answer.json["duplicate"] is True and stack.rows(key) == 1


@pytest.mark.parametrize("message_id, counts", [
    ("", False), (7, True), (1.50, True), (True, False), (None, False), ([], False),
    ("x" * 1024, True), ("x" * 1025, False), ("\u20ac\ud83d\ude00", True), (" ", False),
    (0, False), ("\u00a0", False), ("null", False), ("undefined", False), ("0", False)])
def test_values_of_message_id(stack, key, message_id, counts):
    for _ in range(2):
        accepted_id(post(stack, key, signal(message_id)))
    assert stack.rows(key) == (1 if counts else 2)


def test_without_an_id_delivery_is_at_least_once(stack, key):
    assert accepted_id(send(stack, path_of(key))) != accepted_id(send(stack, path_of(key)))
    assert stack.rows(key) == 2


def test_ids_are_the_keys_own(stack, key):
    other = stack.new_key(name="another")
    assert accepted_id(post(stack, key, signal("mine"))) != \
        accepted_id(post(stack, other, signal("mine")))
    assert stack.rows(key) == stack.rows(other) == 1


@pytest.mark.each_front
def test_batch_with_repeats(stack, key):
    first = accepted_id(post(stack, key, signal("a")))
    items = [signal("a"), signal("b"), 3, signal("b"), {"email": "n@example.com"}]
    answer = post(stack, key, items, end="/batch")
    assert answer.status == 202
    assert [answer.json[name] for name in ("accepted", "duplicates", "rejected")] == [2, 2, 1]
    results = answer.json["results"]
    assert [result.get("duplicate", False) for result in results] == \
        [True, False, False, True, False]
    assert results[0]["id"] == first and results[3]["id"] == results[1]["id"]
    assert stack.rows(key) == 3


def test_retry_with_another_mix_of_events(stack, key):
    """As Segment's webhook destination does it."""
    post(stack, key, [signal("1"), signal("2"), signal("3")])
    answer = post(stack, key, [signal("2"), signal("4"), signal("1")])
    assert [answer.json[name] for name in ("accepted", "duplicates")] == [1, 2]
    assert stack.rows(key) == 4


def test_strict_batch_that_is_refused_notes_nothing(stack, key):
    assert_problem(post(stack, key, [signal("s"), 1], STRICT), 400, "batch_rejected")
    assert post(stack, key, [signal("s")]).json["accepted"] == 1


@pytest.mark.each_front
def test_bulk_with_repeats(stack, key):
    first = accepted_id(post(stack, key, signal("a")))
    # More than one chunk of the import; an id comes back in a later chunk.
    items = [signal(f"bulk-{n % 4000}", number=n) for n in range(5000)] + [signal("a"), "no object"]
    body = "\n".join(map(json.dumps, items)).encode()
    answer = send(stack, bulk_path(key), body, NDJSON)
    assert answer.status == 202, answer.body
    assert [answer.json[name] for name in ("accepted", "duplicates", "rejected")] == [4000, 1001, 1]
    assert stack.rows(key) == 4001
    again = send(stack, bulk_path(key), body, NDJSON)
    assert [again.json[name] for name in ("accepted", "duplicates", "rejected")] == [0, 5001, 1]
    assert stack.rows(key) == 4001
    assert accepted_id(post(stack, key, signal("a"))) == first
    numbers = stack.psql("select max((payload->>'number')::int) from sluice.signal_staging"
                         " where key_id = %s and payload ? 'number'", key["id"])
    assert numbers == [(3999,)], "the first of each id is kept"


@pytest.mark.loop
def test_nobody_waits_for_an_import_with_the_same_ids(stack, key):
    """A bulk import holds nothing that others need while its sender takes its time."""
    if not stack.streams:
        pytest.skip("the web server passes a body on when it is whole")
    go_on = threading.Event()
    items = [json.dumps(signal(f"slow-{n}")).encode() + b"\n" for n in range(3000)]

    def body():
        yield b"".join(items[:2500])
        assert go_on.wait(60)
        yield b"".join(items[2500:])

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        upload = pool.submit(send, stack, bulk_path(key), body(), NDJSON)
        try:
            wait_for(lambda: stack.psql(
                "select count(*) from pg_stat_activity where state = 'idle in transaction'"
                " and application_name = 'sluice-intake'") == [(1,)], "the import is under way")
            mine = [accepted_id(post(stack, key, signal(f"slow-{n}"))) for n in (0, 2400, 2900)]
        finally:
            go_on.set()
        answer = upload.result()
    assert [answer.json[name] for name in ("accepted", "duplicates")] == [2997, 3], answer.body
    assert stack.rows(key) == 3000
    assert [accepted_id(post(stack, key, signal(f"slow-{n}"))) for n in (0, 2400, 2900)] == mine


@pytest.mark.first_front
@pytest.mark.parametrize("headers, end, code", [
    ({**NDJSON, "Prefer": "handling=strict"}, b"\n{", "batch_rejected"),
    (JSON, b",{]", "malformed_json"),
], ids=["strict", "malformed"])
def test_import_that_fails_notes_nothing(stack, key, headers, end, code):
    """More than one chunk: some of it had been sent to the database before it failed."""
    items = [json.dumps(signal(f"gone-{n}")).encode() for n in range(5000)]
    body = b"\n".join(items) + end if headers is not JSON else b"[" + b",".join(items) + end
    assert_problem(send(stack, bulk_path(key), body, headers), 400, code)
    assert stack.rows(key) == 0
    assert stack.psql("select from sluice.delivery where key_scope = %s", key["id"]) == []
    for number in (0, 4999):
        answer = post(stack, key, signal(f"gone-{number}"))
        assert "duplicate" not in answer.json
    assert stack.rows(key) == 2


@pytest.fixture(scope="module")
def four_workers():
    stack = Stack("lighttpd", workers=4)
    yield stack
    stack.close()


SENDERS, IDS, BATCH = 32, 1000, 20


def deliver(stack, key, seed):
    """All ids in an order of its own, in batches and single requests; {id: row's id}."""
    order = list(range(IDS))
    random.Random(seed).shuffle(order)
    given = {}
    with Client(stack.port, timeout=120) as client:
        for start in range(0, IDS, BATCH):
            part = order[start:start + BATCH]
            answer = client.send(path_of(key, end="/batch"),
                                 json.dumps([signal(f"m{n}") for n in part]).encode())
            assert answer.status == 202, answer.body[:300]
            given.update(zip(part, (result["id"] for result in answer.json["results"]),
                             strict=True))
            single = client.send(path_of(key), json.dumps(signal(f"m{part[0]}")).encode())
            assert single.status == 202 and single.json["id"] == given[part[0]]
    return given


def test_many_senders_of_the_same_ids(four_workers):
    """32 senders, the same 1,000 ids, four worker processes."""
    stack = four_workers
    key = stack.new_key(name="same ids")
    with concurrent.futures.ThreadPoolExecutor(SENDERS) as pool:
        given = list(pool.map(lambda seed: deliver(stack, key, seed), range(SENDERS)))
    assert all(one == given[0] for one in given), "all were told the same row of an id"
    assert sorted(stack.ids(key)) == sorted(given[0].values())
    assert len(set(given[0].values())) == IDS
    used = stack.ctl_json("usage", "--organization", stack.organization)["usage"][0]
    requests = SENDERS * (IDS + IDS // BATCH)
    assert (used["signals"], used["duplicates"]) == (IDS, requests - IDS)
    log = (stack.log_dir / "postgresql.log").read_text(errors="replace")
    assert not re.search("deadlock", log)


def test_limit_reached_under_load(four_workers):
    stack = four_workers
    stack.ctl("organization", "create", "limited")
    key = stack.new_key(organization="limited", name="limited")
    stack.ctl("organization", "limit", "limited", "--signals", 300)

    def sender(number):
        statuses = []
        with Client(stack.port, timeout=120) as client:
            for i in range(50):
                answer = client.send(path_of(key), json.dumps({"userId": f"{number}-{i}"}).encode())
                if answer.status == 429:
                    assert_problem(answer, 429, "limit_reached")
                statuses.append(answer.status)
        return statuses

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        statuses = [status for one in pool.map(sender, range(16)) for status in one]
    accepted = statuses.count(202)
    assert accepted + statuses.count(429) == len(statuses) == 800
    assert 300 <= accepted <= 300 + 16, "no more than was in flight"
    assert stack.rows(key) == accepted
    assert stack.ctl_json("usage", "--organization", "limited")["usage"][0]["signals"] == accepted
    assert_problem(post(stack, key, {"userId": 1}), 429, "limit_reached")
    assert_problem(send(stack, bulk_path(key), b'{"userId":1}'), 429, "limit_reached")
    stack.ctl("organization", "limit", "limited", "--overages", "on")
    first = post(stack, key, {"userId": "u-0", "messageId": "first"})
    stack.ctl("organization", "limit", "limited", "--overages", "off")
    accepted += 1
    again = post(stack, key, {"userId": "u-0", "messageId": "first"})
    assert again.json == {**first.json, "duplicate": True}, "a repeat is answered as the first time"
    batch = [{"userId": "u-0", "messageId": "first"}] * 2
    assert post(stack, key, batch).json["duplicates"] == 2
    for more in ({"userId": 1}, {"userId": 1, "messageId": "second"}, 7):
        assert_problem(post(stack, key, [*batch, more]), 429, "limit_reached")
    assert stack.rows(key) == accepted
    stack.ctl("organization", "limit", "limited", "--overages", "on")
    accepted_id(post(stack, key, {"userId": 1}))
    stack.ctl("organization", "limit", "limited", "--overages", "off", "--signals", "0")
    accepted_id(post(stack, key, {"userId": 1}))
    assert stack.rows(key) == accepted + 2


# ---- visitors who become known ----

@pytest.mark.each_front
def test_cold_signals_are_moved_when_their_visitor_is_known(stack, key):
    visitor = f"visitor-{key['id']}"
    cold = [post(stack, key, {"anonymousId": visitor, "n": n}) for n in range(3)]
    other = post(stack, key, {"anonymousId": f"not-{visitor}"})
    assert all(answer.json["cold_storage"] for answer in (*cold, other))
    known = post(stack, key, {"anonymousId": visitor, "email": "Known@Example.com"})
    assert known.json["cold_storage"] is False
    later = post(stack, key, {"anonymousId": visitor, "n": 4})
    assert later.json["cold_storage"] is False
    staged = {row[0] for row in stack.psql(
        "select id from sluice.signal_staging where key_id = %s", key["id"])}
    assert staged == {accepted_id(answer) for answer in (*cold, known, later)}
    assert stack.psql("select id from sluice.signal_cold_storage where key_id = %s",
                      key["id"]) == [(accepted_id(other),)]
    assert stack.rows(key) == 6


def test_many_cold_signals_move_in_steps(stack, key):
    """The request that identifies moves some; nothing is moved twice, nothing is left."""
    visitor = f"busy-{key['id']}"
    items = [{"anonymousId": visitor, "n": n} for n in range(1500)]
    assert post(stack, key, items).json["accepted"] == 1500
    accepted_id(post(stack, key, {"anonymousId": visitor, "userId": "u"}))
    left = stack.psql("select count(*) from sluice.signal_cold_storage where key_id = %s",
                      key["id"])[0][0]
    assert 0 < left < 1500
    with stack.connect() as connection, connection.cursor() as cursor:
        for _ in range(20):
            cursor.execute("select sluice.resolve_identities(500)")
            if cursor.fetchone() == (0,):
                break
    assert stack.psql("select count(*), count(distinct id) from sluice.signal_staging"
                      " where key_id = %s", key["id"]) == [(1501, 1501)]
    assert stack.rows(key) == 1501


# ---- refused requests ----

def test_refused_requests_of_known_keys_are_counted(stack):
    """With keys of its own: a worker may still have refusals of earlier tests to count."""
    def counted(key, reason):
        return stack.psql("select coalesce(sum(requests), 0)::int from sluice.refusal"
                          " where key_id = %s and reason = %s", key["id"], reason)[0][0]

    deactivated, secret = stack.new_key(name="deactivated"), stack.new_key(secret=True)
    stack.ctl("key", "deactivate", deactivated["id"])
    cases = [(deactivated, "deactivated", {}, 401),
             (stack.new_expired_key(name="expired"), "expired", {}, 401),
             (secret, "secret_missing", {}, 401),
             (secret, "secret_wrong", {"X-Api-Secret": "no"}, 401),
             (stack.new_product_key(name="product orgs"), "wrong_endpoint", {}, 403)]
    for key, _, headers, status in cases:
        for _ in range(3):
            assert send(stack, path_of(key), headers={**JSON, **headers}).status == status
    for key, reason, _, _ in cases:
        wait_until_equal(functools.partial(counted, key, reason), 3, f"{reason} is counted")


@pytest.mark.loop
@pytest.mark.first_front
def test_refused_requests_do_not_write_one_by_one(stack):
    """200 of them leave a row or two, with their sum."""
    total = ("select coalesce(sum(requests), 0)::int from sluice.refusal"
             " where key_id = %s and reason = 'deactivated'")
    key = stack.new_key(name="deactivated")
    stack.ctl("key", "deactivate", key["id"])
    stack.psql("select pg_stat_force_next_flush()")
    writes = ("select n_tup_ins + n_tup_upd from pg_stat_user_tables"
              " where relname = 'refusal_delta'")
    written = stack.psql(writes)[0][0]
    with Client(stack.port) as client:
        for _ in range(200):
            assert client.send(path_of(key)).status == 401
    wait_until_equal(lambda: stack.psql(total, key["id"]), [(200,)], "all are counted")
    wait_for(lambda: stack.psql(writes)[0][0] > written, "and seen in the statistics")
    assert stack.psql(writes)[0][0] - written <= 10


# ---- the member that a key names ----

# As a mail provider that gives each event an id, and all events of one mail another.
MAIL = {"message_id": "0d8ac3f2-mail", "email": "Reader@Example.com"}


@pytest.mark.each_front
def test_events_of_one_mail_are_not_repeats(stack, key):
    """Three events with one message_id, in one array and one by one."""
    events = [{**MAIL, "event": name, "timestamp": 1789344000 + number}
              for number, name in enumerate(("delivered", "open", "open"))]
    answer = post(stack, key, events)
    assert [answer.json[name] for name in ("accepted", "duplicates")] == [3, 0]
    assert post(stack, key, {"events": events}, end="/batch").json["duplicates"] == 3
    assert post(stack, key, {**events[2], "timestamp": 1789344099}).json.get("duplicate") is None
    assert stack.rows(key) == 4
    assert stack.psql("select deliveries, contents from sluice.reused_delivery_id"
                      " where key_scope = %s", key["id"]) == [
                          (4, ["delivered", "open", "open", "open"])]


@pytest.mark.each_front
@pytest.mark.parametrize("end", ["/batch", "bulk"])
def test_the_member_that_a_key_names(stack, end):
    """The provider's own id of an event tells repeats apart, whatever else it changes in them."""
    key = stack.new_key(delivery_id="event_id")

    def deliver(number, attempt):
        body = json.dumps({"events": [{**MAIL, "event": "open", "event_id": f"ev-{number}",
                                       "attempt": attempt}]}).encode()
        path = bulk_path(key) if end == "bulk" else path_of(key, end=end)
        return send(stack, path, body).json["duplicates"]

    assert [deliver(1, 1), deliver(2, 1), deliver(1, 2), deliver(2, 2)] == [0, 0, 1, 1]
    assert stack.psql("select message_id from sluice.signal_staging where key_id = %s order by id",
                      key["id"]) == [("ev-1",), ("ev-2",)]


def test_a_member_inside_another(stack):
    key = stack.new_key(delivery_id="data.object.id")
    for attempt in (1, 2):
        answer = post(stack, key, {"type": "paid", "userId": "u", "attempt": attempt,
                                   "data": {"object": {"id": "in-7"}}})
    assert answer.json["duplicate"] is True and stack.rows(key) == 1


def test_a_payload_without_the_member(stack):
    """Is known by what all senders share, or by nothing."""
    key = stack.new_key(delivery_id="event_id")
    shared = {"userId": "u", "messageId": "m"}
    for body, rows in (({"userId": "u", "event_id": " "}, 1), ({"userId": "u"}, 2), (shared, 3),
                       (shared, 3)):
        accepted_id(post(stack, key, body))
        assert stack.rows(key) == rows


def test_a_member_of_product_orgs(stack):
    key = stack.new_key(endpoint="product_orgs", template={"product_org_id": "org"},
                        delivery_id="delivery")
    path = org_path(key)
    ids = [send(stack, path, json.dumps(body).encode()).json["id"] for body in (
        {"org": "o-1", "delivery": 7}, {"org": "o-1", "delivery": 7, "again": True},
        {"org": "o-2", "delivery": 7})]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.each_front
@pytest.mark.parametrize("header", ["svix-id", "ce-id"])
def test_other_headers_with_an_id(stack, key, header):
    for number in (1, 2):
        answer = post(stack, key, {"email": "a@example.com", "n": number},
                      {**JSON, header: "evt-9"})
    assert answer.json["duplicate"] is True and stack.rows(key) == 1


@pytest.mark.parametrize("value", ["0", " ", "null", "undefined",
                                   "00000000-0000-0000-0000-000000000000"])
def test_header_that_names_nothing(stack, key, value):
    for _ in range(2):
        headers = {**JSON, "Idempotency-Key": value}
        accepted_id(post(stack, key, {"email": "a@example.com"}, headers))
    assert stack.rows(key) == 2
