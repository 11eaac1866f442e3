"""So many senders on kept connections, each with one request after the other."""

import asyncio
import collections
import json
import time

# How long one that could not connect waits, or whose connection was closed without an answer.
PAUSE_S = 0.2

# status: None without an answer; resent: its kept connection had been closed, so that it was sent
# again, as every client does.
Answered = collections.namedtuple("Answered", "start seconds status resent")


class Crowd:
    """answers has what became of each request, until `ending` is set; pause_s is how long each
    sender thinks before its next one."""

    def __init__(self, stack, path, senders, pause_s=0, body=None):
        self.port, self.path, self.pause_s = stack.port, path, pause_s
        self.senders = senders
        self.body = body or (lambda number: json.dumps(
            {"email": f"{number}@example.com", "number": number}).encode())
        self.answers = []
        self.ending = False

    async def sender(self, number):
        body = self.body(number)
        request = (f"POST {self.path} HTTP/1.1\r\nHost: localhost\r\n"
                   "Content-Type: application/json\r\n"
                   f"Content-Length: {len(body)}\r\n\r\n").encode() + body
        streams = None
        while not self.ending:
            start, kept = time.monotonic(), streams is not None
            status, streams = await self.send(request, streams)
            resent = status is None and kept
            if resent:
                status, streams = await self.send(request, None)
            self.answers.append(Answered(start, time.monotonic() - start, status, resent))
            await asyncio.sleep(self.pause_s if status else PAUSE_S)
        if streams:
            streams[1].close()

    async def send(self, request, streams):
        """(the answer's status, the connection if it is kept)."""
        try:
            reader, writer = streams or await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return None, None
        try:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            await self.read_body(reader, head)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            return None, None
        status = int(head.split()[1])
        assert status == 202 or "retry-after: " in head, head
        if "connection: close" in head:
            writer.close()
            return status, None
        return status, (reader, writer)

    @staticmethod
    async def read_body(reader, head):
        if "transfer-encoding: chunked" not in head:
            await reader.readexactly(int(head.partition("content-length: ")[2].split()[0]))
            return
        while (length := int(await reader.readuntil(b"\r\n"), 16)) > 0:
            await reader.readexactly(length + 2)
        await reader.readexactly(2)

    async def during(self, what):
        """Sends while what(self), which awaits the conditions that it is about."""
        async with asyncio.TaskGroup() as senders:
            for number in range(self.senders):
                senders.create_task(self.sender(number))
            await what(self)
            self.ending = True

    async def until(self, condition, what):
        end = time.monotonic() + 180
        while not condition():
            assert time.monotonic() < end, f"waited in vain: {what}; {self.counts()}"
            await asyncio.sleep(0.05)

    def accepted_since(self, moment):
        return sum(each.start >= moment and each.status == 202 for each in self.answers)

    def counts(self):
        return collections.Counter(each.status for each in self.answers)

    def resent(self):
        return sum(each.resent for each in self.answers)

    def told(self):
        return (f"{dict(self.counts())}, {self.resent()} resent,"
                f" longest {max(each.seconds for each in self.answers):.2f} s")
