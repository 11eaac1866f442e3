"""Senders' own libraries against our paths: what they are given to send arrives, whole and once.

A library gets what its documentation lets its user set: key, host, path. What it makes of that is
read on the wire (wire.py) and held against the rows. The libraries come from npm, once, into
build/clients.

To add one: a line in clients/package.json (see npm.py), a script clients/NAME.js, and a class here
that says what the contract makes of an event.
"""

import base64
import contextlib
import datetime
import json
import pathlib

import psycopg2
import pytest

import npm
from harness import NEEDS_LENGTH, ROOT, path_of, wait_for
from postgresql_server import FAKETIME, Server
from wire import Client

SCRIPTS = pathlib.Path(__file__).resolve().parent / "clients"
PLACE = ROOT / "build" / "clients"
NODE_MAJOR = 20  # Segment's library wants it
COUNT, BATCH = 100, 40
TYPES = ["track", "identify", "page", "group"]
COLUMNS = ("source", "event_type", "event_name", "email", "user_id", "anonymous_id",
           "product_org_id", "message_id")
NO_TIME = datetime.timedelta()

pytestmark = pytest.mark.usefixtures("libraries")


@pytest.fixture(scope="module")
def libraries():
    """The packages of clients/package.json; installed again only when they have changed."""
    missing = npm.install(SCRIPTS / "package.json", PLACE, NODE_MAJOR)
    if missing:
        pytest.skip(missing)


# ---- what a library sends, and what the contract makes of it ----

def parsed(text):
    return datetime.datetime.fromisoformat(text)


class Segment:
    """Of Segment's specification; the clock of its timestamp is sentAt's."""

    script, array, path, key = "segment.js", "batch", {"end": "/batch"}, {}
    given_up = "[401] Unauthorized"

    @staticmethod
    def number(item):
        return (item.get("properties") or item["traits"])["number"]

    @staticmethod
    def columns(number, item):
        kind = TYPES[number % 4]
        return {"source": "segment", "event_type": kind, "email": f"person-{number}@example.com",
                "event_name": f"Event {number}" if kind == "track" else None,
                "user_id": f"user-{number}", "message_id": item["messageId"],
                "product_org_id": f"group-{number}" if kind == "group" else None}

    @staticmethod
    def times(item, envelope, ahead):
        """When it was, and by which time of the same clock it was sent if that is to be held
        against receipt: a clock that is less than a minute off is right."""
        return item["timestamp"], envelope["sentAt"] if ahead else None


class SegmentOld(Segment):
    """Its library of before: analytics-node."""

    script, given_up = "segment_old.js", "Request failed with status code 401"


class Rudder(Segment):
    script, given_up = "rudder.js", "Request failed with status code 401"

    @staticmethod
    def times(item, envelope, ahead):
        if "timestamp" in item:
            return item["timestamp"], None
        return item["originalTimestamp"], item["sentAt"]


class PostHog:
    """The key names the id. A distinct_id alone is no identity."""

    script, array, path, key = "posthog.js", "batch", {}, {"delivery_id": "uuid"}
    given_up = "HTTP error while fetching PostHog: status=401, reqByteLength="

    @staticmethod
    def number(item):
        properties = item["properties"]
        return (properties.get("$set") or properties.get("$group_set") or properties)["number"]

    @staticmethod
    def columns(number, item):
        return {"source": "generic", "message_id": item["uuid"], "anonymous_id": f"user-{number}",
                "event_name": {1: "$identify", 3: "$groupidentify"}.get(number % 4,
                                                                        f"Event {number}"),
                "email": None if number % 2 else f"person-{number}@example.com"}

    @staticmethod
    def times(item, envelope, ahead):
        return item["timestamp"], None


class Amplitude:
    script, array, path, key = "amplitude.js", "events", {"source": "amplitude"}, {}

    @staticmethod
    def number(item):
        return int(item["user_id"].rpartition("-")[2])

    @staticmethod
    def columns(number, item):
        event = "$identify" if number % 4 == 1 else f"Event {number}"
        return {"source": "amplitude", "event_type": event, "event_name": event,
                "user_id": f"user-{number}", "anonymous_id": f"device-{number}",
                "message_id": item["insert_id"]}

    @staticmethod
    def times(item, envelope, ahead):
        return datetime.datetime.fromtimestamp(item["time"] / 1000, datetime.UTC).isoformat(), None


