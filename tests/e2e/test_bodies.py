"""CONTRACT.md, sections 2 and 4: what is read from a body, whatever its label says."""

import gzip
import json
import re
import urllib.parse
import zlib

import pytest

from harness import (JSON, NEEDS_LENGTH, SEED, STREAMING, accepted_id, assert_problem, bulk_path,
                     path_of, send, send_raw, sound_key)

STRICT = {**JSON, "Prefer": "handling=strict"}


def kept(stack, key):
    """[(code, position, kind, bytes)] of what was kept of the key's requests."""
    return [(*row[:3], bytes(row[3])) for row in stack.psql(
        "select code, position, kind, payload from sluice.rejected_payload where key_id = %s"
        " order by id", key["id"])]


# ---- a bad token in an array ----

BAD_TOKENS = {"nan": b'{"v":NaN,"email":"b@b.co"}', "control": b'{"v":"a\nb"}',
              "latin-1": b'{"v":"\xe4"}', "quotes": b"{'v':'x'}", "number": b'{"v":01}',
              "escape": b'{"v":"\\x]}"}'}


@pytest.mark.each_front
@pytest.mark.parametrize("where", ["single", "batch", "envelope", "bulk"])
@pytest.mark.parametrize("item", BAD_TOKENS.values(), ids=BAD_TOKENS)
def test_a_bad_token_spoils_one_item(stack, key, where, item):
    path = {"single": path_of(key), "bulk": bulk_path(key)}.get(where, path_of(key, end="/batch"))
    body = b"[" + SEED + b"," + item + b"," + SEED + b"]"
    if where == "envelope":
        body = b'{"batch":' + body + b"}"
    answer = send(stack, path, body)
    assert answer.status == 202
    assert [answer.json[name] for name in ("accepted", "rejected")] == [2, 1]
    errors = [result for result in answer.json["results"] if "error" in result]
    assert [(error["index"], error["error"]["code"]) for error in errors] == [(1, "malformed_json")]
    assert stack.rows(key) == 2
    assert kept(stack, key) == [("malformed_json", 1, "item", item)]


@pytest.mark.parametrize("path", [path_of, bulk_path], ids=["single", "bulk"])
@pytest.mark.parametrize("headers, body", [
    (JSON, b"[" + SEED + b',{"v":[NaN},' + SEED + b"]"),
    (JSON, b"[" + SEED + b",," + SEED + b"]"),
    (STRICT, b"[" + SEED + b',{"v":NaN},' + SEED + b"]"),
], ids=["brackets", "commas", "strict"])
def test_a_broken_structure_refuses_all(stack, key, path, headers, body):
    assert_problem(send(stack, path(key), body, headers), 400, "malformed_json")
    assert stack.rows(key) == 0
    assert [row[:2] for row in kept(stack, key)] == ([] if headers is STRICT
                                                     else [("malformed_json", None)])


def test_bad_tokens_alone_store_nothing(stack, key):
    answer = send(stack, path_of(key), b'[NaN,{"v":01}]')
    assert_problem(answer, 400, "batch_rejected")
    assert [row[3] for row in kept(stack, key)] == [b"NaN", b'{"v":01}']


# ---- labels ----

FORM = "application/x-www-form-urlencoded"


@pytest.mark.each_front
@pytest.mark.parametrize("headers", [
    {}, {"Content-Type": "application/json; charset=ISO-8859-1"},
    {"Content-Type": "text/plain; charset=ISO-8859-1"},
    {"Content-Type": "application/octet-stream"}, {"Content-Type": "text/json"},
    {"Content-Type": "application/json, charset=utf-8"},
    {"Content-Type": "application/json; charset="}, {"Content-Type": "text/xml"},
    {"Content-Type": FORM}, {"Content-Type": "multipart/form-data; boundary=x"},
    [("Content-Type", "application/json"), ("Content-Type", "application/json")],
    {**JSON, "Content-Encoding": "UTF-8"}, {**JSON, "Content-Encoding": "gzip"},
    {**JSON, "Content-Encoding": "deflate"},
], ids=str)
def test_json_is_json_under_any_label(stack, keys, headers):
    accepted_id(send(stack, path_of(keys["plain"]), SEED, headers))


def deflated(body, bits):
    encoder = zlib.compressobj(wbits=bits)
    return encoder.compress(body) + encoder.flush()


