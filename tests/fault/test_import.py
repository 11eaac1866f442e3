"""A bulk import is hurt while PostgreSQL has one chunk of it and the child reads the next: one
transaction, of which all or nothing stays, and the sender always hears which."""

import contextlib
import os
import signal

import pytest

from fastcgi_client import STDIN, Worker, begin, params, record, variables_of
from harness import accepted_id, bulk_path, path_of, send, wait_for

CHUNK = 2000  # items, or
CHUNK_BYTES = 1 << 20
RECORD = 32 << 10
STRICT = ("HTTP_PREFER", "handling=strict")
SHORT, LONG = {"database_timeout": "2s"}, {"database_timeout": "60s"}
OVERDUE = "clock_timestamp() - interval '2.5 s'"
IMPORT = "usename = 'sluice_intake' and xact_start is not null"
UNDER_WAY = "wait_event_type = 'Lock'"
ANSWERED = "state = 'idle in transaction' and backend_xid is not null"


class Import:
    """One to a worker of its own. The test is its sender, and lets it wait."""

    def __init__(self, stack, worker, key, *more):
        self.stack, self.key, self.number = stack, key, 0
        self.talk = worker.talk()
        self.talk.write(begin() + params(variables_of(bulk_path(key), None, *more)))
        self.write(b"[{}")

    def write(self, text):
        for start in range(0, len(text), RECORD):
            self.talk.write(record(STDIN, text[start:start + RECORD]))

    def items(self, count, filler=0):
        numbers = range(self.number, self.number + count)
        self.number += count
        self.write(b"".join(b',{"email":"import@example.com","number":%d,"filler":"%s"}'
                            % (number, b"f" * filler) for number in numbers))

    def status(self, end=b"]"):
        self.write(end)
        self.talk.write(record(STDIN))
        return self.talk.status()

    def backend(self, condition):
        """The pid of its backend, once that is so."""
        (pid,), = wait_for(lambda: self.stack.psql(
            f"select pid from pg_stat_activity where {IMPORT} and {condition}"),
            f"its backend: {condition}", 30)
        return pid

    def is_over(self):
        return not self.stack.psql(f"select 1 from pg_stat_activity where {IMPORT}")

    def left_nothing(self):
        wait_for(self.is_over, "its transaction ends")
        return self.stack.rows(self.key) == 0


@pytest.fixture
def importing(make_stack):
    """importing(settings, variables…): an import that has begun."""
    with contextlib.ExitStack() as held:
        def start(settings, *more):
            stack = make_stack("lighttpd", settings=settings)
            # A lock stands for whatever makes a statement slow, so it is waited for.
            stack.psql("alter role sluice_intake in database sluice set lock_timeout = 0")
            worker = held.enter_context(Worker(stack))
            started = Import(stack, worker, stack.new_key(), *more)
            held.callback(started.talk.socket.close)
            return started
        yield start


@contextlib.contextmanager
def frozen(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def in_flight(running):
    """Has sent a chunk and a half; the first is with PostgreSQL, which waits for a lock."""
    running.items(CHUNK + CHUNK // 2)
    running.backend(UNDER_WAY)
    wait_for(running.talk.all_read, "the child reads on while the chunk is under way")


def test_next_chunk_is_read_meanwhile(importing):
    running = importing(LONG)
    with running.stack.locked():
        in_flight(running)
    running.items(CHUNK)
    assert running.status() == 202
    assert running.stack.psql(
        "select count(*), count(distinct payload->>'number'), count(distinct stored_xact)"
        " from sluice.signal_staging where key_id = %s and payload ? 'number'",
        running.key["id"]) == [(running.number, running.number, 1)]


@pytest.mark.parametrize("more, end, kept", [
    ([], b",}", 1), ([STRICT], b",}", 0), ([STRICT], b",7]", 0),
], ids=["malformed", "malformed-strict", "bad-item-strict"])
def test_body_turns_out_bad_meanwhile(importing, more, end, kept):
    running = importing(LONG, *more)
    with running.stack.locked():
        in_flight(running)
        running.write(end)
        wait_for(running.talk.all_read, "the child reads the bad end")
    assert running.status(b"") == 400
    assert running.left_nothing()
    assert running.stack.psql("select count(*) from sluice.rejected_payload where key_id = %s",
                              running.key["id"]) == [(kept,)]


def test_sender_goes_away_meanwhile(importing):
    running = importing(LONG)
    with running.stack.locked():
        in_flight(running)
        running.talk.socket.close()
    assert running.left_nothing()


def test_deadline_counts_from_sending(importing):
    """Also while the child has better to do than to look at the clock."""
    running = importing(SHORT)
    with running.stack.locked():
        in_flight(running)
        running.backend(f"query_start < {OVERDUE}")
        assert running.status() == 503
    assert running.left_nothing()


def test_answer_may_wait_for_a_slow_sender(importing):
    """Longer than a statement may take: PostgreSQL has kept its time."""
    running = importing(SHORT)
    running.items(CHUNK + CHUNK // 2)
    running.backend(f"{ANSWERED} and state_change < {OVERDUE}")
    running.items(CHUNK)
    assert running.status() == 202
    assert running.stack.rows(running.key) == running.number + 1


def test_sender_falls_silent(importing):
    running = importing({"bulk_timeout": "3s"})
    running.items(CHUNK + CHUNK // 2)
    running.backend(ANSWERED)
    assert running.talk.status() == 408
    assert running.left_nothing()


def test_killed_backend(importing):
    running = importing(LONG)
    running.items(CHUNK + CHUNK // 2)
    running.stack.psql("select pg_terminate_backend(%s)", running.backend(ANSWERED))
    wait_for(running.is_over, "the backend ends")
    running.items(CHUNK)
    assert running.status() == 503
    assert running.left_nothing()
    accepted_id(send(running.stack, path_of(running.key)))


def test_backend_freezes_between_chunks(importing):
    """It takes the next one and says nothing."""
    running = importing(SHORT)
    running.items(CHUNK + CHUNK // 2)
    with frozen(running.backend(ANSWERED)):
        running.items(CHUNK)
        assert running.status() == 503
    assert running.left_nothing()


def test_backend_freezes_before_a_chunk(importing):
    """It does not even take all of it: more than a socket holds."""
    running = importing(SHORT)
    with frozen(running.backend("state = 'idle in transaction'")):
        running.items(CHUNK_BYTES // 1000, filler=1000)
        assert running.status() == 503
    assert running.left_nothing()
