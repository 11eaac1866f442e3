"""Payload templates: `sluicectl template try` without any database, and the shipped templates."""

import json
import os
import subprocess

import pytest

import harness
from messages import (COULD_NOT_CONNECT, NOT_A_TIMESTAMP, NOT_AN_OBJECT, NOT_TEXT, NOT_WHOLE,
                      NOT_WHOLE_64)

TOOL = harness.BUILD / "sluicectl"
TEMPLATES = harness.ROOT / "deploy" / "templates"
FIELDS = ["product_org_id", "name", "plan_id", "plan_name", "user_count", "mrr", "trial_status",
          "last_active_at", "feature_flags", "custom"]
NOTHING = dict.fromkeys(FIELDS)


def run(*arguments, exits=0):
    """Nothing that could lead to a database is in the environment."""
    env = {name: value for name, value in os.environ.items()
           if not name.startswith(("PG", "SLUICE_"))}
    done = subprocess.run([TOOL, *arguments], env={**env, "PGHOST": "/nowhere"},
                          capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == exits, done
    return done


def attempt(template, payload, *options, exits=0):
    return run("template", "try", "--template", template, "--payload", payload, *options,
               exits=exits)


def rows(template, payload, exits=0):
    text = attempt(template, payload, "--json", exits=exits).stdout
    assert text.count("\n") == 1 and text.endswith("\n")
    return json.loads(text, parse_float=str,
                      parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))["results"]


@pytest.fixture
def files(tmp_path):
    """Writes a template and a payload; returns their paths."""
    def write(template, payload="{}"):
        paths = tmp_path / "template.json", tmp_path / "payload.json"
        for path, content in zip(paths, (template, payload), strict=True):
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                path.write_text(content if isinstance(content, str) else json.dumps(content))
        return paths
    return write


# ---- the templates that are shipped ----

EXAMPLE = {
    "name": "Example Ltd", "feature_flags": {"beta_reports": True}, "user_count": 42,
    "mrr": 129900, "plan_name": "Enterprise", "last_active_at": "2026-11-14T10:00:00Z"}

SHIPPED = {
    "segment-group": [{
        **EXAMPLE, "product_org_id": "acct-2077", "plan_id": "ent-annual",
        "trial_status": "converted", "last_active_at": "2026-11-14T10:00:00.25Z",
        "feature_flags": {"beta_reports": True, "seats": 50},
        "custom": {"industry": "Logistics", "employees": 329, "website": "https://www.example.com",
                   "created_at": "2021-03-04T09:00:00.000Z"}}],
    "rudderstack-group": [{
        **EXAMPLE, "product_org_id": "acct-2077", "plan_id": None, "plan_name": "Team",
        "user_count": 17, "mrr": 49900, "trial_status": "active",
        "last_active_at": "2026-11-14T10:00:00.25Z", "feature_flags": {"beta_reports": False},
        "custom": {"industry": "Logistics", "employees": "329"}}, {
            **NOTHING, "product_org_id": "31415", "name": "Second Example", "plan_name": "Free",
            "mrr": 0, "last_active_at": "2026-11-14T10:00:00Z"}],
    "hightouch-rows": [{
        **EXAMPLE, "product_org_id": "9007199254740993", "plan_id": "7", "trial_status": None,
        "custom": {"projects": 12, "region": "eu-central"}}, {
            "product_org_id": "9007199254740995", "name": "Second Example", "plan_id": "1",
            "plan_name": "Free", "user_count": 1, "mrr": 0, "trial_status": "expired",
            "last_active_at": "2026-11-13T00:00:00Z", "feature_flags": {},
            "custom": {"projects": 0, "region": "us-east"}}],
    "script": [{
        **EXAMPLE, "product_org_id": "acct-2077", "plan_id": "ent-annual", "trial_status": "none",
        "custom": None}],
}


def test_all_shipped_templates_are_tried():
    assert {path.name for path in TEMPLATES.glob("*.json")} == {
        name for stem in SHIPPED for name in (f"{stem}.json", f"{stem}.payload.json")}


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_template(name):
    made = rows(TEMPLATES / f"{name}.json", TEMPLATES / f"{name}.payload.json")
    assert made == [{"index": index, **row, "warnings": [], "error": None}
                    for index, row in enumerate(SHIPPED[name])]


def test_shipped_templates_map_every_field():
    for name in SHIPPED:
        template = json.loads((TEMPLATES / f"{name}.json").read_text())
        assert set(FIELDS) - {"custom"} <= set(template), name


def test_templates_are_installed(tmp_path):
    """Of this very build: other flags would build it anew under the other tests."""
    sanitizers = harness.VARIANT.removeprefix("san-").replace("-", ",")
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    subprocess.run(["make", "-C", harness.ROOT, "install", f"DESTDIR={tmp_path}",
                    "SAN=" + ("" if harness.VARIANT == "release" else sanitizers)],
                   env=env, check=True, timeout=300, capture_output=True)
    installed = tmp_path / "usr" / "local" / "share" / "sluice" / "templates"
    assert sorted(path.name for path in installed.iterdir()) == sorted(
        path.name for path in TEMPLATES.glob("*.json"))