@pytest.mark.parametrize("path", [path_of, bulk_path], ids=["single", "bulk"])
@pytest.mark.parametrize("headers, encode", [
    ({"Content-Encoding": "deflate"}, lambda body: deflated(body, 15)),
    ({"Content-Encoding": "deflate"}, lambda body: deflated(body, -15)),
    ({"Content-Encoding": "gzip"}, gzip.compress), ({}, gzip.compress),
], ids=["deflate", "raw-deflate", "gzip", "gzip-unsaid"])
def test_codings(stack, key, path, headers, encode):
    answer = send(stack, path(key), encode(b"[" + SEED + b"]"), headers)
    assert answer.status == 202 and answer.json["accepted"] == 1
    assert stack.rows(key) == 1


@pytest.mark.parametrize("path", [path_of, bulk_path], ids=["single", "bulk"])
@pytest.mark.parametrize("content_type", [None, "application/cloudevents+json", FORM,
                                          "application/octet-stream"])
def test_lines_without_their_label(stack, key, path, content_type):
    answer = send(stack, path(key), SEED + b"\n" + SEED + b"\r\n{\"v\":}\n" + SEED,
                  {"Content-Type": content_type} if content_type else {})
    assert answer.status == 202 and answer.json["accepted"] == 3
    assert stack.rows(key) == 3
    assert kept(stack, key) == [("malformed_json", 2, "item", b'{"v":}')]


def test_an_envelope_at_the_path_of_one(stack, key):
    body = b'{"batch":[' + SEED + b"," + SEED + b'],"sentAt":"2026-11-01T00:00:00Z"}'
    answer = send(stack, path_of(key), body)
    assert answer.status == 202 and answer.json["accepted"] == 2
    assert stack.rows(key) == 2
    for one in (b'{"events":[1]}', b'{"events":[{}],"tags":["a"]}', b'{"batch":[]}'):
        accepted_id(send(stack, path_of(key), one))


# ---- forms ----

MULTIPART = {"Content-Type": "multipart/form-data; boundary=x"}


def part(name, value, more=""):
    return (f'--x\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
            f"{value}\r\n").encode()


@pytest.mark.each_front
@pytest.mark.parametrize("headers, body, payload", [
    ({"Content-Type": FORM}, b"email=lead%40example.com&tag=a+b&tag=%C3%A4",
     {"email": "lead@example.com", "tag": ["a b", "\u00e4"]}),
    ({"Content-Type": FORM}, b"payload=%7B%22email%22%3A%22a%40b.co%22%7D", {"email": "a@b.co"}),
    ({"Content-Type": FORM}, b"body=not+json", {"body": "not json"}),
    (MULTIPART, part("email", "a@b.co") + part("text", "two\r\nlines") + b"--x--\r\n",
     {"email": "a@b.co", "text": "two\r\nlines"}),
    (MULTIPART, part("data", '{"email":"a@b.co"}') + b"--x--\r\n", {"email": "a@b.co"}),
], ids=["fields", "payload", "text", "multipart", "multipart-json"])
def test_a_form_is_one_signal(stack, keys, headers, body, payload):
    answer = send(stack, path_of(keys["plain"]), body, headers)
    assert stack.staged(accepted_id(answer)) == payload


def test_a_batch_in_a_form(stack, key):
    answer = send(stack, path_of(key), b"data=[" + SEED.replace(b"&", b"%26") + b",{}]",
                  {"Content-Type": FORM})
    assert answer.status == 202 and answer.json["accepted"] == 2


# ---- what is refused is kept ----

SOAP = b"<?xml version='1.0'?><soap:Envelope/>"


@pytest.mark.each_front
@pytest.mark.parametrize("headers, body, code", [
    ({"Content-Type": "text/xml"}, SOAP, "unsupported_media_type"),
    (JSON, SOAP, "unsupported_media_type"),
    ({"Content-Type": "image/png"}, b"\x89PNG\r\n\x00", "unsupported_media_type"),
    (MULTIPART, part("a", "b", '; filename="c"') + b"--x--\r\n", "unsupported_media_type"),
    ({**JSON, "Content-Encoding": "br"}, b"\x0b\x01\x80{}\x03", "unsupported_coding"),
], ids=["soap", "soap-as-json", "png", "file", "brotli"])
def test_what_is_not_read_is_kept(stack, key, headers, body, code):
    for path in (path_of(key), bulk_path(key)):
        assert_problem(send(stack, path, body, headers), 415, code)
    assert [(row[0], row[3]) for row in kept(stack, key)] == 2 * [(code, body)]
    assert stack.rows(key) == 0
    assert_problem(send(stack, path_of({"key": sound_key()}), body, headers), 401)


