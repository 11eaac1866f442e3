"""PgBouncer in transaction mode, between workers and PostgreSQL, is paused, killed, frozen and
configured anew under load."""

import contextlib
import signal
import time

import pytest

from harness import wait_for
from oracle import Oracle
from pooler import Pooler

LIMITS = {"request_timeout": "4s", "database_timeout": "2s", "connect_timeout": "1s"}
LIMIT_S = 4
WORKERS = 2
FAULT_S = 6  # longer than a request may take, so that those of all stages are caught


@pytest.fixture
def pooled(make_stack):
    """pooled(front) -> a stack whose workers connect to the pooler, and the pooler."""
    with contextlib.ExitStack() as ending:
        def make(front):
            stack = make_stack(front, workers=WORKERS, settings=LIMITS)
            pooler = Pooler(stack)
            ending.callback(pooler.close)
            before = stack.workers()
            pooler.serve("WORKERS_CONFIG", before)
            wait_for(lambda: not set(before) & set(stack.workers())
                     and pooler.clients("sluice_intake") == WORKERS, "new workers")
            return stack, pooler

        yield make


@contextlib.contextmanager
def paused(pooler):
    """It takes statements and passes none on: what is there already ends first."""
    pooler.control("PAUSE")
    try:
        yield
    finally:
        pooler.control("RESUME")


@contextlib.contextmanager
def killed(pooler):
    """In the middle of what it passes on."""
    pooler.kill()
    try:
        yield
    finally:
        pooler.start()


@contextlib.contextmanager
def frozen(pooler):
    pooler.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        pooler.process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def thrown_out(pooler):
    """By its console: all clients and servers of the database at once."""
    pooler.control("KILL sluice")
    try:
        yield
    finally:
        pooler.control("RESUME sluice")


@pytest.mark.parametrize("fault", [paused, killed, frozen, thrown_out])
def test_pooler_that_is_away(pooled, capsys, fault):
    stack, pooler = pooled("lighttpd")
    key = stack.new_key()
    with Oracle(stack, key, LIMIT_S, senders=32) as oracle:
        first, healed = oracle.endure(fault(pooler), FAULT_S, accepted=100)
    after = min(each.start + each.seconds for each in oracle.attempts
                if each.answer and each.answer.status == 202 and each.start + each.seconds > healed)
    refused_s = oracle.refused_in(first + 1, healed)
    oracle.report(capsys, f", refused in {refused_s * 1000:.0f} ms, healed in"
                          f" {after - healed:.2f} s")
    oracle.check()


@pytest.mark.parametrize("front", ["lighttpd", "nginx", "apache"])
def test_pooler_killed_again_and_again(pooled, capsys, front):
    """And started anew at once, in the middle of groups."""
    stack, pooler = pooled(front)
    key = stack.new_key()
    with Oracle(stack, key, LIMIT_S) as oracle:
        for _ in range(8):
            since = time.monotonic()
            wait_for(lambda since=since: oracle.count(202, since) >= 50, "the load is accepted")
            pooler.kill()
            pooler.start()
        since = time.monotonic()
        wait_for(lambda: oracle.count(202, since) >= 50, "requests are accepted again")
    oracle.report(capsys)
    oracle.check()


def test_pooler_that_is_configured_anew(pooled, capsys):
    """Nobody notices: server connections are replaced between transactions."""
    stack, pooler = pooled("lighttpd")
    key, ini = stack.new_key(), pooler.home / "ini"
    text = ini.read_text()
    with Oracle(stack, key, LIMIT_S) as oracle:
        for size in (1, 5, 2):
            for command in ("RELOAD", "RECONNECT"):
                since = time.monotonic()
                wait_for(lambda since=since: oracle.count(202, since) >= 50,
                         "the load is accepted")
                ini.write_text(text.replace("default_pool_size = 3",
                                            f"default_pool_size = {size}"))
                pooler.control(command)
        since = time.monotonic()
        wait_for(lambda: oracle.count(202, since) >= 50, "the load is accepted")
        assert ("default_pool_size", "2") in [row[:2] for row in pooler.control("SHOW CONFIG")]
    oracle.report(capsys)
    oracle.check()
    assert {each.answer.status for each in oracle.attempts} == {202}
