"""The networks of a key, and whose address counts: the web server's peer, or what a proxy that is
trusted reports. What meets the web server goes through every front."""

import concurrent.futures
import socket
import subprocess

import pytest

from configuration import configured
from harness import (JSON, MERGES_LOOK_ALIKES, accepted_id, assert_problem, bulk_path, free_port,
                     org_path, path_of, send_from, wait_for)

pytestmark = pytest.mark.each_front

INSIDE, OUTSIDE = "127.0.0.5", "127.0.0.6"
ITEM = b'{"email":"a@b.c"}'
LARGE = b'{"email":"a@b.c","filler":"' + (300 << 10) * b"x" + b'"}'
NOT_FROM = "requests with this key are not accepted from {}"
UNKNOWN = "requests with this key need the client's address, which is not known here"


def key_in(stack, *networks, **options):
    made = stack.new_key(name="in networks", **options)
    if networks:
        allow(stack, made, *networks)
    return made


def allow(stack, key, *networks):
    stack.ctl("key", "networks", key["id"], *(word for each in networks
                                              for word in ("--allow", each)))


def refused(answer, address):
    problem = assert_problem(answer, 403, "wrong_network")
    assert problem["detail"] == NOT_FROM.format(address)


def test_a_key_works_in_its_networks_alone(stack):
    """On every path, whatever the size of the body, and whoever reads it; nothing is kept."""
    key = key_in(stack, INSIDE, "2001:db8::/32")
    orgs = stack.new_product_key()
    allow(stack, orgs, INSIDE)
    for path, body in ((path_of(key), ITEM), (path_of(key, "web"), ITEM),
                       (path_of(key, end="/batch"), b"[%s,7]" % ITEM), (path_of(key), b"{"),
                       (path_of(key), LARGE), (bulk_path(key), b"[%s,7]" % ITEM),
                       (bulk_path(key), b"{"), (org_path(orgs), b'{"groupId":"g"}'),
                       (org_path(orgs), b"{")):
        refused(send_from(stack, OUTSIDE, path, body), OUTSIDE)
        if body == b"{":
            assert_problem(send_from(stack, INSIDE, path, body), 400, "malformed_json")
        else:
            assert send_from(stack, INSIDE, path, body).status == 202, path
    assert stack.rows(key) == 5
    assert stack.psql("select count(*) from sluice.rejected_payload where key_id = %s", key["id"]) \
        == [(4,)], "those from inside"
    assert stack.psql("select count(*) from sluice.rejected_payload where key_id = %s",
                      orgs["id"]) == [(1,)]


@pytest.mark.first_front
def test_a_change_holds_from_the_next_request_on(stack):
    key = key_in(stack)
    accepted_id(send_from(stack, OUTSIDE, path_of(key)))
    allow(stack, key, INSIDE)
    refused(send_from(stack, OUTSIDE, path_of(key)), OUTSIDE)
    allow(stack, key, INSIDE, "127.0.0.6/31")
    accepted_id(send_from(stack, OUTSIDE, path_of(key)))
    allow(stack, key, "::/0")
    refused(send_from(stack, OUTSIDE, path_of(key)), OUTSIDE)
    allow(stack, key, "all")
    accepted_id(send_from(stack, OUTSIDE, path_of(key)))
    assert stack.rows(key) == 3


@pytest.mark.first_front
def test_strangers_learn_nothing_of_networks(stack):
    key = key_in(stack, INSIDE, secret=True)
    gone = key_in(stack, INSIDE)
    stack.ctl("key", "deactivate", gone["id"])
    right = {**JSON, "X-Api-Secret": key["secret"]}
    for address in (INSIDE, OUTSIDE):
        for path, headers in ((path_of(key), JSON), (path_of(gone), JSON),
                              (path_of(key), {**JSON, "X-Api-Secret": "whs_wrong"})):
            assert_problem(send_from(stack, address, path, headers=headers), 401, "unauthenticated")
    assert_problem(send_from(stack, OUTSIDE, org_path(key), headers=right), 403, "wrong_endpoint")
    refused(send_from(stack, OUTSIDE, path_of(key), headers=right), OUTSIDE)
    accepted_id(send_from(stack, INSIDE, path_of(key), headers=right))


@pytest.mark.first_front
def test_one_key_from_many_addresses_at_once(stack):
    """Requests that are committed together share no fate here."""
    key, other = key_in(stack, INSIDE), key_in(stack)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        sent = [(address, each, pool.submit(send_from, stack, address, path_of(each)))
                for _ in range(40) for address in (INSIDE, OUTSIDE) for each in (key, other)]
        for address, each, answer in sent:
            assert answer.result().status == (403 if (address, each) == (OUTSIDE, key) else 202)
    assert (stack.rows(key), stack.rows(other)) == (40, 80)


# ---- proxies ----

@pytest.fixture
def behind_a_proxy(stack):
    """The tests' own address is a proxy's."""
    with configured(stack, "trusted_proxies = 127.0.0.1, 10.0.0.0/8\nlog_client_address = on\n"):
        yield stack


