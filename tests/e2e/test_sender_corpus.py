"""Each sender of the corpus, through each web server: what it sends, made up after its public
documentation, gives the rows that its file says, and sent twice is stored as often as it says."""

import datetime
import json
import re
import secrets

import pytest

import sender_files
from harness import ROOT, VARIANT, send

# Unit tests and fuzzing read the same members under sanitizers.
pytestmark = pytest.mark.skipif(VARIANT != "release", reason="not about the programs' variant")

SENDERS = sender_files.senders()


@pytest.fixture(scope="module")
def organization(stack):
    """Its own: statistics show the most frequent sources of an organization."""
    name = f"Senders {secrets.token_hex(6)}"
    stack.ctl("organization", "create", name)
    return name


def key_of(stack, organization, sender):
    template = sender.options.get("template")
    return stack.new_key(organization, name=sender.name,
                         delivery_id=sender.options.get("delivery-id"),
                         endpoint="product_orgs" if template else None,
                         template=json.loads(template) if template else None)


def send_once(stack, key, request):
    """The result of each item."""
    answer = send(stack, request.path.replace("KEY", key["key"]), request.body, request.headers)
    assert answer.status == 202, answer.body
    return answer.json.get("results", [answer.json])


TABLES = {"warm": "signal_staging", "cold": "signal_cold_storage", "org": "product_org_staging"}


def stored(stack, row, row_id):
    """The columns that are not null, as text, apart from those that are looked at one by one."""
    names = [*sender_files.STORAGE[row.storage], "warnings"]
    found = stack.psql(
        f"select {', '.join(f'{name}::text' for name in names)} from sluice.{TABLES[row.storage]}"
        " where id = %s", row_id)
    assert len(found) == 1, f"{len(found)} {row.storage} rows with id {row_id}"
    return {name: value for name, value in zip(names, found[0], strict=True) if value is not None}


def wanted_time(told, received_at):
    """`2024-09-14T10:00:00Z`, or `receipt - 2 s`; receipt, where nothing is told."""
    if told is None:
        return received_at
    if before := re.fullmatch(r"receipt - ([0-9.]+) s", told):
        return received_at - datetime.timedelta(seconds=float(before.group(1)))
    return datetime.datetime.fromisoformat(told)


def assert_row(stack, row, result, payload, envelope):
    """The row of one item, and what the sender was told of it."""
    wanted = dict(row.columns)
    told = wanted.pop("occurred_at", None)
    assert stored(stack, row, result["id"]) == wanted
    table = TABLES[row.storage]
    assert stack.psql(
        f"select payload = %s::jsonb, envelope is not distinct from %s::jsonb, payload_repaired"
        f" from sluice.{table} where id = %s", json.dumps(payload),
        None if envelope is None else json.dumps(envelope), result["id"]) == [(True, True, False)]
    assert result.get("warnings") == (
        json.loads(wanted["warnings"]) if "warnings" in wanted else None)
    if row.storage == "org":
        assert result["product_org_id"] == wanted["product_org_id"]
        return
    assert (result["source"], result["cold_storage"]) == (wanted["source"], row.storage == "cold")
    (occurred_at, received_at), = stack.psql(
        f"select occurred_at, received_at from sluice.{table} where id = %s", result["id"])
    assert occurred_at == wanted_time(told, received_at)


def assert_request(stack, key, request):
    payloads, envelope = request.payloads()
    results = send_once(stack, key, request)
    again = send_once(stack, key, request)
    assert len(results) == len(again) == len(payloads) == len(request.rows)
    for row, first, second, payload in zip(request.rows, results, again, payloads, strict=True):
        assert "duplicate" not in first
        assert second.get("duplicate", False) is (row.times == 1)
        assert (first["id"] == second["id"]) is (row.times == 1)
        for result in (first, second)[:row.times]:
            assert_row(stack, row, result, payload, envelope)


def rows_of(stack, key):
    return stack.psql(
        "select " + " + ".join(f"(select count(*) from sluice.{table} where key_id = %s)"
                               for table in TABLES.values()), *[key["id"]] * len(TABLES))[0][0]


@pytest.mark.each_front
@pytest.mark.parametrize("sender", SENDERS, ids=lambda sender: sender.name)
def test_a_sender(stack, organization, sender):
    key = key_of(stack, organization, sender)
    for request in sender.requests:
        assert_request(stack, key, request)
    assert rows_of(stack, key) == sum(row.times for request in sender.requests
                                      for row in request.rows)


def table_of_senders():
    """{sender: the other cells of its row} of the table in README.md."""
    section = (ROOT / "README.md").read_text().split("\n## Senders\n")[1].split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines()
            if line.startswith("| ")][1:]
    assert {len(row) for row in rows} == {5}
    assert len({row[0] for row in rows}) == len(rows)
    return {title: cells for title, *cells in rows}


def test_the_table_has_the_senders_of_the_corpus():
    assert sorted(table_of_senders()) == sorted(sender.title for sender in SENDERS)


def quoted(cell):
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize("sender", SENDERS, ids=lambda sender: sender.name)
def test_the_table_tells_what_a_sender_gets(sender):
    """Its paths, the columns that it fills, and how its repeats are recognised."""
    paths, columns, repeat, _ = table_of_senders()[sender.title]
    rows = [row for request in sender.requests for row in request.rows]
    assert set(quoted(paths)) == {
        request.path.replace("/api/signal-staging/webhook/", "…/").replace("KEY", "{key}")
        for request in sender.requests}
    if "template" in sender.options:
        assert columns == "product org"
    else:
        assert set(quoted(columns)) == {
            name for row in rows for name in row.columns} - {"source", "message_id", "warnings"}
        assert ("cold" in columns) is any(row.storage == "cold" for row in rows)
    assert re.findall(r"`--delivery-id ([^`]+)`", repeat) == [
        value for name, value in sender.options.items() if name == "delivery-id"]
    assert ("again" in repeat) is any(row.times == 2 for row in rows)
