"""What of a signal is staged: source, identity, times and the payload as it was received."""

import json

import pytest

from harness import JSON, SEED, accepted_id, assert_problem, path_of, send


def put(stack, key, item, headers=JSON, source=None):
    body = item if isinstance(item, bytes) else json.dumps(item).encode()
    return accepted_id(send(stack, path_of(key, source), body, headers))


@pytest.mark.parametrize("item, source", [
    ({}, "generic"),
    ({"source": "their.crm"}, "their.crm"),
    ({"source": "Their CRM"}, "generic"),
    ({"source": 7}, "generic"),
    ({"source": ""}, "generic"),
    ({"mktLeadId": 12}, "marketo"),
    ({"portalId": 12}, "hubspot"),
    ({"hs_object_id": "12"}, "hubspot"),
    ({"sObject": "Lead"}, "salesforce"),
    ({"type": "track", "messageId": "m"}, "segment"),
    ({"type": "page", "anonymousId": "a"}, "segment"),
    ({"type": "identify", "userId": "u"}, "segment"),
    ({"type": "group", "context": {"library": {"name": "x"}}}, "segment"),
    ({"type": "screen", "userId": "u"}, "segment"),
    ({"type": "alias", "userId": "u"}, "segment"),
    ({"type": "other", "userId": "u"}, "generic"),
    ({"type": "track"}, "generic"),
    ({"source": "mine", "mktLeadId": 12}, "mine"),
], ids=lambda value: json.dumps(value) if isinstance(value, dict) else value)
def test_source_of_the_payload(stack, keys, item, source):
    assert stack.staged(put(stack, keys["plain"], item), "source") == source


@pytest.mark.parametrize("in_path, in_header, in_payload, source", [
    ("path", "header", "payload", "path"),
    (None, "header", "payload", "header"),
    (None, None, "payload", "payload"),
    ("path", None, "payload", "path"),
])
def test_source_precedence(stack, keys, in_path, in_header, in_payload, source):
    headers = {**JSON, "X-Source": in_header} if in_header else JSON
    signal = put(stack, keys["plain"], {"source": in_payload, "portalId": 1}, headers, in_path)
    assert stack.staged(signal, "source") == source


@pytest.mark.parametrize("item, email", [
    ({"email": "Lead@Example.COM"}, "lead@example.com"),
    ({"traits": {"email": "T@x.y"}}, "t@x.y"),
    ({"properties": {"email": "P@x.y"}}, "p@x.y"),
    ({"context": {"traits": {"email": "C@x.y"}}}, "c@x.y"),
    ({"email": "top@x.y", "traits": {"email": "t@x.y"}}, "top@x.y"),
    ({"traits": {"email": "t@x.y"}, "properties": {"email": "p@x.y"}}, "t@x.y"),
    ({"userId": "u"}, None),
], ids=json.dumps)
def test_email(stack, keys, item, email):
    assert stack.staged(put(stack, keys["plain"], item), "email") == email


@pytest.mark.parametrize("item, cold", [
    ({"userId": "u"}, False), ({"user_id": 7}, False), ({"traits": {"userId": "u"}}, False),
    ({"productUserId": "p"}, False), ({"crmId": "c"}, False), ({"hs_object_id": 1}, False),
    ({"objectId": 1, "portalId": 2}, False), ({"objectId": 1}, True),
    ({"Id": "003", "sObject": "Lead"}, False), ({"Id": "003"}, True),
    ({"mktLeadId": 3}, False), ({"mapId": "m"}, False), ({"phone": "+1"}, False),
    ({"groupId": "g"}, False), ({"context": {"groupId": "g"}}, False),
    ({"product_org_id": "o"}, False), ({"properties": {"phone": "+1"}}, False),
    ({"anonymousId": "cold-alone"}, True), ({"userId": ""}, True), ({"userId": None}, True),
    ({"portalId": 2}, True), ({"nested": {"email": "a@b.c"}}, True),
], ids=json.dumps)
def test_identity_decides_cold_storage(stack, keys, item, cold):
    answer = send(stack, path_of(keys["plain"]), json.dumps(item).encode())
    signal = accepted_id(answer)
    assert answer.json["cold_storage"] is cold
    table = "sluice.signal_cold_storage" if cold else "sluice.signal_staging"
    assert stack.psql(f"select count(*) from {table} where id = %s", signal) == [(1,)]


def test_columns(stack, key):
    signal = put(stack, key, {
        "type": "track", "event": "Signed Up", "userId": 12, "anonymousId": "anon-1",
        "messageId": "message-1", "timestamp": "2026-02-03T04:05:06.789+01:00",
        "email": "A@b.c"}, {**JSON, "X-Request-Id": "columns-1"})
    row = stack.psql(
        "select event_type, event_name, email, user_id, anonymous_id, message_id,"
        " occurred_at = '2026-02-03T03:05:06.789Z', received_at <= clock_timestamp(), status,"
        " request_id, key_id, organization_id is not null"
        " from sluice.signal_staging where id = %s", signal)
    assert row == [("track", "Signed Up", "a@b.c", "12", "anon-1", "message-1", True, True,
                    "pending", "columns-1", key["id"], True)]


