"""The batch loop: many senders share a transaction, but neither their answers nor their fate."""

import json
import os
import re
import signal
import socket
import time

import pytest

from harness import (EARLY_ANSWERS, JSON, PATIENCE, SEED, Client, Load, accepted_id,
                     assert_problem, assert_staged_once, median, path_of, percentile, send,
                     sound_key, wait_for)


@pytest.mark.loop
def test_64_senders_get_their_own_ids(stack, key):
    with Load(stack, path_of(key), senders=64) as load:
        load.wait(3000, 202)
    assert load.count(202) == len(load.sent)
    assert_staged_once(stack, key, load)


@pytest.mark.loop
def test_senders_of_different_keys_and_shapes_in_one_group(stack):
    """Good, refused and malformed requests side by side: each gets the answer it is due."""
    good, product = stack.new_key(name="good"), stack.new_product_key(name="product")
    secret = stack.new_key(name="secret", secret=True)
    loads = [
        (202, Load(stack, path_of(good), senders=16)),
        (403, Load(stack, path_of(product), senders=8)),
        (401, Load(stack, path_of(secret), senders=8)),
        (400, Load(stack, path_of(good), senders=8, body=lambda number: b'{"n":')),
        (202, Load(stack, path_of(good, end="/batch"), senders=8,
                   body=lambda number: b'[{"email":"b@c.d"},{"anonymousId":"x"}]')),
    ]
    try:
        for status, load in loads:
            load.wait(200, status)
    finally:
        for _, load in loads:
            load.stop()
    for status, load in loads:
        assert {entry.status for entry in load.sent} == {status}
    singles, batches = loads[0][1], loads[4][1]
    batch_ids = [result["id"] for entry in batches.sent for result in entry.answer.json["results"]]
    ids = stack.ids(good)
    assert len(ids) == len(set(ids))
    assert sorted(ids) == sorted([*singles.accepted(), *batch_ids])
    assert stack.rows(product) == stack.rows(secret) == 0


LARGE_ITEMS = 400

POISONED = """
create function public.refuse_poison() returns trigger language plpgsql as $$
begin
    if new.payload ->> 'poison' = 'cast' then
        perform (new.payload ->> 'poison')::integer; -- fails as reading a value does, with 22P02
    elsif new.payload ? 'poison' then
        raise exception using errcode = new.payload->>'poison', message = 'poison';
    end if;
    return new;
end
$$;
create trigger refuse_poison before insert on sluice.signal
    for each row execute function public.refuse_poison()
"""


@pytest.fixture(scope="module")
def poison(stack):
    """PostgreSQL refuses a row with "poison": a value that it cannot read, or a trigger fails with
    an SQLSTATE, whichever it is."""
    stack.psql(POISONED)
    yield
    stack.psql("drop function public.refuse_poison() cascade")


@pytest.mark.loop
@pytest.mark.parametrize("sqlstate, status", [
    ("cast", 400), ("22003", 503), ("22P05", 503), ("54001", 503), ("23514", 503),
])
@pytest.mark.usefixtures("poison")
def test_poisonous_member_fails_alone(stack, key, sqlstate, status):
    bad_key = stack.new_key(name="poison")
    poisonous = json.dumps({"email": "p@example.com", "poison": sqlstate}).encode()
    alone = send(stack, path_of(bad_key), poisonous)
    assert_problem(alone, status)
    with Load(stack, path_of(key), senders=32) as good, \
            Load(stack, path_of(bad_key), senders=4, body=lambda number: poisonous) as bad:
        good.wait(300, 202)
        bad.wait(20, status)
    assert {entry.status for entry in good.sent} == {202}
    assert {(entry.status, entry.answer.code) for entry in bad.sent} == {(status, alone.code)}
    assert_staged_once(stack, key, good)
    answer = send(stack, path_of(bad_key, end="/batch"), b"[" + SEED + b"," + poisonous + b"]")
    assert answer.status == status, "one batch is one transaction"
    assert stack.rows(bad_key) == 0


@pytest.mark.loop
def test_lone_request_waits_for_nobody(stack, key):
    """No timer: alone, a request takes less than the slowest of a crowd."""
    lone = []
    with Client(stack.port) as client:
        for _ in range(50):
            start = time.perf_counter()
            accepted_id(client.send(path_of(key)))
            lone.append(time.perf_counter() - start)
    with Load(stack, path_of(key), senders=64) as load:
        load.wait(640, 202)
    crowd = [entry.seconds for entry in load.sent]
    assert percentile(lone, 90) < max(crowd)
    assert median(lone) < median(crowd)


