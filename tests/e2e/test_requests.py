"""CONTRACT.md, section 2: paths, methods, headers, body shapes and limits."""

import gzip
import json
import re
import socket

import pytest

from harness import (CUT_BODY, ENCODED_ZERO, JSON, MERGES_LOOK_ALIKES, NDJSON, SEED,
                     accepted_id, assert_problem, bulk_path, path_of, send, send_raw, sound_key,
                     status_of, unsound_key, wait_for)

MIB = 1 << 20
SINGLE_BODY, BATCH_BODY, ITEM_BYTES = 1 * MIB, 8 * MIB, 512 << 10
BATCH_ITEMS, DEPTH, DIGITS, EXPONENT = 5000, 64, 400, 400


# ---- paths and methods ----

@pytest.mark.parametrize("path, source", [
    ("/api/signal-staging/webhook/{key}", "generic"),
    ("/api/signal-staging/webhook/{key}/", "generic"),
    ("/api/signal-staging/webhook/website/{key}", "website"),
    ("/api/signal-staging/webhook/website/{key}/", "website"),
    ("/api/signal-staging/webhook/{key}?source=query&a=%zz", "generic"),
    ("/api/signal-staging/webhook/website/{key}?", "website"),
    ("/api/signal-staging/webhook/{key}/?x=/batch", "generic"),
    ("/api/signal-staging/webhook/a/{key}", "a"),
    ("/api/signal-staging/webhook/My.Web_Site-2/{key}", "My.Web_Site-2"),
    ("/api/signal-staging/webhook/%77ebsite/{key}", "website"),
    ("/api/signal-staging/webhook/%73k_{rest}", "generic"),
    ("/api/signal-staging/webhook/" + 63 * "s" + "/{key}", 63 * "s"),
    ("/api/signal-staging/webhook/" + 64 * "s" + "/{key}", 64 * "s"),
], ids=["universal", "universal-slash", "source", "source-slash", "query", "empty-query",
        "slash-query", "source-1", "source-all-kinds", "encoded-source", "encoded-key",
        "source-63", "source-64"])
def test_path_is_accepted(stack, keys, path, source):
    key = keys["plain"]["key"]
    answer = send(stack, path.format(key=key, rest=key[3:]))
    assert stack.staged(accepted_id(answer), "source") == source
    assert answer.json["source"] == source


@pytest.mark.parametrize("path, accepted", [
    ("/api/signal-staging/webhook/{key}/batch", 1),
    ("/api/signal-staging/webhook/{key}/batch/", 1),
    ("/api/signal-staging/webhook/{key}/batch?x=1", 1),
    ("/api/signal-staging/bulk/{key}", 1),
    ("/api/signal-staging/bulk/{key}/", 1),
    ("/api/signal-staging/bulk/{key}?x=1", 1),
], ids=["batch", "batch-slash", "batch-query", "bulk", "bulk-slash", "bulk-query"])
def test_array_path_is_accepted(stack, key, path, accepted):
    answer = send(stack, path.format(key=key["key"]), b"[" + SEED + b"]")
    assert answer.status == 202 and answer.json["accepted"] == accepted
    assert stack.rows(key) == accepted


@pytest.mark.parametrize("source, status, code", [
    (65 * "s", 400, "invalid_source"), ("a:b", 400, "invalid_source"),
    ("a%25", 400, "invalid_source"), ("a%20b", 404, "not_found"), ("a%C3%A4", 404, "not_found"),
], ids=["65", "colon", "percent", "space", "umlaut"])
def test_path_source_is_refused(stack, key, source, status, code):
    answer = send(stack, f"/api/signal-staging/webhook/{source}/{key['key']}")
    assert_problem(answer, status, code)
    assert stack.rows(key) == 0


def test_encoded_zero_in_a_path(stack, key):
    """The web server refuses it before a worker sees it."""
    answer = send(stack, f"/api/signal-staging/webhook/a%00b/{key['key']}")
    assert answer.status == ENCODED_ZERO[stack.front]
    assert stack.rows(key) == 0


