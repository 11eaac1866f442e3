"""The HTTP clients that scripts and services are written with, each with the defaults it has: JSON,
an array, forms and streams of each reach the rows unchanged, also when they have to be sent again.

A client is given a URL and a signal; clients/post.* sends it in each of the client's ways. What it
makes of that is read on the wire (wire.py) and held against the rows. What the machine lacks is
skipped, and said.

To add one: a function in the clients/post.* of its language, a line in CLIENTS (and in RETRIES, if
it can be told to try again), and its package in clients/package.json or deploy/lab/deps.
"""

import collections
import contextlib
import email
import functools
import json
import pathlib
import shutil
import subprocess
import sys
import urllib.parse

import psycopg2
import pytest

import npm
from harness import ENVIRONMENT, NEEDS_LENGTH, OUTPUT, ROOT, VARIANT, path_of, wait_for
from postgresql_server import Server
from wire import Client as Process

pytestmark = pytest.mark.skipif(VARIANT != "release", reason="not about the programs' variant")

SCRIPTS = pathlib.Path(__file__).resolve().parent / "clients"
PLACE = ROOT / "build" / "clients"
NODE_MAJOR = 20  # of the packages
SIGNAL = {"event": "Order Paid", "email": "Jane.Doe@Example.com", "userId": "user-7",
          "note": 'Grüße, "quoted" \\ 𝄞 </b> a=b&c;d %41+'}

# How it is started; arguments with which its program fails if the library is not there, or None for
# what missing() asks for otherwise; the package to install.
Client = collections.namedtuple("Client", "command probe package ways")

# What comes of each way of sending: ids of the signals.
WAYS = {"json": ["json"], "batch": ["batch-1", "batch-2", "batch-3"], "form": ["form"],
        "multipart": ["multipart"], "stream": ["stream-1", "stream-2"]}
ALL = tuple(WAYS)
WITHOUT_PARTS = ("json", "batch", "form", "stream")
BODIES = ("json", "batch", "form")
WITHOUT_NUMBERS = {"java", "curl", "wget"}  # what writes their JSON knows strings only


def shell(program, ways=ALL):
    return Client(["bash", f"{SCRIPTS}/post.sh"], ["-c", f"command -v {program} && command -v jq"],
                  program, ways)


def python(module, package, ways=ALL):
    return Client([sys.executable, f"{SCRIPTS}/post.py"], ["-c", f"import {module}"], package, ways)


def php(code, package, ways=ALL):
    return Client(["php", f"{SCRIPTS}/post.php"], ["-r", f"exit(({code}) ? 0 : 1);"], package, ways)


def perl(module, package, ways=ALL):
    return Client(["perl", f"{SCRIPTS}/post.pl"], [f"-M{module}", "-e1"], package, ways)


def ruby(library, package, ways=ALL):
    return Client(["ruby", f"{SCRIPTS}/post.rb"], [f"-r{library}", "-e1"], package, ways)


NODE = Client(["node", f"{SCRIPTS}/post.js"], None, "nodejs", ALL)
CLASSES = str(OUTPUT / "classes")
GUZZLE = "@include_once 'GuzzleHttp/autoload.php'"
CLIENTS = {
    "axios": NODE,
    "fetch": NODE,
    "got": NODE,
    "undici": NODE,
    "aiohttp": python("aiohttp", "python3-aiohttp"),
    "httpx": python("httpx", "python3-httpx"),
    "requests": python("requests", "python3-requests"),
    "urllib": python("urllib", "python3", WITHOUT_PARTS),
    "php-curl": php("extension_loaded('curl')", "php-curl"),
    "php-guzzle": php(GUZZLE, "php-guzzlehttp-guzzle"),
    "php-streams": php("true", "php-cli", BODIES),
    "perl-LWP": perl("LWP::UserAgent", "libwww-perl"),
    "perl-Tiny": perl("HTTP::Tiny", "perl", WITHOUT_PARTS),
    "ruby-faraday": ruby("faraday", "ruby-faraday", BODIES),
    "ruby-net-http": ruby("net/http", "ruby"),
    "java": Client(["java", "-cp", CLASSES, "Post"], None, "default-jdk-headless", WITHOUT_PARTS),
    "curl": shell("curl"),
    "wget": shell("wget", BODIES),
}
# Those that try again when they are told to, beside the client they belong to.
RETRIES = {f"{name}-retry": CLIENTS[name]._replace(ways=("json",)) for name in (
    "got", "undici", "requests", "php-guzzle", "curl", "wget")}
RETRIES["ruby-faraday-retry"] = Client(
    ["ruby", f"{SCRIPTS}/post.rb"],
    ["-rfaraday", "-e", "Faraday::VERSION < '2' or require 'faraday/retry'"],
    "ruby-faraday-retry", ("json",))


