"""What is sent to do harm: never a 5xx, never much work, and nothing stored that breaks the tables.

The corpus goes to every path. What of it was accepted is then selected, copied, dumped and restored
into a second database, and must be the same there.
"""

import contextlib
import gzip
import itertools
import json
import os
import pathlib
import subprocess

import pytest

from harness import (ENVIRONMENT, FRONTS, JSON, NDJSON, NEEDS_LENGTH, VARIANT, Client, Stack,
                     accepted_id, assert_problem, assert_recorded, bulk_path, memory_kib, path_of,
                     send, wait_for)
from test_bulk import MEMORY_KIB, MemoryWatch, pieces

KIB, MIB = 1 << 10, 1 << 20
ITEM = 512 * KIB  # the limits of an item,
BATCH = 8 * MIB   # and of a batch
GZIP = {**JSON, "Content-Encoding": "gzip"}


def member(value):
    """An item that is staged if its member is good."""
    return b'{"email":"a@example.com","n":' + value + b"}"


def filled(piece, size=ITEM, start=b'{"email":"a@example.com","n":[', end=b"]}"):
    """start, as many pieces with commas as fit into size, end."""
    count = (size - len(start) - len(end) + 1) // (len(piece) + 1)
    return start + b",".join([piece] * count) + end


def numbered(template, size=ITEM, start=b'{"email":"a@example.com","n":{', end=b"}}"):
    """As filled, but each piece has its own number."""
    count = (size - len(start) - len(end) + 1) // (len(template % 0) + 8)
    return start + b",".join(template % number for number in range(count)) + end


def array(item, size=BATCH):
    """A batch of as many of these items as fit into size."""
    count = (size - 2) // (len(item) + 1)
    return b"[" + b",".join([item] * count) + b"]"


def abridged(text):
    return text if len(text) < 30 else f"{text[:4]}…{text[-4:]} of {len(text)} characters"


