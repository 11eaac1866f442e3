"""The HTTP client, written on the standard library so that repeated headers, odd paths and broken
bodies reach the server as they were written; and what the tests ask of its answers."""

import collections
import contextlib
import gzip
import http.client
import json
import re
import socket

import pytest

from . import openapi
from .fronts import NEEDS_LENGTH
from .place import PATIENCE

SEED = (b'{"email": "lead@example.com", "event": "form_submission", "properties": '
        b'{"form_name": "Contact Form", "page_url": "https://yoursite.com/contact"}}')
JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}


class Answer(collections.namedtuple("Answer", "status headers body")):
    """headers is a list of (name, value); body is bytes, as they were sent."""

    def header(self, name):
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return values[0] if values else None

    @property
    def json(self):
        compressed = self.header("Content-Encoding") == "gzip"
        return json.loads(gzip.decompress(self.body) if compressed else self.body)

    @property
    def code(self):
        return self.json["code"]


class NoAnswer(Exception):
    """The server closed the connection without an answer."""


class Client:
    """One kept-alive connection."""

    def __init__(self, port, timeout=30.0, address=None):
        """address is the client's own; on a loopback interface that may be any of 127.0.0.0/8."""
        self.connection = http.client.HTTPConnection(
            "127.0.0.1", port, timeout=timeout * PATIENCE,
            source_address=(address, 0) if address else None)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.connection.close()

    def send(self, path, body=SEED, headers=JSON, method="POST"):
        """body: bytes, None for none at all, or an iterable of bytes to be sent in chunks."""
        pairs = list(headers.items() if isinstance(headers, dict) else headers or ())
        given = {name.lower() for name, _ in pairs}
        chunked = body is not None and not isinstance(body, (bytes, bytearray))
        connection = self.connection
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in pairs:
                connection.putheader(name, value)
            if chunked:
                connection.putheader("Transfer-Encoding", "chunked")
            elif body is not None and "content-length" not in given:
                connection.putheader("Content-Length", str(len(body)))
            try:
                connection.endheaders()
                if chunked:
                    for piece in body:
                        connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
                    connection.send(b"0\r\n\r\n")
                elif body:
                    connection.send(body)
            except (BrokenPipeError, ConnectionResetError):
                pass  # answered before all was sent: the answer may still be readable
            response = connection.getresponse()
            answer = Answer(response.status, response.getheaders(), response.read())
        except (http.client.RemoteDisconnected, ConnectionError) as error:
            connection.close()
            raise NoAnswer(str(error)) from error
        except BaseException:
            connection.close()
            raise
        openapi.check(method, path, answer)
        return answer


def send(stack, path, body=SEED, headers=JSON, method="POST", timeout=30.0):
    with Client(stack.port, timeout) as client:
        answer = client.send(path, body, headers, method)
    if answer.status == 411 and stack.front in NEEDS_LENGTH and not isinstance(body, bytes):
        pytest.skip("mod_cgid takes no chunked bodies")
    return answer


def send_from(stack, address, path, body=SEED, headers=JSON, method="POST", port=None):
    """As a client with that address; port is that of a proxy before the web server."""
    with Client(port or stack.port, address=address) as client:
        return client.send(path, body, headers, method)


def send_raw(stack, *pieces, timeout=30.0, half_close=False):
    """Writes bytes as they are and returns whatever comes back until the server closes, which may
    be before it has read all of them."""
    with socket.create_connection(("127.0.0.1", stack.port), timeout * PATIENCE) as sock:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for piece in pieces:
                sock.sendall(piece)
            if half_close:
                sock.shutdown(socket.SHUT_WR)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := sock.recv(65536):
                received += piece
        return received


def status_of(received):
    """The status of an answer in bytes; None where there is none."""
    return int(received.split(b" ", 2)[1]) if received else None


def path_of(key, source=None, end=""):
    middle = f"{source}/" if source else ""
    return f"/api/signal-staging/webhook/{middle}{key['key']}{end}"


def bulk_path(key):
    return f"/api/signal-staging/bulk/{key['key']}"


def org_path(key, end=""):
    return f"/api/product-orgs/webhook/{key['key']}{end}"


def accepted_id(answer):
    assert answer.status == 202, (answer.status, answer.body[:500])
    return answer.json["id"]


def assert_problem(answer, status, code=None):
    """A problem answer as CONTRACT.md, section 3, wants it."""
    assert answer.status == status, (answer.status, answer.body[:500])
    assert answer.header("Content-Type").split(";")[0] == "application/problem+json"
    problem = answer.json
    assert {"type", "title", "status", "detail", "code", "request_id"} <= set(problem)
    assert problem["status"] == status
    assert problem["request_id"] == answer.header("X-Request-Id")
    if code is not None:
        assert problem["code"] == code, problem
    if status in (429, 503):
        assert re.fullmatch(r"[1-9][0-9]*", answer.header("Retry-After") or "")
    text = json.dumps(problem).lower()
    for leak in ("sluice.", "select ", "insert ", "/tmp/", "/usr/", "pg_", "postgres", "json-c",
                 "libpq", "sqlstate", "line 1:"):
        assert leak not in text, f"the problem tells of {leak!r}: {problem}"
    return problem
