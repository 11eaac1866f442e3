"""Times, identities and envelopes as senders write them, from the request to the row."""

import datetime
import json

import pytest

from harness import JSON, accepted_id, bulk_path, org_path, path_of, send

UTC = datetime.UTC
NIL = "00000000-0000-0000-0000-000000000000"


def put(stack, key, body, headers=JSON, **path):
    return send(stack, path_of(key, **path), json.dumps(body).encode(), headers)


def stored(stack, key, columns):
    return stack.psql(f"select {columns} from sluice.signal_staging where key_id = %s order by id",
                      key["id"])


# ---- times ----

@pytest.mark.each_front
@pytest.mark.parametrize("timestamp", [
    "20260914", "2026-09-14", "2026-09-14 00:00:00 UTC", "2026-09-14T01:00:00 +0100",
    "20260914T000000Z", "Mon, 14 Sep 2026 00:00:00 GMT", 1789344000, "1789344000", 1789344000000,
    1789344000000000, 1789344000000000000, "\u00a02026-09-14T00:00:00Z "])
def test_forms_of_a_timestamp(stack, key, timestamp):
    answer = put(stack, key, {"email": "time@example.com", "timestamp": timestamp})
    assert "warnings" not in answer.json
    assert stack.staged(accepted_id(answer), "occurred_at = '2026-09-14T00:00:00Z'") is True
    assert stack.staged(accepted_id(answer), "warnings") is None


@pytest.mark.each_front
@pytest.mark.parametrize("timestamp, reason", [
    ("2026", "lies before 1990"), (0, "lies before 1990"), ("1989-12-31", "lies before 1990"),
    ("2099-01-01T00:00:00Z", "lies more than a day ahead of receipt"),
    ("soon", "is not a valid timestamp: neither ISO 8601 nor RFC 2822 nor Unix time")])
def test_a_time_that_cannot_be_used_is_told(stack, key, timestamp, reason):
    """In the row, in the answer, and in a batch's result; another time is then looked for."""
    warnings = [{"field": "timestamp", "reason": reason}]
    signal = {"email": "time@example.com", "timestamp": timestamp}
    answer = put(stack, key, signal)
    assert answer.json["warnings"] == warnings
    row = accepted_id(answer)
    assert stack.staged(row, "warnings") == warnings
    assert stack.staged(row, "occurred_at = received_at") is True
    batch = put(stack, key, [{"email": "b@example.com"}, {**signal, "occurredAt": "2026-09-14"}])
    good, odd = batch.json["results"]
    assert "warnings" not in good and odd["warnings"] == warnings
    assert stack.staged(odd["id"], "occurred_at = '2026-09-14T00:00:00Z'") is True


@pytest.mark.each_front
@pytest.mark.parametrize("end", ["/batch", "bulk"])
def test_a_queued_event_keeps_its_time(stack, key, end):
    """A library that was offline: called on Monday, sent on Thursday, by a clock that is off."""
    item = {"type": "track", "event": "Order Placed", "userId": "u-7", "messageId": "queued-1",
            "originalTimestamp": "2031-05-05T08:00:00.000Z", "sentAt": "2031-05-08T08:00:00.000Z"}
    body = {"batch": [item], "timestamp": "2031-05-08T08:00:00.000Z",
            "sentAt": "2031-05-08T08:00:00.000Z"}
    path = bulk_path(key) if end == "bulk" else path_of(key, end=end)
    answer = send(stack, path, json.dumps(body).encode(), JSON)
    assert answer.status == 202 and answer.json["accepted"] == 1
    (ago, payload), = stored(stack, key, "received_at - occurred_at, payload")
    assert datetime.timedelta(days=3) <= ago < datetime.timedelta(days=3, minutes=5)
    assert payload == item, "nothing was added to it"


@pytest.mark.first_front
def test_two_calls_of_a_batch_keep_their_distance(stack, key):
    now = datetime.datetime.now(UTC)
    items = [{"userId": "u", "event": name, "originalTimestamp": (now - ago).isoformat(),
              "sentAt": now.isoformat()}
             for name, ago in (("first", datetime.timedelta(seconds=9)),
                               ("second", datetime.timedelta(seconds=3)))]
    answer = put(stack, key, {"batch": items, "timestamp": now.isoformat()}, end="/batch")
    assert answer.json["accepted"] == 2
    first, second = (row[0] for row in stored(stack, key, "occurred_at"))
    assert second - first == datetime.timedelta(seconds=6)


