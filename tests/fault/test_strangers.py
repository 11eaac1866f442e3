"""Two thousand connections of strangers: what they make honest senders wait."""

import collections
import concurrent.futures
import contextlib
import http.client
import json
import os
import time

import pytest

from harness import JSON, median, path_of, percentile
from strangers import Strangers

pytestmark = pytest.mark.alone

CROWD = 2000
SENDERS, REQUESTS, RATE = 20, 40, 10  # of each sender, a second
ROUNDS = 3
FRONTS = os.environ.get("SLUICE_FRONTS", "lighttpd apache nginx").split()
TIMES = 5  # how much longer the slowest in a hundred may take


class Senders:
    """Honest ones on kept connections, each at its rate."""

    def __init__(self, port, path):
        self.port, self.path = port, path
        self.statuses = collections.Counter()

    def run(self):
        """How long each request took."""
        with concurrent.futures.ThreadPoolExecutor(SENDERS) as pool:
            return [seconds for each in pool.map(self.send, range(SENDERS)) for seconds in each]

    def send(self, number):
        took = []
        body = json.dumps({"email": f"{number}@example.com"}).encode()
        due = time.monotonic() + number / SENDERS / RATE
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port,
                                                           timeout=60)) as client:
            for _ in range(REQUESTS):
                time.sleep(max(0, due - time.monotonic()))
                due += 1 / RATE
                start = time.monotonic()
                self.statuses[self.status(client, body) or self.status(client, body)] += 1
                took.append(time.monotonic() - start)
        return took

    def status(self, client, body):
        """None: the kept connection was closed, maybe when the request was on its way."""
        try:
            client.request("POST", self.path, body, JSON)
            response = client.getresponse()
            response.read()
            return response.status
        except (OSError, http.client.HTTPException):
            client.close()
            return None


@pytest.mark.parametrize("kind", ["dribbling", "made-up-key"])
@pytest.mark.parametrize("front", FRONTS)
def test_strangers(make_stack, capsys, front, kind):
    """Quiet and crowded rounds by turns, by their 99th percentiles. What a crowd does, it does in
    each round; what else delays eight requests of 800, a flush of the disk, in one."""
    stack = make_stack(front)
    senders = Senders(stack.port, path_of(stack.new_key()))
    senders.run()
    quiet, crowded, counts = [], [], collections.Counter()
    for _ in range(ROUNDS):
        quiet.append(percentile(senders.run(), 99))
        with Strangers(stack.port, kind, CROWD) as strangers:
            crowded.append(percentile(senders.run(), 99))
        counts.update(strangers.counts)
    with capsys.disabled():
        print(f" [quiet {median(quiet) * 1000:.1f} ms, crowded {min(crowded) * 1000:.1f} ms,"
              f" {dict(senders.statuses)}, strangers {dict(counts)}]", end="", flush=True)
    assert set(senders.statuses) == {202}
    assert min(crowded) < TIMES * median(quiet)