@pytest.mark.parametrize("timestamp", [None, "yesterday", "", True, {}, "2026-13-01T00:00:00Z"])
def test_occurred_at_defaults_to_receipt(stack, keys, timestamp):
    signal = put(stack, keys["plain"], {"email": "a@b.c", "timestamp": timestamp})
    assert stack.staged(signal, "occurred_at = received_at") is True
    warnings = stack.staged(signal, "warnings")
    assert warnings is None if timestamp is None else [warning["field"] for warning in warnings] \
        == ["timestamp"]


@pytest.mark.parametrize("text", [
    b'{"email":"a@b.c","n":1.10}', b'{"email":"a@b.c","n":12345678901234567890123456789.5}',
    b'{"email":"a@b.c","n":%s}' % (b"7" * 400), b'{"email":"a@b.c","n":-0}',
    b'{"email":"a@b.c","n":1e-400}',
    b'{"email":"a@b.c","s":"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"}',
    b'{"email":"a@b.c","s":"\\ud83d\\ude00 \\\\u0000 \\/"}', b' {"email" : "a@b.c" }\r\n',
    b'\xef\xbb\xbf{"email":"a@b.c"}', b'{"email":"a@b.c","a":1,"a":2}',
], ids=["scale", "long", "digits", "minus-zero", "tiny", "utf8", "escapes", "blanks", "bom",
        "repeated"])
def test_payload_is_what_was_received(stack, keys, text):
    """PostgreSQL reads the received text itself, so numbers stay exact."""
    signal = put(stack, keys["plain"], text)
    sent = text.removeprefix(b"\xef\xbb\xbf").decode()
    assert stack.psql("select payload = %s::jsonb, payload::text = %s::jsonb::text, payload_raw"
                      " from sluice.signal_staging where id = %s", sent, sent, signal) == \
        [(True, True, None)]


@pytest.mark.parametrize("text, repaired", [
    (rb'{"email":"a@b.c","s":"x\u0000y"}', "x\ufffdy"),
    (rb'{"email":"a@b.c","s":"x\ud800y"}', "x\ufffdy"),
    (rb'{"email":"a@b.c","s":"x\udc00\ud800"}', "x\ufffd\ufffd"),
    (rb'{"email":"a@b.c","s":"\ud83d\ude00\u0000"}', "\U0001f600\ufffd"),
    (rb'{"email":"a@b.c","s":"\\u0000\u0000"}', "\\u0000\ufffd"),
], ids=["nul", "high", "low-high", "pair-kept", "escaped-backslash"])
def test_what_jsonb_cannot_hold_is_repaired(stack, keys, text, repaired):
    signal = put(stack, keys["plain"], text)
    row = stack.psql("select payload->>'s', payload_raw, payload_repaired"
                     " from sluice.signal_staging where id = %s", signal)[0]
    assert (row[0], bytes(row[1]), row[2]) == (repaired, text, True)


def test_repaired_key_name(stack, keys):
    signal = put(stack, keys["plain"], rb'{"email":"a@b.c","a\u0000b":1}')
    assert stack.staged(signal, "payload->>(E'a\ufffdb')") == "1"


@pytest.mark.parametrize("beside, column, value", [
    ('"timestamp":"2026-01-02T03:04:05Z"', "occurred_at = '2026-01-02T03:04:05Z'", True),
    ('"sentAt":"2026-01-02T03:04:05Z"', "occurred_at = received_at", True),
    ('"context":{"traits":{"email":"beside@x.y"}}', "email", "beside@x.y"),
    ('"note":[1.10,"x"]', "envelope::text", '{"note": [1.10, "x"]}'),
], ids=["timestamp", "sentAt", "context", "other"])
@pytest.mark.parametrize("order", ["before", "after"])
def test_envelope_defaults(stack, key, beside, column, value, order):
    """Members beside the array are the default for the columns, wherever they stand, and stay out
    of the payloads."""
    events = ('"batch":[{"userId":"u"},{"userId":"u","timestamp":"2025-01-01T00:00:00Z",'
              '"context":{"traits":{"email":"own@x.y"}}}]')
    parts = (beside, events) if order == "before" else (events, beside)
    answer = send(stack, path_of(key, end="/batch"), f"{{{parts[0]},{parts[1]}}}".encode())
    assert answer.status == 202 and answer.json["accepted"] == 2
    lacking, having = (result["id"] for result in answer.json["results"])
    assert stack.staged(lacking, column) == value
    assert stack.psql("select email, occurred_at = '2025-01-01T00:00:00Z', envelope"
                      " from sluice.signal_staging where id = %s", having) == \
        [("own@x.y", True, json.loads(f"{{{beside}}}"))]
    assert stack.staged(lacking) == {"userId": "u"}


