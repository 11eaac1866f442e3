"""Product-org updates from the sender to the typed row, through each web server.

The mapping itself, value by value, is in tests/unit/test_template.c; here is what it makes of
requests: rows, answers, and all that signals have, too.
"""

import concurrent.futures
import gzip
import json
import os
import re
import subprocess
import threading

import pytest

from harness import (ENVIRONMENT, JSON, NDJSON, ROOT, Client, accepted_id, assert_problem,
                     assert_recorded, bulk_path, org_path, path_of, send, sound_key, unsound_key,
                     wait_until_equal)
from harness.documents import block, blocks
from messages import (NO_PRODUCT_ORG_ID, NOT_A_TIMESTAMP, NOT_AN_OBJECT, NOT_TEXT, NOT_WHOLE,
                      NOT_WHOLE_64)
from test_hostile import BODIES, VALUES
from test_templates import SHIPPED, TEMPLATES

TEMPLATE = {"product_org_id": "id", "name": "name", "plan_id": "plan.id", "plan_name": "plan.name",
            "user_count": "users", "mrr": "mrr", "trial_status": "trial", "last_active_at": "at",
            "feature_flags": "flags", "custom": {"projects": "n.projects", "first": "list.0"}}
COLUMNS = ("product_org_id", "name", "plan_id", "plan_name", "user_count", "mrr", "trial_status",
           "last_active_at", "feature_flags", "custom", "warnings")


def post(stack, key, item, headers=JSON, **options):
    body = item if isinstance(item, bytes) else json.dumps(item).encode()
    return send(stack, org_path(key), body, headers, **options)


def rows_of(stack, key, columns="*"):
    return stack.psql(f"select {columns} from sluice.product_org_staging where key_id = %s"
                      " order by id",
                      key["id"])


def row_of(stack, answer):
    """The typed columns of what an answer says was stored."""
    row, = stack.psql(
        "select product_org_id, name, plan_id, plan_name, user_count, mrr, trial_status,"
        " to_char(last_active_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US'),"
        " feature_flags::text, custom::text, warnings"
        " from sluice.product_org_staging where id = %s",
        accepted_id(answer))
    return dict(zip(COLUMNS, row, strict=True))


@pytest.fixture(scope="module")
def orgs(stack):
    return stack.new_key(name="orgs", endpoint="product_orgs", template=TEMPLATE)


@pytest.fixture
def fresh(stack):
    return stack.new_key(name="fresh orgs", endpoint="product_orgs", template=TEMPLATE)


# ---- answers and rows ----

@pytest.mark.each_front
def test_a_single_update(stack, fresh):
    answer = post(stack, fresh, {
        "id": "acct-1", "name": "Example Ltd", "plan": {"id": 7, "name": "Pro"}, "users": 42,
        "mrr": "129900",
        "trial": True, "at": "2026-11-14T10:00:00.25Z", "flags": {"beta": True, "n": 1.50},
        "n": {"projects": 12}, "list": ["x"]})
    assert answer.json == {"id": answer.json["id"], "product_org_id": "acct-1",
                           "message": "Product org update received and queued for processing"}
    assert row_of(stack, answer) == {
        "product_org_id": "acct-1", "name": "Example Ltd", "plan_id": "7", "plan_name": "Pro",
        "user_count": 42, "mrr": 129900, "trial_status": "true",
        "last_active_at": "2026-11-14T10:00:00.250000", "feature_flags": '{"n": 1.5, "beta": true}',
        "custom": '{"first": "x", "projects": 12}', "warnings": None}
    (organization, status, request_id, payload), = rows_of(
        stack, fresh, "(select name from sluice.organization where id = organization_id),"
        " status::text,"
        " request_id, payload")
    assert (organization, status, request_id) == \
        (stack.organization, "pending", answer.header("X-Request-Id"))
    assert payload["plan"] == {"id": 7, "name": "Pro"}


