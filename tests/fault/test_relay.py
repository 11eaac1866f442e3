"""The connection to PostgreSQL breaks anywhere, or one of several hosts is of no use."""

import contextlib
import tempfile
import time

import pytest

from backends import end_backends
from direct import sender
from fastcgi_client import Worker
from harness import PATIENCE, wait_for
from oracle import Oracle
from relay import Relay, listen_in

QUICK = {"SLUICE_CONNECT_TIMEOUT": "500ms", "SLUICE_DATABASE_TIMEOUT": "1s",
         "SLUICE_REQUEST_TIMEOUT": "4s"}
LIMIT_S = 4


@pytest.fixture
def relayed(module_stack):
    stack = module_stack
    with Relay(stack) as relay, \
            Worker(stack, more={**QUICK, "SLUICE_DATABASE": relay.database()}) as worker:
        yield stack, relay, worker


def cut_everywhere(relayed, capsys, of_bytes, fresh):
    """Cuts after one, two, three and so on, until a delivery comes through before the cut."""
    stack, relay, worker = relayed
    key = stack.new_key()
    send = sender(worker, key)
    oracle = Oracle(stack, key, LIMIT_S, senders=0, send=send)
    at = 0
    while True:
        at += 1
        without, with_id = 2 * at + 1, 2 * at
        # Bytes are many: of two neighbours one is cut in each.
        for number in ((without, with_id)[at % 2],) if of_bytes else (without, with_id):
            wait_for(lambda: send(0, b'{"email":"warm@example.com"}').status == 202,
                     "the worker is connected")
            if fresh:
                relay.cut()
            relay.cut_after(at, of_bytes)
            oracle.deliver(None, number)
        if not relay.is_cut():
            break
    relay.cut_after(1 << 30)
    oracle.report(capsys, f", {at} places")
    oracle.check()
    assert at > 5


def test_cut_at_each_message(relayed, capsys):
    """Of a delivery on a connection that is there."""
    cut_everywhere(relayed, capsys, False, False)


def test_cut_at_each_message_of_a_new_connection(relayed, capsys):
    cut_everywhere(relayed, capsys, False, True)


def test_cut_at_each_byte(relayed, capsys):
    """Of a delivery on a connection that is there."""
    cut_everywhere(relayed, capsys, True, False)


def test_silence_under_load(relayed, capsys):
    """Nothing comes through any more, in either direction, and nobody says so."""
    stack, relay, worker = relayed
    key = stack.new_key()
    with Oracle(stack, key, LIMIT_S, send=sender(worker, key)) as oracle:
        wait_for(lambda: oracle.count(202) >= 50, "the load is accepted")
        relay.silent.set()
        since = time.monotonic()
        wait_for(lambda: oracle.count(503, since) >= 50, "requests are refused")
        wait_for(lambda: time.monotonic() > since + LIMIT_S + 1, "it lasts")
        relay.silent.clear()
        healed = time.monotonic()
        relay.cut()  # what was swallowed is missing
        wait_for(lambda: oracle.count(202, healed) >= 50, "requests are accepted again")
    oracle.report(capsys)
    oracle.check()


@contextlib.contextmanager
def silent_host():
    """Takes connections, and says nothing."""
    with tempfile.TemporaryDirectory(prefix="sluice-silent-") as place, listen_in(place):
        yield place


@pytest.mark.quick
def test_silent_host_before_a_good_one(module_stack):
    stack = module_stack
    key = stack.new_key()
    with silent_host() as silent:
        database = (f"host={silent},{stack.env['PGHOST']} port=5432,{stack.env['PGPORT']}"
                    " dbname=sluice user=sluice_intake")
        with Worker(stack, more={**QUICK, "SLUICE_DATABASE": database}) as worker, \
                Oracle(stack, key, LIMIT_S, 4, send=sender(worker, key)) as oracle:
            wait_for(lambda: oracle.count(202) >= 50, "the other host is tried")
            # The one that works is tried first when the connection is lost.
            since = time.monotonic()
            end_backends(stack)
            wait_for(lambda: oracle.count(202, since) >= 50, "it is found again")
            assert max(each.seconds for each in oracle.attempts if each.start > since) \
                < 0.5 * PATIENCE
    oracle.check()