VALUES = {
    **{f"number {abridged(text)}": text.encode() for text in (
        "1e131071", "-1e131071", "1e-131071", "1e400000", "1e400", "1e401", "1e-400", "1e-401",
        "1E+400", "1e+401", "0e400", "0e401", "0e-400", "-0", "-0.0", "1e0400", "1e" + "0" * 500,
        "0." + "0" * 399 + "e-400", "9" * 398 + ".9e400", "00", "+1", ".5", "1.", "0x10", "NaN",
        "Infinity", "-", "1e", "1_000", "18446744073709551616", "-9223372036854775809",
        "99999999999999999999e400", "4.9e-324", "1.7976931348623157e308", "1e99999999999999999999",
    )},
    **{f"{digits} digits": b"9" * digits for digits in (399, 400, 401, 100_000)},
    **{f"{digits} digits behind the point": b"0." + b"9" * (digits - 1)
       for digits in (399, 400, 401)},
    **{f"400 digits, exponent {sign}{n}": b"9" * 400 + f"e{sign}{n}".encode()
       for sign in "+-" for n in (400, 401)},
    "many of 1e131071": b"[" + b",".join([b"1e131071"] * 5000) + b"]",
    **{f"{depth} levels": b"[" * (depth - 1) + b"]" * (depth - 1)
       for depth in (63, 64, 65, 10_000)},
    "63 objects": b'{"a":' * 63 + b"0" + b"}" * 63,
    "64 objects": b'{"a":' * 64 + b"0" + b"}" * 64,
    "duplicate keys": b'{"a":1,"a":2,"\\u0061":3,"a":{"b":1,"b":2}}',
    "duplicate keys by repair": rb'{"\u0000":1,"\ud800":2,"\ufffd":3}',
    "zero in a key": rb'{"a\u0000b":"c\u0000d"}',
    "zero that is none": rb'{"a\\u0000b":"c\\\u0000d\\\\u0000"}',
    "lone high": rb'"\ud800"', "lone low": rb'"\udc00"', "low before high": rb'"\udc00\ud800"',
    "high high low": rb'"\ud83d\ud83d\ude00"', "high and text": rb'"\ud800x\ud800\n\ud800\u0041"',
    "pair": rb'"\ud83d\ude00"', "cut escape": rb'"\u12"', "cut surrogate": rb'"\ud83d\u"',
    "noncharacters": rb'"\ufffe\uffff\ufdd0"', "unknown escape": rb'"\x41"',
    **{f"bytes {bad.hex()}": b'"' + bad + b'"' for bad in (
        b"\x80", b"\xc0\xaf", b"\xc1\xbf", b"\xe0\x80\x80", b"\xed\xa0\x80", b"\xed\xbf\xbf",
        b"\xf0\x80\x80\x80", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xff", b"\xc3",
        b"\xe2\x82", b"\xf0\x9f\x98", b"\x00", b"\x01", b"\x1f", b"\x7f", b"\n", b"\xef\xbf\xbf",
        b"\xe2\x80\xa8")},
    "long key": b'{"' + b"k" * 500_000 + b'":1}',
    "empty keys": b'{"":{"":{"":""}}}',
    "single quotes": b"'a'", "comment": b"/* */ 1", "trailing comma": b"[1,]", "two": b"1 2",
    "item full of 1e400": filled(b"1e400", ITEM // 8)[len(member(b"")) - 1:-1],
    "item full of 1e-400": filled(b"1e-400", ITEM // 8)[len(member(b"")) - 1:-1],
    "item full of zeros": b'"' + rb"\u0000" * (80 * KIB) + b'"',
}

BODIES = {
    "empty": b"", "space": b" \t\r\n", "byte order mark": b"\xef\xbb\xbf" + member(b"1"),
    "only the mark": b"\xef\xbb\xbf", "two marks": b"\xef\xbb\xbf" * 2 + member(b"1"),
    "UTF-16": member(b"1").decode().encode("utf-16"), "UTF-32": b"\0\0\0{\0\0\0}",
    "NUL behind": member(b"1") + b"\0", "NUL before": b"\0" + member(b"1"), "NULs": b"\0" * 1000,
    "garbage behind": member(b"1") + b"x", "two objects": member(b"1") * 2,
    "bracket behind": b"{}]",
    "open string": b'{"email":"', "open object": b'{"email":1', "scalar": b"1", "null": b"null",
    "array of scalars": b'[1,"a",null,true,[],{}]', "arrays in arrays": b"[[[{}]]]",
    "two arrays": b'{"batch":[{}],"events":[{}]}', "batch twice": b'{"batch":[{}],"batch":[{}]}',
    "escaped batch": rb'{"\u0062atch":[{"email":"a@example.com"}]}',
    "batch of batches": b'{"batch":[{"batch":[{"batch":[]}]}]}', "batch no array": b'{"batch":{}}',
    "hostile context": b'{"context":' + b"[" * 70 + b"]" * 70 + b',"batch":[{}]}',
    "long context": b'{"context":{"a":"' + b"x" * 70_000 + b'"},"batch":[{}]}',
    "repaired context":
        rb'{"context":{"\u0000":"\ud800"},"sentAt":"\u0000","batch":[{"userId":1}]}',
    "hostile times": b'{"timestamp":"294277-01-01T00:00:00Z","userId":1}',
    "infinite time": b'{"timestamp":"infinity","userId":1}',
    "negative time": b'{"timestamp":"-4714-11-24T00:00:00Z","userId":1}',
    "huge time": b'{"timestamp":1e400,"userId":1}',
    "zero in columns": rb'{"type":"\u0000","event":"\u0000","email":"\u0000","userId":"\u0000",'
                       rb'"anonymousId":"\ud800","messageId":"\u0000","source":"\u0000"}',
    "long columns": json.dumps(dict.fromkeys(
        ("type", "event", "email", "userId", "anonymousId", "messageId", "source"),
        "x" * 50_000)).encode(),
    "lines": b"{}\n\n\r\n{}\r{}\n[1]\nnull\n{\n\xff\n\0\n" + member(b"1"),
    "form": b"a=1&b=2", "XML": b"<a/>",
}

ENCODED = {
    "bomb": gzip.compress(b" " * (64 * MIB)), "nested": gzip.compress(gzip.compress(b"{}")),
    "cut": gzip.compress(member(b"1"))[:-4], "only magic": b"\x1f\x8b",
    "garbage behind": gzip.compress(member(b"1")) + b"garbage",
    "members": gzip.compress(member(b"1")[:9]) + gzip.compress(member(b"1")[9:]),
    "empty members": gzip.compress(b"") * 2000 + gzip.compress(member(b"1")),
    "wrong checksum": gzip.compress(member(b"1"))[:-8] + b"\0" * 8,
    "plain": member(b"1"), "nothing": b"", "nothing packed": gzip.compress(b""),
    "long name": b"\x1f\x8b\x08\x08\0\0\0\0\0\xff" + b"n" * 100_000,
}

# Bodies of the size of a batch; the cost of each is compared with an ordinary one's.
ORDINARY = "Segment's events"
LARGE = {
    "open brackets": b"[" * BATCH,
    "open objects": b'{"a":' * (BATCH // 5),
    "brackets as items": b"[" + b",".join([b"[" * 500_000 + b"]" * 500_000] * 8) + b"]",
    "empty items": array(b"{}"),
    "empty items, few": b"[" + b",".join([b"{}" + b" " * 1600] * 4900) + b"]",
    "scalars": array(b"1"),
    "bad items": b"[" + b",".join([b"1" * 1600] * 4900) + b"]",
    "space": b" " * BATCH,
    "open string": b'[{"a":"' + b"a" * (BATCH - 7),
    "escapes": array(b'{"email":"' + rb"\u0000" * 87_000 + b'"}'),
    "escaped quotes": array(b'{"a":"' + rb"\"" * 262_000 + b'"}'),
    "surrogates": array(b'{"a":"' + rb"\ud800" * 87_000 + b'"}'),
    "escaped keys": array(numbered(rb'"\u0000%d":0')),
    "tiny numbers": array(filled(b"1")),
    "1e400": array(filled(b"1e400")),
    "digits": array(filled(b"9" * 400)),
    "empty strings": array(filled(b'""')),
    "empty objects": array(filled(b"{}")),
    "one key": array(filled(b'"a":0', start=b'{"email":"a@example.com","n":{', end=b"}}")),
    "many keys": array(numbered(b'"%d":0')),
    "many members": array(numbered(b'"%d":0', start=b"{", end=b"}")),
    "secret members": array(filled(b'"token":"sk_"', start=b"{", end=b"}")),
}
LARGE_ENCODED = {
    "bombs": gzip.compress(b" " * BATCH) * 1000,
    "empty members": gzip.compress(b"") * (BATCH // 20),
    "stored blocks": b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + b"\0\0\0\xff\xff" * (BATCH // 5 - 10),
}
# Times the processor time of an ordinary body. The dearest, millions of {}, takes five: nearly all
# of it is jsonb's own reading.
DEAREST = 7


@pytest.fixture(scope="module", params=FRONTS[:1])
def hostile(request):
    """A stack whose tables hold nothing but this."""
    stack = Stack(request.param)
    failed = request.session.testsfailed
    try:
        yield stack
    finally:
        try:
            if request.session.testsfailed > failed:
                print(f"\nlogs kept: {stack.keep_logs(f'{request.param}-hostile')}")
        finally:
            stack.close()


def cases():
    """(name, headers, body) of all that is small."""
    for name, value in VALUES.items():
        yield name, JSON, member(value)
    for name, body in BODIES.items():
        yield name, JSON, body
    for name, body in ENCODED.items():
        yield f"gzip: {name}", GZIP, body


@pytest.fixture(scope="module")
def answers(hostile):
    """{name: {way: Answer}}, everything sent once to every path."""
    key = hostile.new_key(name="hostile")
    paths = {"single": path_of(key), "batch": path_of(key, end="/batch"), "bulk": bulk_path(key)}
    found = {}
    for name, headers, body in cases():
        ways = [(way, path, headers, body) for way, path in paths.items()]
        if headers is JSON:
            ways += [(f"{way} in an array", paths[way], JSON, b"[" + body + b',{"userId":"good"}]')
                     for way in ("single", "bulk")]
            ways += [(f"{way} as lines", paths[way], NDJSON, body + b'\n{"userId":"good"}')
                     for way in ("batch", "bulk")]
        found[name] = {way: send(hostile, path, text, sent) for way, path, sent, text in ways}
    return found


def test_corpus_is_answered(answers):
    """Each with the one right status and code: none of it is our trouble."""
    assert_recorded("hostile", answers)


def sums(connection):
    """{table: (rows, checksum)} of everything below the schema."""
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute(
            "select c.oid::regclass::text from pg_class as c where c.relkind in ('r', 'p')"
            " and not c.relispartition and c.relnamespace = 'sluice'::regnamespace")
        found = {}
        for (table,) in cursor.fetchall():
            cursor.execute(f"select count(*), md5(string_agg(row, '' order by row))"
                           f" from (select md5(t::text) as row from {table} as t) as rows")
            found[table] = cursor.fetchone()
        return found


def test_tables_can_be_dumped_and_restored(hostile, answers):
    """After the whole corpus: SELECT, COPY, and pg_dump into a second database."""
    stored = sum(answer.json.get("accepted", 1) for ways in answers.values()
                 for answer in ways.values() if answer.status == 202)
    before = sums(hostile.connect())
    assert before["sluice.signal"][0] + before["sluice.signal_cold_storage"][0] == stored
    with contextlib.closing(hostile.connect()) as connection, open(os.devnull, "w") as nowhere, \
            connection.cursor() as cursor:
        for table in before:
            cursor.copy_expert(f"copy (select * from {table}) to stdout", nowhere)
            assert cursor.rowcount == before[table][0]
    environment = {**ENVIRONMENT, **hostile.env}
    subprocess.run(["createdb", "restored"], env=environment, check=True)
    with subprocess.Popen(["pg_dump"], env=environment, stdout=subprocess.PIPE) as dump:
        restore = subprocess.run(["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", "restored"],
                                 env=environment, stdin=dump.stdout, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE, text=True, check=False)
    assert dump.returncode == 0 and restore.returncode == 0, restore.stderr
    hostile.env["PGDATABASE"], name = "restored", hostile.env["PGDATABASE"]
    try:
        after = sums(hostile.connect())
    finally:
        hostile.env["PGDATABASE"] = name
    assert after == before


class Processor:
    """CPU seconds so far: of the stack's workers with their children, and of PostgreSQL."""

    def __init__(self, stack):
        self.stack = stack
        data = pathlib.Path(stack.psql("show data_directory")[0][0])
        self.postmaster = int((data / "postmaster.pid").read_text().split()[0])

    def seconds(self):
        wait_for(lambda: not self.stack.children(), "children have ended")
        workers, found = self.stack.workers(), [0, 0]
        for entry in os.listdir("/proc"):
            with contextlib.suppress(OSError, ValueError):
                stat = pathlib.Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()
                ticks = sum(map(int, stat[11:15]))  # with those of ended children
                if int(entry) in workers:
                    found[0] += ticks
                elif self.postmaster in (int(entry), int(stat[1])):
                    found[1] += ticks
        return [ticks / os.sysconf("SC_CLK_TCK") for ticks in found]


def event(number):
    return json.dumps({
        "type": "track", "event": "Order Completed", "messageId": f"node-{number:036d}",
        "userId": f"user-{number}", "timestamp": "2024-01-01T12:34:56.789Z",
        "context": {"library": {"name": "analytics", "version": "3.1.0"}, "ip": "192.0.2.7"},
        "properties": {"total": number / 7, "products": [
            {"id": f"{number}-{product}", "name": "Monopoly", "price": 19.95, "quantity": 1,
             "image": "https://yoursite.com/product/path.jpg"} for product in range(11)]}}).encode()


@pytest.mark.slow
@pytest.mark.skipif(VARIANT != "release", reason="sanitizers cost what they like")
def test_hostile_body_is_cheap(hostile, capsys):
    """Each large body against an ordinary one of the same size, in the same run."""
    key = hostile.new_key(name="costly")
    processor = Processor(hostile)
    ordinary = b"[" + b",".join(map(event, range(4900))) + b"]"
    assert 0.8 * BATCH < len(ordinary) < BATCH
    costs, answers = {}, {}

    def cost(name, body, headers):
        assert len(body) <= BATCH, name
        before = processor.seconds()
        answers[name] = {"batch": send(hostile, path_of(key, end="/batch"), body, headers)}
        spent = [now - then for now, then in zip(processor.seconds(), before, strict=True)]
        costs.setdefault(name, []).append((sum(spent), spent[1]))

    cost(ORDINARY, ordinary, JSON)
    assert hostile.rows(key) == 4900
    for name, body, headers in itertools.chain(
            ((name, body, JSON) for name, body in LARGE.items()),
            ((f"gzip: {name}", body, GZIP) for name, body in LARGE_ENCODED.items())):
        cost(name, body, headers)
    cost(ORDINARY, ordinary, JSON)
    usual = sum(seconds for seconds, _ in costs.pop(ORDINARY)) / 2
    ranked = sorted(((*spent, name) for name, (spent,) in costs.items()), reverse=True)
    with capsys.disabled():
        print(f" [CPU: ordinary {usual:.2f} s, dearest "
              + ", ".join(f"{name} {seconds:.2f} s ({server:.2f} in PostgreSQL)"
                          for seconds, server, name in ranked[:5]) + "]", end="")
    assert_recorded("hostile_large", answers)
    assert [(name, seconds) for seconds, _, name in ranked if seconds > DEAREST * usual] == []


@pytest.mark.skipif(VARIANT != "release", reason="sanitizers take memory of their own")
@pytest.mark.parametrize("piece", [b"{}", b"[]", b"1", b'""'])
def test_hostile_items_in_bounded_memory(hostile, piece):
    """Values that are small in the text and large in a parser's memory."""
    key = hostile.new_key(name="small values")
    accepted_id(send(hostile, path_of(key)))
    idle = max((memory_kib(pid, "VmRSS") for pid in hostile.workers()), default=0)
    with MemoryWatch(hostile) as memory:
        answer = send(hostile, bulk_path(key), b"\n".join([filled(piece)] * 4), NDJSON)
    if piece in (b"{}", b"[]"):
        assert_problem(answer, 413, "too_many_items")
    else:
        assert answer.status == 202 and answer.json["accepted"] == 4, answer.body
    assert 0 < memory.peak <= idle + MEMORY_KIB, (memory.peak, idle)


@pytest.mark.slow
@pytest.mark.skipif(VARIANT != "release", reason="sanitizers take memory of their own")
def test_largest_import_in_constant_memory(hostile):
    """256 MiB of lines, made while they are sent."""
    if hostile.front in NEEDS_LENGTH:
        pytest.skip("mod_cgid takes no chunked bodies")
    key = hostile.new_key(name="largest")
    accepted_id(send(hostile, path_of(key)))
    count, filler = 130_000, 1980
    idle = max((memory_kib(pid, "VmRSS") for pid in hostile.workers()), default=0)
    with MemoryWatch(hostile) as memory, Client(hostile.port, timeout=280) as client:
        answer = client.send(bulk_path(key), pieces(count, filler, True), NDJSON)
    assert answer.status == 202 and answer.json["accepted"] == count, answer.body
    assert hostile.rows(key) == count + 1
    assert memory.children >= 1 or hostile.front.startswith("cgi")
    assert 0 < memory.peak <= idle + MEMORY_KIB, (memory.peak, idle)
