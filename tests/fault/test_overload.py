"""More than can be served at once: the rest is told to come again, and nobody is dropped."""

import asyncio
import json
import os

import pytest

from crowd import Crowd
from harness import path_of

pytestmark = pytest.mark.alone

FRONTS = os.environ.get("SLUICE_FRONTS", "lighttpd apache nginx").split()
SENDERS = 1000  # eight times what saturates a web server: see tests/bench/overload
EACH = 10  # requests of each sender
LARGE_SENDERS, LARGE_BYTES = 64, 300 << 10  # more than large_requests, and than large_body


@pytest.mark.parametrize("front", FRONTS)
def test_more_connections_than_saturate(make_stack, capsys, front):
    """As shipped, from one moment to the next: no connection is closed while its sender waits."""
    stack = make_stack(front)
    key = stack.new_key()
    crowd = Crowd(stack, path_of(key), SENDERS)

    async def overload(crowd):
        await crowd.until(lambda: len(crowd.answers) >= EACH * SENDERS, "all are answered")
    asyncio.run(crowd.during(overload))
    with capsys.disabled():
        print(f" [{crowd.told()}]", end="", flush=True)
    assert set(crowd.counts()) <= {202, 503}
    assert crowd.resent() == 0
    assert stack.rows(key) == crowd.counts()[202]


@pytest.mark.parametrize("front", FRONTS)
def test_more_large_requests_than_children(make_stack, capsys, front):
    """Each is stored whole or told 503 and when to come again, on the connection that it came by.
    Small ones go on beside them."""
    stack = make_stack(front)
    large, small = stack.new_key(), stack.new_key()
    item = json.dumps({"email": "a@example.com", "filler": 100 * "x"})
    items = LARGE_BYTES // len(item)
    body = f"[{','.join(items * [item])}]".encode()
    crowd = Crowd(stack, path_of(large, end="/batch"), LARGE_SENDERS, body=lambda _: body)
    others = Crowd(stack, path_of(small), 8)

    async def overload(crowd):
        await crowd.until(lambda: crowd.counts()[503] >= LARGE_SENDERS
                          and crowd.counts()[202] >= LARGE_SENDERS, "some are refused, some stored")

    async def both(others):
        await crowd.during(overload)
        await others.until(lambda: others.counts()[202] >= LARGE_SENDERS, "they go on")
    asyncio.run(others.during(both))
    with capsys.disabled():
        print(f" [{crowd.told()}; small: {others.told()}]", end="", flush=True)
    assert set(crowd.counts()) == {202, 503} and set(others.counts()) == {202}
    assert crowd.resent() == others.resent() == 0
    assert stack.rows(large) == items * crowd.counts()[202]
    assert stack.rows(small) == others.counts()[202]
