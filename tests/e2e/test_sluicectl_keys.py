"""sluicectl key: create, list, show, networks, deactivate."""

import datetime
import hashlib
import itertools
import json
import os
import subprocess
import time

import pytest

import harness
from sluicectl import FAILED, MANUAL, USAGE, Tool

pytestmark = pytest.mark.first_front

KEY_MEMBERS = ["id", "organization", "name", "display", "endpoint_type", "has_secret", "status",
               "expires_at", "created_at", "created_by", "last_used_at", "deactivated_at",
               "deactivated_by", "last_refused_at", "last_refused_reason", "payload_template",
               "delivery_id_member", "networks", "successor_of", "successor", "secret_made_at",
               "old_secret_until", "secret_needed_from"]


def create(tool, organization, *options, name="a key"):
    """A name that was given before gets a number behind it."""
    made = [key["name"] for key in tool.json("key", "list", "--organization", organization)["keys"]]
    if name in made:
        name = f"{name} {len(made)}"
    return tool.json("key", "create", "--organization", organization, "--name", name, *options)


# ---- create ----

def test_key_create(tool, stack, organization):
    made = create(tool, organization, "--secret", "--expires", "2031-05-01T12:00:00Z")
    assert {"key", "secret", "webhook_path", "webhook_url", "snippets"} < set(made)
    assert harness.KEY.fullmatch(made["key"]) and harness.SECRET.fullmatch(made["secret"])
    assert made["name"] == "a key" and made["endpoint_type"] == "signal_staging"
    assert made["expires_at"] == "2031-05-01T12:00:00Z"
    assert made["webhook_url"] == f"{stack.base_url}/api/signal-staging/webhook/{made['key']}"
    stored = stack.psql("select key_hash, secret_hash, display, created_by from sluice.api_key "
                        "where id = %s", made["id"])[0]
    assert bytes(stored[0]) == hashlib.sha256(made["key"].encode()).digest()
    assert bytes(stored[1]) == hashlib.sha256(made["secret"].encode()).digest()
    assert stored[2] == f"{made['key'][:7]}…{made['key'][-4:]}"
    assert stored[3].startswith(f"sluicectl:{stack.env['PGUSER']}@")
    audited = stack.psql("select a::text from sluice.audit_log a where object_id = %s "
                         "and action = 'key_create'", str(made["id"]))
    assert len(audited) == 1
    assert made["key"] not in audited[0][0] and made["secret"] not in audited[0][0]


def test_key_without_anything(tool, organization):
    made = create(tool, organization)
    assert made["secret"] is None and made["expires_at"] is None
    assert create(tool, organization)["key"] != made["key"]


def test_key_for_product_orgs(tool, stack, organization, tmp_path):
    template = tmp_path / "template.json"
    template.write_text('\n {"product_org_id": "groupId", "custom": {"n": "a.b"}}\n')
    made = create(tool, organization, "--endpoint", "product_orgs", "--template", template)
    assert made["webhook_url"] == f"{stack.base_url}/api/product-orgs/webhook/{made['key']}"
    shown = tool.json("key", "show", str(made["id"]))
    assert shown["payload_template"] == json.loads(template.read_text())
    text = tool("key", "create", "--organization", organization, "--name", "p", "--endpoint",
                "product_orgs", "--template", template).stdout_text
    assert "-d @payload.json" in text


@pytest.mark.parametrize("base, begins", [
    (None, "https://YOUR-HOST/api/"), ("", "https://YOUR-HOST/api/"),
    ("https://x.example///", "https://x.example/api/"),
    (os.fsdecode(b"https://x\xff.example"), "https://x\ufffd.example/api/")])
def test_webhook_url(stack, organization, base, begins):
    tool = Tool(stack, BASE_URL=base or "")
    if base is None:
        del tool.env["BASE_URL"]
    assert create(tool, organization)["webhook_url"].startswith(begins)


@pytest.mark.parametrize("options", [[], ["--secret"]], ids=["plain", "secret"])
def test_printed_curl_line_works(tool, stack, organization, options):
    text = tool("key", "create", "--organization", organization, "--name", "try", *options,
                ).stdout_text
    key, = set(harness.KEY.findall(text))
    assert len(set(harness.SECRET.findall(text))) == len(options)
    assert "will not be shown again" in text
    line = text[text.index("  curl "):]
    done = subprocess.run(["sh", "-c", f"{line.rstrip()} -sS -w ' %{{http_code}}' --noproxy '*'"],
                          capture_output=True, text=True, check=False)
    assert done.stdout.endswith(" 202"), (line, done)
    assert stack.psql("select count(*) from sluice.signal_staging s join sluice.api_key k "
                      "on k.id = s.key_id where k.key_hash = %s",
                      hashlib.sha256(key.encode()).digest())[0][0] == 1