def test_a_product_org_follows_the_same_rules(stack):
    """An update by a clock that is far ahead is not the latest for ever."""
    key = stack.new_key(endpoint="product_orgs",
                        template={"product_org_id": "id", "name": "name", "last_active_at": "at"})
    path = org_path(key)
    ahead = send(stack, path, b'{"id":"org-7","name":"far ahead","at":"2099-01-01T00:00:00Z"}')
    assert ahead.json["warnings"] == [{"field": "last_active_at",
                                       "reason": "lies more than a day ahead of receipt"}]
    now = datetime.datetime.now(UTC).isoformat()
    right = send(stack, path, json.dumps({"id": "org-7", "name": "right", "at": now}).encode())
    assert right.status == 202 and "warnings" not in right.json
    assert stack.psql("select name from sluice.product_org_current"
                      " where product_org_id = 'org-7'") == [("right",)]


# ---- identities ----

@pytest.mark.each_front
@pytest.mark.parametrize("email", [
    "\u00a0Jane@Example.com\u200b", "mailto:jane@example.com", "<jane@example.com>",
    "Jane Doe <jane@example.com>", '"Doe, Jane" <JANE@example.com>',
    "jane@example.com, joe@example.com", "nobody; jane@example.com"])
def test_forms_of_an_email(stack, key, email):
    row = accepted_id(put(stack, key, {"email": email}))
    assert stack.staged(row, "email") == "jane@example.com"
    assert stack.staged(row) == {"email": email}


@pytest.mark.parametrize("place", [
    {"email": "x@y.z"}, {"traits": {"email": "x@y.z"}}, {"properties": {"email": "x@y.z"}},
    {"context": {"traits": {"email": "x@y.z"}}}, {"user": {"email": "x@y.z"}},
    {"contact": {"email": "x@y.z"}}, {"data": {"email": "x@y.z"}}],
    ids=["top", "traits", "properties", "context", "user", "contact", "data"])
def test_places_of_an_email(stack, key, place):
    assert stack.staged(accepted_id(put(stack, key, place)), "email") == "x@y.z"


@pytest.mark.parametrize("member, column", [
    ({"productUserId": "p-1"}, "product_user_id"), ({"crmId": "c-1"}, "crm_id"),
    ({"hs_object_id": 551}, "crm_id"), ({"portalId": 7, "objectId": 551}, "crm_id"),
    ({"sObject": "Lead", "Id": "00Q01"}, "crm_id"),
    ({"mktLeadId": 1042}, "marketing_automation_id"), ({"mapId": "m-1"}, "marketing_automation_id"),
    ({"phone": "+49 30 901820"}, "phone"), ({"groupId": "g-1"}, "product_org_id"),
    ({"context": {"groupId": "g-1"}}, "product_org_id"), ({"product_org_id": "o-1"},
                                                          "product_org_id")])
def test_other_identities_have_columns(stack, key, member, column):
    """Each makes a signal warm, and is found by its column."""
    answer = put(stack, key, member)
    assert answer.json["cold_storage"] is False
    columns = ("email", "user_id", "product_user_id", "crm_id", "marketing_automation_id", "phone",
               "product_org_id")
    row, = stored(stack, key, ", ".join(columns))
    found = {name: value for name, value in zip(columns, row, strict=True) if value is not None}
    value = str(list(member.values())[-1]) if not isinstance(list(member.values())[-1], dict) \
        else "g-1"
    assert found == {column: value}


@pytest.mark.each_front
@pytest.mark.parametrize("value", [" ", "\u00a0", "\u0000", "0", 0, NIL, "null", "undefined"],
                         ids=["blank", "no-break", "nul", "zero", "number", "nil", "null",
                              "undefined"])
def test_what_names_nobody_is_no_id(stack, key, value):
    """Events of strangers are neither repeats of each other nor one visitor's."""
    for number in range(2):
        first = put(stack, key, {"messageId": value, "anonymousId": value, "userId": value,
                                 "event": "seen", "number": number})
        assert first.json["cold_storage"] is True and "duplicate" not in first.json
    known = put(stack, key, {"anonymousId": value, "email": "known@example.com"})
    assert "duplicate" not in known.json
    assert stack.psql("select count(*), count(anonymous_id), count(message_id)"
                      " from sluice.signal_cold_storage where key_id = %s", key["id"]) == \
        [(2, 0, 0)]
    assert stored(stack, key, "email, anonymous_id") == [("known@example.com", None)]


# ---- senders with names of their own ----