@pytest.mark.parametrize("path", [
    "/api/signal-staging/",
    "/api/signal-staging/webhook",
    "/api/signal-staging/webhook/",
    "/api/signal-staging/webhooks/{key}",
    "/api/signal-staging/webhook/{key}/batch/more",
    "/api/signal-staging/webhook/website/{key}/batch/more",
    "/api/signal-staging/webhook/a/b/{key}",
    "/api/signal-staging/bulk/",
    "/api/signal-staging/bulk/{key}/more",
    "/API/signal-staging/webhook/{key}",
    "/api/signal-staging/webhook/website%2F{key}",
    "/website%252F{key}",
    "/website%25252f{key}",
    "/{key}",
], ids=lambda path: path.replace("{key}", "KEY"))
def test_path_is_unknown(stack, key, path):
    assert send(stack, path.format(key=key["key"])).status == 404
    assert stack.rows(key) == 0


@pytest.mark.parametrize("path", ["/", "/index.html", "/.git/config", "/env", "/sluice.conf"])
def test_nothing_is_served_beside_the_api(stack, path):
    expected = 403 if path == "/" else 404  # a directory without an index
    assert send(stack, path, None, {}, "GET").status == expected


@pytest.mark.parametrize("path", ["/api/signal-staging/webhook/a/b/{key}",
                                  "/api/signal-staging/bulk/{key}/more"])
def test_unknown_path_of_ours_is_a_problem(stack, key, path):
    assert_problem(send(stack, path.format(key=key["key"])), 404, "not_found")


def test_misspelt_batch_path(stack, key):
    """It is no source with a malformed key either."""
    assert_problem(send(stack, path_of(key, end="/batches")), 404, "not_found")
    assert stack.rows(key) == 0


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/api/signal-staging/webhook/{key}",
                                  "/api/signal-staging/webhook/website/{key}/",
                                  "/api/signal-staging/webhook/{key}/batch",
                                  "/api/signal-staging/bulk/{key}"],
                         ids=["universal", "source", "batch", "bulk"])
def test_method_is_not_allowed(stack, key, path, method):
    body = SEED if method in ("PUT", "PATCH") else None
    answer = send(stack, path.format(key=key["key"]), body, JSON if body else {}, method)
    assert answer.status == 405
    assert answer.header("Allow") == "POST"
    if method == "HEAD":
        assert answer.body == b""
    else:
        assert_problem(answer, 405, "method_not_allowed")
    assert stack.rows(key) == 0


def test_health(stack):
    answer = send(stack, "/sluice/health", None, {}, "GET")
    assert answer.status == 200 and answer.json == {"status": "ok"}


# ---- headers ----

@pytest.mark.parametrize("content_type", [
    "application/json", "application/json; charset=utf-8", "application/json;charset=\"UTF-8\"",
    "Application/JSON", "application/vnd.api+json", "application/cloudevents+json; charset=utf-8",
    "text/plain", "text/plain; charset=utf-8", None, "application/x-www-form-urlencoded",
])
def test_content_type_reads_as_json(stack, keys, content_type):
    headers = {"Content-Type": content_type} if content_type else {}
    accepted_id(send(stack, path_of(keys["plain"]), SEED, headers))


@pytest.mark.parametrize("content_type", ["application/x-ndjson", "application/jsonl",
                                          "application/x-ndjson; charset=utf-8"])
def test_content_type_reads_as_lines(stack, key, content_type):
    answer = send(stack, path_of(key, end="/batch"), SEED + b"\n\n" + SEED + b"\r\n" + SEED,
                  {"Content-Type": content_type})
    assert answer.status == 202 and answer.json["accepted"] == 3
    assert stack.rows(key) == 3


@pytest.mark.parametrize("content_type", [
    "multipart/form-data; boundary=x", "application/xml", "text/xml", "text/html", "image/png",
    "application/octet-stream", "application/jsonx", "application/soap+xml", "json",
])
def test_what_is_neither_json_nor_a_form_is_refused(stack, key, content_type):
    accepted_id(send(stack, path_of(key), SEED, {"Content-Type": content_type}))
    answer = send(stack, path_of(key), b"email: a@b.co", {"Content-Type": content_type})
    assert_problem(answer, 415, "unsupported_media_type")
    assert stack.rows(key) == 1


@pytest.mark.each_front
@pytest.mark.parametrize("sent, status", [
    ([], 401), (["wrong"], 401), ([""], 401), (["right"], 202),
    (["right", "right"], 400), (["right", "wrong"], 400), (["wrong", "right"], 400),
], ids=["none", "wrong", "empty", "right", "right-right", "right-wrong", "wrong-right"])
def test_secret(stack, keys, sent, status):
    key = keys["secret"]
    values = {"right": key["secret"], "wrong": "whs_" + 40 * "x", "": ""}
    headers = [*JSON.items(), *(("X-Api-Secret", values[value]) for value in sent)]
    answer = send(stack, path_of(key), SEED, headers)
    if status == 202:
        accepted_id(answer)
    else:
        assert_problem(answer, status, {400: "repeated_header", 401: "unauthenticated"}[status])


