"""Searching product-org updates by API and tool: each filter, in parts, and as files."""

import csv
import io
import json

import pytest

from harness import JSON, assert_problem, org_path, send
from settings_api import Search, get
from sluicectl import USAGE, Tool, ToolSearch

pytestmark = [pytest.mark.settings, pytest.mark.first_front]

TEMPLATE = {"product_org_id": "id", "name": "name", "plan_id": "plan.id", "plan_name": "plan.name",
            "trial_status": "trial"}
PAYLOADS = {
    "old": {"id": "acme", "name": "Acme", "plan": {"id": "p1", "name": "Pro"}, "trial": "active"},
    "new": {"id": "acme", "name": "Größe \"L\"", "plan": {"id": "p2", "name": "Max"}, "n": 1.5},
    "other": {"id": "beta", "name": "=cmd 100%", "plan": {"id": "Pro"}, "trial": "ended"},
    "large": {"id": "gamma", "name": "Gamma", "note": "é" * 40000},
}


@pytest.fixture(scope="module")
def updates(stack):
    """Updates of an organization, one of which came yesterday."""
    organization = "Search updates"
    stack.ctl("organization", "create", organization)
    stack.ctl("member", "add", "--organization", organization, "--user", "vera", "--role", "viewer")
    keys = [stack.new_key(organization, name, "product_orgs", template=TEMPLATE)
            for name in ("billing", "billing 2")]
    ids = {}
    for name, payload in PAYLOADS.items():
        answer = send(stack, org_path(keys[name == "other"]), json.dumps(payload).encode(),
                      {**JSON, "X-Request-Id": f"update-{name}"})
        ids[name] = answer.json["id"]
    stack.psql("update sluice.product_org_update set received_at = received_at - interval '1 day'"
               " where id = %s", ids["old"])
    [(number,)] = stack.psql("select id from sluice.organization where name = %s", organization)
    yield {"id": number, "name": organization, "keys": keys, "ids": ids}
    stack.ctl("member", "remove", "--organization", organization, "--user", "vera")


def search(stack, updates):
    return Search(stack, "product-orgs", updates["id"])


def search_by_tool(stack, updates):
    return ToolSearch(stack, "product-org updates", updates["name"], "product_orgs")


def names_of(updates, ids):
    names = {number: name for name, number in updates["ids"].items()}
    return " ".join(names[number] for number in ids)


def found(stack, updates, search=search, **filters):
    """The names of what is found."""
    return names_of(updates, [row["id"] for row in search(stack, updates).all(**filters)])


LONG_AGO = "2024-01-01"
BOTH = pytest.mark.parametrize("search", [search, search_by_tool], ids=["api", "tool"])


@pytest.mark.parametrize("filters, names", [
    ({}, "large other new old"), ({"limit": 1}, "large other new old"),
    ({"identity": "acme"}, "new old"), ({"identity": "acm"}, ""),
    ({"identity": "update-new"}, "new"),
    ({"product_org_id": "acme"}, "new old"), ({"product_org_id": ""}, "large other new old"),
    ({"request_id": "update-other"}, "other"), ({"plan": "Pro"}, "other old"),
    ({"plan": "p2"}, "new"),
    ({"trial_status": "ended"}, "other"), ({"status": "pending"}, "large other new old"),
    ({"status": "completed", "text": "", "from_": ""}, ""), ({"key": 999999}, ""),
    ({"text": "GRÖßE \"L\"", "from_": LONG_AGO}, "new"),
    ({"text": "%", "from_": LONG_AGO}, "other"),
    ({"text": "acme", "from_": -0.5}, "new"), ({"until": -0.5}, "old"),
    ({"identity": "acme", "text": "pro", "from_": LONG_AGO, "trial_status": "active"}, "old"),
], ids=lambda value: str(value)[:40])
@BOTH
def test_each_filter(stack, updates, search, filters, names):
    assert found(stack, updates, search, **filters) == names


@BOTH
def test_by_key_and_id(stack, updates, search):
    assert found(stack, updates, search, key=updates["keys"][1]["id"]) == "other"
    assert found(stack, updates, search, identity=updates["ids"]["new"]) == "new"


def test_the_tool_says_how_to_go_on(stack, updates):
    assert names_of(updates, search_by_tool(stack, updates).by_hints(3)) == "large other new old"


@pytest.mark.parametrize("arguments, message", [
    (["--format", "csv", "--json"], "--format cannot be combined with --json"),
    (["--key", "x"], '--key must be an id, not "x"'), (["--text", "x"], "--text needs --since"),
    (["--status", "cold_storage"], "--status must be pending, processing, "),
    (["--since", "1d", "--until", "2d"], "--until must be later than --since"),
    (["--before", "7-8"], '--before must be an id, not "7-8"')])
def test_refused_options(stack, updates, arguments, message):
    stderr = Tool(stack).refused("product-org", "updates", "--organization", updates["name"],
                                 *arguments, exits=USAGE)
    assert message in stderr


def test_all_faults_are_named(stack, updates):
    query = ("product-orgs?limit=101&before=x&key=x&status=cold_storage&from=soon&until=2031-02-30"
             "&format=xml&source=a&state=open")
    problem = assert_problem(get(stack, "vera", query), 400, "invalid_request")
    assert [error["place"] for error in problem["errors"]] == [
        "source", "state", "limit", "before", "key", "status", "from", "until", "format"]
    for filters, place in (({"from_": "2031-01-01", "until": "2031-01-01"}, "until"),
                           ({"text": "x"}, "text")):
        problem = assert_problem(search(stack, updates).part(**filters), 400, "invalid_request")
        assert problem["errors"][0]["place"] == place


def test_files_are_the_list(stack, updates):
    listed = search(stack, updates).part().json["product_orgs"]
    text = {form: search(stack, updates).file(form, "product-org-updates", first=3)
            for form in ("ndjson", "csv")}
    for form, whole in text.items():
        assert search_by_tool(stack, updates).saved(form).splitlines() == whole.splitlines()
    lines = [json.loads(line) for line in text["ndjson"].splitlines()]
    assert listed[0]["payload"] is None and lines[0]["payload"] == PAYLOADS["large"]
    assert lines[1:] == listed[1:]
    rows = list(csv.DictReader(io.StringIO(text["csv"], newline="")))
    assert [int(row["id"]) for row in rows] == [row["id"] for row in listed]
    assert [json.loads(row["payload"]) for row in rows] == [row["payload"] for row in lines]
    assert [row["name"] for row in rows] == ["Gamma", "'=cmd 100%", "Größe \"L\"", "Acme"]
