"""Many senders at once, and whether all that they were promised is stored."""

import collections
import concurrent.futures
import http.client
import itertools
import json
import threading
import time

from . import openapi
from .client import JSON, Client, NoAnswer
from .wait import LIMIT_S, wait_for

Sent = collections.namedtuple("Sent", "number start seconds status answer")


class Load:
    """Senders that repeat a request on kept-alive connections until they are stopped.

    `sent` has one entry per request; status is None where no answer came.

    Apache's event MPM closes idle kept-alive connections when a child's threads are busy, maybe
    just when the next request is on its way. As every HTTP client does, that request is sent again
    on a new connection; without an answer there, it counts as unanswered.
    """

    def __init__(self, stack, path, senders=8, body=None, headers=JSON, timeout=30.0):
        self.stack, self.path, self.headers, self.timeout = stack, path, headers, timeout
        self.body = body or (lambda number: json.dumps(
            {"email": f"load-{number}@example.com", "number": number}).encode())
        openapi.document()  # else each sender reads it, and its connection is closed meanwhile
        self.numbers = itertools.count()
        self.sent = []
        self.stopping = threading.Event()
        self.pool = concurrent.futures.ThreadPoolExecutor(senders)
        self.senders = [self.pool.submit(self._run) for _ in range(senders)]

    def _run(self):
        with Client(self.stack.port, self.timeout) as client:
            reused = False
            while not self.stopping.is_set():
                number = next(self.numbers)
                start = time.monotonic()
                answer = self._send(client, number)
                if answer is None and self.stack.front.startswith("apache") and reused:
                    answer = self._send(client, number)
                reused = answer is not None
                seconds = time.monotonic() - start
                self.sent.append(Sent(number, start, seconds,
                                      answer.status if answer else None, answer))
                if answer is None:
                    time.sleep(0.01)

    def _send(self, client, number):
        try:
            return client.send(self.path, self.body(number), self.headers)
        except (NoAnswer, OSError, http.client.HTTPException):
            return None

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stop()

    def stop(self):
        self.stopping.set()
        for sender in self.senders:
            sender.result()
        self.pool.shutdown()

    def count(self, *statuses):
        return sum(1 for entry in list(self.sent) if entry.status in statuses)

    def wait(self, more, *statuses, timeout=LIMIT_S):
        """Waits for so many more answers with one of these statuses; says how it went in vain."""
        goal = self.count(*statuses) + more
        wait_for(lambda: self.count(*statuses) >= goal,
                 f"{more} more answers {statuses}", timeout)

    def accepted(self):
        """{id: number} of what was answered 202; each id once."""
        entries = [entry for entry in self.sent if entry.status == 202]
        ids = {entry.answer.json["id"]: entry.number for entry in entries}
        assert len(ids) == len(entries), "an id was given twice"
        return ids


def assert_staged_once(stack, key, load, exactly=True):
    """Every accepted id is staged once with the payload of its own request.

    With exactly, nothing else is staged; else the number of other rows is returned (requests that
    were answered with our own trouble may have been stored: delivery is at least once).
    """
    staged = stack.psql("select id, (payload->>'number')::bigint from sluice.signal_staging"
                        " where key_id = %s", key["id"])
    numbers = dict(staged)
    assert len(numbers) == len(staged), "an id is staged twice"
    accepted = load.accepted()
    lost = {signal: number for signal, number in accepted.items() if signal not in numbers}
    assert not lost, \
        f"{len(lost)} of {len(accepted)} accepted signals are not staged: {sorted(lost)[:5]}"
    mixed = [signal for signal, number in accepted.items() if numbers[signal] != number]
    assert not mixed, f"ids given to the wrong sender: {mixed[:5]}"
    if exactly:
        assert len(numbers) == len(accepted)
    return len(numbers) - len(accepted)