@pytest.mark.parametrize("member", ["writeKey", "api_key"])
def test_presented_key_is_crossed_out_in_the_payload(stack, key, member):
    """Senders repeat the key in the clear; it is not stored. Another value stays."""
    item = {"email": "a@b.c", member: key["key"], "n": 1}
    assert stack.staged(put(stack, key, item)) == {**item, member: "sk_" + "x" * 38}
    assert stack.staged(put(stack, key, {**item, member: "other"})) == {**item, member: "other"}
    envelope = {"batch": [item, {"email": "b@b.c"}], member: key["key"]}
    answer = send(stack, path_of(key, end="/batch"), json.dumps(envelope).encode())
    assert answer.status == 202 and answer.json["accepted"] == 2
    assert stack.psql("select count(*) from sluice.signal_staging where key_id = %s"
                      " and payload::text like '%%' || %s || '%%'", key["id"], key["key"]) == \
        [(0,)]


@pytest.mark.parametrize("text, payload", [
    (b'\xef\xbb\xbf{"a":1}', '{"a": 1}'),
    (b'\xef\xbb\xbf\xef\xbb\xbf{"a":1}', "malformed_json"),
    ('{"a":1}'.encode("utf-16"), "malformed_json"),
    (b'{"a":1,"a":2,"\\u0061":3}', '{"a": 3}'),
    (rb'{"a\u0000":1,"a\ud800":2}', '{"a\ufffd": 2}'),
    (b'{"a":-0,"b":-0.0,"c":1.10,"d":1E2,"e":1e-3}',
     '{"a": 0, "b": 0.0, "c": 1.10, "d": 100, "e": 0.001}'),
    (b'{"a":18446744073709551617.000000000000000000001}',
     '{"a": 18446744073709551617.000000000000000000001}'),
    (b'{"a":1e401}', "number_too_large"),
    (b'{"a":%s}' % (b"9" * 401), "number_too_large"),
    (b'{"a":"\xef\xbf\xbe\xef\xb7\x90\x7f\xe2\x80\xa8"}', '{"a": "\ufffe\ufdd0\x7f\u2028"}'),
    (rb'{"a":"\ud800\udc00\udc00"}', '{"a": "\U00010000\ufffd"}'),
    (b'{"":{"":""}}', '{"": {"": ""}}'),
    (b'{"a":' + b"[" * 63 + b"]" * 63 + b"}", '{"a": ' + "[" * 63 + "]" * 63 + "}"),
    (b'{"a":' + b"[" * 64 + b"]" * 64 + b"}", "nesting_too_deep"),
    (b'"text"', "not_an_object"), (b"null", "not_an_object"),
], ids=["mark", "two-marks", "utf-16", "names", "repaired-names", "numbers", "long-number",
        "exponent", "digits", "noncharacters", "surrogates", "empty-names", "64-levels",
        "65-levels", "string", "null"])
def test_what_a_parser_may_decide(stack, keys, text, payload):
    """RFC 8259 leaves these open; the README's list says how they are decided."""
    if payload[0] == "{":
        assert stack.staged(put(stack, keys["plain"], text), "payload::text") == payload
    else:
        assert_problem(send(stack, path_of(keys["plain"]), text), 400, payload)


def test_columns_of_repeated_names(stack, keys):
    """They say what the payload says."""
    signal = put(stack, keys["plain"],
                 b'{"email":"a@b.c","userId":"1","userId":"2","email":"d@e.f"}')
    assert stack.psql("select email, user_id, payload->>'email', payload->>'userId'"
                      " from sluice.signal_staging where id = %s", signal) == \
        [("d@e.f", "2", "d@e.f", "2")]


def test_hostile_corpus_can_be_dumped_and_restored(stack, key):
    """What was accepted does not break SELECT or COPY of the table."""
    items = [b'{"n":[' + b",".join([b"1e400"] * 1000) + b"]}", b'{"n":%s}' % (b"9" * 400),
             b'{"n":' + b"[" * 63 + b"]" * 63 + b"}", rb'{"s":"\u0000\ud800"}', SEED]
    for item in items:
        put(stack, key, item)
    assert stack.rows(key) == len(items)
    stack.psql("create temporary table copy_of as select payload from sluice.signal_staging"
               " where key_id = %s union all select payload from sluice.signal_cold_storage"
               " where key_id = %s", key["id"], key["id"])
    assert stack.psql("select count(*) from (select payload::text::jsonb from copy_of) as again") \
        == [(len(items),)]
    stack.psql("drop table copy_of")
