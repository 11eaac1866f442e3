"""Searching rejected payloads by API and tool: each filter, in parts, and as files."""

import csv
import io
import json

import pytest

from harness import JSON, assert_problem, path_of, send
from settings_api import Search, get
from sluicectl import USAGE, Tool, ToolSearch

pytestmark = [pytest.mark.settings, pytest.mark.first_front]

BODIES = {  # each bad at its end
    "jane": b'{"email":"Jane@Example.com", "plan":"Gr\xc3\xb6\xc3\x9fe \\"L\\"" "a":}',
    "mary": b'{"email":"mary.jane@example.com", "userId":"u-77" "a":}',
    "bytes": b'=cmd \x00\xff 100% \\303 "a":}',
    "large": b'{"email":"late@example.com", "long":"' + b"x" * 9000 + b' jane@example.com"}}',
}


@pytest.fixture(scope="module")
def bad(stack):
    """Rejected payloads of an organization, one of which came yesterday."""
    organization = "Search rejects"
    stack.ctl("organization", "create", organization)
    for user, role in (("vera", "viewer"), ("edith", "editor")):
        stack.ctl("member", "add", "--organization", organization, "--user", user, "--role", role)
    keys = [stack.new_key(organization, name) for name in ("bad forms", "bad crm")]
    ids = {}
    for name, body in BODIES.items():
        key = keys[name == "mary"]
        send(stack, path_of(key, source="crm" if name == "mary" else "website"), body,
             {**JSON, "X-Request-Id": f"search-{name}"})
        [(ids[name],)] = stack.psql(
            "select max(id) from sluice.rejected_payload where key_id = %s", key["id"])
    stack.psql("update sluice.rejected_payload set received_at = received_at - interval '1 day'"
               " where id = %s", ids["jane"])
    [(number,)] = stack.psql("select id from sluice.organization where name = %s", organization)
    yield {"id": number, "name": organization, "keys": keys, "ids": ids}
    for user in ("vera", "edith"):
        stack.ctl("member", "remove", "--organization", organization, "--user", user)


def search(stack, bad):
    return Search(stack, "rejects", bad["id"])


def search_by_tool(stack, bad):
    return ToolSearch(stack, "rejected list", bad["name"], "rejects")


def names_of(bad, ids):
    names = {number: name for name, number in bad["ids"].items()}
    return " ".join(names[number] for number in ids)


def found(stack, bad, search=search, **filters):
    """The names of what is found."""
    return names_of(bad, [row["id"] for row in search(stack, bad).all(**filters)])


LONG_AGO = "2024-01-01"
BOTH = pytest.mark.parametrize("search", [search, search_by_tool], ids=["api", "tool"])


@pytest.mark.parametrize("filters, names", [
    ({}, "large bytes mary jane"), ({"limit": 1}, "large bytes mary jane"),
    ({"identity": "jane@example.COM"}, "large jane"), ({"identity": "u-7"}, ""),
    ({"identity": "U-77"}, "mary"), ({"identity": "search-bytes"}, "bytes"),
    ({"request_id": "search-mary"}, "mary"), ({"request_id": "search"}, ""),
    ({"source": "crm"}, "mary"), ({"source": ""}, "large bytes mary jane"),
    ({"code": "not_an_object"}, ""), ({"state": "open"}, "large bytes mary jane"),
    ({"state": "replayed", "text": "", "identity": ""}, ""),
    ({"text": "größe \"l\"", "from_": LONG_AGO}, "jane"),
    ({"text": "303", "from_": LONG_AGO}, "bytes"),
    ({"text": "%", "from_": LONG_AGO}, "bytes"), ({"text": "'", "from_": LONG_AGO}, ""),
    ({"text": "jane", "from_": -0.5}, "large mary"), ({"from_": -2.0, "until": -0.5}, "jane"),
    ({"text": "jane", "from_": LONG_AGO, "source": "website", "identity": "late@example.com"},
     "large"),
], ids=lambda value: str(value)[:40])
@BOTH
def test_each_filter(stack, bad, search, filters, names):
    assert found(stack, bad, search, **filters) == names


@BOTH
def test_by_key_and_id(stack, bad, search):
    assert found(stack, bad, search, key=bad["keys"][1]["id"]) == "mary"
    assert found(stack, bad, search, identity=bad["ids"]["bytes"]) == "bytes"


def test_the_tool_says_how_to_go_on(stack, bad):
    assert names_of(bad, search_by_tool(stack, bad).by_hints(3)) == "large bytes mary jane"


