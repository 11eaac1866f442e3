"""deploy/openapi.yaml, to which the client holds every answer of ours: status, type, headers and
body are as path and method promise."""

import functools
import re
import urllib.parse

import jsonschema
import yaml

from .place import ROOT

FILE = ROOT / "deploy" / "openapi.yaml"
METHODS = ("get", "head", "post", "put", "patch", "delete", "options", "trace")
LONG = 40  # of a longer array, as many of its first and last items are looked at
VARIES = re.compile(rb'(?<="request_id":")[^"]*|[0-9]+')
right = set()  # answers that were, so that the same but for its numbers is not looked at again


@functools.cache
def document():
    return yaml.safe_load(FILE.read_text())


@functools.cache
def resolver():
    return jsonschema.RefResolver("", document())


def resolve(node):
    """The node itself, or what its $ref names."""
    return resolver().resolve(node["$ref"])[1] if "$ref" in node else node


def validator(schema):
    return jsonschema.Draft202012Validator(schema, resolver=resolver())


@functools.cache
def patterns():
    """[(expression, path)]; a key in the place of a source is none."""
    found = []
    for path in document()["paths"]:
        parts = [{"{source}": "(?!sk_)[^/]+"}.get(part, "[^/]+") if part.startswith("{")
                 else re.escape(part) for part in path.split("/")]
        found.append((re.compile("/".join(parts) + "/?"), path))
    return found


def paths_of(target):
    """The paths that a target may be meant for."""
    plain = re.sub(r"^https?://[^/]*", "", target.split("?")[0])
    decoded = "/".join(urllib.parse.unquote(segment, "latin-1") for segment in plain.split("/"))
    return [path for expression, path in patterns() if expression.fullmatch(decoded)]


@functools.cache
def response_of(path, method, status):
    """The response that is described, None if none is."""
    operation = document()["paths"][path].get(method, {})
    responses = operation.get("responses", {})
    if not operation and status == "405":  # of a method that the path does not have
        return resolve({"$ref": "#/components/responses/MethodNotAllowed"})
    return resolve(responses[status]) if status in responses else None


@functools.cache
def content_of(path, method, status):
    """{media type: validator of its body}"""
    return {media: validator(content["schema"])
            for media, content in response_of(path, method, status).get("content", {}).items()}


@functools.cache
def problem():
    return validator({"$ref": "#/components/schemas/Problem"})


def shortened(value):
    """With the middle of long arrays left out, which repeats the rest."""
    if isinstance(value, dict):
        return {name: shortened(each) for name, each in value.items()}
    if isinstance(value, list):
        some = value if len(value) <= 2 * LONG else value[:LONG] + value[-LONG:]
        return [shortened(each) for each in some]
    return value


def fault_of(path, method, answer):
    """What is not as this path promises; None if all is."""
    status = str(answer.status)
    response = response_of(path, method, status)
    if response is None:
        return f"{status} is not described"
    for name in response.get("headers", {}):
        if answer.header(name) is None:
            return f"without {name}"
    if method == "head":
        return f"{len(answer.body)} bytes of a body" if answer.body else None
    checks = content_of(path, method, status)
    if answer.header("Content-Type") not in checks:
        return f"{answer.header('Content-Type')} is not described"
    if answer.header("Content-Type").startswith(("text/", "application/x-ndjson")):
        return None
    error = jsonschema.exceptions.best_match(
        checks[answer.header("Content-Type")].iter_errors(shortened(answer.json)))
    return error and f"{error.json_path}: {error.message:.300}"


def check(method, target, answer):
    """Fails the test if the answer of a worker is not as described. What a web server answers by
    itself has no X-Request-Id, and is not."""
    if answer.header("X-Request-Id") is None:
        return
    known = (method, target.split("?")[0].split("sk_")[0], target.endswith("/batch"), answer.status,
             *map(answer.header, ("Content-Type", "Retry-After", "Allow")),
             VARIES.sub(b"1", answer.body) if len(answer.body) < 1024 else answer.body)
    if known in right:
        return
    paths = paths_of(target)
    faults = [fault_of(path, method.lower(), answer) for path in paths]
    if not paths and answer.body:
        error = jsonschema.exceptions.best_match(problem().iter_errors(answer.json))
        faults = [error and error.message]
    assert not faults or None in faults, \
        f"{method} {target}: the answer {answer.status} is not that of openapi.yaml: {faults}"
    if len(right) < 10000 and len(answer.body) < 1024:
        right.add(known)
