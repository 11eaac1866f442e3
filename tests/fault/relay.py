"""A relay between a worker and PostgreSQL that reads the protocol's messages, to cut or hold up the
connection where a test wants it."""

import contextlib
import pathlib
import socket
import struct
import tempfile
import threading

PORT = 5432  # names the socket


def listen_in(place):
    """A socket in that directory where libpq looks for a server's, for workers of any user."""
    path = pathlib.Path(place, f".s.PGSQL.{PORT}")
    path.parent.chmod(0o755)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    path.chmod(0o777)
    listening.listen(64)
    return listening


class Relay:
    """Listens in a directory of its own, or on a socket that it is given."""

    def __init__(self, stack, listening=None):
        self.target = str(pathlib.Path(stack.env["PGHOST"], f".s.PGSQL.{stack.env['PGPORT']}"))
        self.place = tempfile.TemporaryDirectory(prefix="sluice-relay-")
        self.dir = pathlib.Path(self.place.name)
        self.lock = threading.Lock()
        self.left = None  # so many messages, or bytes, until all connections are cut; None: never
        self.of_bytes = False
        self.passed = 0  # since they were counted from
        self.hold = None  # the type of the server's next message that is not passed on
        self.held = threading.Event()  # it has come; nothing more passes on its connection
        self.silent = threading.Event()  # takes what comes, and passes nothing on
        self.pairs = []
        self.listening = listening or listen_in(self.dir)
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        self.thread.join()
        self.cut()
        self.place.cleanup()

    def database(self, user="sluice_intake"):
        return f"host={self.dir} port={PORT} dbname=sluice user={user}"

    def accept(self):
        while True:
            try:
                client, _ = self.listening.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self.target)
            except OSError:
                client.close()
                server.close()
                continue
            self.pairs.append((client, server))
            for source, sink, head in ((client, server, 4), (server, client, 5)):
                threading.Thread(target=self.carry, args=(source, sink, head), daemon=True).start()

    def carry(self, source, sink, head):
        """The client's first message has no type before its length."""
        of_server = head == 5
        with contextlib.suppress(OSError, struct.error):
            while True:
                start = self.take(source, head)
                length, = struct.unpack("!I", start[-4:])
                message = start + self.take(source, length - 4)
                if of_server and message[:1] == self.hold:
                    self.hold = None
                    self.held.set()
                    self.swallow(source)
                head = 5
                if self.silent.is_set():
                    continue
                keep = self.count(len(message))
                if keep is not None:
                    sink.sendall(message[:keep])
                    self.cut()
                    return
                sink.sendall(message)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def swallow(source):
        while source.recv(65536):
            pass
        raise OSError("closed")

    def hold_next(self, kind):
        """The next message of this type from the server is held back, with what follows it, until
        the connection is cut or the server ends it."""
        self.held.clear()
        self.hold = kind

    @staticmethod
    def take(source, n):
        data = b""
        while len(data) < n:
            piece = source.recv(n - len(data))
            if not piece:
                raise OSError("closed")
            data += piece
        return data

    def count(self, n):
        """None, or how many bytes of this message still pass before the cut."""
        with self.lock:
            unit = n if self.of_bytes else 1
            self.passed += unit
            if self.left is None:
                return None
            if self.left >= unit:
                self.left -= unit
                if self.left == 0:
                    self.left = None
                    return n
                return None
            keep, self.left = self.left, None
            return keep

    def cut_after(self, n, of_bytes=False):
        """Counts from now on, and cuts once."""
        with self.lock:
            self.left, self.of_bytes, self.passed = n, of_bytes, 0

    def is_cut(self):
        return self.left is None

    def cut(self):
        pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for each in pair:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