CLIENTS = [  # the peer, its headers X-Forwarded-For, whose address counts
    ("127.0.0.1", ["198.51.100.7"], "198.51.100.7"),
    ("127.0.0.1", ["203.0.113.1, 198.51.100.7, 10.1.1.1"], "198.51.100.7"),
    ("127.0.0.1", ["198.51.100.7, 203.0.113.1"], "203.0.113.1"),
    ("127.0.0.1", ["203.0.113.1", "198.51.100.7"], "198.51.100.7"),
    ("127.0.0.1", ["198.51.100.7", "203.0.113.1"], "203.0.113.1"),
    ("127.0.0.1", ["::ffff:198.51.100.7"], "198.51.100.7"),
    ("127.0.0.1", ["[2001:db8::7]:4711"], "2001:db8::7"),
    ("127.0.0.1", ["2001:db9::7"], "2001:db9::7"),
    ("127.0.0.1", ["198.51.100.7, garbage"], None),
    ("127.0.0.1", ["198.51.100.7 10.1.1.1"], None),
    ("127.0.0.1", [", ".join(["10.1.1.1"] * 700)], None),
    ("127.0.0.1", [], "127.0.0.1"),
    (OUTSIDE, ["198.51.100.7"], OUTSIDE),
]


def logged(stack, text):
    """The line that has the text; it comes after the answer."""
    stack.wait_logged(text)
    return next(line for line in stack.log().splitlines() if text in line)


def test_the_client_behind_proxies(behind_a_proxy):
    """For the networks of a key, and in the log."""
    stack = behind_a_proxy
    key = key_in(stack, "198.51.100.0/24", "2001:db8::/32")
    for peer, forwarded, client in CLIENTS:
        headers = [*JSON.items(), *(("X-Forwarded-For", value) for value in forwarded)]
        answer = send_from(stack, peer, path_of(key), headers=headers)
        if client is None:
            problem = assert_problem(answer, 403, "wrong_network")
            assert problem["detail"] == UNKNOWN, forwarded
        elif client.startswith(("198.51.100.", "2001:db8:")):
            accepted_id(answer)
        else:
            refused(answer, client)
        line = logged(stack, f"request_id={answer.header('X-Request-Id')} ")
        assert (f" client={client}" in line) if client else ("client=" not in line)


def test_a_header_that_looks_alike(behind_a_proxy):
    """A proxy passes on what it does not know, and lighttpd takes X_Forwarded-For for the same."""
    stack = behind_a_proxy
    key = key_in(stack, "198.51.100.0/24")
    for headers in ([("X-Forwarded-For", "203.0.113.1"), ("X_Forwarded-For", "198.51.100.7")],
                    [("X_Forwarded-For", "198.51.100.7"), ("X-Forwarded-For", "203.0.113.1")]):
        answer = send_from(stack, "127.0.0.1", path_of(key), headers=[*JSON.items(), *headers])
        problem = assert_problem(answer, 403, "wrong_network")
        if stack.front not in MERGES_LOOK_ALIKES:
            assert problem["detail"] == NOT_FROM.format("203.0.113.1")


@pytest.fixture
def proxy(behind_a_proxy, tmp_path):
    """nginx as another proxy in front of the web server; its port."""
    port, conf = free_port(), tmp_path / "nginx.conf"
    places = "".join(f"{kind}_temp_path {tmp_path}/{kind};\n"
                     for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    conf.write_text(f"""
daemon off; worker_processes 1; pid {tmp_path}/pid; error_log {tmp_path}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off; {places}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{behind_a_proxy.port};
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }}
    }}
}}
""")
    with subprocess.Popen(["/usr/sbin/nginx", "-e", tmp_path / "error.log", "-c", conf]) as nginx:
        try:
            wait_for(lambda: connects(port), "the proxy listens")
            yield port
        finally:
            nginx.terminate()


def connects(port):
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def test_through_another_proxy(behind_a_proxy, proxy):
    """What a client says of itself does not count."""
    stack = behind_a_proxy
    key = key_in(stack, INSIDE)
    for made_up in ({}, {"X-Forwarded-For": INSIDE}, {"X-Forwarded-For": f"{OUTSIDE}, 10.1.1.1"}):
        headers = {**JSON, **made_up}
        accepted_id(send_from(stack, INSIDE, path_of(key), headers=headers, port=proxy))
        refused(send_from(stack, OUTSIDE, path_of(key), headers=headers, port=proxy), OUTSIDE)
    accepted_id(send_from(stack, INSIDE, path_of(key)))
    assert stack.rows(key) == 4


@pytest.mark.first_front
def test_every_worker_reads_the_proxies_again(stack):
    """Without a restart, and back."""
    key = key_in(stack, "198.51.100.0/24")
    headers = {**JSON, "X-Forwarded-For": "198.51.100.7"}
    for trusted in (True, False):
        with configured(stack, "trusted_proxies = 127.0.0.1\n" if trusted else ""):
            answer = send_from(stack, "127.0.0.1", path_of(key), headers=headers)
            assert answer.status == (202 if trusted else 403)