# ---- rows ----

def test_json_members(files):
    row, = rows(*files({"product_org_id": "id"}, {"id": 1}))
    assert list(row) == ["index", *FIELDS, "warnings", "error"]
    assert row == {"index": 0, **NOTHING, "product_org_id": "1", "warnings": [], "error": None}


def test_values_keep_their_digits(files):
    paths = files({"product_org_id": "id", "feature_flags": "f", "custom": {"n": "n"}},
                  '{"id":123456789012345678901234567890,"f":{"x": 0.10,\n "y":[]},"n":1.50}')
    text = attempt(*paths, "--json").stdout
    assert '"product_org_id":"123456789012345678901234567890"' in text
    assert '"feature_flags":{"x":0.10,"y":[]}' in text
    assert '"custom":{"n":1.50}' in text


def test_warnings(files):
    paths = files({"product_org_id": "id", "name": "n", "mrr": "m", "last_active_at": "w",
                   "feature_flags": "f", "user_count": "u"},
                  {"id": "a", "n": {}, "m": 12.5, "w": "soon", "f": [], "u": "9223372036854775808"})
    row, = rows(*paths)
    assert row["warnings"] == [
        {"field": "name", "reason": NOT_TEXT},
        {"field": "user_count", "reason": NOT_WHOLE_64},
        {"field": "mrr", "reason": NOT_WHOLE},
        {"field": "last_active_at",
         "reason": NOT_A_TIMESTAMP},
        {"field": "feature_flags", "reason": NOT_AN_OBJECT}]
    assert {row[warning["field"]] for warning in row["warnings"]} == {None}
    text = attempt(*paths).stdout
    assert text.startswith("item 1\nFIELD           VALUE\nproduct_org_id  a\nname            -\n")
    assert "\nwarning: mrr is not a whole number\n" in text


def test_several_items(files):
    paths = files({"product_org_id": "id", "mrr": "m"},
                  '[{"id":"a","m":1},{"id":""},{"m":2},7,{"id":"b"}]')
    made = rows(*paths, exits=1)
    assert [row["index"] for row in made] == [0, 1, 2, 3, 4]
    assert [row["product_org_id"] for row in made] == ["a", None, None, None, "b"]
    assert [row["error"] for row in made] == [
        None, {"code": "missing_product_org_id", "detail": "product_org_id is empty"},
        {"code": "missing_product_org_id", "detail": "product_org_id is missing"},
        {"code": "not_an_object", "detail": made[3]["error"]["detail"]}, None]
    assert made[3]["error"]["detail"].endswith("at byte offset 36")
    assert made[2]["mrr"] is None and made[2]["warnings"] == []
    done = attempt(*paths, exits=1)
    assert done.stderr == f'sluicectl: payload "{paths[1]}": 3 of 5 items would be rejected\n'
    assert ("\n\nitem 2\nrejected: missing_product_org_id: product_org_id is empty\n\n"
            in done.stdout)


def test_text_on_a_terminal(files):
    text = attempt(*files({"product_org_id": "id", "custom": {"a\x1b[31m": "b", "x\n": "b"}},
                          {"id": "\x1b]0;x\x07", "b": 1})).stdout
    assert "\x1b" not in text and "\x07" not in text and "\\u001b]0;x\\u0007" in text


def test_repaired_payload(files):
    row, = rows(*files({"product_org_id": "id"}, '{"id":"a\\u0000\\ud800"}'))
    assert row["product_org_id"] == "a\ufffd\ufffd"


# ---- what is wrong with a template ----