def test_quoting_of_the_curl_line(stack, organization):
    tool = Tool(stack, BASE_URL="http://h/'; touch pwned; '")
    text = tool("key", "create", "--organization", organization, "--name", "q").stdout_text
    line = text[text.index("  curl "):].replace("curl", "printf '%s\\n'", 1)
    words = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True
                           ).stdout.splitlines()
    assert words[-1].startswith("http://h/'; touch pwned; '/api/") and len(words) == 5


@pytest.mark.parametrize("given, expected", [
    ("2031-05-01T12:00:00Z", "2031-05-01T12:00:00Z"),
    ("2031-05-01", "2031-05-01T00:00:00Z"),
    ("2031-05-01 12:00Z", "2031-05-01T12:00:00Z"),
    ("2031-05-01T12:00:00.250Z", "2031-05-01T12:00:00.25Z"),
    ("2031-05-01T12:00:00.1234567Z", "2031-05-01T12:00:00.123456Z"),
    ("2031-05-01T00:30:00+02:00", "2031-04-30T22:30:00Z"),
    ("2031-05-01T00:30:00-0530", "2031-05-01T06:00:00Z"),
    ("2031-05-01T00:30+14", "2031-04-30T10:30:00Z"),
    ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
])
def test_expires(stack, organization, given, expected):
    for zone, style in itertools.product(("UTC", "America/New_York"), ("ISO", "German")):
        tool = Tool(stack, PGTZ=zone, PGDATESTYLE=style)
        assert create(tool, organization, "--expires", given)["expires_at"] == expected


@pytest.mark.parametrize("given, seconds", [("1s", 1), ("90m", 5400), ("12h", 43200),
                                            ("30d", 30 * 86400), ("2w", 14 * 86400),
                                            ("365d", 365 * 86400), ("99999d", 99999 * 86400)])
def test_expires_from_now_on(stack, organization, given, seconds):
    made = create(Tool(stack, PGTZ="America/New_York"), organization, "--expires", given)
    assert stack.psql("select extract(epoch from expires_at - created_at)::bigint "
                      "from sluice.api_key where id = %s", made["id"]) == [(seconds,)]


@pytest.mark.parametrize("given", [
    "", "infinity", "now", "tomorrow", "epoch", "2031", "2031-05", "20310501",
    "2031-05-01T12:00:00", "2031-05-01T12", "2031-05-01T12:00:00 Europe/Berlin",
    "2031-05-01T12:00:00Z ", " 2031-05-01", "2031-05-01T12:00:00ZZ", "2031-05-01T12:00:00+1",
    "2031-05-01T12:00:00.Z", "2031-13-01", "2031-02-29", "2031-05-01T25:00:00Z", "0000-01-01",
    "12345-01-01", "2031-05-01T12:00:00+25:00", "30", "d", "-30d", "+30d", "1.5d", "30 d", "30D",
    "30y", "123456d", "1d12h", "1812345678", "2031-05-01'::timestamptz"])
def test_expires_refused(tool, organization, given):
    stderr = tool.refused("key", "create", "--organization", organization, "--name", "x",
                          f"--expires={given}", exits=USAGE)
    assert "is not a valid timestamp" in stderr
    assert tool.json("key", "list", "--organization", organization)["keys"] == []


def test_expired_from_the_start(tool, organization):
    assert "an expiration is in the future, and 2001-05-01T00:00:00Z is past\n" in tool.refused(
        "key", "create", "--organization", organization, "--name", "old", "--expires",
        "2001-05-01", exits=USAGE)
    assert tool.json("key", "list", "--organization", organization)["keys"] == []
    assert create(tool, organization, "--expires", "never")["expires_at"] is None


@pytest.mark.parametrize("content, message", [
    (b'{"product_org_id":"a"}'.ljust(64 * 1024), None),
    (b'{"product_org_id":"a"}'.ljust(64 * 1024 + 1), "is too large"),
    (b"", "is not valid JSON"),
    (b"[1]", "is not a JSON object"),
    (b"null", "is not a JSON object"),
    (b'{"product_org_id":', "is not valid JSON"),
    (b'{"product_org_id":"a"} x', "is not valid JSON"),
    (b'{"product_org_id":"\xff"}', "invalid UTF-8"),
    (b'{"product_org_id":"a"}\0', "holds a NUL byte"),
    (b'{"product_org_id":"a\\u0000"}', "cannot be stored"),
    (b"{}", "must map product_org_id"),
    (b'{"product_org_id":"a","plan":"b"}', 'line 1, column 23: unknown field "plan"'),
], ids=lambda value: None if value is None else repr(value)[:24])
def test_template(tool, organization, tmp_path, content, message):
    path = tmp_path / "template.json"
    path.write_bytes(content)
    arguments = ("key", "create", "--organization", organization, "--name", "t", "--endpoint",
                 "product_orgs", "--template", path)
    if message is None:
        tool(*arguments)
    else:
        assert message in tool.refused(*arguments)
        assert tool.json("key", "list", "--organization", organization)["keys"] == []


