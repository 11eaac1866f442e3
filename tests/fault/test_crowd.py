"""Two thousand senders, and a table that is locked for a minute."""

import asyncio
import os
import time

import pytest

from backends import Backends
from crowd import Crowd
from harness import PATIENCE, path_of, percentile

pytestmark = pytest.mark.alone

FRONTS = os.environ.get("SLUICE_FRONTS", "lighttpd apache nginx").split()
SENDERS = 2000
LIMIT_S = 10  # a request's time, as shipped
LOCKED_S = {"lighttpd": 60}  # elsewhere longer than a request may take, and no more
WORKERS = 2
# How many requests are sent again, on another connection: Apache closes those that it has no thread
# for, each once at most, until it has added threads.
RESENT = {"apache": SENDERS}


@pytest.mark.parametrize("front", FRONTS)
def test_crowd_and_a_locked_table(make_stack, capsys, front):
    """Everybody is answered in time and told to come again, and nothing piles up in the database.
    Afterwards all is as before within a thirtieth of the minute."""
    stack = make_stack(front, workers=WORKERS)
    key, locked_s = stack.new_key(), LOCKED_S.get(front, LIMIT_S + 2)
    crowd = Crowd(stack, path_of(key), SENDERS, pause_s=1)

    async def lock(crowd):
        await crowd.until(lambda: len(crowd.answers) >= SENDERS, "all are connected")
        with stack.locked():
            crowd.since = time.monotonic()
            await crowd.until(lambda: time.monotonic() > crowd.since + locked_s, "it lasts")
        crowd.healed = time.monotonic()
        await crowd.until(lambda: crowd.accepted_since(crowd.healed) >= SENDERS // 2,
                          "requests are accepted again")
    with Backends(stack) as backends:
        asyncio.run(crowd.during(lock))
    refused = [each.seconds for each in crowd.answers
               if each.status == 503 and each.start > crowd.since + LIMIT_S / 2]
    again = min(each.start + each.seconds for each in crowd.answers if each.status == 202
                and each.start + each.seconds > crowd.healed) - crowd.healed
    with capsys.disabled():
        print(f" [{crowd.told()}, refused in {percentile(refused, 50) * 1000:.0f} ms, accepted"
              f" again after {again:.2f} s, {backends.most} backends]", end="", flush=True)
    assert set(crowd.counts()) == {202, 503} and crowd.resent() <= RESENT.get(front, 0), \
        "no request was dropped"
    assert max(each.seconds for each in crowd.answers) < LIMIT_S * PATIENCE
    assert again < max(60, locked_s) / 30 * PATIENCE
    assert backends.most <= WORKERS + 2
    assert stack.rows(key) == crowd.counts()[202]