@pytest.mark.each_front
def test_an_array(stack, fresh):
    answer = post(stack, fresh, [{"id": 1}, {"name": "nobody"}, {"id": "b", "mrr": "much"}, 7,
                                 {"id": "c"}])
    assert answer.status == 202
    first, second, third = rows_of(stack, fresh, "id")
    assert answer.json == {
        "message": "3 of 5 product org updates received and queued for processing",
        "accepted": 3, "duplicates": 0, "rejected": 2, "results": [
            {"index": 0, "id": first[0], "product_org_id": "1"},
            {"index": 1, "error": {
                "code": "missing_product_org_id",
                "detail": f"{NO_PRODUCT_ORG_ID}, in the item at byte offset 12"}},
            {"index": 2, "id": second[0], "product_org_id": "b",
             "warnings": [{"field": "mrr", "reason": NOT_WHOLE}]},
            {"index": 3, "error": {"code": "not_an_object",
                                   "detail": answer.json["results"][3]["error"]["detail"]}},
            {"index": 4, "id": third[0], "product_org_id": "c"}]}
    kept = stack.psql("select position, kind, code, detail, convert_from(payload, 'UTF8')"
                      " from sluice.rejected_payload where key_id = %s order by position",
                      fresh["id"])
    assert kept[0] == (1, "item", "missing_product_org_id",
                       f"{NO_PRODUCT_ORG_ID}, in the item at byte offset 12",
                       '{"name": "nobody"}')
    assert kept[1][:3] == (3, "item", "not_an_object") and len(kept) == 2


@pytest.mark.parametrize("column, member, values", [
    ("user_count", "users", [
        ("0", 0), ("-7", -7), ('"12"', 12), ('" 12 "', 12), ("12.0", 12), ("1.2e1", 12),
        ("9223372036854775807", 2**63 - 1), ("-9223372036854775808", -2**63), ("null", None),
        ("9223372036854775808", NOT_WHOLE_64),
        ("12.5", NOT_WHOLE),
        ('"many"', NOT_WHOLE), ('""', NOT_WHOLE),
        ("true", NOT_WHOLE),
        ("[1]", NOT_WHOLE), ("{}", NOT_WHOLE)]),
    ("mrr", "mrr", [("129900", 129900), ('"129900"', 129900), ("-1", -1),
                    ('"1,299.00"', NOT_WHOLE), ("1299.5", NOT_WHOLE)]),
    ("last_active_at", "at", [
        ('"2026-11-14T10:00:00Z"', "2026-11-14T10:00:00.000000"),
        ('"2026-11-14T10:00:00+02:00"', "2026-11-14T08:00:00.000000"),
        ('"2026-11-14T10:00:00.123456"', "2026-11-14T10:00:00.123456"),
        ('"2026-11-14"', "2026-11-14T00:00:00.000000"),
        ("1794650400", "2026-11-14T10:00:00.000000"),
        ("1794650400250", "2026-11-14T10:00:00.250000"),
        ('"1794650400"', "2026-11-14T10:00:00.000000"), ("null", None),
        ('"soon"', NOT_A_TIMESTAMP),
        ("{}", NOT_A_TIMESTAMP)]),
    ("feature_flags", "flags", [
        ('{"a":true,"n":0.10}', '{"a": true, "n": 0.10}'), ("{}", "{}"), ("null", None),
        ("[]", NOT_AN_OBJECT), ('"a"', NOT_AN_OBJECT), ("true", NOT_AN_OBJECT)]),
    ("name", "name", [
        ('"Ünï"', "Ünï"), ("7", "7"), ("1.50", "1.50"), ("123456789012345678901234567890",
                                                         "123456789012345678901234567890"),
        ("false", "false"), ("null", None), ('""', "is empty"),
        ("{}", NOT_TEXT),
        ("[]", NOT_TEXT),
        (json.dumps("x" * 1024), "x" * 1024),
        (json.dumps("x" * 1025), "is longer than 1,024 bytes")]),
    ("custom", "n", [('{"projects":[1,{"x":null}]}', '{"projects": [1, {"x": null}]}'),
                     ('{"projects":null}', None), ("7", None)]),
])
def test_each_coercion(stack, orgs, column, member, values):
    """One batch a field: what is stored, or null with a warning in the answer and in the row."""
    items = [f'{{"id":"o","{member}":{value}}}' for value, _ in values]
    answer = post(stack, orgs, ("[" + ",".join(items) + "]").encode())
    assert answer.json["accepted"] == len(values), answer.body
    for (value, expected), result in zip(values, answer.json["results"], strict=True):
        row = row_of(stack, answer._replace(body=json.dumps(result).encode()))
        warned = expected is not None and expected != row[column]
        assert result.get("warnings") == row["warnings"], value
        if warned:
            assert (row[column], row["warnings"]) == \
                (None, [{"field": column, "reason": expected}]), value
        else:
            assert (row[column], row["warnings"]) == (expected, None), value


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_templates(stack, name):
    """The files as they are, from `key create` to the rows."""
    made = stack.ctl_json("key", "create", "--organization", stack.organization, "--name", name,
                          "--endpoint", "product_orgs", "--template", TEMPLATES / f"{name}.json")
    assert made["webhook_url"].endswith("/api/product-orgs/webhook/" + made["key"])
    answer = post(stack, made, (TEMPLATES / f"{name}.payload.json").read_bytes())
    assert answer.status == 202 and b"warnings" not in answer.body
    results = answer.json.get("results", [answer.json])
    assert len(results) == len(SHIPPED[name])
    for result, expected in zip(results, SHIPPED[name], strict=True):
        row = row_of(stack, answer._replace(body=json.dumps(result).encode()))
        for column in ("feature_flags", "custom"):
            row[column] = json.loads(row[column]) if row[column] else None
        if row["last_active_at"]:
            row["last_active_at"] = re.sub(r"\.?0*$", "", row["last_active_at"], count=1) + "Z"
        assert row == {**dict.fromkeys(COLUMNS), **expected}


