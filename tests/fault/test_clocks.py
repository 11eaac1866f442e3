"""The wall clock jumps, of the worker's host and of the database's: nobody waits, nothing is lost,
and times are told by the clock of the moment."""

import datetime
import json
import os
import tempfile
import time

import pytest

from direct import sender
from fastcgi_client import Worker
from harness import wait_for
from oracle import Oracle
from postgresql_server import FAKETIME, Server

LIMIT_S = 4
LIMITS = {"SLUICE_REQUEST_TIMEOUT": "4s", "SLUICE_DATABASE_TIMEOUT": "2s",
          "SLUICE_CONNECT_TIMEOUT": "1s"}
JUMPS = [3600, 0, -3600, 0]  # seconds, by which the clock is off then
NEAR = datetime.timedelta(minutes=10)


class Clock:
    """The wall clock of what is started with its environment; that of deadlines goes on. The file
    says how much it is off."""

    def __init__(self, file):
        self.file = file
        os.chmod(file.name, 0o644)
        self.environment = {
            "LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": file.name,
            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        self.jump(0)

    def jump(self, seconds):
        self.file.seek(0)
        self.file.write(f"{seconds:+d}\n")
        self.file.truncate()
        self.file.flush()
        self.off = datetime.timedelta(seconds=seconds)

    def now(self):
        return now() + self.off


def now():
    return datetime.datetime.now(datetime.UTC)


def accept(oracle, more):
    goal = oracle.count(202) + more
    wait_for(lambda: oracle.count(202) >= goal, "the load is accepted")


def times_of(stack, send, **members):
    """(received, occurred) of a signal with these members."""
    answer = send(None, json.dumps({"email": "a@example.com", **members}).encode())
    assert answer.status == 202
    return stack.psql("select received_at, occurred_at from sluice.signal_staging where id = %s",
                      answer.json["id"])[0]


@pytest.fixture
def clock():
    with tempfile.NamedTemporaryFile("w", prefix="sluice-clock-") as file:
        yield Clock(file)


@pytest.fixture
def of_worker(make_stack, clock):
    """(stack, worker, clock): the worker has that clock."""
    stack = make_stack("lighttpd")
    with Worker(stack, more={**LIMITS, **clock.environment}) as worker:
        yield stack, worker, clock


@pytest.fixture
def of_database(make_stack, clock):
    """The same for the database."""
    stack = make_stack("lighttpd")
    server = Server(stack)
    stack.disconnect()
    server.stop()
    server.start(clock.environment)
    with Worker(stack, more=LIMITS) as worker:
        yield stack, worker, clock


@pytest.mark.parametrize("host", ["of_worker", "of_database"])
def test_wall_clock_jumps(request, capsys, host):
    stack, worker, clock = request.getfixturevalue(host)
    key = stack.new_key()
    send = sender(worker, key)
    with Oracle(stack, key, LIMIT_S, senders=8, send=send) as oracle:
        for jump in JUMPS:
            accept(oracle, 50)
            clock.jump(jump)
            accept(oracle, 50)
            assert_times(stack, send, clock, host)
    oracle.report(capsys)
    assert oracle.count(503) == 0
    oracle.check()


def assert_times(stack, send, clock, host):
    """Receipt is told by the database's clock, and what is told without a time occurred then. A
    sender's time is kept, or put right by the worker's clock if it tells when it has sent."""
    of_database = clock.now() if host == "of_database" else now()
    of_worker = clock.now() if host == "of_worker" else now()
    received, occurred = times_of(stack, send)
    assert received == occurred and abs(received - of_database) < NEAR
    said = now().replace(microsecond=0)
    _, occurred = times_of(stack, send, timestamp=said.isoformat())
    assert occurred == said
    an_hour_ago = (said - datetime.timedelta(hours=1)).isoformat()
    _, occurred = times_of(stack, send, originalTimestamp=an_hour_ago, sentAt=said.isoformat())
    assert abs(of_worker - datetime.timedelta(hours=1) - occurred) < NEAR


@pytest.mark.parametrize("jump", [3600, -3600])
def test_deadlines_while_the_clock_jumps(of_worker, capsys, jump):
    """A table is locked: neither is a request given up at once, nor does it wait for an hour."""
    stack, worker, clock = of_worker
    key = stack.new_key()
    with Oracle(stack, key, LIMIT_S, senders=8, send=sender(worker, key)) as oracle:
        accept(oracle, 50)
        with stack.locked():
            since = time.monotonic()
            wait_for(stack.waiting_for_locks, "a group is in flight")
            clock.jump(jump)
            wait_for(lambda: oracle.count(503, since), "one is refused")
        accept(oracle, 50)
    first = min(each.start + each.seconds for each in oracle.attempts
                if each.answer and each.answer.status == 503)
    oracle.report(capsys)
    assert first - since > LIMIT_S / 4, "it is waited for"
    oracle.check()
