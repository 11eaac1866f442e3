"""Batches lose nothing: what cannot be stored is kept with its bytes, and can be replayed.

Bad items of lenient batches and unreadable bodies of senders with a good key are kept in
sluice.rejected_payload, in the transaction of the good items; strict requests and bytes of
strangers are not.
"""

import gzip
import json
import os
import re
import secrets
import subprocess
import threading

import pytest

from harness import JSON, NDJSON, assert_problem, bulk_path, path_of, send, sound_key
from sluicectl import Terminal, Tool

STRICT = {"Prefer": "handling=strict"}
GZIP = {**JSON, "Content-Encoding": "gzip"}
ITEM_SIZE = 512 << 10
SINGLE_SIZE = 1 << 20  # of a request of one signal
LARGE = 300 << 10  # above what the loop serves itself
COLUMNS = "position, kind, code, payload, payload_bytes, truncated"


def kept(stack, key, columns=COLUMNS):
    """What is kept of this key's deliveries, as a list of dicts."""
    names = [name.strip() for name in columns.split(",")]
    rows = stack.psql(f"select {columns} from sluice.rejected_payload where key_id = %s"
                      " order by id", key["id"])
    return [{name: bytes(value) if isinstance(value, memoryview) else value
             for name, value in zip(names, row, strict=True)} for row in rows]


def entry(code, payload, position=None, kind="item", length=None, truncated=False):
    """An entry as kept() shows it; length is the payload's unless said otherwise."""
    return {"position": position, "kind": kind, "code": code, "payload": payload,
            "payload_bytes": len(payload) if length is None else length, "truncated": truncated}


def masked(text, key):
    return text.replace(key["key"].encode(), b"sk_" + b"x" * 38)


def padding(size):
    return b'{"email":"pad@example.com","pad":"' + b"p" * size + b'"}'


def large(body):
    """The same batch with one more good item, so large that a child serves it."""
    return body[:-1] + b"," + padding(LARGE) + b"]"


# ---- items ----

@pytest.mark.parametrize("child", [False, True], ids=["loop", "child"])
def test_bad_items_are_kept_with_the_good_ones(stack, key, child):
    body = b'[{"email":"a@b.c"}, 7 ,{"userId":"u"},["x"],{"n":1e999999}]'
    answer = send(stack, path_of(key, "crm"), large(body) if child else body,
                  {**JSON, "X-Request-Id": "rejects-1"})
    assert answer.status == 202
    assert (answer.json["accepted"], answer.json["rejected"]) == (3 if child else 2, 3)
    assert [(r["index"], r["error"]["code"]) for r in answer.json["results"] if "error" in r] == [
        (1, "not_an_object"), (3, "not_an_object"), (4, "number_too_large")]
    assert kept(stack, key) == [
        entry("not_an_object", b"7", 1), entry("not_an_object", b'["x"]', 3),
        entry("number_too_large", b'{"n":1e999999}', 4)]
    assert [row["detail"] for row in kept(stack, key, "detail")][:2] == [
        "not an object at byte offset 20", "not an object at byte offset 38"]
    # Key, source, request and time: enough to make the same row of it later.
    assert stack.psql(
        "select distinct r.source, r.request_id, r.received_at = s.received_at,"
        " r.organization_id = s.organization_id, r.xmin::text = s.xmin::text"
        " from sluice.rejected_payload r join sluice.signal s using (key_id)"
        " where r.key_id = %s", key["id"]) == [("crm", "rejects-1", True, True, True)]


def test_lines_and_envelopes(stack, key):
    send(stack, path_of(key), b'{"a":1}\n{"a":}\r\n\n[1]\n{"b":2}', NDJSON)
    send(stack, path_of(key), b'{"a":1}\n\n {"a":', NDJSON)
    send(stack, path_of(key, end="/batch"), b'{"context":{"ip":"::1"},"batch":[null,{}]}')
    assert kept(stack, key) == [
        entry("malformed_json", b'{"a":}\r', 1), entry("not_an_object", b"[1]", 2),
        entry("malformed_json", b'{"a":', 1), entry("not_an_object", b"null", 0)]
    assert stack.rows(key) == 4
    assert kept(stack, key, "source") == [{"source": None}] * 4


@pytest.mark.parametrize("size", [ITEM_SIZE - 1, ITEM_SIZE, ITEM_SIZE + 1, SINGLE_SIZE,
                                  SINGLE_SIZE + 1])
@pytest.mark.parametrize("make_path", [path_of, bulk_path])
def test_items_are_kept_up_to_the_limit_of_a_single_request(stack, key, make_path, size):
    item = b'["' + b"y" * (size - 4) + b'"]'
    answer = send(stack, make_path(key), b"[{}," + item + b"]")
    assert answer.status == 202
    assert kept(stack, key) == [entry("not_an_object", item[:SINGLE_SIZE], 1, length=size,
                                      truncated=size > SINGLE_SIZE)]


def test_a_batch_that_is_all_bad_is_refused_and_kept(stack, key):
    for child in (False, True):
        body = b'[1,"x"' + (b',"%s"]' % (b"p" * LARGE) if child else b"]")
        assert_problem(send(stack, path_of(key), body), 400, "batch_rejected")
    rows = kept(stack, key)
    assert [(row["position"], row["code"], row["payload"][:3]) for row in rows] == [
        (0, "not_an_object", b"1"), (1, "not_an_object", b'"x"')] * 2 + [
        (2, "not_an_object", b'"pp')]
    assert stack.rows(key) == 0


@pytest.mark.parametrize("body", [b"[1]", b"[{},1]", b'{"a":', b"[{},", b"1", b"\xff",
                                  large(b"[{},1]"), gzip.compress(b"[{}]")[:-3]],
                         ids=["all-bad", "one-bad", "cut", "cut-batch", "scalar", "utf8", "child",
                              "gzip"])
def test_strict_keeps_nothing(stack, key, body):
    for path in (path_of(key), bulk_path(key)):
        assert send(stack, path, body, {**JSON, **STRICT}).status == 400
    assert kept(stack, key) == []
    assert stack.rows(key) == 0


# ---- whole bodies ----