# ---- who may ----

@pytest.mark.each_front
def test_the_other_endpoint(stack, keys, orgs):
    for path in (path_of(orgs), path_of(orgs, source="crm"), path_of(orgs, end="/batch"),
                 bulk_path(orgs)):
        assert_problem(send(stack, path, b'[{"userId":1}]'), 403, "wrong_endpoint")
    for _ in range(2):  # whatever a worker may have kept
        assert_problem(post(stack, keys["plain"], {"id": 1}), 403, "wrong_endpoint")


@pytest.mark.each_front
def test_nobody_else(stack, keys, fresh):
    """One answer for all who may not, and nothing is stored."""
    secret = stack.new_key(name="secret orgs", endpoint="product_orgs", template=TEMPLATE,
                           secret=True)
    gone = stack.new_key(name="gone orgs", endpoint="product_orgs", template=TEMPLATE)
    stack.ctl("key", "deactivate", gone["id"])
    right = {**JSON, "X-Api-Secret": secret["secret"]}
    cases = [({"key": sound_key()}, JSON), ({"key": unsound_key()}, JSON), (gone, JSON),
             (secret, JSON),
             (secret, {**JSON, "X-Api-Secret": "whs_" + "0" * 40}), (keys["deactivated"], JSON)]
    answers = set()
    for round_ in range(2):  # the second time the template of `secret` is known to the worker
        for key, headers in cases:
            problem = assert_problem(post(stack, key, {"id": 1}, headers), 401, "unauthenticated")
            assert_problem(post(stack, key, b'{"id":', headers), 401, "unauthenticated")
            answers.add((problem["title"], problem["detail"]))
        accepted_id(post(stack, secret, {"id": round_ + 1}, right))
    assert len(answers) == 1
    assert rows_of(stack, secret, "product_org_id") == [("1",), ("2",)]
    assert rows_of(stack, gone) == []


@pytest.mark.each_front
def test_deactivated_at_once(stack, fresh):
    """Though the worker knows its template."""
    accepted_id(post(stack, fresh, {"id": 1}))
    stack.ctl("key", "deactivate", fresh["id"])
    assert_problem(post(stack, fresh, {"id": 2}), 401, "unauthenticated")
    assert rows_of(stack, fresh, "product_org_id") == [("1",)]


@pytest.mark.each_front
def test_each_key_has_its_template(stack):
    made = [stack.new_key(name=f"t{n}", endpoint="product_orgs", template={
        "product_org_id": f"id{n}", "custom": {f"c{n}": "x"}}) for n in range(3)]
    item = {"id0": "a", "id1": "b", "id2": "c", "x": [1]}
    for _ in range(3):
        for n, key in enumerate(made):
            answer = post(stack, key, item)
            assert answer.json["product_org_id"] == "abc"[n]
            row = row_of(stack, answer)
            assert (row["product_org_id"], row["custom"]) == ("abc"[n], f'{{"c{n}": [1]}}')


