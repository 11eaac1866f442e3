"""HTTP/2 in a known order of frames, which curl does not promise."""

import socket
import ssl

from h2.connection import H2Connection
from h2.events import ConnectionTerminated, ResponseReceived, StreamReset

from .place import PATIENCE


def status_over_http2(stack, path, body, timeout=30.0):
    """The status of a POST of NDJSON without a length, sent in one write; None where none came."""
    context = ssl.create_default_context(cafile=stack.certificate)
    context.set_alpn_protocols(["h2"])
    with socket.create_connection(("127.0.0.1", stack.tls_port), timeout * PATIENCE) as raw, \
            context.wrap_socket(raw, server_hostname="localhost") as sock:
        connection = H2Connection()
        connection.initiate_connection()
        connection.send_headers(1, [(":method", "POST"), (":scheme", "https"), (":path", path),
                                    (":authority", "localhost"),
                                    ("content-type", "application/x-ndjson")])
        connection.send_data(1, body, end_stream=True)
        sock.sendall(connection.data_to_send())
        while data := sock.recv(65536):
            for event in connection.receive_data(data):
                if isinstance(event, ResponseReceived):
                    return int(dict(event.headers)[b":status"])
                if isinstance(event, (StreamReset, ConnectionTerminated)):
                    return None
        return None
