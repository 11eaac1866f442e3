"""The sluice-connections files of deploy/: clients that say nothing keep nobody out.

Without those files a sender waits in vain for lighttpd and for Apache; nginx drops connections.
"""

import contextlib
import resource
import select
import socket

import pytest

from harness import VARIANT, accepted_id, path_of, send, wait_for

pytestmark = [pytest.mark.each_front, pytest.mark.loop, pytest.mark.slow,
              pytest.mark.skipif(VARIANT != "release", reason="not about the programs' variant")]

CLIENTS = 10_000
BESIDES = 500  # descriptors for other things


@pytest.fixture
def clients():
    """How many there can be: a web server has two descriptors for each."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(CLIENTS, hard // 2 - BESIDES)
    if count < CLIENTS // 2:
        pytest.skip(f"a process may have no more than {hard} descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + BESIDES, hard))
    yield count
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextlib.contextmanager
def crowd(port, count, text):
    """So many connections on which each client has sent this text, and no more."""
    with contextlib.ExitStack() as opened:
        poller = select.poll()
        sockets = {}
        for _ in range(count):
            sock = opened.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
            sockets[sock.fileno()] = sock
            poller.register(sock, select.POLLOUT)

        def all_connected():
            for number, _ in poller.poll(0):
                poller.unregister(number)
                with contextlib.suppress(OSError):  # the server may have closed it already
                    sockets.pop(number).send(text)
            return not sockets
        wait_for(all_connected, "all clients are connected")
        yield


@pytest.mark.parametrize("text", [b"", b"POST /api/signal-staging/webhook/"],
                         ids=["silent", "head"])
def test_clients_that_say_nothing_keep_nobody_out(stack_of_its_own, clients, text):
    stack = stack_of_its_own
    key = stack.new_key()
    accepted_id(send(stack, path_of(key)))
    with crowd(stack.port, clients, text):
        for _ in range(20):
            accepted_id(send(stack, path_of(key)))
    assert stack.rows(key) == 21
