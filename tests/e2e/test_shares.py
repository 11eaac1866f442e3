"""Large requests are shared by key and organization: uploads that keep all children of a worker
cost others nothing, and what gives way is told to come again."""

import contextlib
import json

import pytest

from fastcgi_client import STDIN, Worker, begin, params, record, variables_of
from harness import NDJSON, SEED, Client, bulk_path, path_of, send, wait_for, \
    wait_until_equal

CHILDREN = 4
PATIENT = {"SLUICE_REQUEST_TIMEOUT": "60s", "SLUICE_BULK_TIMEOUT": "60s"}
LARGE = json.dumps([{"email": "a@example.com", "filler": "x" * 1000}] * 300).encode()
LINE = SEED + b"\n"


@pytest.fixture
def other_key(stack_of_its_own):
    stack_of_its_own.ctl("organization", "create", "Other")
    return stack_of_its_own.new_key(organization="Other")


class Idle:
    """An upload through the web server of which the first line comes, and then nothing."""

    def __init__(self, stack, key):
        self.client = Client(stack.port)
        self.connection = self.client.connection
        self.connection.putrequest("POST", bulk_path(key))
        self.connection.putheader("Content-Length", str(2 * len(LINE)))
        self.connection.putheader("Content-Type", NDJSON["Content-Type"])
        self.connection.endheaders()
        self.connection.send(LINE)

    def close(self):
        self.client.connection.close()

    def end(self):
        """The status of the answer after the rest has come; 0: the web server has closed."""
        with contextlib.suppress(ConnectionError):
            self.connection.send(LINE)
            answer = self.connection.getresponse()
            answer.read()
            return answer.status, answer.getheader("Retry-After")
        return 0, None


@pytest.mark.loop
@pytest.mark.shape(settings={"large_requests": CHILDREN})
def test_idle_uploads_of_one_key(stack_of_its_own, other_key):
    """They have all children; another organization sends imports and large bodies, and another key
    of the same one, too. Monitoring goes on."""
    stack = stack_of_its_own
    key, second = stack.new_key(), stack.new_key()
    with contextlib.ExitStack() as uploads:
        idle = []
        for _ in range(CHILDREN):
            idle.append(Idle(stack, key))
            uploads.callback(idle[-1].close)
        if stack.streams:
            wait_until_equal(lambda: len(stack.children()), CHILDREN, "they have all children")
        for each in (other_key, second):
            for path, body, form in ((bulk_path(each), LINE, NDJSON),
                                     (path_of(each, end="/batch"), LARGE, None)):
                answer = send(stack, path, body, *([form] if form else []))
                assert answer.status == 202, answer.body
        answer = send(stack, "/sluice/metrics", None, {}, "GET")
        assert answer.status == 200 and b"sluice_database_up 1\n" in answer.body
        ends = [upload.end() for upload in idle]
    accepted = [status for status, _ in ends].count(202)
    # One gives way, and another if the next request comes before the child of the last has ended.
    assert accepted >= (CHILDREN // 2 if stack.streams else CHILDREN), ends
    assert {status for status, _ in ends} <= {202, 503}, ends
    wait_until_equal(lambda: stack.rows(key), 2 * accepted, "each is stored whole or not at all")
    assert stack.rows(other_key) == stack.rows(second) == 301


ARRAY = b"[" + SEED + b"]"
BEGINNING, MORE = ARRAY[:-1], b"," + SEED
WHOLE_BYTES = len(BEGINNING + MORE + b"]")


def upload(talk, key, length=WHOLE_BYTES):
    talk.write(begin() + params(variables_of(bulk_path(key), length)) + record(STDIN, BEGINNING))


def end(talk):
    talk.write(record(STDIN, MORE + b"]") + record(STDIN))


@pytest.fixture
def worker(stack_of_its_own):
    with Worker(stack_of_its_own, more={**PATIENT, "SLUICE_LARGE_REQUESTS": str(CHILDREN)}) as made:
        yield made


@pytest.mark.first_front
class TestWorker:
    """By a worker of its own, whose answers no web server changes."""

    def fill(self, worker, talks, keys):
        """One after the other, so that it is known which is the youngest."""
        made = []
        for key in keys:
            made.append(talks.enter_context(worker.talk()))
            upload(made[-1], key)
            wait_for(made[-1].all_read, "it is read")
            wait_for(lambda key=key: worker.post(path_of(key), SEED) == 202, "the worker goes on")
        return made

    def test_the_youngest_of_the_key_gives_way(self, stack_of_its_own, other_key, worker):
        """It is answered 503; the others stay, and come to their end."""
        key = stack_of_its_own.new_key()
        with contextlib.ExitStack() as talks:
            first = self.fill(worker, talks, [key] * CHILDREN)
            assert worker.post(bulk_path(other_key), ARRAY) == 202
            assert [talk.is_answered() for talk in first] == [False] * 3 + [True]
            output, ended = first[3].read()
            assert ended and output.startswith(b"Status: 503 ")
            assert b"\r\nRetry-After: " in output and b'"code":"busy"' in output
            for talk in first[:3]:
                end(talk)
            assert [talk.status() for talk in first[:3]] == [202] * 3
        assert stack_of_its_own.rows(other_key) == 1

    def test_a_share_is_not_taken(self, stack_of_its_own, other_key, worker):
        """Two organizations have two each: neither takes another from the other, and a key that
        has most gets no more."""
        key = stack_of_its_own.new_key()
        with contextlib.ExitStack() as talks:
            first = self.fill(worker, talks, [key, key, other_key, other_key])
            assert worker.post(bulk_path(key), ARRAY) == 503
            assert worker.post(bulk_path(other_key), ARRAY) == 503
            assert not any(talk.is_answered() for talk in first)
            for talk in first:
                end(talk)
            assert [talk.status() for talk in first] == [202] * 4

    def test_a_sender_that_never_pauses_gives_way(self, stack_of_its_own, other_key, worker):
        """The child looks also when it need not wait for its sender."""
        key = stack_of_its_own.new_key()
        with contextlib.ExitStack() as talks:
            self.fill(worker, talks, [key] * (CHILDREN - 1))
            busy = talks.enter_context(worker.talk())
            upload(busy, key, 100_000_000)
            wait_for(busy.all_read, "it is read")
            newcomer = talks.enter_context(worker.talk())
            newcomer.write(begin() + params(variables_of(bulk_path(other_key), len(ARRAY)))
                           + record(STDIN, ARRAY) + record(STDIN))
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                while not newcomer.is_answered(0):
                    busy.write(record(STDIN, MORE * 100))
            assert newcomer.status() == 202
            assert busy.status() == 503