@pytest.mark.first_front
@pytest.mark.loop
def test_many_keys_at_once(pair_stack):
    """More keys than a worker keeps templates of, at the same time; each gets its own."""
    stack = pair_stack
    made = [stack.new_key(name=f"k{n}", endpoint="product_orgs",
                          template={"product_org_id": f"id{n % 7}"})
            for n in range(300)]

    def run(part):
        with Client(stack.port, timeout=60) as client:
            for n in list(part) * 2:
                item = {f"id{i}": f"{n}-{i}" for i in range(7)}
                answer = client.send(org_path(made[n]), json.dumps(item).encode())
                assert answer.status == 202, answer
                assert answer.json["product_org_id"] == f"{n}-{n % 7}"

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(run, [range(start, 300, 8) for start in range(8)]))
    assert stack.psql("select count(*) from sluice.product_org_staging where key_id = any (%s)",
                      [key["id"] for key in made]) == [(600,)]


def test_a_template_that_is_not_valid(stack):
    """Stored past the tool: our own trouble, and the operator is told."""
    key = sound_key()
    stack.psql("select sluice.key_create('test', %s, 'bad', 'product_orgs', sha256(%s),"
               " U&'sk_aaaa\\2026zzzz',"
               " null, null, %s)", stack.organization, key.encode(), '{"product_org_id": "a..b"}')
    stack.credentials.add(key)
    for _ in range(2):
        assert_problem(post(stack, {"key": key}, {"a": 1}), 503, "misconfigured")
    stack.wait_logged("payload template is not valid")
    assert "has an empty step" in stack.log()


# ---- bad ones ----

@pytest.mark.each_front
def test_bad_requests(stack, fresh):
    path = org_path(fresh)
    problem = assert_problem(post(stack, fresh, {"name": "x"}), 400, "missing_product_org_id")
    assert problem["detail"] == f"{NO_PRODUCT_ORG_ID}, in the item at byte offset 0"
    problem = assert_problem(post(stack, fresh, {"id": {}}), 400, "missing_product_org_id")
    assert problem["detail"].startswith(
        f"product_org_id {NOT_TEXT}")
    assert_problem(post(stack, fresh, [{"name": 1}, {"id": ""}]), 400, "batch_rejected")
    assert_problem(post(stack, fresh, b'{"id":1'), 400, "malformed_json")
    assert_problem(post(stack, fresh, b""), 400, "empty_body")
    assert_problem(post(stack, fresh, b"[]"), 400, "empty_batch")
    assert_problem(post(stack, fresh, b'"id"'), 400, "not_an_object")
    assert_problem(post(stack, fresh, b"<a/>", {"Content-Type": "application/xml"}), 415)
    answer = send(stack, path, None, {}, "GET")
    assert_problem(answer, 405, "method_not_allowed")
    assert answer.header("Allow") == "POST"
    assert_problem(send(stack, path + "/batch", b"[]"), 404)
    assert_problem(send(stack, "/api/product-orgs/bulk/" + fresh["key"], b"[]"), 404)
    accepted_id(send(stack, path + "/", b'{"id":1}'))
    assert rows_of(stack, fresh, "product_org_id") == [("1",)]


def test_strict(stack, fresh):
    strict = {**JSON, "Prefer": "handling=strict"}
    problem = assert_problem(post(stack, fresh, [{"id": 1}, {"x": 1}, 7], strict), 400,
                             "batch_rejected")
    assert problem["detail"] == (f"item index 1: {NO_PRODUCT_ORG_ID}, in the item at byte offset"
                                 " 12; 2 of 3 items are bad")
    assert rows_of(stack, fresh) == []
    assert stack.psql("select from sluice.rejected_payload where key_id = %s", fresh["id"]) == []
    assert post(stack, fresh, [{"id": 1}, {"id": 2}], strict).json["accepted"] == 2


