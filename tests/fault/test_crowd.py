"""Two thousand senders, and a table that is locked."""

import asyncio
import collections
import json
import time

from harness import PATIENCE, path_of, percentile

SENDERS = 2000
LOCKED_S = 12  # longer than a request may take
LIMIT_S = 10  # a request's time, as shipped


class Crowd:
    """Kept connections, each with one request after the other until `ending` is set."""

    def __init__(self, port, path):
        self.port, self.path = port, path
        self.answers = []  # (start, seconds, status); None: no answer
        self.ending = False

    async def sender(self, number):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        body = json.dumps({"email": f"{number}@example.com", "number": number}).encode()
        head = (f"POST {self.path} HTTP/1.1\r\nHost: localhost\r\n"
                "Content-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n").encode()
        try:
            while not self.ending:
                start = time.monotonic()
                writer.write(head + body)
                status, closes = await self.answer(reader)
                self.answers.append((start, time.monotonic() - start, status))
                if closes or status is None:
                    writer.close()
                    reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                await asyncio.sleep(1)
        finally:
            writer.close()

    @staticmethod
    async def answer(reader):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.partition("content-length: ")[2].split()[0])
            await reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None, True
        status = int(head.split()[1])
        assert status == 202 or "retry-after: " in head, head
        return status, "connection: close" in head

    async def run(self, locked):
        senders = [asyncio.create_task(self.sender(number)) for number in range(SENDERS)]
        await self.until(lambda: len(self.answers) >= SENDERS)
        with locked():
            self.since = time.monotonic()
            await self.until(lambda: time.monotonic() > self.since + LOCKED_S)
        self.healed = time.monotonic()
        await self.until(lambda: sum(start > self.healed and status == 202
                                     for start, _, status in self.answers) >= SENDERS // 2)
        self.ending = True
        await asyncio.gather(*senders)

    @staticmethod
    async def until(condition):
        end = time.monotonic() + 120
        while not condition():
            assert time.monotonic() < end
            await asyncio.sleep(0.05)


def test_crowd_and_a_locked_table(make_stack, capsys):
    stack = make_stack("lighttpd")
    key = stack.new_key()
    crowd = Crowd(stack.port, path_of(key))
    asyncio.run(crowd.run(stack.locked))
    counts = collections.Counter(status for _, _, status in crowd.answers)
    refused = [seconds for start, seconds, status in crowd.answers
               if status == 503 and start > crowd.since + LIMIT_S / 2]
    longest = max(seconds for _, seconds, _ in crowd.answers)
    with capsys.disabled():
        print(f" [{dict(counts)}, longest {longest:.2f} s, refused in"
              f" {percentile(refused, 50) * 1000:.0f} ms]", end="", flush=True)
    assert set(counts) == {202, 503}, "no request was dropped"
    assert longest < LIMIT_S * PATIENCE
    assert stack.rows(key) == counts[202]