def test_the_tool_searches_all_organizations(stack, bad):
    listed = stack.ctl_json("rejected", "list", "search-jane")["rejects"]
    assert names_of(bad, [row["id"] for row in listed]) == "jane"


@pytest.mark.parametrize("arguments, message", [
    (["--format", "csv", "--json"], "--format cannot be combined with --json"),
    (["--key", "x"], '--key must be an id, not "x"'), (["--text", "x"], "--text needs --since"),
    (["--since", "1d", "--until", "2d"], "--until must be later than --since"),
    (["--before", "7-8"], '--before must be an id, not "7-8"')])
def test_refused_options(stack, arguments, message):
    assert message in Tool(stack).refused("rejected", "list", *arguments, exits=USAGE)


def test_all_faults_are_named(stack, bad):
    query = ("rejects?limit=0&before=x&identity=a&identity=b&state=lost&code=none&key=x&from=soon"
             "&until=2031-02-30&format=xml&email=a")
    problem = assert_problem(get(stack, "vera", query), 400, "invalid_request")
    assert [error["place"] for error in problem["errors"]] == [
        "email", "limit", "before", "identity", "state", "code", "key", "from", "until", "format"]
    for filters, place in (({"from_": "2031-01-01", "until": "2031-01-01"}, "until"),
                           ({"text": "x"}, "text")):
        problem = assert_problem(search(stack, bad).part(**filters), 400, "invalid_request")
        assert problem["errors"][0]["place"] == place


def test_others_are_not_found(stack, bad):
    [(demo,)] = stack.psql("select id from sluice.organization where name = %s", stack.organization)
    query = f"rejects?organization={demo}&identity=search-jane"
    assert get(stack, "vera", query).json["rejects"] == []
    assert get(stack, "vera", "rejects?organization=999999").status == 403


# ---- as a file ----

def test_files_are_the_list(stack, bad):
    def lines(user, limit):
        text = search(stack, bad).file("ndjson", "rejects", user, limit, limit)
        return [json.loads(line) for line in text.splitlines()]

    listed = search(stack, bad).part().json["rejects"]
    assert lines("vera", 1) == listed
    whole = lines("edith", 3)
    assert [row["id"] for row in whole] == [row["id"] for row in listed]
    assert whole[0]["preview"] == BODIES["large"].decode() and not whole[0]["truncated"]
    assert listed[0]["truncated"] and len(listed[0]["preview"]) == 4096
    text = search(stack, bad).file("csv", "rejects", "edith", 2, 2)
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["preview"] for row in rows] == [
        ("'" if row["preview"].startswith("=") else "") + row["preview"] for row in whole]
    assert [(int(row["id"]), row["truncated"], row["state"]) for row in rows] \
        == [(row["id"], "false", "open") for row in whole]
    by_tool = search_by_tool(stack, bad)
    saved = by_tool.saved("ndjson")
    assert [json.loads(line) for line in saved.splitlines()] == whole
    assert by_tool.saved("ndjson", "--limit", 3).splitlines() == saved.splitlines()[:3]
    assert by_tool.saved("csv").splitlines() == text.splitlines()


# ---- what takes long ----

def test_a_search_of_several_answers(stack, bad):
    """In the text of many, the first of which is what is sought."""
    organization = "Many bad"
    stack.ctl("organization", "create", organization)
    stack.ctl("member", "add", "--organization", organization, "--user", "vera", "--role", "viewer")
    [(number,)] = stack.psql("select id from sluice.organization where name = %s", organization)
    stack.psql("insert into sluice.rejected_payload (organization_id, received_at, key_id, kind,"
               " code, detail, request_id, payload) select %s, now(), 1, 'item', 'malformed_json',"
               " 'd', 'r', convert_to(case n when 1 then 'needle' else '' end"
               " || repeat('Hay ', 2500), 'UTF8')"
               " from generate_series(1, 20000) as n", number)
    answers = list(search(stack, {"id": number}).parts(text="NEEDLE", from_=-1.0))
    positions = [answer["next"] for answer in answers[:-1]]
    assert len(answers) > 1 and positions == sorted(positions, reverse=True)
    assert sum(len(answer["rejects"]) for answer in answers) == 1
    stack.ctl("member", "remove", "--organization", organization, "--user", "vera")
    stack.psql("delete from sluice.rejected_payload where organization_id = %s", number)