class Tricklers:
    """Connections whose bodies arrive byte by byte, each when the test says so."""

    def __init__(self, stack, key, count):
        head = (f"POST {path_of(key)} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(SEED)}"
                "\r\n\r\n").encode()
        self.sent = 0
        self.sockets = []
        for _ in range(count):
            sock = socket.create_connection(("127.0.0.1", stack.port), 30)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.sendall(head)
            self.sockets.append(sock)

    def step(self):
        for sock in self.sockets:
            sock.sendall(SEED[self.sent:self.sent + 1])
        self.sent += 1

    def finish(self):
        """Sends the rest; the status lines."""
        lines = []
        for sock in self.sockets:
            sock.sendall(SEED[self.sent:])
        for sock in self.sockets:
            lines.append(sock.recv(65536).split(b"\r\n", 1)[0])
            sock.close()
        return lines


@pytest.mark.loop
def test_trickling_bodies_delay_nobody(stack, keys, key):
    """Between any two of their bytes others are served: a loop that waited for the next byte would
    wait in vain, and so would they."""
    tricklers = Tricklers(stack, key, 20)
    with Client(stack.port) as client:
        for _ in range(10):
            tricklers.step()
            for _ in range(6):
                accepted_id(client.send(path_of(keys["plain"])))
    assert tricklers.finish() == [b"HTTP/1.1 202 Accepted"] * 20
    assert stack.rows(key) == 20, "the slow ones are served too"


@pytest.mark.loop
def test_two_workers_share_the_socket(pair_stack):
    stack = pair_stack
    key = stack.new_key()
    first, second = stack.workers()

    # Bursts with silence in between: a worker that lost the race for a connection and blocked in
    # accept() would keep its accepted requests unanswered until the next burst.
    for _ in range(20):
        with Load(stack, path_of(key), senders=8) as load:
            load.wait(8, 202)
        assert {entry.status for entry in load.sent} == {202}

    # Each worker alone serves while the other one stands still, unless the web server sends it a
    # request on a connection that it has kept.
    for stopped in (first, second):
        wait_for(lambda: stack.connections("intake") == 0, "no connection is kept")
        os.kill(stopped, signal.SIGSTOP)
        try:
            # Also if it has just been woken up for one that the other is not told of.
            for _ in range(20):
                accepted_id(send(stack, path_of(key)))
        finally:
            os.kill(stopped, signal.SIGCONT)

    with Load(stack, path_of(key), senders=64) as load:
        load.wait(1500, 202)
    assert {entry.status for entry in load.sent} == {202}
    ids = stack.ids(key)
    assert len(ids) == len(set(ids)) and set(load.accepted()) <= set(ids)
    assert stack.workers() == [first, second], "neither was restarted"


@pytest.mark.loop
def test_deactivation_reaches_every_worker(pair_stack):
    stack = pair_stack
    key = stack.new_key()
    with Load(stack, path_of(key), senders=16) as load:
        load.wait(300, 202)
        stack.ctl("key", "deactivate", key["id"])
        returned = time.monotonic()
        load.wait(200, 401)
    late = {entry.status for entry in load.sent if entry.start > returned}
    assert late == {401}
    assert_staged_once(stack, key, load)


@pytest.mark.loop
def test_too_many_large_bodies_are_told_to_come_back(narrow_stack):
    """Children are few; the others get 503 with advice, and small requests go on."""
    stack = narrow_stack
    key = stack.new_key()
    body = json.dumps([{"email": "a@example.com", "filler": "x" * 1000}] * LARGE_ITEMS).encode()
    assert len(body) > 256 << 10
    with Load(stack, path_of(key, end="/batch"), senders=6, body=lambda number: body) as load:
        load.wait(3, 202)
        load.wait(3, 503)
        accepted_id(send(stack, path_of(key)))
    for entry in load.sent:
        if entry.status == 503:
            assert_problem(entry.answer, 503, "busy")
        else:
            assert entry.status == 202
    assert stack.rows(key) == LARGE_ITEMS * load.count(202) + 1


def test_body_that_never_comes_is_given_up(narrow_stack):
    """The request's own time limit, where the web server does not wait for the whole body."""
    stack = narrow_stack
    key = stack.new_key()
    marker = "never-" + sound_key()[3:15]
    head = (f"POST {path_of(key)} HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: {marker}\r\n"
            f"Content-Length: {len(SEED)}\r\n\r\n").encode()
    with socket.create_connection(("127.0.0.1", stack.port), 60 * PATIENCE) as sock:
        sock.sendall(head + SEED[:10])
        if stack.streams:
            stack.wait_logged(f"request_id={marker} ")
            assert re.search(rf"request_id={marker} .*status=408 ", stack.log())
        if stack.front in EARLY_ANSWERS:
            assert sock.recv(65536).startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    accepted_id(send(stack, path_of(key), SEED, JSON))
    assert stack.rows(key) == 1
