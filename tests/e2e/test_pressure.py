"""Requests that could take time, connections or children from others, against a worker of its own."""

import contextlib
import select
import threading
import time

import pytest

from fastcgi_client import STDIN, Worker, begin, params, record, variables_of
from harness import FRONTS, PATIENCE, SEED, Stack, bulk_path, path_of, sound_key, wait_for

ITEMS = 5000
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
    """A group is limited in rows too: all these in one would pass the time for a statement."""
    stack, worker, _ = tight
    key = stack.new_key(name="rows")
    path = path_of(key, end="/batch")
    answers = in_parallel(*[lambda: worker.post(path, SMALL_ITEMS)] * 24)
    assert set(answers) <= {202, 503}
    # Those who could not be served in time were told so before anything of theirs was sent.
    assert answers.count(202) >= 12
    assert stack.rows(key) == ITEMS * answers.count(202)


def test_late_member_fails_alone(tight):
    """Who comes with its last milliseconds to the group may fail, but nobody else with it."""
    _, worker, key = tight
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
    assert last <= {202, 408, 503}
    assert set.union(*others) == {202}


def test_untaken_answers_delay_nobody(tight):
    """An answer larger than any socket's buffer waits for its reader alone."""
    _, worker, key = tight
    path = path_of(key, end="/batch")
    talks = [worker.talk() for _ in range(4)]
    try:
        for talk in talks:
            talk.write(begin() + params(variables_of(path, len(SMALL_ITEMS)))
                       + record(STDIN, SMALL_ITEMS) + record(STDIN))
        until = time.monotonic() + 2 * PATIENCE
        slowest = 0.0
        while time.monotonic() < until:
            start = time.monotonic()
            assert worker.post(path_of(key), SEED) == 202
            slowest = max(slowest, time.monotonic() - start)
        assert slowest < 4  # an answer nobody takes is given up after five
        # It is whole when it is read after all.
        output, ended = talks[0].read()
        assert ended and output.count(b'"index":') == ITEMS
    finally:
        for talk in talks:
            talk.socket.close()


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
    _, worker, key = tight
    talks = [worker.talk() for _ in range(3)]
    try:
        for talk in talks:
            talk.write(begin() + params(variables_of(path({"key": sound_key()}), 900_000))
                       + record(STDIN, b"[" * 1000))
        assert worker.post(path_of(key), SEED) == 202
        pieces = [LARGE_ITEM[n:n + 60_000] for n in range(0, len(LARGE_ITEM), 60_000)]

        def post_large():
            with worker.talk() as talk:
                talk.write(begin() + params(variables_of(path_of(key), len(LARGE_ITEM))),
                           *(record(STDIN, piece) for piece in pieces), record(STDIN))
                return talk.status()
        # The child of the test before may not have been buried yet.
        wait_for(lambda: post_large() == 202, "a child", timeout=1)
    finally:
        for talk in talks:
            talk.socket.close()
