"""CONTRACT.md, section 3: what is answered, and that refusals give nothing away."""

import json
import time

import pytest

from harness import (JSON, NDJSON, SEED, Client, accepted_id, assert_problem, bulk_path, median,
                     path_of, send, send_raw, sound_key, unsound_key)
from messages import QUEUED


def test_single(stack, key):
    answer = send(stack, path_of(key))
    assert answer.header("Content-Type").split(";")[0] == "application/json"
    signal = accepted_id(answer)
    assert answer.json == {"id": signal, "message": QUEUED, "source": "generic",
                           "cold_storage": False}
    assert stack.ids(key) == [signal]


@pytest.mark.each_front
def test_status_line_has_a_phrase(stack, keys):
    head = (f"POST {path_of(keys['plain'])} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            f"Content-Length: {len(SEED)}\r\n\r\n").encode()
    assert send_raw(stack, head + SEED).startswith(b"HTTP/1.1 202 Accepted\r\n")


@pytest.mark.parametrize("body", [
    b'{"anonymousId":"cold-single","type":"page"}', b"{}", b'{"email":""}', b'{"email":null}',
    b'{"email":7}', b'{"properties":{}}',
], ids=["anonymous", "empty", "blank-email", "null-email", "number-email", "no-traits"])
def test_cold_single(stack, key, body):
    answer = send(stack, path_of(key), body)
    signal = accepted_id(answer)
    assert answer.json["cold_storage"] is True
    assert stack.psql("select id from sluice.signal_cold_storage where key_id = %s",
                      key["id"]) == [(signal,)]
    assert stack.psql("select id from sluice.signal_staging where key_id = %s", key["id"]) == []


@pytest.mark.parametrize("body, headers", [
    (b"[%s]", JSON), (b'{"batch":[%s]}', JSON), (b'{"signals":[%s]}', JSON),
    (b'{"events":[%s]}', JSON), (b"%s", NDJSON), (b' [ %s ]\n', JSON),
    (b'{"sentAt":"2026-01-02T03:04:05Z","batch":[%s],"context":{}}', JSON),
], ids=["array", "batch", "signals", "events", "lines", "blanks", "envelope-with-more"])
@pytest.mark.parametrize("end", ["/batch", "bulk"])
def test_batch_shapes(stack, key, body, headers, end):
    items = [b'{"email":"a@example.com"}', b'{"anonymousId":"cold-in-a-batch"}',
             b'{"portalId":1,"email":"b@c.d"}']
    path = bulk_path(key) if end == "bulk" else path_of(key, end=end)
    answer = send(stack, path, body % (b"\n" if headers is NDJSON else b",").join(items), headers)
    assert answer.status == 202, answer.body
    assert (answer.json["accepted"], answer.json["duplicates"], answer.json["rejected"]) == \
        (3, 0, 0)
    assert isinstance(answer.json["message"], str)
    if end == "bulk":
        assert answer.json["results"] == []
        assert stack.rows(key) == 3
        return
    results = answer.json["results"]
    assert [result["index"] for result in results] == [0, 1, 2]
    assert [result["source"] for result in results] == ["generic", "generic", "hubspot"]
    assert [result["cold_storage"] for result in results] == [False, True, False]
    for result, item in zip(results, items, strict=True):
        assert json.loads(item) == stack.staged(result["id"])


def test_array_at_the_single_path_is_a_batch(stack, key):
    answer = send(stack, path_of(key, "hub"), b"[" + SEED + b"," + SEED + b"]")
    assert answer.status == 202 and answer.json["accepted"] == 2
    assert {result["source"] for result in answer.json["results"]} == {"hub"}
    assert sorted(result["id"] for result in answer.json["results"]) == sorted(stack.ids(key))


def test_array_of_one_is_still_a_batch(stack, key):
    answer = send(stack, path_of(key), b"[" + SEED + b"]")
    assert answer.status == 202 and answer.json["accepted"] == 1
    assert len(answer.json["results"]) == 1


@pytest.mark.parametrize("item, code", [
    (b"7", "not_an_object"), (b"null", "not_an_object"), (b"[]", "not_an_object"),
    (b'"text"', "not_an_object"), (b"true", "not_an_object"),
    (b'{"n":%s}' % (b"9" * 401), "number_too_large"),
    (b'{"n":%s}' % (b"[" * 64 + b"]" * 64), "nesting_too_deep"),
    (b'{"x":"%s"}' % (b"y" * (512 << 10)), "item_too_large"),
], ids=["number", "null", "array", "string", "true", "digits", "depth", "size"])
def test_lenient_batch_stores_the_good_items(stack, key, item, code):
    body = b"[" + b",".join([SEED, item, SEED]) + b"]"
    answer = send(stack, path_of(key, end="/batch"), body)
    assert answer.status == 202, answer.body[:300]
    assert (answer.json["accepted"], answer.json["rejected"]) == (2, 1)
    good, bad, last = answer.json["results"]
    assert (good["index"], bad["index"], last["index"]) == (0, 1, 2)
    assert bad["error"]["code"] == code and bad["error"]["detail"] and "id" not in bad
    assert sorted(stack.ids(key)) == sorted([good["id"], last["id"]])


def test_bad_line_does_not_spoil_the_others(stack, key):
    body = SEED + b"\n{oops}\n" + SEED + b"\n"
    answer = send(stack, path_of(key, end="/batch"), body, NDJSON)
    assert answer.status == 202 and answer.json["accepted"] == 2
    assert [result.get("error", {}).get("code") for result in answer.json["results"]] == \
        [None, "malformed_json", None]
    assert stack.rows(key) == 2


@pytest.mark.parametrize("end", ["", "/batch", "bulk"])
def test_every_item_bad(stack, key, end):
    path = bulk_path(key) if end == "bulk" else path_of(key, end=end)
    assert_problem(send(stack, path, b"[1,2,3]"), 400, "batch_rejected")
    assert stack.rows(key) == 0


def test_bulk_lists_at_most_a_hundred_errors(stack, key):
    body = b"[" + b",".join([SEED, b"7"] * 150) + b"]"
    answer = send(stack, bulk_path(key), body)
    assert answer.status == 202
    assert (answer.json["accepted"], answer.json["rejected"]) == (150, 150)
    results = answer.json["results"]
    assert [result["index"] for result in results] == list(range(1, 200, 2))
    assert {result["error"]["code"] for result in results} == {"not_an_object"}
    assert stack.rows(key) == 150


@pytest.mark.parametrize("body, place", [
    (b"{", 1), (b'{"a":1', 6), (b'{"a":1,}', 7), (b'{"a":oops}', 5), (b"{'a':1}", 1),
    (b'{"a":01}', 6), (b'{"a":NaN}', 5), (b'{"a":"\x01"}', 6), (b'{"a":"\xff"}', 6),
    (b"{}{}", 2), (b"{}\x00", 2), (b'{"a":"\\x"}', None), (b"oops", 0),
], ids=["open", "cut", "comma", "word", "quotes", "zero", "nan", "control", "utf8", "two", "nul",
        "escape", "text"])
def test_malformed_json_says_where(stack, key, body, place):
    problem = assert_problem(send(stack, path_of(key), body), 400, "malformed_json")
    if place is not None:
        assert str(place) in problem["detail"], problem["detail"]
    assert stack.rows(key) == 0


@pytest.mark.parametrize("body", [b"7", b'"text"', b"null", b"true"])
def test_single_that_is_no_object(stack, key, body):
    assert_problem(send(stack, path_of(key), body), 400, "not_an_object")


NO_ARRAY = 'no array "batch", "signals" or "events" in the object at byte offset 0'


@pytest.mark.parametrize("body, detail", [
    (b"7", "neither an array nor an object at byte offset 0"), (b'{"items":[]}', NO_ARRAY),
    (b'{"batch":7}', NO_ARRAY), (b"{}", NO_ARRAY),
])
def test_batch_that_is_no_batch(stack, key, body, detail):
    for path in (path_of(key, end="/batch"), bulk_path(key)):
        assert assert_problem(send(stack, path, body), 400, "not_a_batch")["detail"] == detail


def test_malformed_batch_stores_nothing(stack, key):
    for path in (path_of(key, end="/batch"), bulk_path(key)):
        assert_problem(send(stack, path, b"[" + SEED + b"," + SEED + b",{]"), 400,
                       "malformed_json")
        assert_problem(send(stack, path, b"[" + SEED + b"," + SEED), 400, "malformed_json")
    assert stack.rows(key) == 0


@pytest.mark.parametrize("path", ["single", "source", "batch", "bulk"])
def test_wrong_endpoint(stack, keys, path):
    key = keys["product"]
    path = {"single": path_of(key), "source": path_of(key, "web"),
            "batch": path_of(key, end="/batch"), "bulk": bulk_path(key)}[path]
    assert_problem(send(stack, path, b"[" + SEED + b"]"), 403, "wrong_endpoint")
    assert stack.rows(key) == 0


# ---- 401: one answer ----

REFUSED = ["unknown", "unsound", "short", "long", "bare", "expired", "deactivated",
           "secret-missing", "secret-wrong", "secret-empty"]


def refused(stack, keys, name):
    """(key, headers) of a request that must not be let in."""
    if name.startswith("secret"):
        secret = {"secret-wrong": {"X-Api-Secret": "whs_" + 40 * "w"},
                  "secret-empty": {"X-Api-Secret": ""}}.get(name, {})
        return keys["secret"], {**JSON, **secret}
    made = {"unknown": sound_key, "unsound": unsound_key, "short": lambda: sound_key()[:-1],
            "long": lambda: sound_key() + "x", "bare": lambda: "sk_"}
    return ({"key": made[name]()} if name in made else keys[name]), JSON


@pytest.mark.parametrize("shape", ["single", "source", "batch", "bulk", "broken"])
def test_refusals_are_one_answer(stack, keys, shape):
    """Byte for byte, apart from the request id; also where the body is not even JSON."""
    seen = {}
    for name in REFUSED:
        key, headers = refused(stack, keys, name)
        path = {"source": path_of(key, "web"), "batch": path_of(key, end="/batch"),
                "bulk": bulk_path(key)}.get(shape, path_of(key))
        body = b"{oops" if shape == "broken" else b"[" + SEED + b"]"
        answer = send(stack, path, body, {**headers, "X-Request-Id": "same"})
        assert_problem(answer, 401, "unauthenticated")
        # How a body is framed depends on when a CGI program ends, not on what it says.
        kept = [(header, value) for header, value in answer.headers
                if header not in ("Date", "Content-Length", "Transfer-Encoding")]
        seen[name] = (answer.body, tuple(kept))
    assert len(set(seen.values())) == 1, seen
    stored = sum(stack.rows(keys[name]) for name in ("expired", "deactivated"))
    assert stored == 0


def test_refusals_take_alike_long(stack, keys):
    """Coarsely: an unknown key that has to be looked up against a known one with a wrong secret."""
    unknown = path_of({"key": sound_key()})
    wrong = path_of(keys["secret"])
    headers = {**JSON, "X-Api-Secret": "whs_" + 40 * "w"}
    seconds = {unknown: [], wrong: []}
    with Client(stack.port) as client:
        for turn in range(240):
            path = (unknown, wrong)[turn % 2]
            start = time.perf_counter()
            assert client.send(path, SEED, headers).status == 401
            seconds[path].append(time.perf_counter() - start)
    medians = [median(values) for values in seconds.values()]
    assert max(medians) / min(medians) < 3, medians


def test_key_is_not_echoed(stack, keys):
    """Neither in the answer nor in a problem."""
    for body in (SEED, b"{", b"7", json.dumps({"writeKey": keys["secret"]["key"]}).encode()):
        answer = send(stack, path_of(keys["secret"]), body,
                      {**JSON, "X-Api-Secret": keys["secret"]["secret"]})
        text = answer.body + repr(answer.headers).encode()
        assert keys["secret"]["key"].encode() not in text
        assert keys["secret"]["secret"].encode() not in text