def test_secret_by_look_alike_header(stack, keys):
    """X_Api_Secret becomes the same CGI variable: it never counts as the secret's second half."""
    key = keys["secret"]
    only = send(stack, path_of(key), SEED, {**JSON, "X_Api_Secret": 44 * "x"})
    assert_problem(only, 401, "unauthenticated")
    both = [*JSON.items(), ("X_Api_Secret", "whs_" + 40 * "x"), ("X-Api-Secret", key["secret"])]
    for headers in (both, list(reversed(both))):
        answer = send(stack, path_of(key), SEED, headers)
        if stack.front in MERGES_LOOK_ALIKES:
            assert_problem(answer, 400, "repeated_header")
        else:
            accepted_id(answer)


def test_secret_to_a_key_without_one_is_ignored(stack, keys):
    accepted_id(send(stack, path_of(keys["plain"]), SEED, {**JSON, "X-Api-Secret": "whatever"}))


@pytest.mark.each_front
@pytest.mark.parametrize("sent", ["a", "0af7651916cd43dd8448eb211c80319c", "A-b_c.d:e=f/g+h@i",
                                  128 * "r"], ids=["1", "hex", "all-kinds", "128"])
def test_request_id_is_echoed(stack, keys, sent):
    answer = send(stack, path_of(keys["plain"]), SEED, {**JSON, "X-Request-Id": sent})
    assert answer.header("X-Request-Id") == sent
    assert stack.staged(accepted_id(answer), "request_id") == sent
    problem = send(stack, path_of(keys["plain"]), b"{", {**JSON, "X-Request-Id": sent})
    assert assert_problem(problem, 400)["request_id"] == sent


@pytest.mark.parametrize("sent", [None, "", 129 * "r", "with space", "<script>", "a;b", "a\"b",
                                  "caf\u00e9"],
                         ids=["none", "empty", "129", "space", "markup", "semicolon", "quote",
                              "latin1"])
def test_request_id_is_made(stack, keys, sent):
    headers = {**JSON, "X-Request-Id": sent} if sent is not None else JSON
    answer = send(stack, path_of(keys["plain"]), SEED, headers)
    made = answer.header("X-Request-Id")
    assert re.fullmatch(r"[0-9a-f]{24}", made)
    assert stack.staged(accepted_id(answer), "request_id") == made


def test_request_id_is_in_the_log(stack, keys):
    marker = "log-line-" + sound_key()[3:15]
    assert_problem(send(stack, path_of(keys["plain"]), b"[[", {**JSON, "X-Request-Id": marker}),
                   400)
    stack.wait_logged(f"request_id={marker} ")


@pytest.mark.parametrize("method, path, status, code", [
    ("POST", "/sluice/health", 405, "method_not_allowed"),
    ("POST", path_of({"key": "sk_no"}), 401, "unauthenticated"),
    ("POST", "/api/signal-staging/nothing", 404, "not_found")])
def test_a_line_without_a_key_has_no_such_field(stack, method, path, status, code):
    marker = "log-line-" + sound_key()[3:15]
    answer = send(stack, path, SEED if method == "POST" else None, {"X-Request-Id": marker},
                  method)
    assert answer.status == status
    stack.wait_logged(f"request_id={marker} ")
    line, = re.findall(f" event=request request_id={marker} (.*)", stack.log())
    assert re.fullmatch(
        rf"route=\S+ status={status} code={code} accepted=0 duplicates=0 rejected=0 ms=\d+", line)


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize("sent, logged", [(TRACE, True), (TRACE.upper(), False),
                                          (f"{TRACE}-more", False)])
def test_trace_is_in_the_log_and_in_the_row(stack, keys, sent, logged):
    answer = send(stack, path_of(keys["plain"]), SEED, {**JSON, "traceparent": sent})
    request_id = answer.header("X-Request-Id")
    assert stack.staged(accepted_id(answer), "request_id") == request_id
    assert stack.staged(accepted_id(answer), "traceparent") == (TRACE if logged else None)
    stack.wait_logged(f"request_id={request_id} ")
    line, = re.findall(f" event=request request_id={request_id} (.*)", stack.log())
    assert (f" traceparent={TRACE}" in line) is logged and ("traceparent" in line) is logged


