"""PostgreSQL hangs instead of failing: everybody is answered in time, most at once, and as soon as
it answers again requests are accepted again."""

import contextlib
import http.client
import os
import signal
import time

import pytest

from backends import Backends
from harness import JSON, SEED, accepted_id, path_of, send, wait_for
from oracle import Oracle
from postgresql_server import Server

LIMITS = {"request_timeout": "4s", "database_timeout": "2s", "connect_timeout": "1s"}
LIMIT_S = 4
WORKERS = 2
HANG_S = 6  # longer than a request may take, so that those of all stages are caught


def locked(stack):
    return stack.locked()


def frozen(stack):
    return Server(stack).frozen()


@contextlib.contextmanager
def without_standby(stack):
    """Commits wait for a synchronous standby that is not there."""
    stack.psql("alter system set synchronous_standby_names = 'away'")
    stack.psql("select pg_reload_conf()")
    try:
        yield
    finally:
        with contextlib.closing(stack.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("set synchronous_commit = local")
            cursor.execute("alter system reset synchronous_standby_names")
            cursor.execute("select pg_reload_conf()")


@pytest.mark.parametrize("hang", [locked, frozen, without_standby])
def test_hang(make_stack, capsys, hang):
    stack = make_stack("lighttpd", workers=WORKERS, settings=LIMITS)
    key = stack.new_key()
    with Oracle(stack, key, LIMIT_S, senders=32) as oracle, Backends(stack) as backends:
        first, healed = oracle.endure(hang(stack), HANG_S, accepted=100)
    told = oracle.assert_shed(first, healed)
    oracle.report(capsys, f", {told}, {backends.most} backends")
    oracle.check()
    assert backends.most <= WORKERS + 2


@pytest.mark.quick
def test_answer_that_came_while_the_worker_was_stopped(make_stack):
    """Longer than the statement may take: it is looked for before it is given up."""
    stack = make_stack("lighttpd", settings=LIMITS)
    key = stack.new_key()
    accepted_id(send(stack, path_of(key)))
    worker, = stack.workers()
    client = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=60)
    with stack.locked():
        client.request("POST", path_of(key), SEED, JSON)
        wait_for(stack.waiting_for_locks, "its group is in flight")
        os.kill(worker, signal.SIGSTOP)
        stopped = time.monotonic()
    try:
        wait_for(lambda: stack.rows(key) == 2, "it is committed")
        wait_for(lambda: time.monotonic() > stopped + 2.5, "its time is over")
    finally:
        os.kill(worker, signal.SIGCONT)
    with contextlib.closing(client):
        assert client.getresponse().status == 202


def accept(oracle, more):
    goal = oracle.count(202) + more
    wait_for(lambda: oracle.count(202) >= goal, "the load is accepted")


def last_for(seconds):
    until = time.monotonic() + seconds
    wait_for(lambda: time.monotonic() > until, "it lasts")


def test_stopped_workers(make_stack, capsys):
    """SIGSTOP and SIGCONT of both, again and again, at any stage of requests."""
    stack = make_stack("lighttpd", workers=WORKERS, settings=LIMITS)
    key = stack.new_key()
    with Oracle(stack, key, 2 * LIMIT_S) as oracle:
        for _ in range(4):
            accept(oracle, 100)
            workers = stack.workers()
            for pid in workers:
                os.kill(pid, signal.SIGSTOP)
            last_for(1.5 * LIMIT_S / 2)
            for pid in workers:
                os.kill(pid, signal.SIGCONT)
        accept(oracle, 100)
    oracle.report(capsys)
    oracle.check()