MIB = 1 << 20


@pytest.mark.each_front
@pytest.mark.parametrize("size, encode", [
    (MIB + 1, bytes), (8 * MIB + 1, gzip.compress), (8 * MIB + 1, iter),
], ids=["single", "gzip", "chunked"])
def test_the_beginning_of_a_large_body_is_kept(stack, key, size, encode):
    body = b'{"a":"' + (size - 6) * b"x"
    if encode is iter and stack.front in NEEDS_LENGTH:
        pytest.skip("takes no body of unknown length")
    headers = {**JSON, "Content-Encoding": "gzip"} if encode is gzip.compress else JSON
    sent = (body[at:at + MIB] for at in range(0, size, MIB)) if encode is iter else encode(body)
    assert_problem(send(stack, path_of(key), sent, headers, timeout=60), 413, "body_too_large")
    # With an announced length it is refused unread; these fronts know it when they have all.
    unread = encode is iter and stack.front not in STREAMING
    assert [(row[0], row[3]) for row in kept(stack, key)] == \
        ([] if unread else [("body_too_large", body[:MIB])])


# ---- the presented key ----

def spellings(text):
    """As itself, as JSON escapes, percent-encoded."""
    yield text
    yield "".join(f"\\u{ord(c):04x}" if at % 3 == 0 else c for at, c in enumerate(text))
    yield "".join(f"\\u{ord(c):04X}" for c in text)
    yield text.replace("_", "%5f")


def stored_texts(stack, key):
    """Every column of every row of the key, as text."""
    rows = []
    for table in ("signal", "signal_cold_storage", "product_org_update"):
        rows += stack.psql(f"select row_to_json(t)::text from sluice.{table} t where key_id = %s",
                           key["id"])
    rows += stack.psql("select row_to_json(t)::text || convert_from(payload, 'latin1')"
                       " from sluice.rejected_payload t where key_id = %s", key["id"])
    return [row[0] for row in rows]


@pytest.mark.each_front
def test_the_presented_key_is_stored_nowhere(stack, key):
    """Nor logged: at the end no log of the stack may hold it."""
    secret = key["key"]
    for at, spelled in enumerate(spellings(secret)):
        payload = (f'{{"email":"{at}@b.co","messageId":"{spelled}-{at}","{spelled}":1,'
                   f'"properties":{{"writeKey":"{spelled}","list":[["x{spelled}y"]]}},'
                   f'"context":{{"page":{{"url":"https://x.example/{spelled}/batch"}}}}}}').encode()
        headers = {**JSON, "X-Source": secret, "X-Request-Id": secret, "User-Agent": secret,
                   "Referer": f"https://example.com/{secret}"}
        answer = send(stack, path_of(key), payload, headers)
        assert answer.status == 202 and secret.encode() not in answer.body
        assert secret not in answer.header("X-Request-Id")
        batch = b'{"sentAt":"%s","batch":[%s,NaN%s]}' % (spelled.encode(), payload, payload)
        assert send(stack, path_of(key, end="/batch"), batch).status in (202, 400)
        assert send(stack, bulk_path(key), b"[" + payload + b",[" + payload + b"]]").status == 202
        assert_problem(send(stack, path_of(key), payload + b"}"), 400)
        assert_problem(send(stack, path_of(key), SOAP + payload), 415)
    send_raw(stack, f"{secret} /{secret} HTTP/1.0\r\n\r\n".encode())
    texts = stored_texts(stack, key)
    assert len(texts) > 8
    for text in texts:
        assert secret[7:] not in urllib.parse.unquote(text)
        assert secret[7:] not in json.loads('"' + re.sub(r'[\x00-\x1f"]', "", text).replace(
            "\\\\u", "\\u").replace("\\", "\\\\").replace("\\\\u", "\\u") + '"')
    assert any("sk_xxxxxxxxxx" in text for text in texts)