class CloudEvents:
    """In binary mode its attributes are headers, and the payload is its data."""

    script, array, path, key = "cloudevents.js", None, {"source": "orders"}, {}

    @staticmethod
    def number(item):
        return item.get("data", item)["number"]

    @staticmethod
    def columns(number, item):
        return {"source": "orders", "event_type": "org.example.order.paid",
                "event_name": f"order-{number}", "email": f"person-{number}@example.com",
                "message_id": item["id"]}

    @staticmethod
    def times(item, envelope, ahead):
        return item["time"], None


LIBRARIES = {"segment": Segment, "segment-old": SegmentOld, "rudder": Rudder, "posthog": PostHog,
             "amplitude": Amplitude, "cloudevents": CloudEvents}


@pytest.fixture
def started(request):
    """started(stack, library, key, …): a client, ended with the test."""
    def start(stack, library, key, count=COUNT, headers=None, environment=None, lost=0):
        given = {"url": "{url}", "path": path_of(key, **library.path), "key": key["key"],
                 "count": count, "batch": BATCH, "headers": headers or {}}
        client = Client(stack, ["node", str(SCRIPTS / library.script)], json.dumps(given),
                        {"NODE_PATH": str(PLACE / "node_modules"), **(environment or {})}, lost)
        request.addfinalizer(client.end)
        return client
    return start


def opened(library, request):
    """[(payload, item with its ids and times)], envelope."""
    body = json.loads(request.body)
    if library.array:
        envelope = {name: value for name, value in body.items() if name != library.array}
        return [(item, item) for item in body[library.array]], envelope
    if request.headers.get("ce-id"):
        attributes = {name: request.headers[f"ce-{name}"] for name in ("id", "time")}
        return [(body, {**body, **attributes})], None
    return [(item, item) for item in (body if isinstance(body, list) else [body])], None


def stored(stack, key):
    """{message_id: row}, and each id once."""
    names = (*COLUMNS, "occurred_at", "received_at", "payload", "envelope", "warnings",
             "payload_repaired")
    rows = [dict(zip((*names, "cold"), row, strict=True)) for row in stack.psql(
        " union all ".join(f"select {', '.join(names)}, {cold} from sluice.{table}"
                           " where key_id = %s" for table, cold in (
                               ("signal_staging", False), ("signal_cold_storage", True))),
        key["id"], key["id"])]
    found = {row["message_id"]: row for row in rows}
    assert len(found) == len(rows)
    return found


def without_key(value, key):
    return json.loads(json.dumps(value).replace(key["key"], "sk_" + "x" * (len(key["key"]) - 3)))


def assert_time(row, original, sent, ahead):
    if sent is None:
        assert row["occurred_at"] == parsed(original)
        return
    # received - (sentAt - original), where received is between sending and the row's.
    received = row["occurred_at"] + (parsed(sent) - parsed(original))
    assert parsed(sent) - ahead <= received <= row["received_at"]


def assert_arrived(stack, library, key, requests, count=COUNT, source=None, ahead=NO_TIME):
    """Of each event of a request that was accepted there is one row, as the contract has it."""
    rows, numbers = stored(stack, key), []
    for request in requests:
        items, envelope = opened(library, request) if request.status == 202 else ([], None)
        for payload, item in items:
            number = library.number(item)
            wanted = {**dict.fromkeys(COLUMNS), **library.columns(number, item)}
            row = rows.pop(wanted["message_id"], None)
            if row is None:
                continue  # a repeat
            numbers.append(number)
            if source:
                wanted["source"] = source
            assert {name: row[name] for name in COLUMNS} == wanted
            assert row["cold"] is (row["email"] is None and row["user_id"] is None)
            assert row["payload"] == payload
            assert row["envelope"] == without_key(envelope, key)
            assert row["warnings"] is None and row["payload_repaired"] is False
            assert_time(row, *library.times(item, envelope, ahead), ahead)
    assert not rows
    assert sorted(numbers) == list(range(count))
    assert_key_is_nowhere(stack, key)