@pytest.mark.parametrize("source, status", [
    ("crm", 202), (64 * "s", 202), (65 * "s", 400), ("a b", 400), ("a/b", 400), ("\u00e4", 400),
], ids=["crm", "64", "65", "space", "slash", "latin1"])
def test_source_header(stack, key, source, status):
    answer = send(stack, path_of(key), SEED, {**JSON, "X-Source": source})
    if status == 202:
        assert stack.staged(accepted_id(answer), "source") == source
    else:
        assert_problem(answer, 400, "invalid_source")
        assert stack.rows(key) == 0


@pytest.mark.parametrize("headers, body, status, code", [
    ({"Content-Encoding": "gzip"}, gzip.compress(SEED), 202, None),
    ({"Content-Encoding": "x-gzip"}, gzip.compress(SEED), 202, None),
    ({"Content-Encoding": "GZIP"}, gzip.compress(SEED), 202, None),
    ({}, gzip.compress(SEED), 202, None),
    ({"Content-Type": "application/x-www-form-urlencoded"}, gzip.compress(SEED), 202, None),
    ({"Content-Encoding": "identity"}, SEED, 202, None),
    ({"Content-Encoding": "gzip"}, gzip.compress(SEED[:40]) + gzip.compress(SEED[40:]), 202, None),
    ({"Content-Encoding": "gzip"}, SEED, 202, None),
    ({"Content-Encoding": "gzip"}, b"nothing", 400, "malformed_coding"),
    ({"Content-Encoding": "gzip"}, gzip.compress(SEED)[:-9], 400, "malformed_coding"),
    ({"Content-Encoding": "gzip"}, gzip.compress(SEED) + b"x", 400, "malformed_coding"),
    ({"Content-Encoding": "br"}, SEED, 415, "unsupported_coding"),
    ({"Content-Encoding": "deflate"}, SEED, 202, None),
    ({"Content-Encoding": "deflate"}, b"nothing", 400, "malformed_coding"),
    ({"Content-Encoding": "gzip, gzip"}, SEED, 415, "unsupported_coding"),
], ids=["gzip", "x-gzip", "capitals", "magic", "magic-form-type", "identity", "two-members",
        "plain", "not-gzip", "cut", "garbage-after", "br", "plain-deflate", "not-deflate", "twice"])
def test_content_encoding(stack, key, headers, body, status, code):
    answer = send(stack, path_of(key), body, {**JSON, **headers})
    if status == 202:
        assert stack.staged(accepted_id(answer), "payload->>'event'") == "form_submission"
    else:
        assert_problem(answer, status, code)
        assert stack.rows(key) == 0


@pytest.mark.parametrize("size, status", [(SINGLE_BODY, 202), (SINGLE_BODY + 1, 413)])
def test_decompressed_size_counts(stack, key, size, status):
    """A small body that grows."""
    body = SEED.ljust(size)
    answer = send(stack, path_of(key), gzip.compress(body), {**JSON, "Content-Encoding": "gzip"})
    assert answer.status == status, answer.body[:300]
    if status == 413:
        assert_problem(answer, 413, "body_too_large")
        assert stack.rows(key) == 0


def test_prefer_strict_refuses_the_whole_batch(stack, key):
    body = b"[" + SEED + b",7," + SEED + b"]"
    answer = send(stack, path_of(key, end="/batch"), body, {**JSON, "Prefer": "handling=strict"})
    problem = assert_problem(answer, 400)
    assert "1" in problem["detail"], "the item's index is told"
    assert stack.rows(key) == 0
    for preference in ("handling=lenient", "respond-async", None):
        headers = {**JSON, "Prefer": preference} if preference else JSON
        answer = send(stack, path_of(key, end="/batch"), body, headers)
        assert answer.status == 202
        assert (answer.json["accepted"], answer.json["rejected"]) == (2, 1)
    assert stack.rows(key) == 6


# ---- limits ----

def padded_item(size):
    frame = b'{"email":"limit@example.com","filler":""}'
    return frame[:-2] + b"x" * (size - len(frame)) + frame[-2:]