@pytest.mark.parametrize("template, place, message", [
    ("", "line 1, column 1", "the template is not valid JSON: empty text"),
    ('{"product_org_id":"a",\n}', "line 2, column 1",
     "the template is not valid JSON: unexpected character"),
    ('["product_org_id"]', "line 1, column 1", "the template is not a JSON object"),
    ("{}", "line 1, column 1", "the template must map product_org_id"),
    ('{\n  "product_org_id": "a",\n  "näme": "a", "x": "b"\n}', "line 3, column 3",
     'unknown field "näme"; fields of your own belong under "custom"'),
    ('{"product_org_id":"ä","custom":{"ö":"a..b"}}', "line 1, column 37",
     'custom field "ö": the path "a..b" has an empty step'),
    ('{"product_org_id":"a","product_org_id":"b"}', "line 1, column 23",
     'field "product_org_id" is given twice'),
    ('{"product_org_id":"a","mrr":12}', "line 1, column 29",
     'field "mrr": a path must be a string'),
    ('{"product_org_id":"a\\\\"}', "line 1, column 19",
     'field "product_org_id": the path "a\\" ends with a backslash'),
    ('{"product_org_id":"' + "a" * 257 + '"}', "line 1, column 19",
     'field "product_org_id": the path is longer than 256 bytes'),
    ({"product_org_id": "a", "custom": {f"c{i}": "a" for i in range(101)}}, None,
     "there are more than 100 custom fields"),
    ('{"product_org_id":"a","custom":{"\x1b[31m":7}}'.replace("\x1b", "\\u001b"),
     "line 1, column 46", 'custom field "\\u001b[31m": a path must be a string'),
], ids=lambda value: None if value is None else str(value)[:32])
def test_bad_template(files, template, place, message):
    paths = files(template)
    for done in (attempt(*paths, exits=1),
                 run("key", "create", "--organization", "nowhere", "--name", "x", "--endpoint",
                     "product_orgs", "--template", paths[0], exits=1)):
        assert done.stdout == ""
        assert done.stderr.startswith(f'sluicectl: template "{paths[0]}", line ')
        assert done.stderr.endswith(f": {message}\n")
        assert place is None or f", {place}: " in done.stderr


def test_good_template_needs_the_database_for_a_key(files):
    paths = files({"product_org_id": "a"})
    stderr = run("key", "create", "--organization", "nowhere", "--name", "x", "--endpoint",
                 "product_orgs", "--template", paths[0], exits=3).stderr
    assert stderr.startswith(COULD_NOT_CONNECT)


# ---- what is wrong with a payload ----

@pytest.mark.parametrize("payload, message", [
    ("", "line 1, column 1: empty_body: "),
    ('{"id":1', "line 1, column 8: malformed_json: unexpected end"),
    ('{"id":1,\n "x":01}', "line 2, column 7: malformed_json: "),
    ('[{"id":1},\n{"id":"ä"} x]', "line 2, column 12: malformed_json: "),
    ('{"id":NaN}', "line 1, column 7: malformed_json: "),
    (b'{"id":"\xff"}', "line 1, column 8: malformed_json: "),
    ("7", "not_an_object"),
    ("[]", "the array is empty"),
], ids=lambda value: repr(value)[:24])
def test_bad_payload(files, payload, message):
    paths = files({"product_org_id": "id"}, payload)
    for options in ([], ["--json"]):
        done = attempt(*paths, *options, exits=1)
        assert done.stdout == ""
        assert done.stderr.startswith(f'sluicectl: payload "{paths[1]}"') and (
            message in done.stderr), done.stderr


@pytest.mark.parametrize("payload, code", [
    ('{"id":1,"n":' + "[" * 63 + "]" * 63 + "}", None),
    ('{"id":1,"n":' + "[" * 64 + "]" * 64 + "}", "nesting_too_deep"),
    ('{"id":1,"n":' + "1" * 400 + "}", None),
    ('{"id":1,"n":' + "1" * 401 + "}", "number_too_large"),
    ('{"id":1,"n":1e400}', None),
    ('{"id":1,"n":1e401}', "number_too_large"),
    ('{"id":1,"n":"' + "x" * (512 * 1024 - 15) + '"}', None),
    ('{"id":1,"n":"' + "x" * (512 * 1024 - 14) + '"}', "item_too_large"),
], ids=lambda value: str(value)[:24])
def test_default_limits(files, payload, code):
    made, = rows(*files({"product_org_id": "id"}, payload), exits=0 if code is None else 1)
    assert (made["error"] or {"code": None})["code"] == code
    assert made["product_org_id"] == ("1" if code is None else None)


def test_files(files, tmp_path):
    template, payload = files({"product_org_id": "id"}, {"id": 1})
    missing = tmp_path / "missing"
    assert attempt(missing, payload, exits=1).stderr == (
        f'sluicectl: could not read the template "{missing}": No such file or directory\n')
    assert attempt(template, missing, exits=1).stderr == (
        f'sluicectl: could not read the payload "{missing}": No such file or directory\n')
    for size, fine in ((64 * 1024, True), (64 * 1024 + 1, False)):
        template.write_text('{"product_org_id":"id"}'.ljust(size))
        done = attempt(template, payload, exits=0 if fine else 1)
        assert fine or "is too large" in done.stderr
    for size, fine in ((1024 * 1024, True), (1024 * 1024 + 1, False)):
        template.write_text('{"product_org_id":"id"}')
        payload.write_text('{"id":1}'.ljust(size))
        done = attempt(template, payload, exits=0 if fine else 1)
        assert fine or "is too large" in done.stderr


def test_usage():
    stderr = run("template", "try", "--template", "x", exits=2).stderr
    assert '"template try" needs --payload FILE' in stderr
    assert '"template" is not a complete command' in run("template", exits=2).stderr