@functools.cache
def missing(name):
    """Why the client cannot run on this machine, else None."""
    client = {**CLIENTS, **RETRIES}[name]
    program = client.command[0]
    if client.command == NODE.command:
        return npm.install(SCRIPTS / "package.json", PLACE, NODE_MAJOR)
    probe = [program, *client.probe] if client.probe else \
        ["javac", "-d", CLASSES, str(SCRIPTS / "Post.java")]
    if shutil.which(probe[0]) and subprocess.run(
            probe, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=ENVIRONMENT, check=False).returncode == 0:
        return None
    return f"{client.package} is missing"


@pytest.fixture
def started(request, tmp_path):
    """started(stack, name, key, …): a client, ended with the test; skipped where it is missing."""
    def start(stack, name, key, lost=0):
        if reason := missing(name):
            pytest.skip(reason)
        pairs = [f"{field}={value}" for field, value in SIGNAL.items()]
        client = Process(
            stack, [*{**CLIENTS, **RETRIES}[name].command, name, "{url}" + path_of(key), *pairs],
            environment={"NODE_PATH": str(PLACE / "node_modules"), "TMPDIR": str(tmp_path)},
            lost=lost)
        request.addfinalizer(client.end)
        return client
    return start


def signals_of(request):
    """What a body says, in the words of its label."""
    kind = request.headers.get_content_type()
    if kind == "application/x-www-form-urlencoded":
        return [dict(urllib.parse.parse_qsl(request.body.decode(), strict_parsing=True))]
    if kind == "multipart/form-data":
        label = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
        return [{part.get_param("name", header="Content-Disposition"):
                 part.get_payload(decode=True).decode()
                 for part in email.message_from_bytes(label + request.body).get_payload()}]
    if kind == "application/x-ndjson":
        return [json.loads(line) for line in request.body.splitlines()]
    body = json.loads(request.body)
    return body if isinstance(body, list) else [body]


def wanted(name, ways):
    """{message id: the signal that the client was told to send}"""
    ids = [message_id for way in ways for message_id in WAYS[way]]
    found = {message_id: {**SIGNAL, "messageId": message_id} for message_id in ids}
    for number in (1, 2, 3):
        if "batch" in ways and name not in WITHOUT_NUMBERS:
            found[f"batch-{number}"].update(number=number, part=pytest.approx(number / 7))
    return found


def assert_stored(stack, key, name, requests, ways):
    sent = {signal["messageId"]: signal for request in requests for signal in signals_of(request)}
    assert sent == wanted(name, ways)
    rows = stack.psql(
        "select message_id, payload, source, event_name, email, user_id, occurred_at = received_at,"
        " coalesce(envelope, warnings), payload_repaired from sluice.signal_staging"
        " where key_id = %s", key["id"])
    assert len(rows) == len(sent) == stack.rows(key)
    for message_id, payload, *columns in rows:
        assert payload == sent.pop(message_id)
        assert columns == [name, "Order Paid", "jane.doe@example.com", "user-7", True, None, False]


@pytest.mark.parametrize("name", CLIENTS)
def test_each_way_arrives(stack, key, started, name):
    ways = CLIENTS[name].ways
    if "stream" in ways and stack.front in NEEDS_LENGTH:
        pytest.skip("mod_cgid takes no chunked bodies")
    client = started(stack, name, key)
    client.output()
    assert client.statuses() == [202] * len(ways)
    if "stream" in ways:
        assert client.requests()[-1].headers["Transfer-Encoding"] == "chunked"
    assert_stored(stack, key, name, client.requests(), ways)
    assert stack.tables_with(key["key"]) == []


@pytest.mark.first_front
@pytest.mark.parametrize("name", RETRIES)
def test_an_answer_that_is_lost(stack, key, started, name):
    """What is sent once more is stored already."""
    client = started(stack, name, key, lost=1)
    client.output()
    assert client.statuses() == [202, 202]
    assert_stored(stack, key, name, client.requests(), ("json",))


@pytest.mark.first_front
def test_stopped_database_is_waited_for(stack_of_its_own, started):
    """503 says when to come again; then it is stored, once."""
    stack = stack_of_its_own
    keys = {name: stack.new_key(name=name) for name in RETRIES if not missing(name)}
    server = Server(stack)
    server.stop()
    clients = {name: started(stack, name, key) for name, key in keys.items()}
    for name, client in clients.items():
        wait_for(lambda client=client: 503 in client.statuses()
                 or client.process.poll() is not None, f"{name} is told to come again")
    server.start()
    with contextlib.suppress(psycopg2.OperationalError):
        stack.psql("select 1")  # the test's own connection was to the server that was stopped
    for name, client in clients.items():
        client.output()
        *refused, accepted = client.statuses()
        assert set(refused) == {503} and accepted == 202, name
        assert_stored(stack, keys[name], name, client.requests(), ("json",))