@pytest.mark.parametrize("options, message", [
    (["--endpoint", "product_orgs"], "needs a payload template"),
    (["--template", MANUAL], "is not valid JSON"),
    (["--template", "/nowhere"], "No such file or directory"),
    (["--template", "/"], "Is a directory"),
], ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else None)
def test_key_refused(tool, organization, options, message):
    assert message in tool.refused("key", "create", "--organization", organization, "--name", "x",
                                   *options)


def test_template_for_signals(tool, organization, tmp_path):
    path = tmp_path / "template.json"
    path.write_text('{"product_org_id":"a"}')
    assert "takes no payload template" in tool.refused(
        "key", "create", "--organization", organization, "--name", "x", "--template", path)


def test_key_of_no_organization(tool):
    assert "does not exist" in tool.refused("key", "create", "--organization", "no such one",
                                            "--name", "x")


def test_key_that_could_not_be_shown(tool, stack, organization):
    with open("/dev/full", "w", encoding="ascii") as full:
        stderr = tool("key", "create", "--organization", organization, "--name", "lost",
                      exits=FAILED, stdout=full).stderr_text
    assert "could not write the output: No space left on device" in stderr
    listed, = tool.json("key", "list", "--organization", organization)["keys"]
    assert f"key {listed['id']} was created but not shown; deactivate it" in stderr


def test_output_that_cannot_be_written(tool):
    with open("/dev/full", "w", encoding="ascii") as full:
        tool("organization", "list", exits=FAILED, stdout=full)


def test_credentials_as_arguments_are_not_echoed(tool, organization):
    made = create(tool, organization, "--secret")
    for credential in (made["key"], made["secret"]):
        for arguments, exits in ((("key", "show", credential), USAGE), ((credential,), USAGE),
                                 (("member", "list", "--organization", credential), USAGE)):
            assert credential not in tool.refused(*arguments, exits=exits)


# ---- list, show, deactivate ----

def test_key_list_and_show(tool, organization):
    made = [create(tool, organization, name=name) for name in ("one", "two")]
    listed = tool.json("key", "list", "--organization", organization)["keys"]
    made.reverse()  # the newest first
    assert [entry["id"] for entry in listed] == [entry["id"] for entry in made]
    assert tool.json("key", "list", "--organization", organization, "--limit", "1")["keys"] \
        == listed[:1]
    assert list(listed[0]) == KEY_MEMBERS
    assert listed[0]["display"] == f"{made[0]['key'][:7]}…{made[0]['key'][-4:]}"
    assert listed[0]["status"] == "active" and listed[0]["last_used_at"] is None
    assert datetime.datetime.fromisoformat(listed[0]["created_at"]).tzinfo is not None
    assert tool.json("key", "show", str(made[0]["id"])) == listed[0]
    assert {entry["id"] for entry in listed} < {
        entry["id"] for entry in tool.json("key", "list")["keys"]}
    text = tool("key", "show", str(made[1]["id"])).stdout_text
    assert [line.split()[0] for line in text.splitlines()[1:]] == KEY_MEMBERS
    assert "does not exist" in tool.refused("key", "show", "9223372036854775807")
    assert "does not exist" in tool.refused("key", "list", "--organization", "no such one")


def test_a_key_is_found(tool, organization, tmp_path):
    made = create(tool, organization)
    path = tmp_path / "address"
    path.write_text(f"https://hooks.example.com/api/signal-staging/webhook/{made['key']}/batch\n")
    assert tool.json("key", "find", path) == tool.json("key", "show", str(made["id"]))
    with path.open(encoding="ascii") as address:
        found = tool("--json", "key", "find", "-", stdin=address).stdout_text
    assert json.loads(found)["id"] == made["id"]
    for text, says in ((made["key"][:-1], "it has 40 characters instead of 41"),
                       (made["key"][:-1] + "!", "it has 40 characters instead of 41"),
                       (made["key"] + "x", "it has 42 characters instead of 41"),
                       (made["key"][:10] + ("a" if made["key"][10] != "a" else "b")
                        + made["key"][11:], "the key has a mistake"),
                       ("nothing", "there is no key in"), ("", "there is no key in")):
        path.write_text(text)
        stderr = tool.refused("key", "find", path)
        assert says in stderr and made["key"][3:20] not in stderr
    path.write_text("sk_" + "0" * 32 + "30OBQY")
    assert "this key does not exist" in tool.refused("key", "find", path)


