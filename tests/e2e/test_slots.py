"""Strangers and slow senders: who holds one of a worker's slots, and for how long."""

import contextlib

import pytest

from fastcgi_client import KEEP_CONNECTION, STDIN, Worker, begin, params, record, variables_of
from harness import SEED, bulk_path, path_of, sound_key, wait_for

pytestmark = pytest.mark.first_front

CROWD = 12
FEW_SLOTS = {"SLUICE_REQUESTS_IN_FLIGHT": "2", "SLUICE_GROUP_REQUESTS": "2",
             "SLUICE_REQUEST_TIMEOUT": "60s"}


@pytest.fixture(scope="module")
def worker(stack):
    """Two requests at a time, and so much time for each that a test would not end by it."""
    with Worker(stack, more=FEW_SLOTS) as made:
        yield made


def beginning(path, length=1_000_000, method="POST"):
    """A head, and one byte of the body."""
    return (begin(KEEP_CONNECTION) + params(variables_of(path, length, method=method))
            + record(STDIN, b"{"))


@contextlib.contextmanager
def crowd(worker, whole):
    with contextlib.ExitStack() as all_of_them:
        talks = [all_of_them.enter_context(worker.talk()) for _ in range(CROWD)]
        for talk in talks:
            talk.write(whole)
        yield talks


@pytest.mark.parametrize("path, status", [
    (path_of({"key": "sk_no"}), 401), (bulk_path({"key": "x"}), 401), ("/api/nothing", 404),
    (path_of({"key": sound_key()}), 401), (bulk_path({"key": sound_key()}), 401)],
    ids=["malformed", "bulk-malformed", "path", "unknown", "bulk-unknown"])
def test_what_is_refused_is_not_waited_for(stack, worker, key, path, status):
    """It is answered before its body has come, and its slot is free while the rest comes."""
    with crowd(worker, beginning(path)) as talks:
        assert [talk.answer() for talk in talks] == [(status, False)] * CROWD
        assert worker.post(path_of(key), SEED) == 202
        for talk in talks:  # what still comes is read: a web server must be able to send it
            for _ in range(4):
                talk.write(record(STDIN, b"x" * 60_000))
            wait_for(talk.all_read, "the worker discards it")
    assert stack.rows(key) == 1


def test_a_known_sender_is_waited_for(stack, worker, key):
    """A stranger that comes later is refused: then the key of the first has been asked for."""
    stranger = {"key": sound_key()}
    with worker.talk() as talk, worker.talk() as other:
        talk.write(begin() + params(variables_of(path_of(key), len(SEED)))
                   + record(STDIN, SEED[:9]))
        wait_for(talk.all_read, "the worker has read what there is")
        other.write(beginning(path_of(stranger)))
        assert other.answer() == (401, False)
        talk.write(record(STDIN, SEED[9:]) + record(STDIN))
        assert talk.status() == 202
    assert stack.rows(key) == 1


def test_the_oldest_gives_way(stack, worker, key):
    """Slow senders with a good key take all slots: they are told to come again, and others are
    served meanwhile."""
    with crowd(worker, beginning(path_of(key), len(SEED))) as talks:
        assert [worker.post(path_of(key), SEED) for _ in range(5)] == [202] * 5
        assert {talk.answer()[0] for talk in talks[:CROWD - 2]} == {503}
    assert stack.rows(key) == 5


def test_silent_connections_give_way(stack, worker, key):
    with crowd(worker, begin()[:9]) as talks:
        assert [worker.post(path_of(key), SEED) for _ in range(5)] == [202] * 5
        assert [talk.status() for talk in talks[:CROWD - 2]] == [0] * (CROWD - 2)
    assert stack.rows(key) == 5


def test_buffered_bytes_give_way(stack, key):
    """Bodies that stop just before their end fill the memory for bodies."""
    with Worker(stack, more={"SLUICE_BUFFERED_BODIES": "64KiB",
                             "SLUICE_REQUEST_TIMEOUT": "60s"}) as worker:
        whole = (begin() + params(variables_of(path_of(key), 50_000))
                 + record(STDIN, b"x" * 40_000))
        with crowd(worker, whole) as talks:
            assert [worker.post(path_of(key), SEED) for _ in range(5)] == [202] * 5
            assert [talk.status() for talk in talks[:4]] == [503] * 4
    assert stack.rows(key) == 5


@pytest.mark.parametrize("path_to, form", [(path_of, b"%s"), (bulk_path, b"[%s]")])
def test_a_body_that_comes_too_slowly_is_given_up(stack, path_to, form):
    """One that came earlier and is fast enough is still waited for then."""
    key = stack.new_key()
    body = form % (b" " * 200_000 + SEED)
    limits = {"SLUICE_REQUEST_TIMEOUT": "6s", "SLUICE_BULK_TIMEOUT": "6s",
              "SLUICE_BODY_RATE": "1KiB"}
    with Worker(stack, more=limits) as worker, \
            worker.talk() as fast, worker.talk() as slow:
        fast.write(begin() + params(variables_of(path_to(key), len(body))))
        slow.write(begin() + params(variables_of(path_to(key), len(SEED)))
                   + record(STDIN, SEED[:9]))
        sent = 0
        while not slow.is_answered():
            if sent + 4000 < len(body):
                fast.write(record(STDIN, body[sent:sent + 4000]))
                sent += 4000
        assert slow.status() == 408
        assert not fast.is_answered()
        for at in range(sent, len(body), 60_000):
            fast.write(record(STDIN, body[at:at + 60_000]))
        fast.write(record(STDIN))
        assert fast.status() == 202
    assert stack.rows(key) == 1