@pytest.mark.each_front
def test_limits(stack, fresh):
    def of(size):
        half, rest = b"x" * (size // 2), b"x" * (size - size // 2)
        return b'[{"id":1,"x":"' + half + b'"},{"id":2,"x":"' + rest + b'"}]'

    def one(size):
        return b'{"id":1}' + b" " * (size - 8)

    assert post(stack, fresh, one(1 << 20)).status == 202
    assert_problem(post(stack, fresh, one((1 << 20) + 1)), 413, "body_too_large")
    assert post(stack, fresh, of(900_000)).json["accepted"] == 2
    many = b"[" + b'{"id":1},' * 5000 + b'{"id":1}]'
    assert_problem(post(stack, fresh, many), 413, "too_many_items")
    large = b"[" + b'{"id":1,"x":"' + b"x" * 400_000 + b'"},' * 20 + b'{"id":1}]'
    assert_problem(post(stack, fresh, large), 400)
    assert_problem(post(stack, fresh, b" " * ((8 << 20) + 1)), 413, "body_too_large")


@pytest.mark.each_front
def test_a_large_array(stack, fresh):
    """Served by a child, with the same template; bad ones among them."""
    items = [{"id": f"o{n}", "users": n, "mrr": "x" if n % 100 == 0 else n, "filler": "y" * 200}
             for n in range(4000)]
    for n in (0, 1999, 3999):
        del items[n]["id"]
    answer = post(stack, fresh, items, timeout=60)
    assert answer.status == 202, answer.body[:300]
    assert (answer.json["accepted"], answer.json["rejected"]) == (3997, 3)
    assert [r["index"] for r in answer.json["results"]] == list(range(4000))
    assert [r["index"] for r in answer.json["results"] if "error" in r] == [0, 1999, 3999]
    assert stack.psql("select count(*), count(distinct product_org_id), sum(user_count)::int,"
                      " count(warnings)"
                      " from sluice.product_org_staging where key_id = %s", fresh["id"]) == [
                          (3997, 3997, sum(range(4000)) - 1999 - 3999, 39)]
    assert_problem(post(stack, {"key": sound_key()}, items, timeout=60), 401)


@pytest.mark.each_front
def test_gzip_and_ndjson(stack, fresh):
    packed = gzip.compress(b'{"id":"zip"}')
    accepted_id(post(stack, fresh, packed, {**JSON, "Content-Encoding": "gzip"}))
    accepted_id(post(stack, fresh, packed, {"Content-Type": "application/x-www-form-urlencoded"}))
    large = json.dumps([{"id": f"z{n}", "x": "z" * 500} for n in range(2000)]).encode()
    zipped = post(stack, fresh, gzip.compress(large), {**JSON, "Content-Encoding": "gzip"})
    assert zipped.json["accepted"] == 2000
    assert post(stack, fresh, b'{"id":1}\n{"x":1}\n{"id":2}\n', NDJSON).json["accepted"] == 2


@pytest.mark.each_front
def test_repaired(stack, fresh):
    raw = b'{"id":"a\\u0000b","name":"\\ud800","flags":{"\\u0000":"\\udc00"},"list":["\\u0000"]}'
    answer = post(stack, fresh, raw)
    assert answer.json["product_org_id"] == "a\ufffdb"
    row = row_of(stack, answer)
    assert (row["product_org_id"], row["name"]) == ("a\ufffdb", "\ufffd")
    assert json.loads(row["feature_flags"]) == {"\ufffd": "\ufffd"}
    assert json.loads(row["custom"]) == {"first": "\ufffd"}
    (kept, repaired, payload), = rows_of(stack, fresh, "payload_raw, payload_repaired, payload")
    assert bytes(kept) == raw and repaired and payload["id"] == "a\ufffdb"


def test_hostile_bodies(stack, orgs):
    """None of them is our trouble; the rows of this key can be read and dumped afterwards."""
    answers = {}
    with Client(stack.port) as client:
        for name, body in {**BODIES, **VALUES}.items():
            ways = {"body": body, "id": b'{"id":' + body + b"}", "members":
                    b'[{"id":1,"flags":' + body + b',"n":{"projects":' + body + b"}}]"}
            answers[name] = {way: client.send(org_path(orgs), text) for way, text in ways.items()}
    assert_recorded("hostile_product_orgs", answers)
    stack.psql("select product_org_id, custom::text, feature_flags::text, payload::text,"
               " warnings::text"
               " from sluice.product_org_staging where key_id = %s", orgs["id"])


def test_the_presented_key_is_crossed_out(stack, fresh):
    key = fresh["key"]
    answer = post(stack, fresh, {"id": 1, "writeKey": key, "token": "other", "n": {"projects": 2}})
    (payload,), = rows_of(stack, fresh, "payload")
    assert payload == {"id": 1, "writeKey": "sk_" + 38 * "x", "token": "other",
                       "n": {"projects": 2}}
    accepted_id(answer)
    assert_problem(post(stack, fresh, {"writeKey": key}), 400, "missing_product_org_id")
    (kept,), = stack.psql("select payload from sluice.rejected_payload where key_id = %s",
                          fresh["id"])
    assert key.encode() not in bytes(kept)


# ---- deliveries, usage, limits ----

@pytest.mark.each_front
def test_repeats(stack, fresh):
    first = post(stack, fresh, {"id": "a", "messageId": "m1", "mrr": "x"})
    again = post(stack, fresh, {"id": "a", "messageId": "m1", "mrr": "x"})
    assert again.json == {**first.json, "duplicate": True} and "duplicate" not in first.json
    assert first.json["warnings"] == [{"field": "mrr", "reason": NOT_WHOLE}]
    for headers in ({"Idempotency-Key": "h1"}, {"webhook-id": "h1"}):
        answer = post(stack, fresh, {"id": "b"}, {**JSON, **headers})
        assert ("duplicate" in answer.json) == ("webhook-id" in headers)
    number = post(stack, fresh, {"id": "c", "messageId": 17}, {**JSON, "webhook-id": "h1"})
    assert "duplicate" not in number.json
    text = post(stack, fresh, {"id": "c", "messageId": "17", "message_id": "18"})
    assert text.json["duplicate"] is True
    other = post(stack, fresh, {"id": "e", "messageId": "17"})
    assert "duplicate" not in other.json, "an update of another product org"
    batch = post(stack, fresh, [{"id": "a", "messageId": "m1"}, {"id": "d", "messageId": "m2"},
                                {"id": "d", "messageId": "m2"}])
    assert (batch.json["accepted"], batch.json["duplicates"]) == (1, 2)
    assert [result.get("duplicate", False) for result in batch.json["results"]] == \
        [True, False, True]
    assert batch.json["results"][0]["id"] == first.json["id"]
    assert rows_of(stack, fresh, "product_org_id, message_id") == [
        ("a", "m1"), ("b", "h1"), ("c", "17"), ("e", "17"), ("d", "m2")]


@pytest.mark.loop
def test_repeats_at_the_same_time(pair_stack):
    stack = pair_stack
    key = stack.new_key(name="racing", endpoint="product_orgs", template=TEMPLATE)
    barrier = threading.Barrier(12)

    def run(_):
        ids = []
        with Client(stack.port, timeout=60) as client:
            for n in range(25):
                barrier.wait()
                item = {"id": "o", "messageId": f"m{n}"}
                answer = client.send(org_path(key), json.dumps(item).encode())
                ids.append((n, accepted_id(answer), answer.json.get("duplicate", False)))
        return ids

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        seen = [entry for part in pool.map(run, range(12)) for entry in part]
    assert len({(n, id_) for n, id_, _ in seen}) == 25
    assert sum(not duplicate for _, _, duplicate in seen) == 25
    assert len(rows_of(stack, key)) == 25


@pytest.mark.each_front
def test_usage_and_limit(stack):
    name = f"org limit {stack.front}"
    stack.ctl("organization", "create", name)
    key = stack.new_key(organization=name, endpoint="product_orgs", template=TEMPLATE)
    signals = stack.new_key(organization=name)
    first = post(stack, key, {"id": 1, "messageId": "m"})
    accepted_id(first)
    assert post(stack, key, [{"id": 2}, {"x": 1}]).json["rejected"] == 1
    accepted_id(send(stack, path_of(signals)))
    used, = stack.ctl_json("usage", "--organization", name)["usage"]
    assert (used["signals"], used["duplicates"]) == (3, 0), "rejects do not count"
    stack.ctl("organization", "limit", name, "--signals", "3", "--overages", "off")
    late = stack.new_key(organization=name, endpoint="product_orgs", template=TEMPLATE)
    for one in (key, late):
        assert_problem(post(stack, one, {"id": 3}), 429, "limit_reached")
    assert post(stack, key, {"id": 1, "messageId": "m"}).json == {**first.json, "duplicate": True}
    stack.ctl("organization", "limit", name, "--overages", "on")
    accepted_id(post(stack, key, {"id": 3}))
    assert [row[0] for row in rows_of(stack, key, "product_org_id")] == ["1", "2", "3"]


@pytest.mark.each_front
def test_refused_requests_are_counted(stack, fresh):
    for _ in range(3):
        assert_problem(send(stack, path_of(fresh)), 403)
    wait_until_equal(lambda: stack.psql(
        "select sum(requests)::int from sluice.refusal where key_id = %s"
        " and reason = 'wrong_endpoint'", fresh["id"]), [(3,)], "they are counted")


# ---- rejects ----

def test_rejects_are_replayed(stack, fresh, tmp_path):
    post(stack, fresh, [{"id": "good"}, {"name": "no id", "users": 3, "messageId": "r"}])
    assert_problem(post(stack, fresh, b'[{"id":"x"},{"id":"y"'), 400, "malformed_json")
    body, item = stack.ctl_json("rejected", "list", "--key", fresh["id"])["rejects"]
    assert (item["code"], item["kind"]) == ("missing_product_org_id", "item")
    done = stack.ctl_run("rejected", "replay", item["id"])
    assert done.returncode == 1
    assert f"missing_product_org_id: {NO_PRODUCT_ORG_ID}" in done.stderr
    repaired = tmp_path / "repaired.json"
    repaired.write_text('{"id":"now","users":3,"messageId":"r","mrr":1.5}')
    assert stack.ctl("rejected", "replay", item["id"], "--file", repaired).startswith(
        f"rejected payload {item['id']}: stored 1 product org update with id ")
    repaired.write_text('[{"id":"x"},{"id":"y"}]')
    replayed = stack.ctl_json("rejected", "replay", body["id"], "--file", repaired)
    assert len(replayed["ids"]) == 2
    rows = rows_of(stack, fresh, "product_org_id, user_count, warnings")
    assert [row[:2] for row in rows] == [("good", None), ("now", 3), ("x", None), ("y", None)]
    warnings = [[(each["field"], each["reason"].split(" by ")[0]) for each in row[2] or []]
                for row in rows]
    edited = ("payload", "was edited")
    assert warnings == [[], [("mrr", NOT_WHOLE), edited], [edited], [edited]]
    assert "duplicate" in post(stack, fresh, {"id": "now", "messageId": "r"}).json
    assert stack.rows(fresh) == 0, "none of them became a signal"


# ---- consumers and the latest state ----

def skip_all(stack):
    """Nothing is left to be claimed."""
    stack.psql("select setval('sluice.product_org_queue_search', 0)")
    while stack.psql("select sluice.finish_product_orgs(array_agg(id), 'skipped')"
                     " from sluice.claim_product_orgs('sweeper', 10000, '1 hour')") != [(0,)]:
        pass


@pytest.mark.database
@pytest.mark.first_front
def test_consumers(stack, fresh):
    skip_all(stack)
    post(stack, fresh, [{"id": f"c{n}"} for n in range(40)])
    claimed = []

    def consume(name):
        with stack.connect() as connection, connection.cursor() as cursor:
            cursor.execute("set role sluice_consumer")
            while len(claimed) < 40:  # an empty answer may be a moment early
                cursor.execute("select id, product_org_id from"
                               " sluice.claim_product_orgs(%s, 3, '1 minute')", [name])
                batch = cursor.fetchall()
                claimed.extend(batch)
                cursor.execute("select sluice.finish_product_orgs(%s, 'completed')",
                               [[row[0] for row in batch]])
                assert cursor.fetchone() == (len(batch),)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(consume, "abcd"))
    assert sorted(row[1] for row in claimed) == sorted(f"c{n}" for n in range(40))
    assert set(rows_of(stack, fresh, "status::text, attempts::int")) == {("completed", 1)}


