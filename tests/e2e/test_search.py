"""Searching signals: by the API, by the tool, in parts, as files, and followed as they come."""

import contextlib
import csv
import io
import json
import os
import signal
import subprocess

import pytest

from harness import PATIENCE, assert_problem, path_of, send, wait_for
from settings_api import Search, days_from_now, get
from sluicectl import USAGE, Tool

pytestmark = [pytest.mark.settings, pytest.mark.first_front]

HOSTILE = '=cmd|\' /C calc\'!A0,"quoted"'


@pytest.fixture(scope="module")
def jane(stack):
    """Signals of a person, some of yesterday, and of others."""
    organization = "Search"
    stack.ctl("organization", "create", organization)
    stack.ctl("member", "add", "--organization", organization, "--user", "vera", "--role", "viewer")
    key = stack.new_key(organization=organization, name="forms")
    ids = {}
    for name, source, body in (
            ("sign_up", "website", {"email": "Jane@Example.com", "event": "Signed up",
                                    "userId": "u-77", "messageId": "m-1", "plan": "Größe \"L\""}),
            ("other", "website", {"email": "joe@example.com", "event": "Signed up"}),
            ("cold", "crm", {"anonymousId": "a-9", "event": "Visited"}),
            ("hostile", "rare-crm", {"email": "eve@example.com", "event": HOSTILE, "n": "1.50"})):
        data = json.dumps(body).replace('"1.50"', "1.50").encode()
        ids[name] = send(stack, path_of(key, source=source), data).json["id"]
    stack.psql("update sluice.signal set received_at = received_at - interval '1 day'"
               " where id = %s", ids["sign_up"])
    [(number,)] = stack.psql("select id from sluice.organization where name = %s", organization)
    yield {"organization": organization, "id": number, "key": key, "ids": ids}
    stack.ctl("member", "remove", "--organization", organization, "--user", "vera")


def search(stack, jane, **filters):
    return Search(stack, "signals", jane["id"]).part(**filters)


def found(stack, jane, **filters):
    """The names of what is found."""
    names = {number: name for name, number in jane["ids"].items()}
    return [names[row["id"]] for row in Search(stack, "signals", jane["id"]).all(**filters)]


def test_did_janes_sign_up_arrive_yesterday(stack, jane):
    """One command, one request."""
    row = {"id": jane["ids"]["sign_up"], "event_name": "Signed up", "email": "jane@example.com"}
    told = stack.ctl("signal", "list", "jane@example.com", "--organization", jane["organization"],
                     "--since", "2d")
    [line] = [line for line in told.splitlines() if "jane@example.com" in line]
    assert line.split()[0] == str(row["id"]) and "Signed up" in line
    [asked] = search(stack, jane, identity="jane@example.com", from_=days_from_now(-2),
                     until=days_from_now(-0.5)).json["signals"]
    assert {name: asked[name] for name in row} == row
    [told] = stack.ctl_json("signal", "list", "jane@example.com", "--organization",
                            jane["organization"])["signals"]
    assert told == asked


FILTERS = [
    ({}, "hostile cold other sign_up"),
    ({"email": "JANE@example.com"}, "sign_up"),
    ({"user_id": "u-77"}, "sign_up"), ({"anonymous_id": "a-9"}, "cold"),
    ({"message_id": "m-1"}, "sign_up"), ({"source": "rare-crm"}, "hostile"),
    ({"event": "Signed up"}, "other sign_up"), ({"event": HOSTILE}, "hostile"),
    ({"status": "cold_storage"}, "cold"), ({"status": "pending"}, "hostile other sign_up"),
    ({"status": "completed"}, ""), ({"key": 999}, ""), ({"source": "nowhere"}, ""),
    ({"text": "größe \"l\"", "from_": "2024-01-01"}, "sign_up"),
    ({"text": "größe", "from_": days_from_now(-0.5)}, ""),
    ({"text": "%", "from_": days_from_now(-2)}, ""),
    ({"event": "Signed up", "email": "joe@example.com", "status": ""}, "other"),
]


def listed(stack, jane, options):
    """The ids that the tool lists, part by part: a part ends when it has taken long enough."""
    ids, before = [], []
    while True:
        told = stack.ctl_json("signal", "list", "--organization", jane["organization"], *options,
                              *before)
        ids += [row["id"] for row in told["signals"]]
        if told["next"] is None:
            return ids
        before = ["--before", told["next"]]


@pytest.mark.parametrize("filters, names", FILTERS, ids=lambda value: str(value)[:40])
def test_each_filter(stack, jane, filters, names):
    assert found(stack, jane, **filters) == names.split()
    options = []
    for name, value in filters.items():
        name = {"from_": "since"}.get(name, name.replace("_", "-"))
        if value != "":
            options.append(f"--{name}={str(value)[:10] if name == 'since' else value}")
    if not str(filters.get("from_", "")).startswith("20") or filters["from_"] == "2024-01-01":
        assert listed(stack, jane, options) == [jane["ids"][n] for n in names.split()]


def test_parts(stack, jane):
    """Each is of as many rows as are asked for, or of what was found in its time."""
    before, rows, untils = {}, [], []
    while before != {"before": None}:
        answer = search(stack, jane, limit=1, **before).json
        assert len(answer["signals"]) <= 1
        rows += [row["id"] for row in answer["signals"]]
        before = {"before": answer["next"]}
        if answer["next"] is not None:
            untils.append(answer["searched_until"])
            assert all(untils[-1] <= row["received_at"] for row in answer["signals"])
    assert rows == [jane["ids"][name] for name in ("hostile", "cold", "other", "sign_up")]
    assert untils == sorted(untils, reverse=True) and len(untils) >= 3


