"""Requests that could take time, connections or children from others, at a worker of its own."""

import concurrent.futures
import contextlib
import select
import threading
import time

import pytest

from fastcgi_client import STDIN, Worker, begin, params, record, variables_of
from harness import (FRONTS, PATIENCE, SEED, Stack, bulk_path, path_of, sound_key, wait_for,
                     wait_until_equal)

ITEMS = 5000
HALF_OF_A_GROUP = 2500  # a group has 5,000 rows at most
SMALL_ITEMS = b"[" + b",".join([b'{"a":1}'] * ITEMS) + b"]"
LARGE_ITEM = b'{"email":"a@b.c","text":"' + b"x" * 300_000 + b'"}'


@pytest.fixture(scope="module", name="tight")
def tight_fixture():
    """A stack with short times and a single child; the tests pass its web server by."""
    stack = Stack(FRONTS[0], settings={"request_timeout": f"{4 * PATIENCE}s", "large_requests": 1,
                                       "database_timeout": f"{PATIENCE}s"})
    try:
        with Worker(stack) as worker:
            yield stack, worker, stack.new_key(name="pressure")
    finally:
        stack.close()


def in_parallel(*calls):
    results = [None] * len(calls)

    def run(number):
        results[number] = calls[number]()
    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_many_rows_in_few_bytes(tight):
    """A group is limited in rows too, however few the bytes and however many are waiting."""
    stack, _, _ = tight
    key = stack.new_key(name="rows")
    batch = b"[" + b",".join([b'{"a":1}'] * HALF_OF_A_GROUP) + b"]"
    patient = {"SLUICE_DATABASE_TIMEOUT": "60s", "SLUICE_REQUEST_TIMEOUT": "120s"}
    with Worker(stack, more=patient) as worker, \
            concurrent.futures.ThreadPoolExecutor(9) as pool:
        talks = [worker.talk() for _ in range(9)]
        with stack.locked("signal_cold_storage"):
            for talk in talks:
                talk.write(begin() + params(variables_of(path_of(key, end="/batch"), len(batch)))
                           + record(STDIN, batch))
                wait_for(talk.all_read, "the worker has read the batch")
                wait_until_equal(stack.waiting_for_locks, 1, "the first group waits for the lock")
        for talk in talks:
            talk.write(record(STDIN))
        assert list(pool.map(lambda talk: talk.status(), talks)) == [202] * 9
    groups = stack.psql("select count(*) from sluice.signal_cold_storage where key_id = %s"
                        " group by xmin::text order by 1", key["id"])
    assert groups == [(HALF_OF_A_GROUP,)] + [(2 * HALF_OF_A_GROUP,)] * 4


def test_late_member_fails_alone(tight):
    """A member that joins a group in its last milliseconds may fail, but no other with it."""
    stack, _, key = tight
    with Worker(stack, more={"SLUICE_DATABASE_TIMEOUT": "30s"}) as worker:
        late_members(worker, key)


def late_members(worker, key):
    path = path_of(key)
    ended = threading.Event()

    def slow(seconds):
        with worker.talk() as talk:
            until = time.monotonic() + seconds
            talk.write(begin() + params(variables_of(path, len(SEED))) + record(STDIN, SEED[:9]))
            time.sleep(max(0, until - time.monotonic()))
            with contextlib.suppress(BrokenPipeError):  # it was refused a moment before
                talk.write(record(STDIN, SEED[9:]) + record(STDIN))
            return talk.status()

    def quick():
        statuses = set()
        while not ended.is_set():
            statuses.add(worker.post(path, SEED))
        return statuses

    def all_slow():
        try:
            limit = 4 * PATIENCE
            return set(in_parallel(*[lambda at=at: slow(limit - at / 1000)
                                     for at in range(1, 33)]))
        finally:
            ended.set()
    last, *others = in_parallel(all_slow, *[quick] * 8)
    # Which of them are in time is a race by design: committed, too late to be read or to be
    # committed. The others always are.
    assert last <= {202, 408, 503}
    assert set.union(*others) == {202}


def test_untaken_answers_delay_nobody(tight):
    """An answer larger than any socket's buffer waits for its reader alone: others are served
    before it is given up, and it is whole when it is read after all."""
    _, worker, key = tight
    with worker.talk() as talk:
        talk.write(begin() + params(variables_of(path_of(key, end="/batch"), len(SMALL_ITEMS)))
                   + record(STDIN, SMALL_ITEMS) + record(STDIN))
        wait_for(lambda: select.select([talk.socket], [], [], 0)[0], "the answer has begun")
        assert [worker.post(path_of(key), SEED) for _ in range(5)] == [202] * 5
        output, ended = talk.read()
    assert ended and output.count(b'"index":') == ITEMS


def test_untaken_answers_are_given_up(tight):
    _, worker, key = tight
    path = path_of(key, end="/batch")
    with worker.talk() as talk:
        talk.write(begin() + params(variables_of(path, len(SMALL_ITEMS)))
                   + record(STDIN, SMALL_ITEMS) + record(STDIN))
        closed = select.poll()
        closed.register(talk.socket, 0)  # hanging up is always told
        assert closed.poll(20_000 * PATIENCE)
        output, ended = talk.read()
    assert output.startswith(b"Status: 202 ") and not ended


@pytest.mark.parametrize("path", [path_of, bulk_path])
def test_strangers_get_no_child(tight, path):
    """Slow large uploads with an unknown key: the only child is there for somebody else."""
    stack, worker, key = tight
    wait_for(lambda: not stack.children(), "the children of earlier tests have ended")
    talks = [worker.talk() for _ in range(3)]
    try:
        for talk in talks:
            talk.write(begin() + params(variables_of(path({"key": sound_key()}), 900_000))
                       + record(STDIN, b"[" * 1000))
            wait_for(talk.all_read, "the worker has read what there is")
        assert worker.post(path_of(key), SEED) == 202
        pieces = [LARGE_ITEM[n:n + 60_000] for n in range(0, len(LARGE_ITEM), 60_000)]

        def post_large():
            with worker.talk() as talk:
                talk.write(begin() + params(variables_of(path_of(key), len(LARGE_ITEM))),
                           *(record(STDIN, piece) for piece in pieces), record(STDIN))
                return talk.status()
        assert post_large() == 202
    finally:
        for talk in talks:
            talk.socket.close()