@pytest.mark.loop
def test_the_latest_state_while_it_changes(pair_stack):
    """Updates of few product orgs from many senders, folded meanwhile: the greatest
    last_active_at wins each."""
    stack = pair_stack
    stack.ctl("organization", "create", "busy")
    key = stack.new_key(organization="busy", endpoint="product_orgs", template=TEMPLATE)
    running = threading.Event()

    def fold():
        while not running.is_set():
            stack.ctl("maintain")

    def run(sender):
        with Client(stack.port, timeout=60) as client:
            for n in range(120):
                at = 1_700_000_000 + (n * 37 + sender) % 120 * 10 + sender
                item = {"id": f"o{n % 4}", "users": n, "at": at}
                accepted_id(client.send(org_path(key), json.dumps(item).encode()))

    folding = threading.Thread(target=fold)
    folding.start()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(run, range(8)))
    running.set()
    folding.join()
    latest = """select product_org_id, c.id from sluice.product_org_current c
        join sluice.organization o
        on o.id = c.organization_id where o.name = 'busy' order by 1"""
    expected = stack.psql("""select distinct on (product_org_id) product_org_id, id
        from sluice.product_org_staging
        where key_id = %s order by 1, last_active_at desc, received_at desc, id desc""", key["id"])
    assert len(expected) == 4 and stack.psql(latest) == expected
    stack.ctl("maintain")
    assert stack.psql(latest) == expected
    assert stack.psql("select count(*) from sluice.product_org_news") == [(0,)]