def test_networks(tool, organization):
    made = create(tool, organization, "--allow", "192.0.2.0/24", "--allow", "2001:db8::/32, ::1")
    shown = ["192.0.2.0/24", "::1/128", "2001:db8::/32"]
    listed = tool.json("key", "list", "--organization", organization)["keys"][0]
    assert listed["networks"] == shown
    text = tool("key", "list", "--organization", organization).stdout_text.splitlines()
    assert text[0].endswith("  NETWORKS") and text[1].endswith("  192.0.2.0/24 +2")
    key = str(made["id"])
    assert tool("key", "networks", key, "--allow=10.1.2.3", "--allow", "::/0").stdout_text \
        == f'key {key} "a key" works from 10.1.2.3/32, ::/0\n'
    assert tool.json("key", "networks", key, "--allow", "10.1.2.3/32") \
        == tool.json("key", "show", key)
    assert tool("key", "networks", key, "--allow", "all").stdout_text \
        == f'key {key} "a key" works from everywhere\n'
    assert tool.json("key", "show", key)["networks"] is None
    entries = tool.json("audit", "--organization", organization)["entries"]
    assert [(entry["action"], entry["details"].get("old_networks"), entry["details"]["networks"])
            for entry in entries if entry["object_id"] == key] == [
        ("key_networks", ["10.1.2.3/32"], None),
        ("key_networks", ["10.1.2.3/32", "::/0"], ["10.1.2.3/32"]),
        ("key_networks", shown, ["10.1.2.3/32", "::/0"]),
        ("key_create", None, shown)]


def test_networks_refused(tool, organization):
    key = str(create(tool, organization)["id"])
    for given, message in (("", '"" is not a network'), ("10.0.0.0/8,", '"" is not a network'),
                           ("all,10.0.0.0/8", '"all" is not a network'),
                           ("x\x1b[2J", "is not a network"), ('"', "is not a network"),
                           ("192.0.2.7/24", "its network is 192.0.2.0/24"),
                           (",".join(["::"] * 201), "must be 1 to 200 networks")):
        for command in (("networks", key), ("create", "--organization", organization, "--name",
                                            "x")):
            stderr = tool.refused("key", *command, f"--allow={given}")
            assert message in stderr and "\x1b" not in stderr
    listed, = tool.json("key", "list", "--organization", organization)["keys"]
    assert listed["networks"] is None
    assert "needs --allow" in tool.refused("key", "networks", key, exits=USAGE)
    assert "does not exist" in tool.refused("key", "networks", "9223372036854775807", "--allow",
                                            "::1")


def test_last_used(tool, stack, organization):
    made = create(tool, organization)
    [(before,)] = stack.psql("select clock_timestamp()")
    harness.accepted_id(harness.send(stack, harness.path_of(made)))
    [(after,)] = stack.psql("select clock_timestamp()")
    used = tool.json("key", "show", str(made["id"]))["last_used_at"]
    assert before <= datetime.datetime.fromisoformat(used) <= after


@pytest.mark.slow
def test_last_used_lags_by_less_than_a_minute(tool, stack, organization):
    """A worker that remembers to have noted a key's use must not remember it for too long."""
    made = create(tool, organization)
    started, lags = time.monotonic(), []
    while time.monotonic() - started < 120:
        harness.accepted_id(harness.send(stack, harness.path_of(made)))
        lags += stack.psql("select extract(epoch from clock_timestamp() - last_used_at)"
                           " from sluice.key_overview where id = %s", made["id"])[0]
    assert 10 < max(lags) < 60, "it is not written each time, and not too late"


def test_key_deactivate(tool, stack, organization):
    made = create(tool, organization)
    harness.accepted_id(harness.send(stack, harness.path_of(made)))
    first = tool.json("key", "deactivate", str(made["id"]))
    assert first["status"] == "deactivated" and list(first) == KEY_MEMBERS
    assert harness.send(stack, harness.path_of(made)).status == 401
    assert tool.json("key", "deactivate", str(made["id"])) == {
        **first, "last_used_at": tool.json("key", "show", str(made["id"]))["last_used_at"]}
    assert first["deactivated_at"] in tool("key", "deactivate", str(made["id"])).stdout_text
    assert stack.psql("select count(*) from sluice.audit_log where action = 'key_deactivate' "
                      "and object_id = %s", str(made["id"]))[0][0] == 1
    assert "does not exist" in tool.refused("key", "deactivate", "9223372036854775807")
