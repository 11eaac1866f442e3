"""What each kind of sender of CONTRACT.md's table gets, from bodies as it makes them.

The libraries themselves are run by test_clients.py; curl is run here.
"""

import gzip
import json
import subprocess

import pytest

from harness import (ENVIRONMENT, JSON, NDJSON, NEEDS_LENGTH, SEED, accepted_id, assert_problem,
                     bulk_path, path_of, send)

MIB = 1 << 20


def segment_event(number):
    """As Segment's webhook destination passes a track call on."""
    return {
        "type": "track", "event": "Order Completed", "messageId": f"ajs-next-{number:032x}",
        "anonymousId": f"507f191e810c19729de{number:05x}", "userId": f"user-{number}",
        "timestamp": "2026-03-04T05:06:07.089Z", "receivedAt": "2026-03-04T05:06:09.000Z",
        "sentAt": "2026-03-04T05:06:08.000Z", "originalTimestamp": "2026-03-04T05:06:07.089Z",
        "channel": "browser", "version": 2, "projectId": "example", "integrations": {},
        "context": {"ip": "192.0.2.7", "locale": "de-DE",
                    "library": {"name": "analytics.js", "version": "next-1.70.0"},
                    "page": {"path": "/checkout", "referrer": "", "search": "", "title": "Checkout",
                             "url": "https://yoursite.com/checkout"},
                    "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0"},
        "properties": {"order_id": str(number), "total": number / 7, "currency": "EUR",
                       "products": [{"id": f"{number}-{n}", "quantity": n} for n in range(3)]}}


@pytest.mark.each_front
def test_segments_webhook_destination(stack, key):
    """One URL for both: an event, and with batching switched on an array of up to 4,000."""
    answer = send(stack, path_of(key), json.dumps(segment_event(0)).encode())
    accepted_id(answer)
    assert answer.json["source"] == "segment"
    events = [segment_event(number) for number in range(1, 4001)]
    body = json.dumps(events).encode()
    assert 3 * MIB < len(body) < 8 * MIB
    answer = send(stack, path_of(key), body)
    assert answer.status == 202, answer.body[:300]
    assert (answer.json["accepted"], answer.json["rejected"]) == (4000, 0)
    assert [result["index"] for result in answer.json["results"]] == list(range(4000))
    assert {result["source"] for result in answer.json["results"]} == {"segment"}
    # What a retry is recognised by stands in each row: its batch may hold another mix.
    assert stack.psql(
        "select count(*), count(distinct message_id), count(distinct event_name),"
        " count(*) filter (where occurred_at = '2026-03-04T05:06:07.089Z')"
        " from sluice.signal_staging where key_id = %s", key["id"]) == [(4001, 4001, 1, 4001)]
    number = {result["index"]: result["id"] for result in answer.json["results"]}
    assert stack.staged(number[2718]) == events[2718]


@pytest.mark.each_front
def test_rudderstacks_library(stack, key):
    """gzip, announced as a form; the write key in the clear and in Authorization."""
    batch = {"batch": [{"type": "identify", "messageId": "r-1", "userId": "u",
                        "traits": {"email": "A@b.c"}}],
             "sentAt": "2026-01-02T03:04:05Z", "writeKey": key["key"]}
    answer = send(stack, path_of(key, end="/batch"), gzip.compress(json.dumps(batch).encode()),
                  {"Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": "gzip",
                   "Authorization": "Basic c2tfOg=="})
    assert answer.status == 202 and answer.json["accepted"] == 1
    assert stack.psql("select source, event_type, email, message_id, payload from"
                      " sluice.signal_staging where key_id = %s", key["id"]) == [
        ("segment", "identify", "a@b.c", "r-1", batch["batch"][0])]


@pytest.mark.each_front
def test_hubspot(stack, key):
    """A top-level array of up to a hundred events, without an id of their own."""
    events = [{"eventId": 100 + n, "subscriptionId": 7, "portalId": 33, "appId": 1160452,
               "occurredAt": 1772600767089, "subscriptionType": "contact.propertyChange",
               "attemptNumber": 0, "objectId": 12345678901 + n, "changeSource": "CRM_UI",
               "propertyName": "email", "propertyValue": f"lead-{n}@example.com"}
              for n in range(100)]
    answer = send(stack, path_of(key), json.dumps(events).encode(),
                  {"Content-Type": "application/json;charset=UTF-8"})
    assert answer.status == 202 and answer.json["accepted"] == 100
    assert {(result["source"], result["cold_storage"]) for result in answer.json["results"]} == \
        {("hubspot", False)}
    assert stack.psql("select count(*), count(message_id) from sluice.signal_staging"
                      " where key_id = %s", key["id"]) == [(100, 0)]


@pytest.mark.each_front
@pytest.mark.parametrize("content_type", ["text/xml; charset=utf-8", "application/soap+xml",
                                          "application/xml"])
