"""One oracle for all faults: numbered signals, half of them with ids that are repeated until they
are accepted; afterwards what was promised is held against what is stored."""

import collections
import contextlib
import http.client
import json
import threading
import time

from harness import JSON, PATIENCE, assert_problem, path_of, percentile, wait_for
from harness.client import Answer

Attempt = collections.namedtuple("Attempt", "number start seconds answer")

UNKNOWN = "outcome_unknown"  # the one problem after which something may be stored
PAUSE_S = 0.05  # before a signal is repeated, or the next one is sent after a failure


class Oracle:
    """Senders on kept connections, until it is left.

    An even number is a signal with an id, which its sender repeats until it is accepted; an odd one
    is sent once. send(number, body) may take the place of HTTP.
    """

    def __init__(self, stack, key, limit_s, senders=16, send=None):
        self.stack, self.key, self.limit_s = stack, key, limit_s * PATIENCE
        self.given_send = send
        self.psql = stack.psql  # of the server that has the rows in the end
        self.attempts, self.lock = [], threading.Lock()
        self.next_number = 0
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(senders)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *unused):
        self.stop()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def run(self):
        with contextlib.closing(http.client.HTTPConnection(
                "127.0.0.1", self.stack.port, timeout=3 * self.limit_s)) as client:
            while not self.stopping.is_set():
                with self.lock:
                    number, self.next_number = self.next_number, self.next_number + 1
                self.deliver(client, number)

    def deliver(self, client, number):
        """Until it is accepted, if it has an id."""
        while not self.attempt(client, number) and number % 2 == 0 and not self.stopping.is_set():
            time.sleep(PAUSE_S)

    def endure(self, fault, seconds, accepted):
        """Senders go on while the fault lasts, and until so many are accepted after it. Returns
        when the first was refused, and when the fault was over."""
        wait_for(lambda: self.count(202) >= accepted, "the load is accepted")
        with fault:
            since = time.monotonic()
            wait_for(lambda: self.count(503, since), "one is refused")
            first = time.monotonic()
            wait_for(lambda: time.monotonic() > since + seconds, "it lasts")
        healed = time.monotonic()
        wait_for(lambda: self.count(202, healed) >= accepted, "requests are accepted again")
        return first, healed

    def attempt(self, client, number):
        signal = {"email": f"{number}@example.com", "number": number}
        if number % 2 == 0:
            signal["messageId"] = f"fault-{number}"
        start = time.monotonic()
        answer = self.send(client, number, json.dumps(signal).encode())
        self.attempts.append(Attempt(number, start, time.monotonic() - start, answer))
        accepted = answer is not None and answer.status == 202
        if not accepted:
            time.sleep(PAUSE_S)
        return accepted

    def send(self, client, number, body):
        if self.given_send:
            return self.given_send(number, body)
        for again in (True, False):
            try:
                client.request("POST", path_of(self.key), body, JSON)
                response = client.getresponse()
                return Answer(response.status, response.getheaders(), response.read())
            except (OSError, http.client.HTTPException):
                client.close()
                # Of a kept connection that the front has just closed, as every client does.
                if not again:
                    return None
        return None

    def count(self, status, since=0.0):
        return sum(1 for each in list(self.attempts)
                   if each.start >= since and each.answer and each.answer.status == status)

    def refused_in(self, since, until):
        """How long the answers took of what was sent in that time: all but a few, which probe the
        database."""
        return percentile([each.seconds for each in list(self.attempts)
                           if since <= each.start < until], 95)

    def assert_shed(self, first, healed):
        """Requests were refused at once when the first had waited for the database in vain, but for
        those that probe it, and accepted when it answered again: sooner than that first one was
        given up. Returns it in words."""
        waited = max(each.seconds for each in self.attempts if each.start < first)
        refused = self.refused_in(first + waited / 2, healed)
        again = min(each.start + each.seconds for each in self.attempts if each.answer
                    and each.answer.status == 202 and each.start + each.seconds > healed) - healed
        told = (f"given up after {waited:.2f} s, refused in {refused * 1000:.0f} ms,"
                f" accepted again after {again:.2f} s")
        assert refused < waited / 4, told
        assert again < waited, told
        return told

    def check(self, unanswered=0):
        """Nothing lost, doubled, mixed up, late, its sender's fault or stored against our word."""
        rows = self.psql("select id, (payload->>'number')::bigint from sluice.signal_staging"
                         " where key_id = %s and payload ? 'number'", self.key["id"])
        stored = collections.Counter(number for _, number in rows)
        numbers = dict(rows)
        lost, wrong, doubled, promised = [], [], [], []
        silent = [each for each in self.attempts if each.answer is None]
        by_number = collections.defaultdict(list)
        for each in self.attempts:
            by_number[each.number].append(each)
        for number, attempts in by_number.items():
            answers = [each.answer for each in attempts]
            accepted = [answer for answer in answers if answer and answer.status == 202]
            if accepted and not stored[number]:
                lost.append(number)
            if accepted and numbers.get(accepted[0].json["id"]) != number:
                wrong.append(number)
            if stored[number] > 1:
                doubled.append(number)
            may_be = accepted or any(answer is None or answer.code == UNKNOWN
                                     for answer in answers)
            if stored[number] and not may_be:
                promised.append(number)
        assert not lost, f"accepted and not stored: {lost[:5]}"
        assert not wrong, f"another signal's id: {wrong[:5]}"
        assert not doubled, f"stored twice: {doubled[:5]}"
        assert not promised, f"stored, though the answer said it was not: {promised[:5]}"
        assert len(silent) <= unanswered, f"{len(silent)} were not answered"
        for each in self.attempts:
            if each.answer and each.answer.status != 202:
                assert_problem(each.answer, 503)
        late = [each for each in self.attempts if each.seconds > self.limit_s]
        assert not late, f"{len(late)} took over {self.limit_s} s: {max(e.seconds for e in late)}"

    def report(self, capsys, more=""):
        codes = collections.Counter("202" if each.answer and each.answer.status == 202 else
                                    each.answer.code if each.answer else "unanswered"
                                    for each in self.attempts)
        longest = max(each.seconds for each in self.attempts)
        with capsys.disabled():
            print(f" [{dict(codes)}, longest {longest:.2f} s{more}]", end="", flush=True)
