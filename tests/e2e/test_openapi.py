"""deploy/openapi.yaml: a valid document that describes all paths and codes; its examples work. That
every answer of the other tests is as it says, the client checks (harness/openapi.py)."""

import json
import pathlib
import re
import secrets
import subprocess
import urllib.parse

import jsonschema
import pytest

import npm
from harness import ENVIRONMENT, ROOT, Answer, openapi, path_of, send
from harness.openapi import METHODS, document, paths_of, resolve, validator
from settings_api import days_from_now, get, new_token, post

pytestmark = pytest.mark.first_front

PLACE = ROOT / "build" / "openapi"
SCRIPTS = pathlib.Path(__file__).resolve().parent / "openapi"
SEND_AS = {
    "application/json": lambda value: json.dumps(value).encode(),
    "application/x-ndjson": str.encode,
    "application/x-www-form-urlencoded": lambda value: urllib.parse.urlencode(value).encode()}


def operations():
    """(path, method, operation) of each."""
    return [(path, method, item[method]) for path, item in document()["paths"].items()
            for method in METHODS if method in item]


def walk(node, place=""):
    """Each object in the document with the place where it is."""
    if isinstance(node, dict):
        yield place, node
    for name, each in (node.items() if isinstance(node, dict) else
                       enumerate(node) if isinstance(node, list) else ()):
        yield from walk(each, f"{place}/{name}")


def test_it_is_valid():
    """By the schema of OpenAPI 3.1, which the validator from npm has."""
    missing = npm.install(SCRIPTS / "package.json", PLACE, 20)
    if missing:
        pytest.skip(missing)
    done = subprocess.run(["node", str(SCRIPTS / "validate.mjs"), str(PLACE)], env=ENVIRONMENT,
                          input=json.dumps(document()), capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"version": "3.1", "valid": True}


def test_references_lead_somewhere():
    used = set()
    for place, node in walk(document()):
        if "$ref" in node:
            used.add(node["$ref"])
            assert resolve(node) is not None, place
    parts = {f"#/components/{kind}/{name}" for kind, named in document()["components"].items()
             for name in named if kind != "securitySchemes"}
    assert used == parts