@pytest.mark.slow
@pytest.mark.database
@pytest.mark.first_front
def test_dumped_and_restored(stack, orgs):
    """Into a database of its own: rows, state and comments; the latest state is the same there."""
    post(stack, orgs, [{"id": "dumped", "name": "one", "n": {"projects": 0.10}},
                       {"id": "dumped", "name": "two"}])
    stack.ctl("maintain")
    post(stack, orgs, {"id": "since", "mrr": "x"})
    env = {"PATH": "/usr/bin:/bin",
           **{name: stack.env[name] for name in ("PGHOST", "PGPORT", "PGUSER")}}
    database = "restored_orgs"
    dump = subprocess.run(["pg_dump", "-Fc", stack.env["PGDATABASE"]], env=env, check=True,
                          capture_output=True,
                          timeout=300).stdout
    stack.psql(f"create database {database} template template0")
    try:
        subprocess.run(["pg_restore", "-d", database, "--exit-on-error"], env=env, input=dump,
                       check=True, timeout=300)
        for query in ("select * from sluice.product_org_staging order by id",
                      "select * from sluice.product_org_current order by id"):
            shown = [subprocess.run(["psql", "-XqAt", "-d", name, "-c", query], env=env, check=True,
                                    capture_output=True, timeout=60).stdout
                     for name in (stack.env["PGDATABASE"], database)]
            assert shown[0] == shown[1] and b"dumped" in shown[0] and b"since" in shown[0]
    finally:
        stack.psql(f"drop database {database}")