@pytest.mark.parametrize("body, headers, code, kind", [
    (b'{"email":"a@b.c",}', JSON, "malformed_json", "single"),
    (b'{"a":1', JSON, "malformed_json", "single"),
    (b"[{},{},}", JSON, "malformed_json", "single"),
    (b"{} {}", JSON, "malformed_json", "single"),
    (b"\xff\x00nothing", JSON, "malformed_json", "single"),
    (b'"text"', JSON, "not_an_object", "single"),
    (b'{"a":1e999999}', JSON, "number_too_large", "single"),
    (b'[{},{"a":', NDJSON, "malformed_json", "lines"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_unreadable_bodies_are_kept(stack, key, body, headers, code, kind):
    assert_problem(send(stack, path_of(key), body, headers), 400, code)
    assert kept(stack, key) == [entry(code, body, kind=kind)]
    assert stack.rows(key) == 0


def test_unreadable_batches_are_kept(stack, key):
    bodies = [(b'{"a":1}', 400, "not_a_batch"), (b"[{}", 400, "malformed_json"),
              (b"[" + b"{}," * 5000 + b"{}]", 413, "too_many_items")]
    for body, status, code in bodies:
        assert_problem(send(stack, path_of(key, end="/batch"), body), status, code)
    assert kept(stack, key) == [entry(code, body, kind="batch") for body, _, code in bodies]


@pytest.mark.parametrize("body", [b"", b" \n", b"[]"])
def test_nothing_is_kept_of_nothing(stack, key, body):
    assert send(stack, path_of(key), body).status == 400
    assert kept(stack, key) == []


def test_bodies_are_kept_up_to_the_limit_of_a_single_request(stack, key):
    for size in (ITEM_SIZE + 1, SINGLE_SIZE - 1, SINGLE_SIZE, SINGLE_SIZE + 1, 2 * SINGLE_SIZE):
        body = b"[" + b" " * (size - 2) + b"}"
        assert_problem(send(stack, path_of(key), body), 400, "malformed_json")
        assert kept(stack, key)[-1] == entry("malformed_json", body[:SINGLE_SIZE], kind="single",
                                             length=size, truncated=size > SINGLE_SIZE)


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_the_beginning_of_what_is_too_large_is_kept(stack, key, chunked):
    body = b"{" + b" " * (1 << 20) + b"]"
    answer = send(stack, path_of(key), iter([body]) if chunked else body)
    assert_problem(answer, 413, "body_too_large")
    bomb = gzip.compress(b" " * (2 << 20))
    assert_problem(send(stack, path_of(key), bomb, GZIP), 413, "body_too_large")
    first, second = kept(stack, key)
    assert first == entry("body_too_large", body[:SINGLE_SIZE], kind="single", length=len(body),
                          truncated=True)
    assert second == entry("body_too_large", b" " * SINGLE_SIZE, kind="single", length=2 << 20,
                           truncated=True)


def test_damaged_gzip_is_kept_compressed(stack, key):
    whole = gzip.compress(b'[{"email":"a@b.c"},{"email":"d@e.f"}]')
    for body in (whole[:-1], whole[:-9], whole[:12], whole + b"garbage",
                 whole[:10] + b"\xff" + whole[11:]):
        assert_problem(send(stack, path_of(key), body, GZIP), 400, "malformed_coding")
        assert kept(stack, key)[-1] == entry("malformed_coding", body, kind="single")


def test_good_gzip_of_a_bad_body_is_kept_decompressed(stack, key):
    assert_problem(send(stack, path_of(key), gzip.compress(b'{"a":}'), GZIP), 400, "malformed_json")
    assert kept(stack, key) == [entry("malformed_json", b'{"a":}', kind="single")]


# ---- what must not be kept ----

def test_bytes_of_strangers_are_never_kept(stack, keys):
    before = stack.psql("select count(*) from sluice.rejected_payload")
    strangers = [({"key": sound_key()}, 401), (keys["expired"], 401), (keys["deactivated"], 401),
                 (keys["secret"], 401), (keys["product"], 403)]
    for stranger, status in strangers:
        for path in (path_of(stranger), path_of(stranger, end="/batch"), bulk_path(stranger)):
            for body in (b"[1,{}]", b'{"a":', large(b"[1,{}]"), gzip.compress(b"[")[:-2]):
                assert send(stack, path, body).status == status
    assert stack.psql("select count(*) from sluice.rejected_payload") == before


def test_the_presented_key_is_crossed_out(stack, key):
    other = sound_key().encode()
    secret = key["key"].encode()
    item = b'["%s","%s",{"api_key":"%s"}]' % (secret, other, secret)
    send(stack, path_of(key, end="/batch"), b"[" + item + b"]")
    send(stack, path_of(key), b'{"writeKey":"%s","a":}' % secret)
    send(stack, bulk_path(key), b'{}\n"%s"\n' % secret, NDJSON)
    assert [row["payload"] for row in kept(stack, key)] == [
        masked(item, key), masked(b'{"writeKey":"%s","a":}' % secret, key),
        masked(b'"%s"' % secret, key)]
    assert other in kept(stack, key)[0]["payload"]


@pytest.mark.parametrize("seen", [3, 7, 8, 40, 41])
def test_a_key_that_is_cut_off_is_crossed_out_too(stack, key, seen):
    """The body's end, or that of what is kept of an item, falls into the key."""
    secret = key["key"].encode()
    start = SINGLE_SIZE - seen
    item = b'["' + b"y" * (start - 2) + secret + b'"]'
    send(stack, path_of(key, end="/batch"), b"[{}," + item + b"]")
    send(stack, path_of(key), b'{"writeKey":"' + secret[:seen])
    shown = secret[:seen] if seen <= 7 else b"sk_" + b"x" * (seen - 3)
    first, second = kept(stack, key)
    assert first["payload"] == item[:start] + b"sk_" + b"x" * (seen - 3)
    assert second["payload"] == b'{"writeKey":"' + shown


def test_a_key_in_damaged_gzip_is_crossed_out(stack, key):
    """Whoever decompresses the bytes must not find it either."""
    text = b'{"writeKey":"%s","filler":"%s"}' % (key["key"].encode(), bytes(range(97, 123)) * 20)
    body = gzip.compress(text)[:-9]
    assert_problem(send(stack, path_of(key), body, GZIP), 400, "malformed_coding")
    row, = kept(stack, key)
    assert row["payload"].startswith(masked(text[:60], key))
    assert row["truncated"] and row["payload_bytes"] is None


# ---- bulk ----

def test_bulk_keeps_its_bad_items(stack, key):
    body = b"\n".join(b'{"n":%d}' % n if n % 10 else b"-%d" % n for n in range(25_000))
    answer = send(stack, bulk_path(key), body, {**NDJSON, "X-Source": "import"}, timeout=120)
    assert answer.status == 202
    assert (answer.json["accepted"], answer.json["rejected"]) == (22_500, 2_500)
    assert len(answer.json["results"]) == 100
    rows = kept(stack, key)
    assert rows == [entry("not_an_object", b"-%d" % n, n) for n in range(0, 25_000, 10)]
    assert stack.psql(
        "select count(distinct x), min(s), max(s) from (select xmin::text, source from"
        " sluice.rejected_payload where key_id = %s union all select xmin::text, source"
        " from sluice.signal_cold_storage where key_id = %s) as u (x, s)",
        key["id"], key["id"]) == [(1, "import", "import")]


@pytest.mark.parametrize("position", [0, 1999, 2000, 5999])
def test_strict_bulk_with_a_bad_item(stack, key, position):
    items = [b'{"email":"a@b.c"}'] * 6000
    items[position] = b"7"
    problem = assert_problem(send(stack, bulk_path(key), b"\n".join(items),
                                  {**NDJSON, **STRICT}), 400, "batch_rejected")
    assert str(position) in problem["detail"]
    assert stack.rows(key) == 0 and kept(stack, key) == []


def test_bulk_that_is_all_bad(stack, key):
    assert_problem(send(stack, bulk_path(key), b"1\n2\n3", NDJSON), 400, "batch_rejected")
    assert kept(stack, key) == [entry("not_an_object", b"%d" % n, n - 1) for n in (1, 2, 3)]


@pytest.mark.parametrize("end, code", [(b",}", "malformed_json"), (b"", "malformed_json")])
def test_an_unreadable_bulk_body_keeps_its_beginning(stack, key, end, code):
    """What was flushed before is rolled back."""
    body = b"[" + b",".join(b'{"n":%d}' % n for n in range(5000)) + end
    assert_problem(send(stack, bulk_path(key), body), 400, code)
    assert stack.rows(key) == 0
    row, = kept(stack, key)
    assert (row["kind"], row["code"], row["payload"]) == ("batch", code, body)
    body = b"[" + b",".join(b'{"n":%d}' % n for n in range(100_000)) + end
    assert_problem(send(stack, bulk_path(key), body), 400, code)
    assert stack.rows(key) == 0
    _, row = kept(stack, key)
    assert row["payload"] == body[:SINGLE_SIZE] and row["truncated"] == (len(body) > SINGLE_SIZE)


def test_aborted_bulk_keeps_nothing(stack, key):
    answer = send(stack, bulk_path(key), b"[" + b" " * (257 << 20), timeout=120)
    assert_problem(answer, 413, "body_too_large")
    assert kept(stack, key) == []


# ---- what only the database refuses ----

POISON = """
create function public.refuse_bitter() returns trigger language plpgsql as $$
begin
    if new.payload ? 'bitter' then
        raise exception using errcode = '22023', message = 'bitter';
    end if;
    return new;
end
$$;
create trigger refuse_bitter before insert on sluice.signal
    for each row execute function public.refuse_bitter()
"""


@pytest.fixture
def bitter(stack):
    stack.psql(POISON)
    yield
    stack.psql("drop function public.refuse_bitter() cascade")


@pytest.mark.parametrize("child", [False, True], ids=["loop", "child"])
def test_what_the_database_refuses_is_kept(stack, key, bitter, child):
    del bitter
    batch = b'[1,{"email":"a@b.c"},{"email":"d@e.f","bitter":"\\u0000"}]'
    assert_problem(send(stack, path_of(key, end="/batch"), large(batch) if child else batch), 400,
                   "invalid_value")
    assert stack.rows(key) == 0
    rows = {row["position"]: row for row in kept(stack, key)}
    assert sorted(rows) == ([0, 1, 2, 3] if child else [0, 1, 2])
    assert rows[0] == entry("not_an_object", b"1", 0)
    assert rows[1] == entry("invalid_value", b'{"email":"a@b.c"}', 1)
    assert rows[2] == entry("invalid_value", b'{"email":"d@e.f","bitter":"\\u0000"}', 2)
    single = b'{"email":"d@e.f","bitter":1}'
    assert_problem(send(stack, path_of(key), single), 400, "invalid_value")
    assert kept(stack, key)[-1] == entry("invalid_value", single, None, "single")
    count = len(kept(stack, key))
    assert_problem(send(stack, path_of(key), single, {**JSON, **STRICT}), 400, "invalid_value")
    assert len(kept(stack, key)) == count
    assert_problem(send(stack, bulk_path(key), single, NDJSON), 400, "invalid_value")
    assert kept(stack, key)[-1] == entry("invalid_value", single, None, "lines")


@pytest.mark.parametrize("strict", [False, True], ids=["lenient", "strict"])
@pytest.mark.parametrize("position, end", [
    (0, b"]"), (3000, b"]"), (3000, b",}"), (3000, b",7]"), (6100, b"]"),
], ids=["first", "middle", "malformed-end", "bad-end", "last"])
def test_bulk_of_which_the_database_refuses_a_part(stack, key, bitter, position, end, strict):
    """Whatever the child has read meanwhile: what was sent first decides."""
    del bitter
    items = [b'{"email":"a@b.c","n":%d}' % n for n in range(6200)]
    items[position] = b'{"email":"a@b.c","bitter":1}'
    body = b"[" + b",".join(items) + end
    assert_problem(send(stack, bulk_path(key), body, {**JSON, **(STRICT if strict else {})}), 400,
                   "invalid_value")
    assert stack.rows(key) == 0
    rows = kept(stack, key)
    assert [(row["kind"], row["code"]) for row in rows] == \
        ([] if strict else [("batch", "invalid_value")])
    assert all(items[position] in row["payload"] and body.startswith(row["payload"])
               for row in rows)


def test_the_refused_do_not_harm_others(stack, key, keys, bitter):
    """In one group with requests that are good."""
    del bitter
    before = stack.rows(keys["plain"])
    body = b'{"email":"d@e.f","bitter":1}'
    answers = {"good": [], "bad": []}

    def sender(kind, path, text):
        for _ in range(20):
            answers[kind].append(send(stack, path, text).status)

    threads = [threading.Thread(target=sender, args=arguments) for arguments in
               [("good", path_of(keys["plain"]), b'{"email":"a@b.c"}')] * 6
               + [("bad", path_of(key), body)] * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers["good"] == [202] * 120 and answers["bad"] == [400] * 40
    assert stack.rows(keys["plain"]) == before + 120
    assert [row["payload"] for row in kept(stack, key)] == [body] * 40


# ---- sluicectl rejected ----

def ids_of(stack, key):
    return [row[0] for row in stack.psql(
        "select id from sluice.rejected_payload where key_id = %s order by id", key["id"])]


def place(before, bad, after):
    """What people are told of it, the bytes that are no text as PostgreSQL escapes them."""
    try:
        shown = bad.decode()
    except UnicodeDecodeError:
        shown = "".join(f"\\{byte:03o}" for byte in bad)
    *lines, line = before.decode().split("\n")
    return {"line": len(lines) + 1, "column": len(line) + 1, "before": line, "bad": shown,
            "after": after.decode()}


@pytest.mark.parametrize("before, bad, after", [
    (b"", b"\xff", b"{}"), (b"", b"x", b""), (b'{"a":', b"N", b"aN}"), (b'{"a":1', b"", b""),
    (b'{"a":"', b"\x01", b'"}'), ('{"\u00e4\u20ac\U0001f600":\n "\u00f6" '.encode(), b"x", b"}"),
    ('{"\u20ac":"\u00e4'.encode(), b"\xe2\x82", b'"}'), (b'{"a":"', b"\xf0\x9f\x98", b'"}'),
    (b'{"a":"b', b"\xe4", b'tzend"}'), (b'{"a":"', b"\xed\xa0\x80", b'"}'),
    (b'\xef\xbb\xbf{"a":1,', b"}", b""),
], ids=["first", "alone", "token", "end", "control", "behind-characters", "cut-short", "cut-long",
        "latin-1", "surrogate", "byte-order-mark"])
def test_the_first_bad_byte_is_told(stack, key, before, bad, after):
    """From 0, and in the same words, in the answer and of what is kept; to people from 1."""
    problem = assert_problem(send(stack, path_of(key), before + bad + after), 400)
    assert problem["detail"].endswith(f" at byte offset {len(before)}")
    identity, = ids_of(stack, key)
    told = place(before, bad, after)
    shown = stack.ctl_json("rejected", "show", identity)
    assert (shown["bad_byte"], shown["place"]) == (len(before), told)
    assert shown["detail"] == problem["detail"]
    assert (f"Of the bytes kept: byte offset {len(before)}, line {told['line']},"
            f" column {told['column']}") in stack.ctl("rejected", "show", identity)
    if not bad or not before or before.startswith(b"\xef"):
        return  # no item of an array is bad in such a way
    head = b'[{"userId":"\xc3\xa4"},'
    answer = send(stack, path_of(key), head + before + bad + after + b"]").json
    error = answer["results"][1]["error"]
    assert error["detail"].endswith(f" at byte offset {len(head) + len(before)}")
    shown = stack.ctl_json("rejected", "show", ids_of(stack, key)[1])
    assert (shown["position"], shown["bad_byte"], shown["place"]) == (1, len(before), told)
    assert shown["detail"] == error["detail"]


def test_list_and_show(stack, key):
    other = stack.new_key(organization=stack.organization, name="other")
    start = stack.psql("select to_char(now() at time zone 'utc',"
                       " 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
    send(stack, path_of(key, "crm"), b'[{},7,"\x1b[31m\xe2\x80\xaeabc"]'.replace(b"\x1b", b" "),
         {**JSON, "X-Request-Id": "list-1"})
    send(stack, path_of(other), b'\x1b[31m"' + b"z" * 2000)
    listed = stack.ctl_json("rejected", "list", "--since", start[0][0])["rejects"]
    assert [(e["code"], e["position"], e["source"]) for e in listed] == [
        ("malformed_json", None, None), ("not_an_object", 2, "crm"), ("not_an_object", 1, "crm")]
    whole, second, first = (e["id"] for e in listed)
    assert [first, second, whole] == ids_of(stack, key) + ids_of(stack, other)
    assert stack.ctl_json("rejected", "list", "--organization", stack.organization, "--since",
                          start[0][0])["rejects"] == listed
    assert stack.ctl_json("rejected", "list", "--since", "1d")["rejects"][:3] == listed
    assert stack.ctl_json("rejected", "list", "--since", "2999-01-01")["rejects"] == []
    table = stack.ctl("rejected", "list", "--since", start[0][0])
    assert len(table.splitlines()) == 4 and table.startswith("ID")
    assert "\\u001b[31m" in table and "\\u202eabc" in table
    assert "\x1b" not in table and "\u202e" not in table
    shown = stack.ctl_json("rejected", "show", first)
    assert shown["key_id"] == key["id"] and shown["request_id"] == "list-1"
    assert (shown["organization"], shown["kind"]) == (stack.organization, "item")
    assert (shown["kept_bytes"], shown["payload_bytes"], shown["truncated"]) == (1, 1, False)
    assert (shown["replayed_at"], shown["replayed_by"], shown["replayed_ids"]) == (None,) * 3
    assert (shown["payload"], shown["why"], shown["place"]) == (
        "7", "The item is not a JSON object",
        {"line": 1, "column": 1, "before": "", "bad": "7", "after": ""})
    text = stack.ctl("rejected", "show", whole)
    assert "\x1b" not in text and '\\u001b[31m"zzz' in text and text.endswith("z…\n")
    text = stack.ctl("rejected", "show", second)
    assert "\u202e" not in text and "\\u202eabc" in text
    raw = subprocess.run([stack.env["SLUICECTL"], "rejected", "show", str(whole),
                          "--raw"], env=stack.env, stdout=subprocess.PIPE, check=True)
    assert raw.stdout == b'\x1b[31m"' + b"z" * 2000


@pytest.mark.parametrize("arguments, status, message", [
    (["list", "--organization", "nobody"], 1, 'organization "nobody" does not exist'),
    (["list", "--since", "yesterday"], 2, '"yesterday" is not a valid timestamp'),
    (["show", "999999999"], 1, "rejected payload 999999999 does not exist"),
    (["show", "x"], 2, '"x" is not the id of a rejected payload'),
    (["show", "1", "--raw", "--json"], 2, "--raw cannot be combined with --json"),
    (["replay", "999999999"], 1, "rejected payload 999999999 does not exist"),
    (["replay", "1", "--file", "/nonexistent"], 1, "could not read the file"),
    (["replay"], 2, "needs either an ID or some of --key, --code, --since and --organization"),
    (["replay", "1", "--key", "1"], 2, "needs either an ID or some of"),
    (["replay", "--key", "1", "--file", "x"], 2, "--file needs an ID"),
    (["replay", "--key", "1", "--edit"], 2, "--edit needs an ID"),
    (["replay", "1", "--edit", "--dry-run"], 2, "--edit cannot be combined with --dry-run"),
    (["replay", "1", "--edit", "--file", "x"], 2, "--edit cannot be combined with --file"),
    (["replay", "--key", "one"], 2, '--key must be an id, not "one"\nHINT: "sluicectl key list"'),
    (["replay", "--since", "yesterday"], 2, '"yesterday" is not a valid timestamp'),
    (["replay", "--code", "nonsense"], 2, (
        'nothing is rejected with the code "nonsense": use one of'
        " malformed_json, not_an_object, item_too_large, nesting_too_deep, number_too_large,"
        " invalid_value, not_a_batch, too_many_items, body_too_large, malformed_coding,"
        " unsupported_coding, unsupported_media_type, missing_product_org_id\n")),
    (["list", "--state", "new"], 2, '--state must be open, replayed or discarded, not "new"'),
    (["discard"], 2, "ID"),
    (["discard", "999999999"], 1, "rejected payload 999999999 does not exist"),
    (["list", "--code", "unauthenticated"], 2, 'the code "unauthenticated": use one of'),
    (["replay", "--organization", "nobody"], 1, 'organization "nobody" does not exist'),
])
def test_mistakes(stack, arguments, status, message):
    done = stack.ctl_run("rejected", *arguments)
    assert done.returncode == status and message in done.stderr, (done.stdout, done.stderr)


@pytest.mark.parametrize("body, end, byte, shown", [
    (b'{"a":}', "", 5, ["Of the bytes kept: byte offset 5, line 1, column 6", '{"a":}', "     ^"]),
    (b'[{},\n{"\xc3\xa4":\n NaN}]', "", 8,
     ["Of the bytes kept: byte offset 8, line 2, column 2", " NaN}", " ^"]),
    (b'{"\x1b\xff":1}', "", 2, ["Of the bytes kept: byte offset 2, line 1, column 3",
                                '{"\\u001b\\377":1}', "  ^"]),
    (b"[{}, {", "/batch", 6,
     ["Of the bytes kept: byte offset 6, line 1, column 7, where they end", "[{}, {", "      ^"]),
], ids=["body", "item", "bytes", "end"])
def test_show_says_where(stack, key, body, end, byte, shown):
    """In an item, the place is where it is in the item, not in the body."""
    send(stack, path_of(key, end=end), body)
    identity, = ids_of(stack, key)
    assert stack.ctl_json("rejected", "show", identity)["bad_byte"] == byte
    lines = stack.ctl("rejected", "show", identity).splitlines()
    at = lines.index(shown[0])
    assert lines[at - 1].startswith("The item is not valid JSON: " if shown[1].startswith(" NaN")
                                    else "The body is not valid JSON: ")
    assert lines[at + 1:at + 4] == ["", *shown[1:]]


def test_replay_of_what_is_still_bad(stack, key):
    send(stack, path_of(key), b'[{},7,[{"email":"a@b.c"}]]')
    send(stack, path_of(key), b'{"a":}')
    send(stack, path_of(key), gzip.compress(b"[{}]")[:-1])
    send(stack, path_of(key, end="/batch"), b'{"batch":7}')
    rows = stack.rows(key)
    for identity, why in zip(ids_of(stack, key), [
            "not_an_object", "not_an_object",
            "malformed_json: unexpected character at byte offset 5",
            "malformed_coding", "not_a_batch"], strict=True):
        done = stack.ctl_run("rejected", "replay", identity)
        assert done.returncode == 1 and f"is still bad: {why}" in done.stderr, done.stderr
    assert stack.rows(key) == rows
    assert {row["replayed_at"] for row in kept(stack, key, "replayed_at")} == {None}


def edit(stack, identity, editor):
    return subprocess.run([stack.env["SLUICECTL"], "rejected", "replay", str(identity), "--edit"],
                          env={**stack.env, "EDITOR": editor, "VISUAL": ""}, capture_output=True,
                          text=True, check=False)


def test_replay_with_an_editor(stack, key):
    body = b'{"email":"a@b.c",\n "a":}'
    send(stack, path_of(key), body)
    identity, = ids_of(stack, key)
    for editor, message in (("false", "the editor failed, and nothing is replayed"),
                            ("true", "nothing was changed, and nothing is replayed")):
        done = edit(stack, identity, editor)
        assert done.returncode == 1 and message in done.stderr
    done = edit(stack, identity, "sed -i s/:}/:[}/")
    assert done.returncode == 1 and "at byte offset 24 (line 2, column 7)" in done.stderr
    left = re.search(r'rejected replay \d+ --file (\S+)"', done.stderr)[1]
    with open(left, encoding="utf-8") as file:
        assert file.read() == body.decode().replace(":}", ":[}")
    os.unlink(left)
    assert stack.rows(key) == 0
    done = edit(stack, identity, "sed -i s/:}/:1}/")
    assert done.returncode == 0 and "stored 1 signal" in done.stdout, done.stderr
    [(warnings, kept_bytes)] = stack.psql(
        "select s.warnings, r.payload from sluice.signal s, sluice.rejected_payload r"
        " where s.key_id = %s and r.id = %s", key["id"], identity)
    assert warnings[0]["field"] == "payload" and bytes(kept_bytes) == body
    assert re.fullmatch("was edited by sluicectl:.+ before it was replayed", warnings[0]["reason"])


def test_replay_from_standard_input_at_the_limit(stack, key):
    send(stack, path_of(key), b'{"a":}')
    identity, = ids_of(stack, key)
    command = [stack.env["SLUICECTL"], "rejected", "replay", str(identity), "--file", "-"]

    def replay(*options):
        return subprocess.run([*command, *options], env=stack.env, input='{"email":"a@b.c"}',
                              text=True, capture_output=True, check=False)

    send(stack, path_of(key), b'{"email":"a@b.c"}')
    stack.ctl("organization", "limit", stack.organization, "--signals", "1",
              "--overages", "off")
    try:
        for options, verb in ([], "was not replayed"), (["--dry-run"], "would not be stored"):
            done = replay(*options)
            assert (done.returncode, done.stdout) == (1, "")
            assert done.stderr == (
                f'sluicectl: organization "{stack.organization}" has used up its signals of the'
                f' month: rejected payload {identity} {verb}\n'
                'HINT: have the limit raised or overages allowed, with "organization limit"\n')
    finally:
        stack.ctl("organization", "limit", stack.organization, "--signals", "0")
    assert replay("--dry-run").returncode == 0 and stack.rows(key) == 1
    assert replay().returncode == 0 and stack.rows(key) == 2


@pytest.fixture
def limited(stack, bitter):
    """Two organizations with two signals a month; of each the ids of a good payload, a bad one and
    three good ones."""
    del bitter
    made = {}
    for _ in range(2):
        name = f"limited {secrets.token_hex(6)}"
        stack.ctl("organization", "create", name)
        key = stack.new_key(organization=name, name="limited")
        send(stack, path_of(key), b'[{"userId":"u","bitter":1},7]')
        for number in range(3):
            send(stack, path_of(key), b'{"userId":"u","bitter":%d}' % number)
        stack.ctl("organization", "limit", name, "--signals", "2", "--overages", "off")
        made[name] = ids_of(stack, key)
    stack.psql("alter table sluice.signal disable trigger refuse_bitter")
    return made


def test_replay_of_many_at_the_limit(stack, limited):
    """It is told once for an organization, with the payload at which its signals were used up; a
    trial foresees it."""
    [(since,)] = stack.psql("select sluice.timestamp_text(min(received_at))"
                            " from sluice.rejected_payload where id = any (%s)",
                            [each for ids in limited.values() for each in ids])
    command = ["rejected", "replay", "--since", since]

    def stored():
        return stack.psql("select count(*)::int from sluice.signal_staging as s"
                          " join sluice.organization as o on o.id = s.organization_id"
                          " where o.name = any (%s)", list(limited))[0][0]

    for options, has, verb in (["--dry-run"], "will have", "would not be stored"), \
            ([], "has", "were not replayed"):
        assert stored() == 0
        done = stack.ctl_run(*command, *options)
        assert done.returncode == 1
        assert f"\nsluicectl: 6 of 10 rejected payloads {verb}\n" in done.stderr
        assert done.stderr.count("used up its signals of the month") == 2
        for name, (first, bad, second, third, _) in limited.items():
            assert (f'"{name}" {has} used up its signals of the month: rejected payload {third}'
                    f" and 1 after it {verb}\n") in done.stderr
            assert f"rejected payload {bad} is still bad" in done.stderr
            for each in (first, second):
                assert f"rejected payload {each}: " in done.stdout
    assert stored() == 4
    done = stack.ctl_run(*command)
    for name, (_, _, _, third, _) in limited.items():
        assert f'"{name}" has used up its signals of the month: rejected payload {third}' \
            in done.stderr
        stack.ctl("organization", "limit", name, "--overages", "on")
    assert stack.ctl_run(*command, "--dry-run").stdout.count("would store 1 signal\n") == 4
    assert stack.ctl_run(*command).returncode == 1 and stored() == 8


def test_replay_of_what_is_kept_in_part(stack, key, tmp_path):
    """Its beginning may be good by itself."""
    line = b'{"email":"a@b.c","pad":"%s"}\n' % (b"p" * (SINGLE_SIZE // 2 - 27))
    assert len(line) == SINGLE_SIZE // 2
    assert_problem(send(stack, path_of(key), gzip.compress(line * 2 + b" " * (8 << 20)),
                        {**NDJSON, "Content-Encoding": "gzip"}), 413, "body_too_large")
    identity, = ids_of(stack, key)
    for arguments in (identity,), ("--key", key["id"]):
        done = stack.ctl_run("rejected", "replay", *arguments)
        assert done.returncode == 1
        assert f"only the first {SINGLE_SIZE} bytes of rejected payload {identity} are kept" \
            in done.stderr
    assert stack.rows(key) == 0
    file = tmp_path / "whole"
    file.write_bytes(line * 2)
    assert len(stack.ctl_json("rejected", "replay", identity, "--file", file)["ids"]) == 2


def test_replay_of_an_item_that_looks_like_a_batch(stack, key, tmp_path):
    send(stack, path_of(key), b'[{"userId":"u","events":[{"n":1}],"v":NaN}]')
    identity, = ids_of(stack, key)
    file = tmp_path / "repaired"
    file.write_bytes(b'{"userId":"u","events":[{"n":1}],"v":null}')
    result = stack.ctl_json("rejected", "replay", identity, "--file", file)
    assert stack.psql("select id, user_id, payload->'events' from sluice.signal_staging"
                      " where key_id = %s", key["id"]) == [(result["ids"][0], "u", [{"n": 1}])]


def test_replay_with_a_repaired_file(stack, key, tmp_path):
    """As if the sender had sent it well: same key, source, request id and time."""
    secret = key["key"].encode()
    send(stack, path_of(key, "crm"), b'{"writeKey":"%s","email":"A@B.c","a":}' % secret,
         {**JSON, "X-Request-Id": "replay-1"})
    identity, = ids_of(stack, key)
    raw = subprocess.run([stack.env["SLUICECTL"], "rejected", "show", str(identity), "--raw"],
                         env=stack.env, stdout=subprocess.PIPE, check=True).stdout
    file = tmp_path / "repaired.json"
    file.write_bytes(raw.replace(b'"a":}', b'"a":1e400,"s":"\\u0000"}'))
    stack.ctl("key", "deactivate", key["id"])  # what was taken may be stored all the same
    result = stack.ctl_json("rejected", "replay", identity, "--file", file)
    assert result["id"] == identity and len(result["ids"]) == 1
    assert stack.psql(
        "select s.key_id, s.organization_id = r.organization_id, s.source, s.request_id, s.email,"
        " s.occurred_at = r.received_at, s.received_at > r.received_at, s.status::text,"
        " s.payload_repaired,"
        " s.payload - 's' - 'writeKey' = '{\"a\":1e400,\"email\":\"A@B.c\"}'::jsonb,"
        " r.replayed_ids = array[s.id], r.replayed_at >= s.received_at,"
        " r.replayed_by ~ '^sluicectl:.+@'"
        " from sluice.signal_staging s, sluice.rejected_payload r where s.id = %s and r.id = %s",
        result["ids"][0], identity) == [
            (key["id"], True, "crm", "replay-1", "a@b.c", True, True, "pending", True, True, True,
             True, True)]
    assert stack.psql("select action, object_kind, details from sluice.audit_log"
                      " where object_kind = 'rejected_payload' and object_id = %s",
                      str(identity)) == [("rejected_replay", "rejected_payload",
                                          {"signals": 1, "duplicates": 0, "again": False,
                                           "edited": True})]
    done = stack.ctl_run("rejected", "replay", identity, "--file", file)
    assert done.returncode == 1 and "was replayed already, by sluicectl:" in done.stderr
    again = stack.ctl_json("rejected", "replay", identity, "--file", file, "--again")
    assert kept(stack, key, "replayed_ids") == [{"replayed_ids": result["ids"] + again["ids"]}]
    assert stack.rows(key) == 2


@pytest.mark.parametrize("bulk", [False, True])
def test_replay_has_what_stood_beside_the_array(stack, key, tmp_path, bulk):
    """The defaults, the correction of the sender's clock and the column, as its neighbours do."""
    item = b'{"originalTimestamp":"2026-09-14T10:00:00Z"%s}'
    envelope = b'{"context":{"traits":{"email":"A@b.co"}},"sentAt":"2026-09-14T10:00:01.50Z",'
    envelope += b'"n":1.0'
    send(stack, bulk_path(key) if bulk else path_of(key, end="/batch"),
         envelope + b',"batch":[' + item % b',"n":NaN' + b"," + item % b"" + b"]}")
    identity, = ids_of(stack, key)
    shown = stack.ctl_json("rejected", "show", identity)
    assert shown["envelope"] == json.loads(envelope + b"}")
    assert '"sentAt": "2026-09-14T10:00:01.50Z"' in stack.ctl("rejected", "show", identity)
    file = tmp_path / "repaired"
    file.write_bytes(item % b"")
    made, = stack.ctl_json("rejected", "replay", identity, "--file", file)["ids"]
    assert stack.psql(
        "select s.id = %s, s.email, s.envelope = r.envelope, s.envelope->>'n',"
        " s.id <> %s or s.occurred_at = r.received_at - interval '1.5 seconds',"
        " jsonb_path_query_array(s.warnings, '$[*].field')"
        " from sluice.signal_staging s join sluice.rejected_payload r using (key_id)"
        " where s.key_id = %s order by s.id", made, made, key["id"]) == [
            (False, "a@b.co", True, "1.0", True, None),
            (True, "a@b.co", True, "1.0", True, ["payload"])]


@pytest.mark.parametrize("path_end, headers, bad, good, count", [
    ("", JSON, b'{"a":}', b'[{"email":"a@b.c"},{}]', 2),
    ("/batch", JSON, b'{"batch":7}', b'{"context":{"ip":"::1"},"batch":[{},{}]}', 2),
    ("/batch", NDJSON, b"[", b"{}\n{}\n{}\n", 3),
    ("", JSON, b"[{},7]", b"{}", 1),
])
def test_repaired_files_are_read_as_their_kind(stack, key, tmp_path, path_end, headers, bad, good,
                                               count):
    send(stack, path_of(key, end=path_end), bad, headers)
    before = stack.rows(key)
    file = tmp_path / "repaired"
    file.write_bytes(good)
    identity, = ids_of(stack, key)
    result = stack.ctl_json("rejected", "replay", identity, "--file", file)
    assert len(result["ids"]) == count
    assert sorted(result["ids"]) == sorted(stack.ids(key))[-count:]
    assert stack.rows(key) == before + count
    file.write_bytes(good.replace(b"{}", b"7", 1))
    done = stack.ctl_run("rejected", "replay", identity, "--file", file, "--again")
    assert done.returncode == 1 and "is still bad" in done.stderr
    assert stack.rows(key) == before + count


def test_replay_of_the_kept_bytes(stack, key, bitter):
    """What was refused for a reason that has gone."""
    del bitter
    send(stack, path_of(key), b'[{"email":"a@b.c","bitter":1},{"email":"d@e.f"}]')
    stack.psql("alter table sluice.signal disable trigger refuse_bitter")
    for identity in ids_of(stack, key):
        line = stack.ctl("rejected", "replay", identity)
        assert line.startswith(f"rejected payload {identity}: stored 1 signal with id ")
    assert stack.psql("select payload from sluice.signal_staging where key_id = %s order by id",
                      key["id"]) == [({"email": "a@b.c", "bitter": 1},), ({"email": "d@e.f"},)]


def test_replay_of_many(stack, key, bitter):
    """All that the options choose, each by itself: what is still bad holds up no other."""
    del bitter
    other = stack.new_key(name="other")
    batch = (b'[{"email":"a@b.c","bitter":1,"timestamp":"2026-09-14","messageId":"m-1"},7,'
             b'{"userId":"u","bitter":2,"timestamp":"soon"}]')
    for _ in range(2):
        send(stack, path_of(key), batch)
    send(stack, path_of(other), b'{"email":"o@b.c","bitter":1}')
    count = len(ids_of(stack, key))
    stack.psql("alter table sluice.signal disable trigger refuse_bitter")

    assert stack.ctl("rejected", "replay", "--key", other["id"], "--since", "2999-01-01") == \
        "there is nothing to replay\n"
    done = stack.ctl_run("rejected", "replay", "--key", key["id"], "--since", "1d")
    assert done.returncode == 1 and done.stderr.count("is still bad: not_an_object") == 2
    assert f"2 of {count} rejected payloads were not replayed" in done.stderr
    assert done.stdout.count(": stored 1 signal with id ") == count - 2
    # Repeats stored nothing, and what cannot be used is told as it would have been on receipt.
    assert stack.psql("select email, user_id, occurred_at = '2026-09-14', warnings is not null"
                      " from sluice.signal_staging where key_id = %s order by id", key["id"]) == [
        ("a@b.c", None, True, False), (None, "u", False, True), (None, "u", False, True)]
    assert stack.rows(other) == 0

    done = stack.ctl_run("rejected", "replay", "--key", key["id"], "--code", "invalid_value")
    assert (done.returncode, done.stdout) == (0, "there is nothing to replay\n")
    lines = stack.ctl("rejected", "replay", "--key", other["id"], "--code", "invalid_value",
                      "--json").splitlines()
    assert [json.loads(line)["ids"] for line in lines] == [stack.ids(other)]
    chosen = ["rejected", "list", "--key", other["id"]]
    assert stack.ctl_json(*chosen, "--code", "malformed_json")["rejects"] == []
    assert len(stack.ctl_json(*chosen)["rejects"]) == 1


def test_replay_of_many_at_a_terminal(stack, key, bitter):
    """It says how many and of what, and asks; only --yes, --json and no terminal are consent."""
    del bitter
    tool = Tool(stack)
    send(stack, path_of(key), b'[{"email":"a@b.c","bitter":1},7,8,{"email":"d@e.f","bitter":2}]')
    good = [row["id"] for row in kept(stack, key, "id, code") if row["code"] == "invalid_value"]
    stack.psql("alter table sluice.signal disable trigger refuse_bitter")
    chosen = ["rejected", "replay", "--key", str(key["id"]), "--code", "invalid_value"]
    question = "\nReplay 2 rejected payloads [no]: "
    for typed, rows in (("\n", 0), ("n\n", 0), ("y\n", 2)):
        terminal = Terminal(tool, *chosen, NO_COLOR="1")
        terminal.answer(question, typed)
        assert terminal.end() == 0
        shown = terminal.shown.splitlines()
        assert shown[0].split() == ["PAYLOADS", "CODE", "KEY", "ORGANIZATION"]
        assert shown[1].split() == ["2", "invalid_value", str(key["id"]), stack.organization]
        assert ("nothing is replayed" in shown) == (rows == 0)
        assert stack.rows(key) == rows
    terminal = Terminal(tool, "rejected", "replay", "--key", str(key["id"]), "--again",
                        NO_COLOR="1")
    terminal.answer("\nReplay 4 rejected payloads [no]: ", "no\n")
    assert terminal.end() == 0
    assert [line.split()[:3] for line in terminal.shown.splitlines()[1:3]] == [
        ["2", "invalid_value", str(key["id"])], ["2", "not_an_object", str(key["id"])]]
    for options in (["--yes"], ["--json"], ["--dry-run"]):
        terminal = Terminal(tool, "rejected", "replay", "--key", str(key["id"]), *options)
        assert terminal.end() == 1  # what is left is still bad
        assert "]: " not in terminal.shown
    for identity in good:  # nor is one that is named
        terminal = Terminal(tool, "rejected", "replay", str(identity))
        assert terminal.end() == 1
        assert "was replayed already" in terminal.shown


def test_replay_on_trial(stack, key, bitter):
    """All is read as for a replay, and nothing is stored or marked."""
    del bitter
    send(stack, path_of(key), b'[{"email":"a@b.c","bitter":1},7]')
    good, bad = ids_of(stack, key)
    stack.psql("alter table sluice.signal disable trigger refuse_bitter")
    done = stack.ctl_run("rejected", "replay", "--key", key["id"], "--dry-run")
    assert (done.returncode, done.stdout) == (
        1, f"rejected payload {good}: would store 1 signal\n")
    assert f"rejected payload {bad} is still bad: not_an_object" in done.stderr
    assert "1 of 2 rejected payloads would not be stored" in done.stderr
    assert stack.ctl_json("rejected", "replay", good, "--dry-run") == {"id": good, "items": 1}
    assert stack.rows(key) == 0
    assert stack.ctl("rejected", "replay", good).startswith(f"rejected payload {good}: stored 1")
    done = stack.ctl_run("rejected", "replay", good, "--dry-run")
    assert done.returncode == 1 and f"payload {good} was replayed already" in done.stderr
    assert stack.ctl("rejected", "replay", good, "--dry-run", "--again") == \
        f"rejected payload {good}: would store 1 signal\n"


def test_what_is_discarded_is_no_longer_open(stack, key):
    """Marked, not deleted: it can still be stored when that is asked for."""
    send(stack, path_of(key), b'[{"email":"a@b.c"},7,{"v":NaN}]')
    first, second = ids_of(stack, key)

    def states():
        return [(row["id"], row["state"])
                for row in stack.ctl_json("rejected", "list", "--key", key["id"])["rejects"]]

    assert stack.ctl("rejected", "discard", first) == f"rejected payload {first} is discarded\n"
    assert states() == [(second, "open"), (first, "discarded")]
    for state, identity in ("discarded", first), ("open", second):
        listed = stack.ctl_json("rejected", "list", "--key", key["id"], "--state",
                                state)["rejects"]
        assert [row["id"] for row in listed] == [identity]
    shown = stack.ctl_json("rejected", "show", first)
    assert shown["discarded_at"] and shown["discarded_by"].startswith("sluicectl:")
    assert shown["payload"] == "7"
    done = stack.ctl_run("rejected", "discard", first)
    assert done.returncode == 1 and "was discarded already, by sluicectl:" in done.stderr
    # Of many, only what is open is tried.
    done = stack.ctl_run("rejected", "replay", "--key", key["id"])
    assert done.returncode == 1 and "1 of 1 rejected payloads were not replayed" in done.stderr
    assert stack.ctl_json("rejected", "discard", second) == {"id": second}
    assert stack.ctl("rejected", "replay", "--key", key["id"]) == "there is nothing to replay\n"
    assert stack.psql("select action, object_id from sluice.audit_log where object_kind ="
                      " 'rejected_payload' and object_id in (%s, %s) order by id", str(first),
                      str(second)) == [("rejected_discard", str(first)),
                                       ("rejected_discard", str(second))]


def test_what_was_discarded_can_be_replayed(stack, key, tmp_path):
    send(stack, path_of(key), b"{")
    identity, = ids_of(stack, key)
    file = tmp_path / "repaired"
    file.write_bytes(b'{"email":"a@b.c"}')
    stack.ctl("rejected", "discard", identity)
    done = stack.ctl_run("rejected", "replay", identity, "--file", file)
    assert done.returncode == 1 and "was discarded, by sluicectl:" in done.stderr
    made = stack.ctl_json("rejected", "replay", identity, "--file", file, "--again")["ids"]
    assert made == stack.ids(key)
    shown = stack.ctl_json("rejected", "show", identity)
    assert (shown["state"], shown["discarded_at"], shown["replayed_ids"]) == (
        "replayed", None, made)
    done = stack.ctl_run("rejected", "discard", identity)
    assert done.returncode == 1 and "was replayed already, by sluicectl:" in done.stderr


def test_two_replays_at_once_store_once(stack, key, tmp_path):
    send(stack, path_of(key), b"{")
    identity, = ids_of(stack, key)
    file = tmp_path / "repaired"
    file.write_bytes(b"{}")
    results = []
    threads = [threading.Thread(target=lambda: results.append(
        stack.ctl_run("rejected", "replay", identity, "--file", file).returncode))
        for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [0, 1, 1, 1]
    assert stack.rows(key) == 1


def test_dumped_rows_are_json_safe(stack, key):
    """rejected_payload holds any bytes, and a dump of it is text all the same."""
    send(stack, path_of(key), bytes(range(256)))
    dump = subprocess.run(["pg_dump", "--data-only", "-t", "sluice.rejected_payload*"],
                          env={**stack.env, "PATH": f"{stack.env['PG_BIN']}:/usr/bin:/bin"},
                          stdout=subprocess.PIPE, check=True).stdout
    assert bytes(range(256)).hex().encode() in dump
    assert stack.ctl_json("rejected", "list")["rejects"]