def test_schemas_are_schemas():
    for schema in document()["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    for place, node in walk(document()["paths"]):
        if "schema" in node:
            jsonschema.Draft202012Validator.check_schema(node["schema"])
        for example in node.get("examples", {}).values() if "schema" in node else ():
            assert list(validator(node["schema"]).iter_errors(example["value"])) == [] \
                or place.endswith("x-ndjson"), place


def test_all_routes_are_described():
    """Those of the table in server/route.c."""
    table = (ROOT / "fcgi-app" / "server" / "route.c").read_text()
    expected = {(path, "post") for path in re.findall(r'SIGNALS\("(.+?)"', table)}
    for path in re.findall(r'PUBLIC\("(.+?)"', table):
        # Where the web servers have them.
        expected |= {("/sluice" + path, "get"), ("/sluice" + path, "head")}
    for kind, path in re.findall(r'(READ|CHANGE)\("(.+?)"', table):
        expected.add((f"/api/settings/{path}", {"READ": "get", "CHANGE": "post"}[kind]))
    assert {(path, method) for path, method, _ in operations()} == expected
    assert len(expected) == 49


def test_scopes_are_those_of_the_service():
    """Of the table in settings/scope.c: what is not in it is not for tokens."""
    rooms = ROOT / "fcgi-app"
    source = (rooms / "settings" / "scope.c").read_text()
    scopes = {name: [text] for name, text in re.findall(r'#define (\w+)\s+"(\w+)"', source)}
    table = dict(re.findall(r'\[(ROUTE_\w+)\] = (\w+|"")', source))
    routes = re.findall(r'(READ|CHANGE)\("(.+?)", \w+, (ROUTE_\w+)',
                        (rooms / "server" / "route.c").read_text())
    expected = {(f"/api/settings/{path}", {"READ": "get", "CHANGE": "post"}[kind]):
                scopes.get(table[setting], []) for kind, path, setting in routes
                if setting in table}
    assert {(path, method): each["token"] for path, method, operation in operations()
            for each in operation.get("security", []) if "token" in each} == expected
    assert len(routes) - len(expected) == 2, "create and revoke"
    assert set(document()["components"]["schemas"]["Scope"]["enum"]) \
        == {text for [text] in scopes.values()}


def test_all_codes_are_described():
    """Those of the table in http/problem.c, and two of web servers."""
    table = (ROOT / "fcgi-app" / "http" / "problem.c").read_text()
    ours = set(re.findall(r"PROBLEM\([45]\d\d, ([a-z_]+),", table))
    assert set(document()["components"]["schemas"]["Code"]["enum"]) \
        == ours | {"unavailable", "length_required"}


def test_all_codes_of_faults_are_described():
    """Those of the table in settings/settings_internal.h; what is answered the client checks."""
    table = (ROOT / "fcgi-app" / "settings" / "settings_internal.h").read_text()
    ours = re.findall(r"^\tX\(([a-z_]+)\)", table, re.MULTILINE)
    assert document()["components"]["schemas"]["FaultCode"]["enum"] == ours and "missing" in ours


@pytest.mark.parametrize("target, expected", [
    ("/api/signal-staging/webhook/sk_a", ["/api/signal-staging/webhook/{key}"]),
    ("/api/signal-staging/webhook/crm/sk_a?x=/y", ["/api/signal-staging/webhook/{source}/{key}"]),
    ("/api/signal-staging/webhook/sk_a/batch/", ["/api/signal-staging/webhook/{key}/batch"]),
    ("http://x/api/settings/keys/7", ["/api/settings/keys/{id}"]),
    ("/sluice/health%2Flive", ["/sluice/health/live"]), ("/sluice/healthy", []),
    ("/api/settings/keys/7/8", [])])
def test_answers_are_matched_with_paths(target, expected):
    assert paths_of(target) == expected


ANSWER = {"id": 1, "message": "Signal received and queued for processing", "source": "generic",
          "cold_storage": False}


@pytest.mark.parametrize("change, fault", [
    ({}, None), ({"id": "1"}, "$"), ({"extra": 1}, "$"), ({"source": None}, "$"),
    ({"status": 200}, "200 is not described"), ({"media": "text/html"}, "text/html is not")])
def test_a_wrong_answer_is_noticed(change, fault):
    """The check of all other tests is one."""
    change = dict(change)
    status, media = change.pop("status", 202), change.pop("media", "application/json")
    answer = Answer(status, [("Content-Type", media), ("X-Request-Id", "r1")],
                    json.dumps({**ANSWER, **change}).encode())
    found = openapi.fault_of("/api/signal-staging/webhook/{key}", "post", answer)
    assert found is None if fault is None else found.startswith(fault)
    if fault:
        with pytest.raises(AssertionError, match=r"is not that of openapi\.yaml"):
            openapi.check("POST", "/api/signal-staging/webhook/sk_a", answer)


def examples():
    for path, method, operation in operations():
        body = operation.get("requestBody", {}).get("content", {})
        for media, content in body.items():
            for name, example in content["examples"].items():
                yield pytest.param(path, media, example["value"],
                                   id=f"{operation['operationId']}-{name}")
        if method == "get":
            yield pytest.param(path, None, None, id=operation["operationId"])


@pytest.mark.parametrize("path, media, value", examples())
def test_examples_work(stack, key, path, media, value):
    """What an example sends is taken; the client compares the answer with the document."""
    if "product-orgs/webhook" in path:
        key = stack.new_product_key(name="example")
    if "/tokens/{id}" in path:
        key = {"key": "", **new_token(stack)}
    elif "{id}" in path:
        key = stack.new_key(name="example", secret=True)
    if "rejects/{id}" in path:
        send(stack, path_of(stack.new_key(name="of a reject")), b"7")
        [(key["id"],)] = stack.psql("select max(id) from sluice.rejected_payload")
    if path.startswith("/api/settings/keys") and value and "name" in value:  # names are unique
        value = {**value, "name": f"{value['name']} {secrets.token_hex(4)}"}
    if path.endswith("/tokens") and value:
        value = {**value, "expires_at": days_from_now(30)}
    target = path.replace("{key}", key["key"]).replace("{source}", "crm") \
        .replace("{id}", str(key["id"]))
    if path.startswith("/api/settings/"):
        settings = target.removeprefix("/api/settings/")
        answer = get(stack, "olga", settings) if media is None \
            else post(stack, "olga", settings, value)
        assert answer.status == (201 if path.endswith(("/keys", "/rotate", "/tokens")) and media
                                 else 200), answer.body
    elif media is None:
        assert send(stack, target, None, {}, "GET").status == 200
    else:
        assert send(stack, target, SEND_AS[media](value), {"Content-Type": media}).status == 202
