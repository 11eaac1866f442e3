"""FastCGI connections that are kept between requests: for whom, for how long, and never for a
forged request."""

import contextlib
import os
import signal

import pytest

from fastcgi_client import (ABORT, KEEP_CONNECTION, PARAMS, STDIN, UNKNOWN_TYPE, Worker, begin,
                            params, record, variables_of)
from test_metrics import metrics_of

from harness import (LIMIT_S, SEED, Load, accepted_id, assert_problem,
                     assert_staged_once, bulk_path, path_of, send, sound_key, wait_for)

KEPT_BY = {"nginx", "apache"}  # the fronts that keep connections to the workers


def request(path, body, number=1, flags=KEEP_CONNECTION):
    return (begin(flags, number) + params(variables_of(path, len(body)), number)
            + (record(STDIN, body, number) if body else b"") + record(STDIN, request=number))


def forged(key, number=1):
    head = begin(KEEP_CONNECTION, number) + params(
        variables_of(path_of(key, "forged"), len(SEED), ("REMOTE_USER", "admin")), number)
    return head + record(STDIN, SEED, number) + record(STDIN, request=number)


class TestConversations:
    """Without a web server in between."""

    pytestmark = pytest.mark.first_front

    @pytest.fixture(scope="class")
    def worker(self, stack):
        with Worker(stack, more={"SLUICE_KEPT_IDLE": "60s"}) as made:
            yield made

    def test_requests_follow_each_other_on_one_connection(self, stack, worker, key):
        """Whatever they are answered, as long as they have been read to their end."""
        with worker.talk() as talk:
            for number, (path, body, status) in enumerate(
                    [(path_of(key), SEED, 202), (path_of(key), b"{", 400), (path_of(key), b"", 400),
                     (path_of({"key": sound_key()}), SEED, 401), ("/api/nothing", SEED, 404),
                     (path_of(key), SEED, 202)] * 3, 1):
                talk.write(request(path, body, number % 3 + 1))
                assert talk.answer() == (status, True), f"request {number}"
        assert stack.rows(key) == 6

    def test_without_the_flag_it_is_closed(self, worker, key):
        with worker.talk() as talk:
            talk.write(request(path_of(key), SEED, flags=0))
            assert talk.status() == 202, "and then it is closed"

    @pytest.mark.parametrize("case", ["begin", "begin-2", "abort", "abort-2", "end", "params",
                                      "byte", "nonsense"])
    def test_what_follows_a_request_is_not_run(self, stack, worker, key, case):
        """A second request, of the same or of another number, with the first or behind it."""
        behind = {"begin": forged(key), "begin-2": forged(key, 2),
                  "abort": record(ABORT), "abort-2": record(ABORT, request=2),
                  "end": record(STDIN), "params": record(PARAMS), "byte": b"\x01",
                  "nonsense": b"GET / HTTP/1.0\r\n\r\n"}[case]
        with worker.talk() as talk:
            talk.write(request(path_of(key), SEED) + behind)
            assert talk.answer() == (202, False)
            assert talk.last == [UNKNOWN_TYPE], "nginx is told not to use it again"
            assert talk.status() == 0
        assert stack.rows(key) == 1

    @pytest.mark.parametrize("case", ["abort", "end", "params", "body", "nonsense", "begin-cut"])
    def test_what_is_no_request_ends_an_idle_connection(self, stack, worker, key, case):
        between = {"abort": record(ABORT), "end": record(STDIN), "params": record(PARAMS),
                   "body": record(STDIN, SEED), "nonsense": b"POST / HTTP/1.1\r\n\r\n",
                   "begin-cut": begin(KEEP_CONNECTION)[:10]}[case]
        with worker.talk() as talk:
            talk.write(request(path_of(key), SEED))
            assert talk.answer() == (202, True)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                talk.write(between + forged(key))
            assert talk.status() == 0
        assert worker.post(path_of(key), SEED) == 202
        assert stack.rows(key) == 2

    @pytest.mark.parametrize("case", ["other-number", "abort", "begin"])
    def test_a_broken_body_ends_the_connection(self, stack, worker, key, case):
        """Records of another request, and an abort, in the middle of a body."""
        middle = {"other-number": record(STDIN, SEED, 2), "abort": record(ABORT),
                  "begin": forged(key, 2)}[case]
        head = begin(KEEP_CONNECTION) + params(variables_of(path_of(key), len(SEED)))
        with worker.talk() as talk:
            talk.write(head + record(STDIN, SEED[:9]) + middle + record(STDIN, SEED[9:])
                       + record(STDIN) + forged(key))
            assert talk.answer() == (400, False)
            assert talk.status() == 0
        assert stack.rows(key) == 0

    @pytest.mark.parametrize("path", [path_of, bulk_path])
    def test_a_child_keeps_nothing(self, stack, worker, key, path):
        """A bulk import, and a body that is large."""
        body = b"[" + SEED + b"]"
        if path is path_of:
            body = SEED[:-1] + b',"filler":"%s"}' % (b"x" * 400_000)
        pieces = [record(STDIN, body[n:n + 60_000]) for n in range(0, len(body), 60_000)]
        with worker.talk() as talk:
            talk.write(begin(KEEP_CONNECTION) + params(variables_of(path(key), len(body))),
                       *pieces, record(STDIN))
            assert talk.answer() == (202, False)
            assert talk.last == [UNKNOWN_TYPE]
            assert talk.status() == 0
        assert stack.rows(key) == 1

    def test_idle_ones_hold_no_slot(self, stack, key):
        """A worker that serves two requests at a time keeps a hundred connections."""
        with Worker(stack, more={"SLUICE_REQUESTS_IN_FLIGHT": "2", "SLUICE_KEPT_IDLE": "60s",
                                 "SLUICE_GROUP_REQUESTS": "2"}) as worker, \
                contextlib.ExitStack() as all_of_them:
            talks = []
            for _ in range(100):
                talk = all_of_them.enter_context(worker.talk())
                talks.append(talk)
                talk.write(request(path_of(key), SEED))
                assert talk.answer() == (202, True)
            assert worker.post(path_of(key), SEED) == 202
            for talk in talks:  # all at once: those without a slot wait for one
                talk.write(request(path_of(key), SEED))
            assert worker.post(path_of(key), SEED) == 202
            assert [talk.answer() for talk in talks] == [(202, True)] * 100
        assert stack.rows(key) == 202

    def test_so_many_and_no_more(self, stack, key):
        with Worker(stack, more={"SLUICE_KEPT_CONNECTIONS": "2", "SLUICE_KEPT_IDLE": "60s"}) \
                as worker, contextlib.ExitStack() as all_of_them:
            talks = [all_of_them.enter_context(worker.talk()) for _ in range(3)]
            kept = []
            for talk in talks:
                talk.write(request(path_of(key), SEED))
                kept.append(talk.answer())
            assert kept == [(202, True), (202, True), (202, False)]
            assert talks[2].last == [UNKNOWN_TYPE]

    def test_idle_ones_are_closed_in_time(self, stack, key):
        with Worker(stack, more={"SLUICE_KEPT_IDLE": "100ms"}) as worker, worker.talk() as talk:
            talk.write(request(path_of(key), SEED))
            assert talk.answer() == (202, True)
            assert talk.status() == 0
            assert worker.process.poll() is None

    def test_a_worker_that_ends_answers_on_idle_connections(self, stack, key):
        """And takes new ones meanwhile; it ends when they have been idle for too long."""
        with Worker(stack, more={"SLUICE_KEPT_IDLE": "3s"}) as worker, \
                worker.talk() as first, worker.talk() as second:
            for talk in (first, second):
                talk.write(request(path_of(key), SEED))
                assert talk.answer() == (202, True)
            worker.process.send_signal(signal.SIGTERM)
            first.write(request(path_of(key), SEED))
            assert first.answer() == (202, False)
            assert first.last == [UNKNOWN_TYPE]
            assert worker.post(path_of(key), SEED) == 202
            assert worker.process.poll() is None
            assert second.status() == 0, "idle for too long"
            assert worker.process.wait(LIMIT_S) == 0
        assert stack.rows(key) == 4