SENDERS = {
    "hubspot": (
        [{"eventId": 900, "subscriptionId": 4, "portalId": 62, "occurredAt": 1789344000000,
          "subscriptionType": "contact.creation", "attemptNumber": 0, "objectId": 1246}],
        {"source": "hubspot", "event_type": "contact.creation", "event_name": "contact.creation",
         "crm_id": "1246", "occurred": True}),
    "cloudevents": (
        {"specversion": "1.0", "id": "ce-77", "source": "/orders/eu", "type": "org.order.paid",
         "subject": "order-9", "time": "2026-09-14T00:00:00Z",
         "data": {"email": "Buyer@example.com"}},
        {"source": "generic", "event_type": "org.order.paid", "event_name": "order-9",
         "email": "buyer@example.com", "message_id": "ce-77", "occurred": True}),
    "cloudevents-batch": (
        [{"specversion": "1.0", "id": "ce-78", "source": "urn:x", "type": "org.order.paid",
          "time": "2026-09-14T00:00:00Z", "data": {"user_id": "u-9"}}],
        {"event_type": "org.order.paid", "event_name": None, "user_id": "u-9",
         "message_id": "ce-78", "occurred": True}),
    "amplitude": (
        {"api_key": "other", "events": [
            {"event_type": "Song Played", "user_id": "u-1", "device_id": "d-1",
             "time": 1789344000000, "insert_id": "amp-1", "event_properties": {"n": 1}}]},
        {"event_type": "Song Played", "event_name": "Song Played", "user_id": "u-1",
         "anonymous_id": "d-1", "message_id": "amp-1", "occurred": True,
         "envelope": {"api_key": "other"}}),
    "mixpanel": (
        [{"event": "Plan Chosen", "properties": {
            "time": 1789344000, "distinct_id": "visitor-5", "$user_id": "u-5",
            "$insert_id": "mix-5"}}],
        {"event_name": "Plan Chosen", "user_id": "u-5", "anonymous_id": "visitor-5",
         "message_id": "mix-5", "occurred": True}),
    "rudderstack": (
        {"batch": [{"type": "identify", "messageId": "rs-1", "userId": "u-2",
                    "originalTimestamp": "2026-09-14T00:00:00Z",
                    "context": {"traits": {"email": "Rs@Example.com"}, "groupId": "team-3"}}]},
        {"source": "segment", "event_type": "identify", "user_id": "u-2",
         "email": "rs@example.com", "product_org_id": "team-3", "occurred": True}),
}


@pytest.mark.parametrize("sender", SENDERS)
def test_names_of_a_sender(stack, key, sender):
    body, wanted = SENDERS[sender]
    answer = put(stack, key, body, end="/batch" if isinstance(body, dict) and (
        "batch" in body or "events" in body) else "")
    assert answer.status == 202, answer.body
    wanted = dict(wanted)
    occurred = wanted.pop("occurred")
    row, = stored(stack, key, "occurred_at = '2026-09-14T00:00:00Z', " + ", ".join(wanted))
    assert row == (occurred, *wanted.values())


@pytest.mark.each_front
def test_a_cloud_event_in_headers(stack, key):
    """Binary mode: the body is the data, and the event's attributes are headers."""
    headers = {**JSON, "ce-specversion": "1.0", "ce-id": "bin-1", "ce-type": "org.order.paid",
               "ce-source": "/orders", "ce-subject": "order-9", "ce-time": "2026-09-14T00:00:00Z"}
    for number in (1, 2):
        answer = put(stack, key, {"email": "b@example.com", "n": number}, headers)
        assert answer.json.get("duplicate", False) is (number == 2)
    assert stored(stack, key, "event_type, event_name, message_id, payload,"
                  " occurred_at = '2026-09-14T00:00:00Z'") == [
        ("org.order.paid", "order-9", "bin-1", {"email": "b@example.com", "n": 1}, True)]


# ---- the envelope ----

@pytest.mark.each_front
@pytest.mark.parametrize("end", ["/batch", "bulk"])
def test_the_envelope_is_kept_beside_the_payloads(stack, key, end):
    items = [{"userId": f"u-{number}", "n": number} for number in range(3)]
    envelope = {"sentAt": "2026-09-14T00:00:00Z", "context": {"library": {"name": "lib"}},
                "timestamp": "2026-09-13T00:00:00Z", "x": 1.5}
    path = bulk_path(key) if end == "bulk" else path_of(key, end=end)
    answer = send(stack, path, json.dumps({**envelope, "batch": items}).encode())
    assert answer.status == 202 and answer.json["accepted"] == 3
    assert stored(stack, key, "payload, envelope, occurred_at = '2026-09-13T00:00:00Z'") == [
        (item, envelope, True) for item in items]


@pytest.mark.first_front
def test_envelopes_of_requests_do_not_mix(stack, key):
    for number in range(3):
        answer = put(stack, key, {"batch": [{"userId": f"u-{number}"}] * 2, "number": number},
                     end="/batch")
        assert answer.json["accepted"] == 2
    assert put(stack, key, [{"userId": "u-3"}]).json["accepted"] == 1
    assert stored(stack, key, "user_id, envelope") == [
        *[(f"u-{number}", {"number": number}) for number in (0, 0, 1, 1, 2, 2)], ("u-3", None)]


@pytest.mark.first_front
def test_the_envelope_of_product_orgs(stack):
    key = stack.new_key(endpoint="product_orgs", template={"product_org_id": "id"})
    send(stack, org_path(key), b'[{"id":"org-1"}]')
    assert stack.psql("select product_org_id, envelope from sluice.product_org_update"
                      " where key_id = %s", key["id"]) == [("org-1", None)]