def test_what_is_new_since_an_answer(stack, jane):
    live = search(stack, jane).json["live"]
    assert search(stack, jane, since=live).json["signals"] == []
    made = send(stack, path_of(jane["key"], source="live"), b'{"email":"late@example.com"}').json
    answer = search(stack, jane, since=live).json
    assert [row["id"] for row in answer["signals"]] == [made["id"]]
    assert search(stack, jane, since=live, source="website").json["signals"] == []
    assert search(stack, jane, since=answer["live"]).json["signals"] == []
    stack.psql("delete from sluice.signal where id = %s", made["id"])


def test_all_faults_are_named(stack, jane):
    query = "signals?key=x&status=lost&from=soon&until=2031-02-30&before=7&format=xml&mail=a"
    problem = assert_problem(get(stack, "vera", query), 400, "invalid_request")
    assert [error["place"] for error in problem["errors"]] == [
        "mail", "before", "key", "status", "from", "until", "format"]
    for query, place in (("from=2031-01-01&until=2031-01-01", "until"), ("text=x", "text"),
                         ("since=x", "since"), ("since=1-9:3:", "since"),
                         ("from=2031-01-01T00:00:00", "from")):
        problem = assert_problem(get(stack, "vera", f"signals?organization={jane['id']}&{query}"),
                                 400, "invalid_request")
        assert problem["errors"][0]["place"] == place, query


def test_others_are_not_found(stack, jane):
    assert get(stack, "vera", "signals?identity=jane@example.com&organization=999999").status == 403
    [(demo,)] = stack.psql("select id from sluice.organization where name = %s", stack.organization)
    assert get(stack, "vera", f"signals?organization={demo}&user_id=u-77").json["signals"] == []


# ---- as a file ----

def saved(stack, jane, form, first=100):
    return Search(stack, "signals", jane["id"]).file(form, "signals", first=first)


def test_csv_and_ndjson(stack, jane):
    whole = saved(stack, jane, "csv")
    rows = list(csv.DictReader(io.StringIO(whole, newline="")))
    assert [int(row["id"]) for row in rows] == [jane["ids"][name] for name in
                                               ("hostile", "cold", "other", "sign_up")]
    assert rows[0]["event_name"] == "'" + HOSTILE and '"n": 1.50' in rows[0]["payload"]
    assert json.loads(rows[3]["payload"])["plan"] == 'Größe "L"'
    lines = saved(stack, jane, "ndjson").splitlines()
    assert len(lines) == 4 and "1.50" in lines[0]
    assert json.loads(lines[3])["email"] == "jane@example.com"
    assert saved(stack, jane, "csv", first=3) == whole
    options = ("signal", "list", "--organization", jane["organization"], "--format")
    assert stack.ctl(*options, "csv").replace("\r", "") == whole.replace("\r", "")
    assert stack.ctl(*options, "ndjson", "--limit", 2).splitlines() == lines[:2]


@pytest.mark.parametrize("arguments, message", [
    (["--format", "xml"], '--format must be ndjson or csv, not "xml"'),
    (["--format", "csv", "--json"], "--format cannot be combined with --json"),
    (["--status", "lost"], '--status must be pending, processing, '),
    (["--key", "x"], '--key must be an id, not "x"'),
    (["--text", "x"], "--text needs --since"),
    (["--since", "1d", "--until", "2d"], "--until must be later than --since"),
    (["--before", "7"], '--before must be the "next" of an answer, not "7"')])
def test_refused_options(stack, jane, arguments, message):
    stderr = Tool(stack).refused("signal", "list", "--organization", jane["organization"],
                                 *arguments, exits=USAGE)
    assert message in stderr


# ---- followed ----

@contextlib.contextmanager
def tail(stack, jane, file, *arguments):
    """Yields the process, and a function that waits for that many lines of its output."""
    def lines(n):
        return wait_for(lambda: len(file.read_text().splitlines()) >= n
                        and file.read_text().splitlines(), f"{n} lines of tail")

    with file.open("w") as output:
        process = subprocess.Popen(
            [stack.env["SLUICECTL"], "tail", "--organization", jane["organization"], *arguments],
            env={**os.environ, **stack.env}, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield process, lines
    finally:
        process.kill()
        process.wait()


def test_tail(stack, jane, tmp_path):
    made = []
    with tail(stack, jane, tmp_path / "json", "--source", "website", "--json") as (process, lines):
        assert [json.loads(line)["id"] for line in lines(2)] \
            == [jane["ids"]["sign_up"], jane["ids"]["other"]]
        for source in ("website", "elsewhere", "website"):
            made.append(send(stack, path_of(jane["key"], source=source),
                             b'{"email":"tail@example.com"}').json["id"])
        assert [json.loads(line)["id"] for line in lines(4)[2:]] == [made[0], made[2]]
        process.send_signal(signal.SIGINT)
        assert process.wait(60 * PATIENCE) == 0
        assert len(lines(4)) == 4
    with tail(stack, jane, tmp_path / "text", "--text", "TAIL@", "--key", str(jane["key"]["id"])) \
            as (process, lines):
        assert [line.split()[-1] for line in lines(3)] == [str(number) for number in made]
        assert lines(3)[0].split()[1:3] == ["pending", "website"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(60 * PATIENCE) == 0
    done = subprocess.run(
        ["bash", "-c", '"$SLUICECTL" tail --organization "$0" | head -n 1; echo "${PIPESTATUS[0]}"',
         jane["organization"]], env={**os.environ, **stack.env}, capture_output=True, text=True,
        check=True, timeout=60 * PATIENCE)
    assert done.stdout.splitlines()[-1] in ("0", "141") and done.stderr == ""
    stack.psql("delete from sluice.signal where email = 'tail@example.com'")
