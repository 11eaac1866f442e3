"""A relay between a client and a web server that keeps what passes: the requests as a library has
really written them, and the statuses it was answered with; and a client that runs on one."""

import bisect
import collections
import contextlib
import gzip
import http.client
import io
import itertools
import selectors
import socket
import subprocess
import threading
import time

from harness import ENVIRONMENT, PATIENCE

# headers: an email.message.Message; body: as it was before it was compressed; status: None as long
# as there is no answer, and of a lost answer what it said; at: when it began to come, by a clock
# of no meaning.
Request = collections.namedtuple("Request", "method target headers body status at",
                                 defaults=[None, None])


class Wire:
    """Relays `url` to the web server at `port`. The first `lost` answers that say 2xx do not get
    through: the client's connection is closed instead, as a network may do."""

    def __init__(self, port, lost=0):
        self.port, self.lost = port, lost
        self.connections = []  # of each: what was sent, and answered, as [(when, bytes)]
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.threads = [threading.Thread(target=self._accept)]
        self.threads[0].start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:  # closed
                return
            self.threads.append(threading.Thread(target=self._relay, args=(client,)))
            self.threads[-1].start()

    def _relay(self, client):
        sent, answered = [], []
        self.connections.append((sent, answered))
        with client, contextlib.suppress(OSError), \
                socket.create_connection(("127.0.0.1", self.port)) as server, \
                selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ, (server, sent))
            selector.register(server, selectors.EVENT_READ, (client, answered))
            while selector.get_map():
                for ready, _ in selector.select():
                    other, kept = ready.data
                    data = ready.fileobj.recv(1 << 16)
                    kept.append((time.monotonic(), data))
                    if other is client and self.lost and data.startswith(b"HTTP/1.1 2"):
                        self.lost -= 1
                        return
                    if data:
                        other.sendall(data)
                    else:
                        selector.unregister(ready.fileobj)
                        other.shutdown(socket.SHUT_WR)

    def close(self):
        """Only when the clients have ended: their connections are waited for."""
        with contextlib.suppress(OSError):  # closed already
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join()

    def requests(self):
        """Those that are complete by now, in the order in which they came."""
        found = []
        for sent, answered in list(self.connections):
            statuses = itertools.chain((status for status, _ in read_all(answered, read_status)),
                                       itertools.repeat(None))
            found += [request._replace(status=next(statuses), at=at)
                      for request, at in read_all(sent, read_request)]
        return sorted(found, key=lambda request: request.at)

    def statuses(self):
        return [request.status for request in self.requests()]


class Client:
    """A program that sends to {url}, which stands in its arguments or in the text it reads."""

    def __init__(self, stack, command, text="", environment=None, lost=0):
        self.wire = Wire(stack.port, lost)
        self.process = subprocess.Popen(
            [argument.replace("{url}", self.wire.url) for argument in command],
            env={**ENVIRONMENT, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1",
                 **(environment or {})}, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.process.stdin.write(text.replace("{url}", self.wire.url))
        self.process.stdin.close()
        self.process.stdin = None  # communicate() would flush it
        self.requests, self.statuses = self.wire.requests, self.wire.statuses

    def output(self):
        """What it printed, when it has ended well."""
        try:
            output, errors = self.process.communicate(timeout=60 * PATIENCE)
        finally:
            self.end()
        assert self.process.returncode == 0, (self.process.returncode, errors)
        return output

    def end(self):
        self.process.kill()
        self.process.communicate()
        self.wire.close()


class Stream(io.BytesIO):
    """In place of a socket and its file, which http.client closes after each message."""

    def makefile(self, *_):
        return self

    def close(self):
        pass


def read_all(pieces, read):
    """[(message, when it began)]: what `read` makes of each, up to the first that is not whole."""
    pieces, found = list(pieces), []
    ends = list(itertools.accumulate(len(data) for _, data in pieces))
    stream = Stream(b"".join(data for _, data in pieces))
    with contextlib.suppress(http.client.HTTPException, EOFError):
        while ends and stream.tell() < ends[-1]:
            at = pieces[bisect.bisect_right(ends, stream.tell())][0]
            found.append((read(stream), at))
    return found


def read_status(stream):
    answer = http.client.HTTPResponse(stream)
    answer.begin()
    answer.read()
    return answer.status


def read_request(stream):
    method, target, _ = exact_line(stream).split(" ")
    headers = http.client.parse_headers(stream)
    if headers.get("Transfer-Encoding", "").lower() == "chunked":
        body = b""
        while size := int(exact_line(stream).split(";")[0], 16):
            body += exactly(stream, size)
            exactly(stream, 2)
        http.client.parse_headers(stream)
    else:
        body = exactly(stream, int(headers.get("Content-Length", 0)))
    if headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    return Request(method, target, headers, body)


def exact_line(stream):
    line = stream.readline()
    if not line.endswith(b"\r\n"):
        raise EOFError
    return line[:-2].decode("latin-1")


def exactly(stream, size):
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data