def padded_array(size):
    """An array of exactly size bytes whose items are within the item limit."""
    items, left = [], size - 2
    while left > ITEM_BYTES:
        items.append(padded_item(ITEM_BYTES // 2))
        left -= ITEM_BYTES // 2 + 1
    items.append(padded_item(left))
    return b"[" + b",".join(items) + b"]"


def chunks(body, size=50_000):
    return (body[start:start + size] for start in range(0, len(body), size))


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("make, end, limit", [
    (SEED.ljust, "", SINGLE_BODY), (padded_array, "", BATCH_BODY),
    (padded_array, "/batch", BATCH_BODY)], ids=["single", "array", "batch"])
@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_body_limit(stack, key, make, end, limit, extra, chunked):
    """An array at the path of single signals is a batch, in size too."""
    body = make(limit + extra)
    assert len(body) == limit + extra
    answer = send(stack, path_of(key, end=end), chunks(body) if chunked else body)
    if extra > 0:
        assert_problem(answer, 413, "body_too_large")
        assert stack.rows(key) == 0
    else:
        assert answer.status == 202, answer.body[:300]
        assert stack.rows(key) == answer.json.get("accepted", 1)


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_item_limit(stack, key, extra):
    answer = send(stack, path_of(key), padded_item(ITEM_BYTES + extra))
    if extra > 0:
        assert_problem(answer, 413, "item_too_large")
    else:
        assert stack.staged(accepted_id(answer), "length(payload->>'filler')") > ITEM_BYTES - 100
    assert stack.rows(key) == (extra <= 0)


@pytest.mark.parametrize("end, lines", [("", False), ("/batch", False), ("/batch", True)],
                         ids=["single", "batch", "batch-lines"])
@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_items_limit(stack, key, end, lines, extra):
    items = [b'{"email":"a@example.com"}'] * (BATCH_ITEMS + extra)
    body = b"\n".join(items) if lines else b"[" + b",".join(items) + b"]"
    answer = send(stack, path_of(key, end=end), body, NDJSON if lines else JSON)
    if extra > 0:
        assert_problem(answer, 413, "too_many_items")
        assert stack.rows(key) == 0
    else:
        assert answer.status == 202 and answer.json["accepted"] == len(items)
        assert [result["index"] for result in answer.json["results"]] == list(range(len(items)))
        assert sorted(result["id"] for result in answer.json["results"]) == \
            sorted(stack.ids(key))


def nested(depth, inner="0"):
    """An item whose innermost array is at this depth; its own braces are level 1."""
    arrays = depth - 1
    return f'{{"email":"a@example.com","n":{"[" * arrays}{inner}{"]" * arrays}}}'.encode()


@pytest.mark.parametrize("item, status, code", [
    (nested(DEPTH - 1), 202, None),
    (nested(DEPTH), 202, None),
    (nested(DEPTH + 1), 400, "nesting_too_deep"),
    (nested(100_000), 400, "nesting_too_deep"),
    (b'{"n":%s}' % (b"1" * (DIGITS - 1)), 202, None),
    (b'{"n":%s}' % (b"1" * DIGITS), 202, None),
    (b'{"n":-%s.%s}' % (b"1" * (DIGITS - 10), b"1" * 10), 202, None),
    (b'{"n":%s}' % (b"1" * (DIGITS + 1)), 400, "number_too_large"),
    (b'{"n":0.%s}' % (b"1" * DIGITS), 400, "number_too_large"),
    (b'{"n":1e%d}' % (EXPONENT - 1), 202, None),
    (b'{"n":1E+%d}' % EXPONENT, 202, None),
    (b'{"n":1e-%d}' % EXPONENT, 202, None),
    (b'{"n":1e%d}' % (EXPONENT + 1), 400, "number_too_large"),
    (b'{"n":1e-%d}' % (EXPONENT + 1), 400, "number_too_large"),
    (b'{"n":1e999999999999999999999999}', 400, "number_too_large"),
    (b'{"n":1e131071}', 400, "number_too_large"),
], ids=["depth-63", "depth-64", "depth-65", "depth-100000", "digits-399", "digits-400",
        "digits-400-signed", "digits-401", "digits-401-fraction", "exponent-399", "exponent-400",
        "exponent-minus-400", "exponent-401", "exponent-minus-401", "exponent-huge",
        "exponent-131071"])
def test_json_limits(stack, key, item, status, code):
    answer = send(stack, path_of(key), item)
    if status == 202:
        accepted_id(answer)
        assert stack.rows(key) == 1
    else:
        assert_problem(answer, status, code)
        assert stack.rows(key) == 0


# ---- bodies that are not whole, or nothing ----

@pytest.mark.parametrize("end", ["", "/batch", "bulk"])
@pytest.mark.parametrize("body", [b"", b" \r\n\t", b"\xef\xbb\xbf"], ids=["none", "blank", "bom"])
def test_empty_body(stack, key, end, body):
    path = bulk_path(key) if end == "bulk" else path_of(key, end=end)
    wanted = "an array, NDJSON, or an object whose" if end else "one JSON object, an array of"
    problem = assert_problem(send(stack, path, body), 400, "empty_body")
    assert problem["detail"].startswith(f"Send {wanted} ")
    assert stack.rows(key) == 0


@pytest.mark.parametrize("end", ["", "/batch", "bulk"])
def test_empty_chunked_body(stack, key, end):
    path = bulk_path(key) if end == "bulk" else path_of(key, end=end)
    assert_problem(send(stack, path, iter(())), 400, "empty_body")


@pytest.mark.parametrize("end, body", [
    ("", b"[]"), ("/batch", b"[]"), ("/batch", b'{"batch":[]}'), ("bulk", b"[]"),
], ids=["single", "batch", "envelope", "bulk"])
def test_empty_batch(stack, key, end, body):
    path = bulk_path(key) if end == "bulk" else path_of(key, end=end)
    assert_problem(send(stack, path, body), 400, "empty_batch")


@pytest.mark.each_front
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_chunked_upload_without_length(stack, keys, size):
    answer = send(stack, path_of(keys["plain"], "chunks"), chunks(SEED, size))
    assert stack.staged(accepted_id(answer), "payload") == json.loads(SEED)


@pytest.mark.each_front
@pytest.mark.parametrize("half_close", [False, True], ids=["close", "half-close"])
@pytest.mark.parametrize("cut", ["in-item", "after-item"])
def test_truncated_body_stores_nothing(stack, keys, key, half_close, cut):
    """The connection ends before Content-Length was reached, even where the rest looks whole."""
    body = SEED if cut == "after-item" else SEED[:-5]
    marker = "cut-" + sound_key()[3:15]
    head = (f"POST {path_of(key)} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json"
            f"\r\nX-Request-Id: {marker}\r\nContent-Length: {len(SEED) + 20}\r\n\r\n").encode()
    wait_for(lambda: stack.connections("intake") == 0, "earlier requests have ended")
    with socket.create_connection(("127.0.0.1", stack.port), 30) as sock:
        sock.sendall(head + body)
        if stack.streams:
            wait_for(lambda: stack.connections("intake") == 1, "it is passed on")
        if half_close:
            sock.shutdown(socket.SHUT_WR)
            assert status_of(sock.recv(65536)) == CUT_BODY[stack.front]
    if stack.streams:
        stack.wait_logged(f"request_id={marker} ")
        assert re.search(rf"request_id={marker} .*status=400 .*accepted=0 ", stack.log())
    for _ in range(5):
        accepted_id(send(stack, path_of(keys["plain"])))
    assert stack.rows(key) == 0


@pytest.mark.each_front
def test_unread_bytes_are_not_a_request(stack, key):
    """Bytes after the announced body must not become FastCGI records or a second body."""
    forged = b'\x01\x01\x00\x01\x00\x08\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00'
    body = SEED + forged * 50
    answer = send(stack, path_of(key), body)
    assert_problem(answer, 400, "malformed_json")
    assert_problem(send(stack, path_of({"key": unsound_key()}), body), 401, "unauthenticated")
    large = forged * 70_000
    assert_problem(send(stack, path_of(key), large), 413, "body_too_large")
    accepted_id(send(stack, path_of(key)))
    assert stack.rows(key) == 1


@pytest.mark.each_front
@pytest.mark.parametrize("end", ["", "/batch", "bulk"])
@pytest.mark.parametrize("expect", ["100-continue"])
def test_expect_continue(stack, key, end, expect):
    """curl sends it for bodies over a megabyte."""
    path = bulk_path(key) if end == "bulk" else path_of(key, end=end)
    head = (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Connection: close\r\nExpect: {expect}\r\nContent-Length: {len(SEED) + 2}\r\n\r\n")
    received = send_raw(stack, head.encode() + b"[" + SEED + b"]")
    assert b"HTTP/1.1 202 Accepted" in received
    assert stack.rows(key) == 1
