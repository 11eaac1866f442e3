"""A FastCGI client of a few lines and a worker of its own to talk to, without a web server.

It says what a web server would not: records in odd pieces, bodies that end early, forged records.
"""

import contextlib
import fcntl
import os
import pathlib
import select
import socket
import struct
import subprocess
import tempfile
import termios

from harness import ENVIRONMENT, PATIENCE

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR, GET_VALUES = 1, 2, 3, 4, 5, 6, 7, 9
UNKNOWN_TYPE = 11
KEEP_CONNECTION = 1


RECORD_MAX = 0xffff


def record(kind, content=b"", request=1):
    return struct.pack("!BBHHBx", 1, kind, request, len(content), 0) + content


def begin(flags=0, request=1):
    return record(BEGIN, struct.pack("!HB5x", 1, flags), request)


def pair(name, value):
    def length(n):
        return struct.pack("!B", n) if n < 128 else struct.pack("!I", n | 1 << 31)
    name, value = name.encode(), value.encode("latin-1")
    return length(len(name)) + length(len(value)) + name + value


def params(variables, request=1):
    content = b"".join(pair(name, value) for name, value in variables)
    pieces = range(0, len(content), RECORD_MAX)
    return b"".join(record(PARAMS, content[n:n + RECORD_MAX], request) for n in pieces) \
        + record(PARAMS, request=request)


def variables_of(path, length, *more, method="POST"):
    variables = [("REQUEST_METHOD", method), ("REQUEST_URI", path), ("SCRIPT_NAME", path),
                 ("SERVER_PROTOCOL", "HTTP/1.1"), ("GATEWAY_INTERFACE", "CGI/1.1"),
                 ("CONTENT_TYPE", "application/json")]
    if length is not None:
        variables.append(("CONTENT_LENGTH", str(length)))
    return variables + list(more)


class Conversation:
    """One connection to a worker."""

    def __init__(self, path, timeout=20.0):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout * PATIENCE)
        self.socket.connect(str(path))
        self.last = []  # kinds of the records behind the answer that was read last

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.socket.close()

    def write(self, *data):
        for piece in data:
            self.socket.sendall(piece)

    def all_read(self):
        """Whether the worker has taken all that was written."""
        unread = fcntl.ioctl(self.socket, termios.TIOCOUTQ, struct.pack("i", 0))
        return struct.unpack("i", unread) == (0,)

    def is_answered(self, seconds=0.1):
        """Whether something comes within a moment; what it is remains to be read."""
        return bool(select.select([self.socket], [], [], seconds)[0])

    def read(self):
        """(standard output, whether the request was ended properly), until the worker closes."""
        received = b""
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            while piece := self.socket.recv(65536):
                received += piece
        output, ended = b"", False
        while len(received) >= 8:
            kind, length, padding = struct.unpack("!xBxxHBx", received[:8])
            if kind == STDOUT:
                output += received[8:8 + length]
            ended = ended or kind == END
            received = received[8 + length + padding:]
        return output, ended

    def _exactly(self, size):
        received = b""
        while len(received) < size and (piece := self.socket.recv(size - len(received))):
            received += piece
        return received

    def answer(self):
        """(the HTTP status of the next answer, whether the connection is kept after it): if it
        was asked to be and is not, the answer comes with a record behind its end."""
        output, kind = b"", None
        while kind != END:
            kind, length, padding = struct.unpack("!xBxxHBx", self._exactly(8))
            content = self._exactly(length + padding)[:length]
            output += content if kind == STDOUT else b""
        self.last = []
        timeout = self.socket.gettimeout()
        self.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while header := self.socket.recv(8):
                self.last.append(header[1])
                self.socket.recv(sum(struct.unpack("!4xHBx", header)))
        self.socket.settimeout(timeout)
        return int(output[8:11]), not self.last

    def status(self):
        """The HTTP status of the answer; 0 when there is none."""
        output, ended = self.read()
        if not ended or not output.startswith(b"Status: "):
            return 0
        return int(output[8:11])


class Worker:
    """A worker started by the test with the stack's configuration: its exit code can be seen."""

    def __init__(self, stack, descriptors=None, program="intake", more=None, log=None, before=()):
        """more: environment variables, which are settings; log: what to use as the standard error
        stream instead of a file; before: a command to start it by."""
        arguments = [*before, *stack.worker_arguments(program)]
        if descriptors is not None:
            arguments = ["prlimit", f"--nofile={descriptors}:{descriptors}", *arguments]
        like = os.stat(stack.log_dir / "intake.log")  # which belongs to the workers' user
        user = {"user": like.st_uid, "group": like.st_gid, "extra_groups": []} \
            if os.geteuid() == 0 else {}
        self.dir = tempfile.TemporaryDirectory(prefix="sluice-worker-")
        os.chmod(self.dir.name, 0o755)
        self.path = pathlib.Path(self.dir.name, "socket")
        self.log = pathlib.Path(self.dir.name, "log")
        with socket.socket(socket.AF_UNIX) as listening, open(self.log, "wb") as file:
            listening.bind(str(self.path))
            os.chmod(self.path, 0o777)
            listening.listen(1024)
            self.process = subprocess.Popen(
                arguments, stdin=listening, stdout=file, stderr=log or file, cwd="/",
                env={**ENVIRONMENT, **(more or {})}, **user)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.dir.cleanup()

    def talk(self):
        return Conversation(self.path)

    def post(self, path, body, *more):
        with self.talk() as talk:
            talk.write(begin() + params(variables_of(path, len(body), *more))
                       + record(STDIN, body) + record(STDIN))
            return talk.status()
