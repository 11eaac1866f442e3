"""Workers and their children end, politely or not: what was accepted is answered and stored."""

import concurrent.futures
import contextlib
import os
import pathlib
import signal
import threading

import pytest

from fastcgi_client import STDIN, Worker, begin, params, record, variables_of
from harness import (FRONTS, LIMIT_S, NDJSON, SEED, WORKER_LOST, Load, accepted_id,
                     assert_staged_once, bulk_path, path_of, send, wait_for)

NOT_REPEATED = (501, 505)  # of 5xx: senders take them to be final
POLITE = [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1]


def replaced(stack, ended, others):
    """Waits until the supervisor has put another worker in the place of one."""
    def done():
        now = stack.workers()
        return ended not in now and set(others) < set(now) and len(now) == len(others) + 1
    wait_for(done, "the worker ends and is replaced")


def parent(pid):
    stat = pathlib.Path("/proc", str(pid), "stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("number", POLITE, ids=lambda number: number.name)
def test_polite_end_of_a_worker_under_load(make_stack, front, number):
    """The supervisor starts it again; no sender notices more than a retry."""
    stack = make_stack(front, workers=2)
    key = stack.new_key()
    with Load(stack, path_of(key), senders=32) as load:
        for _ in range(2):
            load.wait(200, 202)
            first, second = stack.workers()
            os.kill(first, number)
            replaced(stack, first, [second])
        load.wait(200, 202)
    assert {entry.status for entry in load.sent} == {202}, \
        "every request was answered, none with an error"
    assert_staged_once(stack, key, load)


@pytest.mark.parametrize("front", FRONTS)
def test_end_of_the_supervisor_under_load(make_stack, front):
    """The whole service is told to end: what was accepted is answered first."""
    stack = make_stack(front, workers=2)
    key = stack.new_key()
    with Load(stack, path_of(key), senders=32) as load:
        load.wait(300, 202)
        supervisor = parent(stack.workers()[0])
        os.kill(supervisor, signal.SIGTERM)
        wait_for(lambda: not stack.intake_processes(), "the workers end")
    assert_staged_once(stack, key, load)


@pytest.mark.parametrize("number", POLITE, ids=lambda number: number.name)
def test_worker_answers_what_it_accepted_and_exits_with_0(make_stack, number):
    """Requests in every stage of their lives when the signal comes."""
    stack = make_stack("lighttpd")
    key = stack.new_key()
    whole = begin() + params(variables_of(path_of(key), len(SEED))) + record(STDIN, SEED) \
        + record(STDIN)
    with Worker(stack) as worker:
        assert worker.post(path_of(key), SEED) == 202
        with stack.locked():  # the commit waits, so that requests are surely in flight
            talks = [worker.talk() for _ in range(12)]
            for talk in talks[:8]:
                talk.write(whole)
            for talk in talks[8:]:
                talk.write(whole[:-60])  # the body is still under way
            wait_for(stack.waiting_for_locks, "a group is in flight")
            wait_for(lambda: accepted_connections(worker) >= 12, "all are accepted")
            worker.process.send_signal(number)
            wait_for(lambda: not signal_is_pending(worker.process.pid, number),
                     "it has heard of it")
            for talk in talks[8:]:
                talk.write(whole[-60:])
        assert [talk.status() for talk in talks] == [202] * 12
        assert worker.process.wait(LIMIT_S) == 0, worker.log.read_text(errors="replace")
        for talk in talks:
            talk.socket.close()
    assert stack.rows(key) == 13


def signal_is_pending(pid, number):
    """Whether the process still has to be told; workers block signals except where they wait."""
    status = pathlib.Path("/proc", str(pid), "status").read_text()
    pending = (int(line.split()[1], 16) for line in status.splitlines()
               if line.startswith(("SigPnd:", "ShdPnd:")))
    return any(bits >> (number - 1) & 1 for bits in pending)


def accepted_connections(worker):
    """How many connections of its listening socket the worker holds."""
    inodes = set()
    for line in pathlib.Path("/proc/net/unix").read_text().splitlines()[1:]:
        fields = line.split()
        if len(fields) > 7 and fields[7] == str(worker.path) and fields[5] == "03":
            inodes.add(f"socket:[{fields[6]}]")
    folder = pathlib.Path("/proc", str(worker.process.pid), "fd")
    held = set()
    for entry in os.listdir(folder):
        with contextlib.suppress(OSError):
            held.add(os.readlink(folder / entry))
    return len(inodes & held)


def test_idle_worker_exits_soon(make_stack):
    stack = make_stack("lighttpd")
    key = stack.new_key()
    for number in POLITE:
        with Worker(stack) as worker:
            assert worker.post(path_of(key), SEED) == 202
            silent = worker.talk()  # a connection without a request must not keep it alive
            worker.process.send_signal(number)
            assert worker.process.wait(LIMIT_S) == 0
            silent.socket.close()


@pytest.mark.parametrize("front", FRONTS)
def test_killed_worker(make_stack, front):
    """kill -9 while a request waits for its commit: the web server tells the sender to repeat."""
    stack = make_stack(front)
    key = stack.new_key()
    accepted_id(send(stack, path_of(key)))
    with concurrent.futures.ThreadPoolExecutor(1) as pool, stack.locked():
        waiting = pool.submit(send, stack, path_of(key))
        wait_for(stack.waiting_for_locks, "its group is in flight")
        first, = stack.workers()
        os.kill(first, signal.SIGKILL)
        assert waiting.result().status == WORKER_LOST[front]
    replaced(stack, first, [])
    accepted_id(send(stack, path_of(key)))


@pytest.mark.parametrize("front", FRONTS)
def test_killed_worker_under_load(make_stack, front):
    """kill -9: senders see an error of the web server and repeat; nothing acknowledged is lost.

    Which error depends on how far the web server was with the request when its worker died.
    """
    stack = make_stack(front)
    key = stack.new_key()
    with Load(stack, path_of(key), senders=32) as load:
        for _ in range(2):
            load.wait(200, 202)
            first, = stack.workers()
            os.kill(first, signal.SIGKILL)
            replaced(stack, first, [])
        load.wait(200, 202)
    failed = [entry.status for entry in load.sent if entry.status != 202]
    assert [status for status in failed if not is_repeated(status)] == []
    extra = assert_staged_once(stack, key, load, exactly=False)
    assert extra <= len(failed)


def is_repeated(status):
    """Whether senders repeat what was answered so; None: it was not answered."""
    return status is not None and status >= 500 and status not in NOT_REPEATED


@pytest.mark.parametrize("front", FRONTS)
def test_killed_child_of_a_large_body(make_stack, front):
    """The sender hears of it as our own trouble; nothing is stored; the worker goes on."""
    stack = make_stack(front)
    key = stack.new_key()
    accepted_id(send(stack, path_of(key)))
    workers = stack.workers()
    body = b"\n".join(b'{"email":"a@example.com","filler":"%s"}' % (b"x" * 500)
                      for _ in range(150_000))
    answers = []
    sender = threading.Thread(target=lambda: answers.append(
        send(stack, bulk_path(key), body, NDJSON, timeout=120).status))
    sender.start()
    child = wait_for(stack.children, "a child reads the upload", step=0.002)[0]
    os.kill(child, signal.SIGKILL)
    sender.join()
    assert answers == [WORKER_LOST[front]]
    wait_for(lambda: not stack.children(), "the child is reaped")
    accepted_id(send(stack, path_of(key)))
    answer = send(stack, bulk_path(key), body[:1_000_000].rsplit(b"\n", 1)[0], NDJSON)
    assert answer.status == 202
    assert stack.rows(key) == 2 + answer.json["accepted"]
    assert stack.workers() == workers


@pytest.mark.parametrize("front", FRONTS)
def test_killed_backend_of_a_large_body(make_stack, front):
    """One transaction: an import whose connection is lost leaves nothing, and says 503."""
    stack = make_stack(front)
    key = stack.new_key()
    accepted_id(send(stack, path_of(key)))
    worker_backends = {pid for (pid,) in stack.psql(
        "select pid from pg_stat_activity where usename = 'sluice_intake'")}
    body = b"\n".join(b'{"email":"a@example.com","filler":"%s"}' % (b"x" * 500)
                      for _ in range(150_000))
    answers = []
    sender = threading.Thread(target=lambda: answers.append(
        send(stack, bulk_path(key), body, NDJSON, timeout=120)))
    sender.start()
    writing = ("select pid from pg_stat_activity where usename = 'sluice_intake'"
               " and xact_start is not null and backend_xid is not null and not pid = any(%s)")
    (pid,), *_ = wait_for(lambda: stack.psql(writing, list(worker_backends)),
                          "the child's transaction has begun", step=0.002)
    stack.psql("select pg_terminate_backend(%s)", pid)
    sender.join()
    assert answers[0].status == 503
    assert stack.rows(key) == 1
    accepted_id(send(stack, path_of(key)))