@pytest.mark.each_front
class TestFronts:
    """Through the web servers as shipped."""

    def test_whether_connections_are_kept(self, stack, key):
        before = metrics_of(stack)["sluice_kept_answers_total", None]
        accepted_id(send(stack, path_of(key)))
        after = metrics_of(stack)["sluice_kept_answers_total", None]
        assert (after > before) == (stack.front in KEPT_BY)

    def test_forged_records_in_a_body_are_not_run(self, stack, keys, key):
        """In bodies that are refused, read, or too large, between requests that are served."""
        bodies = [(forged(key), 400), (forged(key, 2), 400), (record(STDIN) + forged(key), 400),
                  (record(ABORT) + forged(key), 400), (forged(key) * 3000, 413)]
        for body, status in bodies:
            assert_problem(send(stack, path_of({"key": sound_key()}), body), 401)
            assert_problem(send(stack, path_of(keys["product"]), body), 403)
            assert_problem(send(stack, path_of(key), body), status)
            accepted_id(send(stack, path_of(key)))
        assert stack.rows(key) == len(bodies)

    @pytest.mark.loop
    def test_a_worker_ends_under_load(self, stack):
        """No sender notices, even with one worker alone: nobody closes a connection on which a
        request may come, and new ones are taken meanwhile."""
        key = stack.new_key()
        with Load(stack, path_of(key), senders=16) as load:
            for _ in range(4):
                load.wait(100, 202)
                worker, = stack.workers()
                os.kill(worker, signal.SIGTERM)
                wait_for(lambda worker=worker: len(stack.workers()) == 1
                         and worker not in stack.workers(), "another one is in its place")
            load.wait(100, 202)
        assert {entry.status for entry in load.sent} == {202}
        assert_staged_once(stack, key, load)