# ---- what the documents say ----

def test_from_a_payload_to_a_row_as_documented(stack):
    """The walk-through, as written: only the key, the host and the database's user are put in."""
    document = "deploy/templates/README.md"
    tried, created, sent = blocks(document, "sh")
    shown, = blocks(document, "text")
    answered, = blocks(document, "json")
    asked, = blocks(document, "sql")
    if not stack.psql("select from sluice.organization where name = 'Example Ltd'"):
        stack.ctl("organization", "create", "Example Ltd")
    stack.psql("alter role sluice_reader login")
    folder = os.path.dirname(stack.env["SLUICECTL"])
    env = {**ENVIRONMENT, **stack.env, "PATH": f"{folder}:{os.environ['PATH']}"}

    def shell(command):
        return subprocess.run(["sh", "-ec", command], cwd=ROOT, env=env, check=True, timeout=60,
                              capture_output=True, text=True).stdout

    assert shell(tried) == shown
    made = json.loads(shell(created.strip() + " --json"))
    stack.credentials.add(made["key"])
    command = sent.replace("https://your.host", stack.base_url).replace("sk_…", made["key"])
    answer = json.loads(shell(f"curl --noproxy '*' -s {command.strip().removeprefix('curl ')}"))
    assert {**json.loads(answered), "id": answer["id"]} == answer
    rows = subprocess.run(["psql", "-XqAt"], input=asked, env={**env, "PGUSER": "sluice_reader"},
                          check=True,
                          capture_output=True, text=True, timeout=60).stdout
    assert ('acct-2077|Example Ltd|Enterprise|42|129900|2026-11-14 ' in rows
            and '|{"seats": 50, "beta_reports": true}|Logistics' in rows), rows


@pytest.mark.database
@pytest.mark.first_front
def test_consumers_as_documented(stack, fresh):
    script = block("sql-migrations/README.md", "sql", "claim_product_orgs")
    skip_all(stack)
    stack.psql("alter role sluice_consumer login")
    post(stack, fresh, [{"id": "a", "mrr": 1}, {"id": "b"}])
    shown = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1"], input=script, check=True,
                           capture_output=True,
                           text=True, timeout=60,
                           env={**ENVIRONMENT, **stack.env, "PGUSER": "sluice_consumer"})
    shown = shown.stdout.split()
    assert sorted(shown) == ["2", "a|||1||", "b|||||"]
    assert rows_of(stack, fresh, "status::text") == [("completed",), ("completed",)]