def assert_key_is_nowhere(stack, key):
    """Neither as it is nor as libraries send it in Authorization."""
    texts = [key["key"], base64.b64encode(f"{key['key']}:".encode()).decode()]
    assert [stack.tables_with(text) for text in texts] == [[], []]
    stack.settle_log()
    for file in stack.log_dir.rglob("*"):
        if file.is_file():
            log = file.read_bytes()
            assert not any(text.encode() in log for text in texts), file


# ---- tests ----

@pytest.mark.parametrize("name", LIBRARIES)
def test_all_arrive_once(stack, started, name):
    library = LIBRARIES[name]
    if library is CloudEvents and stack.front in NEEDS_LENGTH:
        pytest.skip("mod_cgid takes no chunked bodies")
    key = stack.new_key(name=name, **library.key)
    client = started(stack, library, key)
    assert json.loads(client.output()) == []
    assert set(client.statuses()) == {202}
    assert_arrived(stack, library, key, client.requests())


def test_a_header_names_the_source(stack, key, started):
    client = started(stack, Rudder, key, headers={"X-Source": "rudderstack"})
    assert json.loads(client.output()) == []
    assert_arrived(stack, Rudder, key, client.requests(), source="rudderstack")


@pytest.mark.first_front
@pytest.mark.parametrize("name", ["segment", "rudder"])
def test_a_clock_that_is_ahead(stack, key, started, name):
    client = started(stack, LIBRARIES[name], key, environment={
        "LD_PRELOAD": FAKETIME, "FAKETIME": "+3h", "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
    assert json.loads(client.output()) == []
    assert_arrived(stack, LIBRARIES[name], key, client.requests(),
                   ahead=datetime.timedelta(hours=3))


@pytest.mark.first_front
@pytest.mark.parametrize("name", ["segment", "segment-old", "rudder", "posthog"])
def test_an_answer_that_is_lost(stack, started, name):
    """The library sends once more what is stored already."""
    library = LIBRARIES[name]
    key = stack.new_key(name=name, **library.key)
    client = started(stack, library, key, lost=1)
    assert json.loads(client.output()) == []
    assert set(client.statuses()) == {202}
    sent = sum(len(opened(library, request)[0]) for request in client.requests())
    assert sent > COUNT
    assert_arrived(stack, library, key, client.requests())


@pytest.mark.parametrize("name", ["segment", "segment-old", "rudder", "posthog"])
def test_deactivated_key_is_given_up(stack, keys, started, name):
    """One request per batch, no retry, and the application is told."""
    client = started(stack, LIBRARIES[name], keys["deactivated"], count=BATCH)
    failures = json.loads(client.output())
    assert failures
    assert all(failure.startswith(LIBRARIES[name].given_up) for failure in failures)
    assert set(client.statuses()) == {401}
    numbers = [LIBRARIES[name].number(item) for request in client.requests()
               for _, item in opened(LIBRARIES[name], request)[0]]
    assert sorted(numbers) == list(range(BATCH))
    assert stack.rows(keys["deactivated"]) == 0


@pytest.mark.first_front
def test_stopped_database_is_waited_for(stack_of_its_own, started):
    """The libraries see 503, come again, and lose and double nothing."""
    stack = stack_of_its_own
    libraries = {name: library for name, library in LIBRARIES.items() if name != "cloudevents"}
    keys = {name: stack.new_key(name=name, **library.key) for name, library in libraries.items()}
    server = Server(stack)
    server.stop()
    clients = {name: started(stack, library, keys[name], count=BATCH)
               for name, library in libraries.items()}
    for name, client in clients.items():
        wait_for(lambda client=client: 503 in client.statuses()
                 or client.process.poll() is not None, f"{name} is told to come again")
    server.start()
    with contextlib.suppress(psycopg2.OperationalError):
        stack.psql("select 1")  # the test's own connection was to the server that was stopped
    for name, client in clients.items():
        assert json.loads(client.output()) == []
        assert set(client.statuses()) == {202, 503}
        assert_arrived(stack, libraries[name], keys[name], client.requests(), count=BATCH)
