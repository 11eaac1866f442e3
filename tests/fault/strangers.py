#!/usr/bin/python3
"""Connections of strangers, in a process of their own: strangers.py PORT KIND COUNT.

Says "ready" when all have come, goes on until its standard input ends, then tells how often what
happened to them. A connection that has ended is replaced after PAUSE_S.
"""

import asyncio
import collections
import contextlib
import json
import pathlib
import random
import subprocess
import sys

PAUSE_S = 5
DRIBBLE_S = 2
HEAD = ("POST /api/signal-staging/webhook/{key} HTTP/1.1\r\nHost: localhost\r\n"
        "Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n")


class Stranger:
    """What one of a kind sends: at once, and every two seconds after it."""

    def __init__(self, kind, made_up):
        self.dribble = b""
        if kind == "dribbling":  # a head that never ends
            self.start, self.dribble = b"POST /api/", b"x"
        else:  # a key with a right checksum that no database knows, before a body that never comes
            self.start = HEAD.format(key=made_up(), length=100_000).encode() + b"{"


async def stay(port, kind, made_up, seen, counts):
    while True:
        stranger = Stranger(kind, made_up)
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            counts["not connected"] += 1
            await asyncio.sleep(PAUSE_S)
            continue
        seen()
        try:
            writer.write(stranger.start)
            reading = asyncio.ensure_future(reader.read(4096))
            while not (await asyncio.wait([reading], timeout=DRIBBLE_S))[0]:
                writer.write(stranger.dribble)
            data = reading.result()
            counts[data[9:12].decode() or "closed"] += 1
        except OSError:
            counts["closed"] += 1
        finally:
            writer.close()
        await asyncio.sleep(random.uniform(0.5, 1.5) * PAUSE_S)


async def main(port, kind, count):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e" / "harness"))
    from credentials import sound_key
    counts = collections.Counter()
    connected = asyncio.Semaphore(0)
    tasks = []
    for _ in range(count):
        tasks.append(asyncio.create_task(
            stay(port, kind, sound_key, connected.release, counts)))
        if len(tasks) % 50 == 0:
            await asyncio.sleep(0.05)  # in groups that a listening socket's queue holds
    for _ in range(count):
        await connected.acquire()
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for task in tasks:
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks, return_exceptions=True)
    print(json.dumps(counts))


class Strangers:
    """So many of a kind, until the with statement is left; counts tells what became of them."""

    def __init__(self, port, kind, count):
        self.command = [sys.executable, "-B", __file__, str(port), kind, str(count)]
        self.counts = {}

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, text=True,
                                        stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *unused):
        told, _ = self.process.communicate()
        self.counts = json.loads(told.splitlines()[-1])


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
