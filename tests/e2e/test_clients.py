"""Senders' own libraries against our paths: what they are given to send arrives, whole and once.

clients/segment.js and clients/rudder.js drive them. The libraries come from npm, once, into
build/clients.
"""

import base64
import contextlib
import json
import pathlib
import subprocess
import threading

import psycopg2
import pytest

import npm
from harness import ENVIRONMENT, PATIENCE, ROOT, path_of, wait_for
from postgresql_server import Server

SCRIPTS = pathlib.Path(__file__).resolve().parent / "clients"
PLACE = ROOT / "build" / "clients"
LIBRARIES = ["segment", "rudder"]
GIVEN_UP = {"segment": "[401] Unauthorized", "rudder": "Request failed with status code 401"}
MESSAGES, BATCH = 250, 60
TYPES = ["track", "identify", "page", "group"]
NODE_MAJOR = 20  # Segment's library wants it

pytestmark = pytest.mark.usefixtures("libraries")


@pytest.fixture(scope="module")
def libraries():
    """The packages of clients/package.json; installed again only when it has changed."""
    missing = npm.install(SCRIPTS / "package.json", PLACE, NODE_MAJOR)
    if missing:
        pytest.skip(missing)


class Sender:
    """One run of a library in a process of its own; `statuses` are the answers it has got."""

    def __init__(self, stack, library, key, count=MESSAGES, source=None):
        self.statuses, self.errors = [], []
        self.process = subprocess.Popen(
            ["node", str(SCRIPTS / f"{library}.js")],
            env={**ENVIRONMENT, "NODE_PATH": str(PLACE / "node_modules")}, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self._read)
        self.reader.start()
        json.dump({"url": stack.base_url, "path": path_of(key, end="/batch"), "key": key["key"],
                   "count": count, "batch": BATCH,
                   "headers": {"X-Source": source} if source else {}}, self.process.stdin)
        self.process.stdin.close()

    def _read(self):
        for line in self.process.stderr:
            if line.strip().isdigit():
                self.statuses.append(int(line))
            else:
                self.errors.append(line)

    def report(self):
        """What it posted, each body once, and what it told about messages it gave up."""
        try:
            output = self.process.stdout.read()
            code = self.process.wait(60 * PATIENCE)
        finally:
            self.end()
        assert code == 0 and not self.errors, (code, self.errors)
        found = json.loads(output)
        found["posted"] = list({body["batch"][0]["messageId"]: body
                                for body in found["posted"]}.values())
        return found

    def end(self):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        self.process.stderr.close()


@pytest.fixture
def sender(request):
    """Sender(…), ended with the test."""
    def start(*arguments, **options):
        made = Sender(*arguments, **options)
        request.addfinalizer(made.end)
        return made
    return start


def expected(body):
    """What the contract makes of a body: messageId to the columns' values."""
    rows = {}
    for item in body["batch"]:
        payload = dict(item)
        number = (item.get("properties") or item["traits"])["number"]
        assert item["type"] == TYPES[number % 4]
        rows[item["messageId"]] = (
            "segment", item["type"], f"Event {number}" if item["type"] == "track" else None,
            f"person-{number}@example.com", f"user-{number}", payload, payload["timestamp"])
    assert len(rows) == len(body["batch"])
    return rows


def assert_arrived(stack, key, posted, count=MESSAGES, source="segment"):
    wanted = {}
    for body in posted:
        wanted.update(expected(body))
    assert len(wanted) == count
    rows = stack.psql(
        "select message_id, source, event_type, event_name, email, user_id, payload,"
        " to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'),"
        " payload_repaired from sluice.signal_staging where key_id = %s", key["id"])
    assert stack.rows(key) == len(rows) == count, "each once, and none is cold"
    for message_id, *columns, occurred_at, repaired in rows:
        _, event_type, event_name, email, user_id, payload, timestamp = wanted.pop(message_id)
        assert columns == [source, event_type, event_name, email, user_id, payload]
        assert occurred_at == timestamp and not repaired
    assert not wanted
    assert stack.psql(
        "select count(*) from sluice.signal_staging where key_id = %s and (payload::text like %s"
        " or position(%s in payload_raw) > 0)", key["id"], f"%{key['key']}%",
        key["key"].encode()) == [(0,)]


def assert_not_logged(stack, key):
    """Neither as it is nor as the libraries send it in Authorization."""
    stack.settle_log()
    needles = [key["key"].encode(), base64.b64encode(f"{key['key']}:".encode())]
    for file in stack.log_dir.rglob("*"):
        if file.is_file():
            text = file.read_bytes()
            assert not any(needle in text for needle in needles), file


@pytest.mark.parametrize("library, source", [("segment", None), ("rudder", None),
                                             ("rudder", "rudderstack")])
def test_all_arrive_once(stack, key, sender, library, source):
    run = sender(stack, library, key, source=source)
    report = run.report()
    assert report["failures"] == []
    assert run.statuses and set(run.statuses) == {202}
    if library == "segment":
        assert all(body["writeKey"] == key["key"] for body in report["posted"])
    assert_arrived(stack, key, report["posted"], source=source or "segment")
    assert_not_logged(stack, key)


@pytest.mark.parametrize("library", LIBRARIES)
def test_deactivated_key_is_given_up(stack, keys, sender, library):
    """One request per batch, no retry, and every message is reported."""
    run = sender(stack, library, keys["deactivated"], count=BATCH)
    report = run.report()
    assert len(report["failures"]) == BATCH
    assert set(report["failures"]) == {GIVEN_UP[library]}
    assert run.statuses == [401] * len(report["posted"])
    assert stack.rows(keys["deactivated"]) == 0


def test_stopped_database_is_waited_for(stack_of_its_own, sender):
    """The libraries see 503, come again, and lose and double nothing."""
    stack = stack_of_its_own
    keys = {library: stack.new_key(name=library) for library in LIBRARIES}
    server = Server(stack)
    server.stop()
    runs = {library: sender(stack, library, key, count=BATCH) for library, key in keys.items()}
    for library, run in runs.items():
        wait_for(lambda run=run: 503 in run.statuses or run.process.poll() is not None,
                 f"{library} is told to come again")
    server.start()
    with contextlib.suppress(psycopg2.OperationalError):
        stack.psql("select 1")  # the test's own connection was to the server that was stopped
    for library, run in runs.items():
        report = run.report()
        assert report["failures"] == []
        assert set(run.statuses) == {202, 503}
        assert_arrived(stack, keys[library], report["posted"], count=BATCH)
        assert_not_logged(stack, keys[library])