def test_salesforces_outbound_messages(stack, key, content_type):
    """SOAP wants a SOAP answer, so it is told at once that it is at the wrong place."""
    body = (b'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv='
            b'"http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><notifications/>'
            b'</soapenv:Body></soapenv:Envelope>')
    answer = send(stack, path_of(key), body, {"Content-Type": content_type, "SOAPAction": '""'})
    assert_problem(answer, 415, "unsupported_media_type")
    assert stack.rows(key) == 0
    assert [bytes(row[0]) for row in stack.psql(
        "select payload from sluice.rejected_payload where key_id = %s", key["id"])] == [body]


def test_salesforce_callout(stack, key):
    """A record as Apex or a flow posts it."""
    answer = send(stack, path_of(key), b'{"sObject":"Lead","Id":"00Q5g00000ABCDE","Email":"a@b.c"}')
    accepted_id(answer)
    assert (answer.json["source"], answer.json["cold_storage"]) == ("salesforce", False)


@pytest.mark.parametrize("content_type", ["application/json", None,
                                          "application/x-www-form-urlencoded"])
def test_marketo(stack, key, content_type):
    """The template of its webhook is filled with tokens; headers are the operator's."""
    answer = send(stack, path_of(key), b'{"mktLeadId":"1042","email":"Lead@Example.com"}',
                  {"Content-Type": content_type} if content_type else {})
    accepted_id(answer)
    assert answer.json["source"] == "marketo"


@pytest.mark.each_front
def test_forms_and_scripts_of_a_page(stack, key):
    """A form as browsers encode it is a signal, without files; a script's JSON, as text too."""
    form = send(stack, path_of(key, "form"), b"email=a%40b.c&name=A",
                {"Content-Type": "application/x-www-form-urlencoded"})
    assert stack.staged(accepted_id(form)) == {"email": "a@b.c", "name": "A"}
    file = (b'--x\r\nContent-Disposition: form-data; name="cv"; filename="cv.txt"\r\n\r\nA\r\n'
            b"--x--\r\n")
    upload = send(stack, path_of(key, "form"), file,
                  {"Content-Type": "multipart/form-data; boundary=x"})
    assert_problem(upload, 415, "unsupported_media_type")
    preflight = send(stack, path_of(key, "form"), None,
                     {"Origin": "https://yoursite.com", "Access-Control-Request-Method": "POST"},
                     "OPTIONS")
    assert preflight.status == 405
    assert preflight.header("Access-Control-Allow-Origin") is None
    # navigator.sendBeacon(url, text), which needs no preflight.
    accepted_id(send(stack, path_of(key, "form"), SEED, {"Content-Type": "text/plain;charset=UTF-8",
                                                         "Origin": "https://yoursite.com"}))
    assert stack.rows(key) == 2
    # The file is there, should somebody miss it.
    assert [bytes(row[0]) for row in stack.psql(
        "select payload from sluice.rejected_payload where key_id = %s", key["id"])] == \
        [file]


def curl(stack, path, *arguments, data=b""):
    """(status, body) of what the real curl sends."""
    done = subprocess.run(["curl", "-sS", "--noproxy", "*", "--max-time", "60", "-w",
                           "\n%{http_code}", *arguments, stack.base_url + path], input=data,
                          env=ENVIRONMENT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    body, _, status = done.stdout.rpartition(b"\n")
    return int(status), json.loads(body)


@pytest.mark.each_front
def test_curl(stack, key, tmp_path):
    """Its usual ways: -d, which says it is a form; --json; a file with Expect; chunks."""
    lines = tmp_path / "signals.ndjson"
    lines.write_bytes((SEED + b"\n") * 20_000)
    zipped = tmp_path / "signals.ndjson.gz"
    zipped.write_bytes(gzip.compress(lines.read_bytes()))
    ndjson = ["-H", f"Content-Type: {NDJSON['Content-Type']}"]
    assert curl(stack, path_of(key), "-d", SEED.decode())[0] == 202
    assert curl(stack, path_of(key), "--json", SEED.decode())[0] == 202
    status, answer = curl(stack, bulk_path(key), *ndjson, "--data-binary", f"@{lines}")
    assert (status, answer["accepted"]) == (202, 20_000)
    status, answer = curl(stack, bulk_path(key), *ndjson, "--data-binary", f"@{zipped}")
    assert (status, answer["accepted"]) == (202, 20_000)
    status, answer = curl(stack, bulk_path(key), *ndjson, "-X", "POST", "-T", "-",
                          data=(SEED + b"\n") * 3)
    if stack.front in NEEDS_LENGTH:
        assert (status, answer["code"]) == (411, "length_required")
    else:
        assert (status, answer["accepted"]) == (202, 3)
    assert stack.rows(key) == 40_002 + (0 if stack.front in NEEDS_LENGTH else 3)
    status, answer = curl(stack, path_of(key), "-H", f"Content-Type: {JSON['Content-Type']}", "-d",
                          "{")
    assert (status, answer["code"]) == (400, "malformed_json")
