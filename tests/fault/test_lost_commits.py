"""The connection is lost between a group's result and the end of its commit: the server is asked
what became of it."""

import contextlib
import os
import signal
import threading

import psycopg2
import pytest

from direct import sender
from fastcgi_client import STDIN, Worker, begin, params, record, variables_of
from harness import accepted_id, assert_problem, wait_for
from postgresql_server import Server
from relay import Relay

COMMIT_COMPLETE, RESULT_COMPLETE = b"Z", b"C"
COMMITTED = 'event="a group was committed before its connection was lost"'
NOT_COMMITTED = 'event="a group was not committed: it is sent again"'
UNKNOWN = 'event="it is unknown whether a group was committed"'
PATIENT = {"SLUICE_REQUEST_TIMEOUT": "60s"}  # until the server is there again
BODY = b'{"email":"lost@example.com"}'

# The commit of such a signal waits for a lock that the test has.
WAITS = """
create function public.wait() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock(4711);
    return null;
end $$;
create constraint trigger waits after insert on sluice.signal deferrable initially deferred
    for each row when (new.email like 'lost%') execute function public.wait()
"""


class Delivery:
    """One signal on its way, and its answer."""

    def __init__(self, stack, worker):
        self.stack, self.key, self.answer = stack, stack.new_key(), None
        self.send = sender(worker, self.key)
        wait_for(lambda: self.send(0, b'{"email":"warm@example.com"}').status == 202,
                 "the worker is connected")
        self.thread = threading.Thread(target=self.run)

    def run(self):
        self.answer = self.send(0, BODY)

    def result(self):
        self.thread.join()
        return self.answer

    def stored(self):
        return [row for row, in self.stack.psql(
            "select id from sluice.signal_staging where key_id = %s and email like 'lost%%'",
            self.key["id"])]


@pytest.fixture
def relayed(make_stack):
    stack = make_stack("lighttpd")
    with Relay(stack) as relay, \
            Worker(stack, more={**PATIENT, "SLUICE_DATABASE": relay.database()}) as worker:
        yield stack, relay, worker


def logged(worker, line):
    return line in worker.log.read_text()


@pytest.mark.quick
def test_answer_to_the_commit_is_lost(relayed):
    """The group is committed, and only we were not told."""
    stack, relay, worker = relayed
    delivery = Delivery(stack, worker)
    relay.hold_next(COMMIT_COMPLETE)
    delivery.thread.start()
    assert relay.held.wait(20)
    relay.cut()
    number = accepted_id(delivery.result())
    assert delivery.stored() == [number]
    assert logged(worker, COMMITTED)
    assert "sluice_resolved_commits_total 1" in metrics(worker)


def metrics(worker):
    with worker.talk() as talk:
        talk.write(begin() + params(variables_of("/metrics", None, method="GET"))
                   + record(STDIN))
        return talk.read()[0].decode()


def test_server_is_started_again_after_the_commit(relayed):
    """It is the same: its system identifier and its timeline are."""
    stack, relay, worker = relayed
    delivery = Delivery(stack, worker)
    server = Server(stack)
    relay.hold_next(COMMIT_COMPLETE)
    delivery.thread.start()
    assert relay.held.wait(20)
    stack.disconnect()
    server.stop("immediate")
    server.start()
    number = accepted_id(delivery.result())
    assert delivery.stored() == [number]
    assert logged(worker, COMMITTED)


def terminate(stack, waiting):
    stack.psql("select pg_terminate_backend(%s)", waiting)


def kill(stack, waiting):
    """The server restarts itself."""
    os.kill(waiting, signal.SIGKILL)


def stop(stack, _):
    server = Server(stack)
    stack.disconnect()
    server.stop("immediate")
    server.start()


@pytest.mark.parametrize("end", [terminate, kill, stop])
def test_commit_that_does_not_happen(make_stack, end):
    """Nothing was stored, so the group is sent again."""
    stack = make_stack("lighttpd")
    stack.psql(WAITS)
    with Worker(stack, more=PATIENT) as worker:
        delivery = Delivery(stack, worker)
        locker = stack.connect()
        with locker.cursor() as cursor:
            cursor.execute("select pg_advisory_lock(4711)")
        delivery.thread.start()
        (waiting,), = wait_for(lambda: stack.psql(
            "select pid from pg_locks where locktype = 'advisory' and not granted"), "it commits")
        end(stack, waiting)
        with contextlib.suppress(psycopg2.Error):
            locker.close()
        number = accepted_id(delivery.result())
        assert logged(worker, NOT_COMMITTED)
        wait_for(lambda: answers(stack), "the server takes connections")
        assert delivery.stored() == [number]


def answers(stack):
    try:
        return stack.psql("select 1")
    except psycopg2.Error:
        stack.disconnect()
        return None


def test_commit_that_waits_for_a_standby(relayed):
    """It is not durable as promised, so it is not accepted, although the server has it."""
    stack, relay, _ = relayed
    with Worker(stack, more={"SLUICE_REQUEST_TIMEOUT": "12s",
                             "SLUICE_DATABASE": relay.database()}) as worker:
        lose_commit_that_waits(stack, relay, worker)


def lose_commit_that_waits(stack, relay, worker):
    delivery = Delivery(stack, worker)
    stack.psql("alter system set synchronous_standby_names = 'nobody'")
    stack.psql("select pg_reload_conf()")
    relay.hold_next(COMMIT_COMPLETE)
    delivery.thread.start()
    wait_for(lambda: stack.psql("select 1 from pg_stat_activity where wait_event = 'SyncRep'"),
             "the commit waits")
    relay.hold = None
    relay.cut()
    assert_problem(delivery.result(), 503, "outcome_unknown")
    assert logged(worker, UNKNOWN)
    assert "sluice_unknown_commits_total 1" in metrics(worker)
    stack.psql("alter system reset synchronous_standby_names")
    stack.psql("select pg_reload_conf()")
    wait_for(lambda: len(delivery.stored()) == 1, "it is committed after all")
